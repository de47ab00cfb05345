"""Systolic array: a row's part of the sums, for every element and weight."""

from amaranth import *

from hdl.duet.systolic_row import SystolicRow
from sim.common.formal import proof
from tests.duet.proof_cfg import SMALL

CFG = SMALL.replace(systolic_columns=2)
SIZE = "2 columns, 16 tiles"


def environment(h):
    """A row of weights that is written once at most and read only later: what element, weight and sum were."""
    unit = h.place("unit", SystolicRow(CFG))
    addr, weight = h.constant("addr", range(CFG.low_tiles)), h.constant("weight", signed(4))
    written = Signal(name="written")
    here = unit.write_en & (unit.write_addr == addr)
    h.assume(~here | (~written & (unit.write_data[4:8].as_signed() == weight)))
    h.assume(~unit.i_valid | ~unit.write_en | (unit.i_tile != unit.write_addr))
    with h.m.If(here):
        h.m.d.sync += written.eq(1)
    meets = h.past(h.past(h.past(unit.i_valid & written & (unit.i_tile == addr), "m1"), "m2"), "m3")
    value = h.past(h.past(h.past(unit.i_value, "v1"), "v2"), "v3")
    return unit, meets, value.as_signed() * weight


@proof("three cycles after an element, its product with the weight that was written is in the sum", size=SIZE)
def product(h):
    unit, meets, exact = environment(h)
    above = h.past(unit.i_sums[1], "above").as_signed()
    total = Signal(signed(16), name="total")
    h.m.d.comb += total.eq(above + exact)
    h.prove(~meets | (unit.o_sums[1] == total), "sum")
    h.reach(meets & (exact == 64), "the largest product")


@proof("wrong: a product is never negative", size=SIZE, fails="not negative")
def negative(h):
    _unit, meets, exact = environment(h)
    h.prove(~meets | (exact >= 0), "not negative")
