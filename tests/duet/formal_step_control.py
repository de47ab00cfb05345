"""Step control: when steps start, and what is drained."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.step_control import StepControl
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
SIZE = "2 x 2 PEs, 4 pixels"


def environment(h):
    """PEs that are busy only in a step, two builds ahead at most, a row that hands commands on after two cycles."""
    unit = h.place("unit", StepControl(CFG))
    m = h.m
    assume_stream_rules(h, unit.step, "step")
    running = Signal(name="running")
    ahead = Signal(2, name="ahead")         # builds whose step is not over
    busy = unit.busy.any()
    with m.If(unit.start):
        m.d.sync += running.eq(1)
    with m.Elif(running & ~busy):
        m.d.sync += running.eq(0)
    m.d.sync += ahead.eq(ahead + unit.built - unit.step_done)
    h.assume(running | ~busy)
    h.assume(~unit.built | (ahead < 2))
    h.assume(Value.cast(unit.drained) == h.past(h.past(unit.drain, "drain_1"), "drain_2"))
    pixels = h.constant("pixels", unit.pixels.shape())
    m.d.comb += unit.pixels.eq(pixels)
    h.assume((pixels != 0) & (pixels <= CFG.pixels))
    return unit, running


@proof("a step starts when no PE is busy and its tags are there; it is over once for every start", size=SIZE,
       method="bounded", depth=16)
def starts(h):
    unit, running = environment(h)
    waiting = Signal(signed(4), name="waiting")     # steps whose tags came
    under_way = Signal(signed(3), name="under_way")
    h.m.d.sync += [waiting.eq(waiting + unit.built - unit.start), under_way.eq(under_way + unit.start - unit.step_done)]
    h.prove(~(unit.start & unit.busy.any()), "no start while a PE is busy")
    h.prove(~unit.start | (waiting > 0), "tags before the start")
    h.prove((under_way >= 0) & (under_way <= 2), "one end for every start")
    ends = h.past(running & ~unit.busy.any(), "ends")
    h.prove(unit.step_done == ends, "over in the cycle after the last instruction")
    h.reach(unit.start & h.past(unit.start, "before"), "an empty step")
    h.reach(unit.step_done & unit.start, "one after the other")


@proof("sums of a bank are drained once after each group, and no step that uses them starts before they have left",
       size=SIZE, method="bounded", depth=20)
def drains(h):
    unit, _running = environment(h)
    m = h.m
    owed = Signal(2, name="owed")
    last = h.past(unit.step.p.last, "last")         # of the step that was taken in the cycle before: only those start
    taken = h.past(unit.step.valid & unit.step.ready, "taken")
    h.assume(~unit.step.valid | ~taken)             # one step at a time, so that its bank is known
    group_ends = Signal(name="group_ends")
    with m.If(taken):
        m.d.sync += group_ends.eq(last)
    alone = Signal(2, name="alone")
    m.d.sync += alone.eq(alone + taken - unit.start)
    h.assume(~unit.step.valid | ((alone == 0) & ~taken))
    bank = Signal(name="bank")
    left = unit.drained.valid & unit.drained.last
    is_last = Mux(taken, last, group_ends)
    with m.If(left):
        m.d.sync += owed.bit_select(unit.drained.bank, 1).eq(0)
    with m.If(unit.start & is_last):
        m.d.sync += [owed.bit_select(bank, 1).eq(1), bank.eq(~bank)]
    h.prove(~unit.start | ~owed.bit_select(bank, 1), "no start into sums that have not left")
    h.prove(~unit.drain.valid | owed.bit_select(unit.drain.bank, 1), "no drain without a group")
    h.prove(~unit.drain_start | h.past(unit.drain_ready, "ready"), "no drain unless the store is ready")
    h.prove(~unit.drain.valid | (unit.drain.last == (unit.drain.pixel + 1 == unit.pixels)), "as many sums as there are")
    h.reach(unit.drain.valid & unit.drain.last, "a drain")


@proof("wrong: two drains never follow each other without a pause", size=SIZE, depth=30, fails="a pause between drains")
def pauses(h):
    unit, _running = environment(h)
    h.prove(~unit.drain_start | ~h.past(unit.drain.valid, "draining"), "a pause between drains")
