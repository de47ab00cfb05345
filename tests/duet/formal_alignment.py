"""Alignment: vectors come for the last windows, in their cycle, with what belongs to them; the projection is kept."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.alignment import Alignment
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, projection_words=16)
SIZE = "8 values, 4 trees"


def environment(h):
    """A word of the projection is not written while it is read."""
    unit = h.place("unit", Alignment(CFG))
    h.assume(~unit.write.valid | ~unit.i_valid)
    return unit


def later(h, unit, value, name):
    """``value`` when its vector comes."""
    for cycle in range(unit.latency):
        value = h.past(value, f"{name}_s{cycle + 1}")
    return value


@proof("a vector comes exactly ``latency`` cycles after its last window, with that one's tag", size=SIZE)
def in_its_cycle(h):
    unit = environment(h)
    h.prove(unit.o_valid == later(h, unit, unit.i_valid & unit.tag.last, "last"), "as many as last windows")
    tag = later(h, unit, Cat(unit.tag.pixel, unit.tag.word, unit.tag.end), "tag")
    h.prove(~unit.o_valid | (Cat(unit.o.pixel, unit.o.word, unit.o.last) == tag), "the tag of the last window")
    h.reach(unit.o_valid & unit.o.last, "a last vector")


@proof("a vector of one window of which one value counts is that value, or its negative, shifted", size=SIZE,
       method="bounded", depth=9)
def one_value(h):
    unit = environment(h)
    place, tree = h.constant("place", range(CFG.values)), h.constant("tree", range(CFG.trees))
    negative = h.constant("negative")
    h.assume(unit.i_valid == (h.past(1, "second") & ~h.past(h.past(1, "first"), "third")))
    h.assume(unit.write.valid == ~h.past(1, "late"))
    h.assume(unit.tag.first & unit.tag.last & (unit.tag.address == unit.write.p.addr))
    h.assume(unit.tag.address == h.constant("address", range(CFG.projection_words)))
    h.assume(unit.shift == h.constant("shift", 5))
    h.assume(Value.cast(unit.write.p.data) == Cat(
        (tree == t) & (place == v) & one for t in range(CFG.trees) for v in range(CFG.values) for one in (1, negative)))
    value = later(h, unit, Value.cast(unit.window).word_select(place, 4), "value").as_signed()
    exact = Signal(signed(6))
    rounded = Signal(signed(38))
    h.m.d.comb += [exact.eq(Mux(negative, -value, value)), rounded.eq((exact + ((1 << unit.shift) >> 1)) >> unit.shift)]
    for t in range(CFG.trees):
        expected = Mux(tree == t, Mux(rounded > 7, 7, rounded), 0)
        h.prove(~unit.o_valid | (unit.o.values[t] == expected), f"tree {t}")
    h.reach(unit.o_valid & negative & (unit.o.values[1] == 7), "a clipped result")


@proof("wrong: vectors are never the last of a tile", size=SIZE, fails="none is the last")
def never_last(h):
    unit = environment(h)
    h.prove(~unit.o_valid | ~unit.o.last, "none is the last")
