"""End of a row: every mark becomes one result, in time and in order."""

from amaranth import *

from golden.enmc.config import PRESETS
from hdl.enmc.exact_control import MARK_PASS, SPACING
from hdl.enmc.exact_finish import ExactFinish
from sim.common.formal import proof


def environment(h, spacing):
    """A unit whose marks are at least ``spacing`` cycles apart."""
    unit = h.place("unit", ExactFinish(PRESETS["tiny"]))
    since = Signal(range(spacing), init=spacing - 1)
    h.m.d.sync += since.eq(Mux(unit.mark != 0, 0, Mux(since == spacing - 1, since, since + 1)))
    h.assume((unit.mark == 0) | (since == spacing - 1))
    h.assume(unit.mark != 3)
    return unit


@proof("a mark becomes a result 13 to 15 cycles later, each its own; without result it is zero",
       size="a mark every {} cycles", cases={"3": (SPACING,)})
def in_time(h, spacing):
    unit = environment(h, spacing)
    age = Signal(range(ExactFinish.LATENCY + 6))
    chosen = Signal()
    passes = Signal()
    owed = Signal(range(8))         # results before that of the mark, and its own
    choose = h.free("choose")
    h.assume(~choose | ((unit.mark != 0) & ~chosen))
    inside = Signal(range(8))
    h.m.d.sync += inside.eq(inside + (unit.mark != 0) - unit.o_valid)
    with h.m.If(choose):
        h.m.d.sync += [chosen.eq(1), age.eq(1), passes.eq(unit.mark == MARK_PASS),
                       owed.eq(inside - unit.o_valid + 1)]
    with h.m.Elif(owed != 0):
        h.m.d.sync += [age.eq(age + 1), owed.eq(owed - unit.o_valid)]
    mine = unit.o_valid & (owed == 1)
    h.prove(~mine | ((age > ExactFinish.LATENCY) & (age <= ExactFinish.LATENCY + SPACING)), "its result, in time")
    h.prove((owed == 0) | (age <= ExactFinish.LATENCY + SPACING), "never later")
    h.prove(~(mine & passes) | (unit.o == 0), "zero without result")
    h.prove(~unit.o_valid | (inside != 0), "no result without a mark")
    h.reach(mine & (age == ExactFinish.LATENCY + SPACING), "the longest wait")


@proof("wrong: marks may be two cycles apart", size="a mark every {} cycles", cases={"2": (SPACING - 1,)},
       fails="a row must begin before the next one ends")
def too_close(h, spacing):
    unit = environment(h, spacing)
    h.reach(unit.o_valid, "a result")
