"""Stream port: replies keep AXI4-Stream's rules, no command reaches beyond a memory, stages begin when they may."""

from amaranth import *

from golden.duet.config import DuetConfig
from golden.duet.formats import GLB_LATENCY, START_LATENCY, Target, target_words
from hdl.duet.io_port import IoPort
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = DuetConfig(rows=2, columns=2, side=2, lut=32, tags=8, input_words=2, weight_words=2, glb_words=64, channels=16,
                 trees=4, systolic_columns=2, activation_words=16, projection_words=16, low_tiles=16, reduced_words=2,
                 buckets=2)
SIZE = "2 x 2 PEs, words of 128 bits"


@proof("an offered reply stays until it is taken, whatever commands come in", size=SIZE)
def handshakes(h):
    handshake(h, IoPort(CFG))


@proof("an access is inside of a memory that exists, and never while a stage runs; the port is active meanwhile",
       size=SIZE)
def accesses(h):
    unit = h.place("unit", IoPort(CFG))
    access = unit.access
    for target, words in target_words(CFG).items():
        h.prove(~access.valid | (access.target != target) | (access.addr < words), f"word of {target.name} exists")
    h.prove(~access.valid | (access.target < len(Target)), "the memory exists")
    h.prove(~access.valid | access.write | (access.target <= Target.MAP), "only what can be read is read")
    h.prove(~access.valid | unit.active, "active during an access")
    h.reach(access.valid & access.write & (access.target == Target.LOW_BIAS), "a write to the last memory")
    h.reach(access.valid & ~access.write & (access.target == Target.MAP), "a read of a map")


@proof("a read stands alone on the bus until its answer is sampled", size=SIZE)
def one_read(h):
    unit = h.place("unit", IoPort(CFG))
    reads = unit.access.valid & ~unit.access.write
    waits = Signal(range(GLB_LATENCY + 1))
    h.m.d.sync += waits.eq(Mux(reads, GLB_LATENCY, Mux(waits != 0, waits - 1, 0)))
    h.prove(~unit.access.valid | (waits == 0), "no access before the answer")
    again = Signal()
    with h.m.If(reads):
        h.m.d.sync += again.eq(1)
    h.reach(reads & again, "another read")


@proof("a stage begins once, after the one before has ended; the chain does not move when it does", size=SIZE)
def stages(h):
    unit = h.place("unit", IoPort(CFG))
    since = Signal(range(START_LATENCY + 1), init=START_LATENCY)
    h.m.d.sync += since.eq(Mux(unit.update, 1, Mux(since < START_LATENCY, since + 1, since)))
    idle = Signal(init=1)
    h.m.d.sync += idle.eq(~unit.busy)
    h.prove(~unit.update | idle, "nothing ran before")
    h.prove(~unit.update | (since == START_LATENCY), "lasts one cycle")
    h.prove(~(unit.update & unit.shift), "the chain lies still")
    h.prove(~unit.update | unit.active, "active when it begins")
    h.reach(unit.shift & unit.busy, "the next chain beside a stage")


@proof("wrong: the chain moves only between stages", size=SIZE, fails="only between")
def beside(h):
    unit = h.place("unit", IoPort(CFG))
    h.prove(~(unit.shift & h.past(unit.busy, "ran")), "only between")
