"""Generator of switching maps: equation (5.2) for every sum and threshold."""

from amaranth import *

from golden.duet.config import DuetConfig
from hdl.duet.switching_map import SwitchingMap
from sim.common.formal import proof

CFG = DuetConfig(columns=2)
SIZE = "2 lanes"


def environment(h):
    """Always a step; the job's fields stay. Sum and number of lane 1 of three cycles ago, once they have passed."""
    unit = h.place("unit", SwitchingMap(CFG))
    fields = {name: h.constant(name, getattr(unit, name).shape()) for name in ("two_sided", "threshold", "channels")}
    h.m.d.comb += [unit.advance.eq(1), *(getattr(unit, name).eq(value) for name, value in fields.items())]
    h.assume(~unit.i_valid | (unit.first < fields["channels"]))
    h.assume(~unit.i_valid | h.past(h.past(C(1, 1), "first_cycle_over"), "second_cycle_over"))
    y, first = unit.i[1], unit.first
    for step in range(SwitchingMap.LATENCY):
        y, first = h.past(y, f"y_s{step + 1}"), h.past(first, f"first_s{step + 1}")
    return unit, fields, y.as_signed(), first


@proof("an output is sensitive if it exists and y' is at least the threshold, with sigmoid and tanh if |y'| is at most "
       "the threshold", size=SIZE, method="induction", depth=6)
def definition(h):
    unit, fields, y, first = environment(h)
    threshold, exists = fields["threshold"], first + 1 < fields["channels"]
    both = fields["two_sided"]
    size = Signal(33)
    h.m.d.comb += size.eq(Mux(y < 0, -y, y))
    expected = exists & Mux(both, (threshold >= 0) & (size <= threshold.as_unsigned()), y >= threshold)
    h.prove(~unit.o_valid | (unit.o[1] == expected), "equation")
    h.reach(unit.o_valid & both & unit.o[1] & (y < -5), "a negative sensitive sum")
    h.reach(unit.o_valid & ~exists & (y > threshold), "an output that is not there")


@proof("wrong: a negative sum is never sensitive", size=SIZE, fails="not negative")
def negative(h):
    unit, _fields, y, _first = environment(h)
    h.prove(~(unit.o_valid & unit.o[1]) | (y >= 0), "not negative")
