"""find_first, popcount and or_tree equal their definitions, for every operand."""

from functools import reduce
from operator import add, or_

from amaranth import *

from hdl.common.primitives import find_first, or_tree, popcount
from sim.common.formal import proof

FIRST = {f"{width} bits": (width,) for width in (1, 2, 3, 7, 16, 64)}
COUNT = {f"{width} bits": (width,) for width in (1, 2, 3, 7, 16)}
TREES = {f"{count} of {width} bits": (count, width) for count, width in ((1, 3), (2, 1), (5, 4), (16, 8))}


def held(h, value, name):
    """A signal of the value, so that it is seen in a counterexample."""
    value = Value.cast(value)
    signal = Signal(value.shape(), name=name)
    h.m.d.comb += signal.eq(value)
    return signal


@proof("the index of the lowest set bit is found, and 0 when there is none", size="{} bits", cases=FIRST,
       method="induction", depth=1)
def first(h, width):
    bits = h.free("bits", width)
    found, index = (held(h, value, name) for value, name in zip(find_first(bits), ("found", "index"), strict=True))
    h.prove(found == (bits != 0), "found when a bit is set")
    for k in range(width):
        lower = bits[:k].any() if k else 0
        h.prove(~(bits[k] & ~lower) | (index == k), f"index is {k} when bit {k} is the lowest")
    h.prove(found | (index == 0), "index is 0 when no bit is set")
    h.prove(index < width, "index is in range")
    h.reach(found & (index == width - 1), "the highest bit alone")


@proof("the number of set bits is their sum", size="{} bits", cases=COUNT, method="induction", depth=1)
def count(h, width):
    bits = h.free("bits", width)
    total = held(h, popcount(bits), "total")
    h.prove(total == reduce(add, bits), "count equals the sum")
    h.reach(total == width, "all bits set")


@proof("every bit is the OR of that bit of all values", size="{} values of {} bits", cases=TREES, method="induction",
       depth=1)
def tree(h, number, width):
    values = [h.free(f"value_{k}", width) for k in range(number)]
    result = held(h, or_tree(values), "result")
    h.prove(result == reduce(or_, values), "result equals the OR")
    h.reach(result == (1 << width) - 1, "all bits set")


@proof("wrong: the index of the highest set bit is found", size="8 bits", fails="found the highest", depth=1)
def highest(h):
    bits = h.free("bits", 8)
    _found, index = find_first(bits)
    above = (bits >> index) >> 1
    h.prove(above == 0, "found the highest")


@proof("wrong: the count fits the width of an index", size="8 bits", fails="count fits 3 bits", depth=1)
def narrow_count(h):
    h.prove(popcount(h.free("bits", 8)) < 8, "count fits 3 bits")
