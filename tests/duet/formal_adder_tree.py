"""Adder tree: the sum of the values times -1, 0 or 1, of every window."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.adder_tree import AdderTree, tree_stages
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
SIZE = "8 values"


def environment(h):
    """The tree, and the sum of the window that comes out now."""
    unit = h.place("unit", AdderTree(CFG))
    terms = []
    for k in range(CFG.values):
        value = Signal(signed(5), name=f"value_{k}")
        h.m.d.comb += value.eq(unit.values[k])
        code = unit.p[2 * k:2 * k + 2]
        terms.append(Mux(code == 1, value, Mux(code == 3, -value, 0)))
    total = Signal(signed(12))
    h.m.d.comb += total.eq(sum(terms))
    started = Const(1)
    for stage in range(tree_stages(CFG)):
        total, started = h.past(total, f"total_s{stage + 1}"), h.past(started, f"started_s{stage + 1}")
    return unit, started, total


@proof("the sum is exact, whatever the values, and a window may enter in every cycle", size=SIZE, method="bounded",
       depth=5)
def exact(h):
    unit, started, total = environment(h)
    h.prove(~started | (unit.sum == total), "sum of the window before")
    h.reach(started & (unit.sum == 64), "the largest sum")
    h.reach(started & (unit.sum == -64), "the smallest sum")


@proof("wrong: a negation is an inversion", size=SIZE, fails="inverted values add up")
def inverted(h):
    unit, started, total = environment(h)
    h.prove(~started | (total >= 0) | (unit.sum == ~total), "inverted values add up")
