"""Stream port: replies keep AXI4-Stream's rules, no command reaches beyond a lane, and steps start when they may."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import READ_LATENCY, START_LATENCY
from hdl.dota.io_port import IoPort
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

#: Words of one beat and of two; two of the eight lanes that a command can name.
SMALL = {"bank_words": 4, "keys": 4, "queue": 4, "estimate_bits": 8}
CFG = DotaConfig(lanes=2, rows=4, columns=4, **SMALL)
CASES = {"1 beat": (CFG, "32"), "2 beats": (DotaConfig(lanes=2, rows=8, columns=8, **SMALL), "128")}
SIZE = "2 lanes of 40 words of {1} bits"
ONE = "2 lanes of 40 words of 32 bits"


@proof("an offered reply stays until it is taken, whatever commands and results come in", size=SIZE, cases=CASES)
def handshakes(h, cfg, _bits):
    handshake(h, IoPort(cfg))


@proof("an access is inside of lanes that exist, a read of one of them alone; the port is active meanwhile", size=ONE)
def accesses(h):
    unit = h.place("unit", IoPort(CFG))
    access = unit.access
    h.prove(~access.valid | unit.active, "active during an access")
    h.prove(~h.past(access.valid, "accessed") | unit.active, "active until it is in the lane")
    h.prove(~access.valid | (access.addr < CFG.words), "the word exists")
    h.prove(~access.valid | (access.lanes != 0), "there is a lane")
    h.prove(~access.valid | access.write | (access.lanes != 3), "never reads from two lanes at once")
    h.reach(access.valid & ~access.write & (access.addr == CFG.words - 1), "a read of the last word")
    h.reach(access.valid & access.write & (access.lanes == 3), "a write to all lanes")


@proof("a read stands alone on the bus until its answer is sampled", size=SIZE, cases=CASES)
def one_read(h, cfg, _bits):
    unit = h.place("unit", IoPort(cfg))
    reads = unit.access.valid & ~unit.access.write
    waits = Signal(range(READ_LATENCY + 1))
    h.m.d.sync += waits.eq(Mux(reads, READ_LATENCY, Mux(waits != 0, waits - 1, 0)))
    h.prove(~unit.access.valid | (waits == 0), "no access before the answer")
    h.prove(~unit.start.any() | (waits == 0), "no start before the answer")
    again = Signal()
    with h.m.If(reads):
        h.m.d.sync += again.eq(1)
    h.reach(reads & again, "another read")


@proof("a step starts once, with legal fields, in lanes that exist and are done, which are left alone then", size=ONE,
       depth=26)
def steps(h):
    unit = h.place("unit", IoPort(CFG))
    starts = unit.start.any()
    since = Signal(range(START_LATENCY + 1), init=START_LATENCY)
    h.m.d.sync += since.eq(Mux(starts, 1, Mux(since < START_LATENCY, since + 1, since)))
    h.prove(~starts | ((unit.step.step != 0) & (unit.step.pad == 0)), "the step is legal")
    h.prove(~starts | (since == START_LATENCY), "start lasts one cycle")
    h.prove(~starts | unit.active, "active during a start")
    step = h.past(unit.step.as_value(), "step_before")
    settles = Signal()
    h.m.d.comb += settles.eq(since < START_LATENCY)
    h.prove(~settles | (unit.step.as_value() == step), "the step lies still while busy does not count")
    # From then on busy tells: these lanes are left alone until they are done.
    runs = Signal(CFG.lanes)
    ends = Mux(since == START_LATENCY, ~unit.busy, 0)
    h.m.d.sync += runs.eq((runs & ~ends) | unit.start)
    h.prove((unit.start & runs) == 0, "no start in a lane that runs")
    h.prove(~unit.access.valid | ((unit.access.lanes & runs) == 0), "no access to a lane that runs")
    # One accumulator, one way out.
    reduces = Signal(CFG.lanes)
    h.m.d.sync += reduces.eq((reduces & ~ends) | Mux(unit.step.reduce, unit.start, 0))
    h.prove(~(starts & unit.step.reduce & reduces.any()), "no second step with `reduce` beside one")
    h.prove(~(unit.access.valid & ~unit.access.write & reduces.any()), "no READ beside a step with `reduce`")
    told = h.past(unit.reduction.as_value(), "told_before")
    h.prove(~reduces.any() | (unit.reduction.as_value() == told), "what belongs to the step stays")
    h.prove(~(starts & unit.step.reduce) | (unit.reduction.lanes == unit.start), "it is told with the start")
    h.reach(starts & ~unit.step.reduce & reduces.any(), "a step beside one with `reduce`")
    h.reach(starts & (unit.start == 3), "a step in all lanes")
    h.reach(unit.start[1] & runs[0], "a step beside another one")
    h.reach(unit.access.valid & runs[0], "an access beside a step")
    h.reach(runs.any() & unit.results.valid & unit.results.ready, "a result")


@proof("a result that is accepted never mixes with the reply to a READ", size=ONE)
def replies(h):
    unit = h.place("unit", IoPort(CFG))
    assume_stream_rules(h, unit.results, "results")
    reads = unit.access.valid & ~unit.access.write
    open_reads = Signal()
    with h.m.If(reads):
        h.m.d.sync += open_reads.eq(1)
    with h.m.Elif(~unit.active):
        h.m.d.sync += open_reads.eq(0)
    waits = Signal(range(READ_LATENCY + 1))
    h.m.d.sync += waits.eq(Mux(reads, READ_LATENCY, Mux(waits != 0, waits - 1, 0)))
    h.prove(~unit.results.ready | (~reads & (waits == 0)), "no result while an answer is on its way")
    h.reach(open_reads & unit.results.valid & unit.results.ready, "a result behind a reply")


@proof("wrong: every beat of a command is answered", size=ONE, fails="never silent")
def silent(h):
    unit = h.place("unit", IoPort(CFG))
    h.assume(unit.busy == 0)
    taken = Signal(range(8))
    h.m.d.sync += taken.eq(Mux(unit.o.valid, 0, taken + (unit.i.valid & unit.i.ready)))
    h.prove(taken < 6, "never silent")
