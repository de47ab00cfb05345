"""Quantiser: every result is the definition's, for every number, shift and setting."""

from amaranth import *

from hdl.dota.quantize import Quantize
from sim.common.formal import proof

CASES = {"10 to 5 bits": (10, 5), "6 to 8 bits": (6, 8)}


def environment(h, in_bits, out_bits):
    """One number at a time, and what should come out of the one two cycles ago."""
    unit = h.place("unit", Quantize(1, in_bits, out_bits))
    number = Signal(signed(in_bits))
    exact = Signal(signed(in_bits + 65))
    kept = Signal(signed(in_bits + 65))
    low, high = -1 << out_bits - 1, (1 << out_bits - 1) - 1
    h.m.d.comb += [
        number.eq(unit.i[0]),
        exact.eq((number + ((C(1, 64) << unit.shift) >> 1).as_unsigned()) >> unit.shift),
        kept.eq(Mux(unit.relu & (exact < 0), 0, exact)),
    ]
    values = {"o": Mux(kept > high, high, Mux(kept < low, low, kept)), "clipped": (kept > high) | (kept < low),
              "valid": unit.i_valid}
    return unit, {name: h.past(h.past(value, f"{name}_s2"), f"{name}_s3") for name, value in values.items()}


@proof("each result is shifted, rounded with halves up, cut off at 0 if asked for, and clipped; the flag says so",
       size="{} to {} bits", cases=CASES)
def definition(h, in_bits, out_bits):
    unit, expected = environment(h, in_bits, out_bits)
    h.prove(unit.o_valid == expected["valid"], "valid two cycles later")
    h.prove(~unit.o_valid | (unit.o[0] == expected["o"]), "equals the exact result, clipped")
    h.prove(unit.saturated == h.past(expected["valid"] & expected["clipped"], "flag"), "flag a cycle later")
    h.reach(unit.o_valid & (unit.o[0] == -1), "a small negative result")


@proof("wrong: halves are rounded towards zero", size="{} to {} bits", cases={"10 to 5 bits": CASES["10 to 5 bits"]},
       fails="one half becomes 0")
def half_to_zero(h, in_bits, out_bits):
    unit, expected = environment(h, in_bits, out_bits)
    is_half = h.past(h.past((unit.i[0] == 1) & (unit.shift == 1), "half_s2"), "half_s3")
    h.prove(~(expected["valid"] & is_half) | (unit.o[0] == 0), "one half becomes 0")
