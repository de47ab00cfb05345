"""Order of the executor's work: every burst and every mark goes on once, and marks keep their distance."""

from amaranth import *

from golden.enmc.config import PRESETS
from hdl.enmc.exact_control import MARK_FINISH, MARK_PASS, SPACING, ExactControl
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = PRESETS["tiny"].replace(exact_features=64)
SIZE = "16 data pins"


def environment(h):
    """A unit that begins no batch while it works."""
    unit = h.place("unit", ExactControl(CFG))
    assume_stream_rules(h, unit.i, "i")
    assume_stream_rules(h, unit.front, "front")
    h.assume(~unit.new_batch | (~unit.busy & ~unit.i.valid))
    return unit


@proof("marks are at least three cycles apart, and follow their tags in order, one for each", size=SIZE)
def marks(h):
    unit = environment(h)
    since = Signal(range(SPACING), init=SPACING - 1)
    owed = Signal(range(3))
    h.m.d.sync += since.eq(Mux(unit.mark != 0, 0, Mux(since == SPACING - 1, since, since + 1)))
    h.m.d.sync += owed.eq(owed + unit.tag_valid - (unit.mark != 0))
    h.prove((unit.mark == 0) | (since == SPACING - 1), "marks keep their distance")
    h.prove((unit.mark == 0) | (owed != 0), "no mark without a tag")
    h.prove(owed <= 2, "tags are not far ahead")
    h.prove(unit.mark != 3, "a mark is one of the two")
    h.reach((unit.mark == MARK_FINISH) & unit.beat, "a row ends with its last beat")
    h.reach((unit.mark == MARK_PASS) & ~unit.beat, "a record passes")


@proof("a burst that is taken goes on in the next cycle, as weights or as features, and nothing else does", size=SIZE)
def bursts(h):
    unit = environment(h)
    taken = h.past(unit.front.valid & unit.front.ready, "taken")
    h.prove((unit.beat | unit.write) == taken, "each burst is one beat or one write")
    h.prove(~(unit.beat & unit.write), "not both")
    h.prove(~taken | (Value.cast(unit.burst) == h.past(Value.cast(unit.front.payload), "before")), "it is the burst")
    h.prove(unit.busy | (~unit.beat & ~unit.write & (unit.mark == 0)), "busy while something goes on")
    h.reach(unit.write, "features")
    h.reach(unit.beat & unit.first & h.past(unit.beat, "row_before"), "a row right behind another one")


@proof("the first beat of a row is the one after a mark of an end, and only that, without clear", size=SIZE)
def firsts(h):
    unit = environment(h)
    h.assume(~unit.i.valid | ~unit.i.p.clear)
    fresh = Signal(init=1)
    ends = unit.mark == MARK_FINISH
    with h.m.If(ends | unit.new_batch):
        h.m.d.sync += fresh.eq(1)
    with h.m.Elif(unit.beat):
        h.m.d.sync += fresh.eq(0)
    h.prove(~unit.beat | (unit.first == fresh), "the first beat, and no other one")
    h.reach(unit.beat & ~unit.first, "a beat that is not the first")


@proof("wrong: the end of a row goes along with its last beat", size=SIZE, fails="with a beat")
def with_beat(h):
    unit = environment(h)
    h.prove((unit.mark != MARK_FINISH) | unit.beat, "with a beat")
