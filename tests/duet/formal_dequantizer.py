"""Dequantizer: every value is the definition's, and waits as long as it is told to."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.dequantizer import Dequantizer
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
SIZE = "2 columns"


def environment(h):
    """The unit, and what it was given two cycles of ``advance`` ago: validity, codes, sign, scale."""
    unit = h.place("unit", Dequantizer(CFG))
    given = Cat(unit.i_valid, unit.i, unit.is_signed, unit.scale)
    stage = Signal(len(given), name="stage")
    expected = Signal(len(given), name="expected")
    with h.m.If(unit.advance):
        h.m.d.sync += [stage.eq(given), expected.eq(stage)]
    return unit, expected[0], [expected[1:5], expected[5:9]], expected[9], expected[10:]


@proof("each value is the code times the scale, clipped", size=SIZE, method="bounded", depth=4)
def definition(h):
    unit, valid, codes, is_signed, scale = environment(h)
    h.prove(unit.o_valid == valid, "valid two cycles later")
    # All columns are alike: one of them.
    exact = Signal(signed(22))
    with h.m.Switch(Cat(codes[1], is_signed)):
        for number in range(32):
            with h.m.Case(number):
                h.m.d.comb += exact.eq((number - 32 if number >= 24 else number % 16) * scale)
    h.prove(~valid | (unit.o[1] == Mux(exact > 32767, 32767, Mux(exact < -32768, -32768, exact))), "value")
    h.reach(valid & ~unit.advance & (unit.o[1] == -32768), "the end of the range waits")


@proof("wrong: no value is clipped", size=SIZE, fails="the value is the product")
def not_clipped(h):
    unit, valid, codes, is_signed, scale = environment(h)
    h.prove(~valid | is_signed | (unit.o[0] == codes[0] * scale), "the value is the product")
