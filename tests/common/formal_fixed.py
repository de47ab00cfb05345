"""Saturation and rounding equal their definitions in integers that are wide enough, for every operand."""

from amaranth import *

from hdl.common.fixed import round_shift, saturate, shift_and_half
from sim.common.formal import proof

WIDTHS = {f"{wide} to {bits} bits": (wide, bits)
          for wide, bits in ((33, 16), (65, 32), (17, 8), (8, 8), (6, 9), (5, 1))}
SHIFTS = {f"{bits} bits": (bits,) for bits in (8, 16, 32)}


def held(h, value, name):
    """A signal of the value, so that it is seen in a counterexample."""
    value = Value.cast(value)
    signal = Signal(value.shape(), name=name)
    h.m.d.comb += signal.eq(value)
    return signal


@proof("the nearest integer that fits, and whether it differs", size="{} to {} bits", cases=WIDTHS, method="induction",
       depth=1)
def saturation(h, wide, bits):
    value = h.free("value", signed(wide))
    clipped, overflowed = saturate(value, bits)
    clipped, overflowed = held(h, clipped, "clipped"), held(h, overflowed, "overflowed")
    largest, smallest = (1 << bits - 1) - 1, -(1 << bits - 1)
    h.prove(clipped.shape() == signed(bits), "the result is signed")
    h.prove(clipped == Mux(value > largest, largest, Mux(value < smallest, smallest, value)), "nearest that fits")
    h.prove(overflowed == (clipped != value), "flag when it differs")
    h.reach(overflowed if wide > bits else clipped < 0, "the end of the range")


@proof("half is added, then the fraction is cut off: rounding to nearest, halves up", size="{} bits", cases=SHIFTS,
       method="induction", depth=1)
def rounding(h, bits):
    value = h.free("value", signed(bits))
    shift = h.free("shift", range(bits))
    result = held(h, round_shift(value, shift), "result")
    wide = Signal(signed(2 * bits + 1))
    half = Signal(bits)
    h.m.d.comb += [wide.eq(value), half.eq((1 << shift) >> 1)]
    h.prove(result == (wide + half) >> shift, "equals (value + half) >> shift")
    h.reach((shift == bits - 1) & (result == 1), "rounds up to 1")


@proof("a shifted value and the bit that rounds it add up to the rounded value", size="{} bits", cases=SHIFTS,
       method="induction", depth=1)
def carry(h, bits):
    value = h.free("value", signed(bits))
    shift = h.free("shift", range(2 * bits))
    shifted, half = shift_and_half(value, shift)
    h.prove(shifted + half == round_shift(value, shift), "their sum is the rounded value")
    h.prove(shifted == value >> shift, "shifted towards minus infinity")
    h.reach(held(h, half, "half") & (value < 0) & (shift == bits), "a negative value that is shifted out")


@proof("a multiply-accumulate rounds and saturates as in 64-bit integers", size="16 bits", method="induction", depth=1)
def accumulate(h):
    before = h.free("before", signed(16))
    product = h.free("product", signed(32))
    shift = h.free("shift", range(32))
    total = held(h, before + held(h, round_shift(product, shift), "scaled"), "total")
    kept, _flag = saturate(total, 16)
    exact = Signal(signed(64))
    h.m.d.comb += exact.eq(before + ((product + ((C(1, 33) << shift) >> 1)) >> shift))
    h.prove(kept == Mux(exact > 32767, 32767, Mux(exact < -32768, -32768, exact)), "equals the exact sum, clipped")
    h.reach(kept == 32767, "clipped")


@proof("wrong: rounding cuts towards minus infinity", size="16 bits", fails="equals value >> shift", depth=1)
def floor(h):
    value = h.free("value", signed(16))
    shift = h.free("shift", range(16))
    h.prove(round_shift(value, shift) == value >> shift, "equals value >> shift")


@proof("wrong: saturation clips symmetrically", size="17 to 8 bits", fails="never below -127", depth=1)
def symmetric(h):
    h.prove(saturate(h.free("value", signed(17)), 8)[0] >= -127, "never below -127")
