"""Floating-point adder: every sum of a small format is the number nearest to the exact one."""

from amaranth import *

from hdl.enmc.fp32 import Format
from hdl.enmc.fp32_add import Fp32Add
from sim.common.formal import proof
from tests.enmc.fp32_proofs import assume_finite, magnitude, nearest, parts

SIZE, CASES = "{0} bits of exponent, {1} of fraction", {"3 and 2 bits": (3, 2), "2 and 3 bits": (2, 3)}


def environment(h, exponent_bits, fraction_bits):
    """The unit, the operands of its result, and their parts."""
    form = Format(exponent_bits, fraction_bits)
    unit = h.place("unit", Fp32Add(exponent_bits, fraction_bits))
    a, b = unit.a, unit.b
    for stage in range(1, unit.LATENCY + 1):
        a, b = h.past(a, f"a_s{stage}"), h.past(b, f"b_s{stage}")
    return unit, form, parts(h, "operand_a", a, form), parts(h, "operand_b", b, form)


def exact_sum(h, a, b):
    """Of finite numbers, in units of the smallest subnormal one."""
    total = Signal(signed(len(magnitude(a)) + 2), name="exact_sum")
    h.m.d.comb += total.eq(Mux(a.sign, -magnitude(a), magnitude(a)) + Mux(b.sign, -magnitude(b), magnitude(b)))
    return total


@proof("the sum of finite numbers is the number nearest to the exact one, of two the even one; its sign is right",
       size=SIZE, cases=CASES)
def rounding(h, exponent_bits, fraction_bits):
    unit, form, a, b = environment(h, exponent_bits, fraction_bits)
    assume_finite(h, a, b)
    exact = exact_sum(h, a, b)
    h.prove(nearest(h, unit.o[:-1], abs(exact), form), "no number is nearer")
    h.prove(unit.o[-1] == Mux(exact == 0, a.sign & b.sign, exact < 0), "the sign")
    h.reach((unit.o[:-1] == 1) & (a.exponent > 1), "a subnormal difference")
    h.reach(unit.o[:-1] == form.top << form.fraction, "an overflow")


@proof("NaN comes of NaN and of inf - inf, and it is the one NaN; infinity of all else with infinity, with its sign",
       size=SIZE, cases=CASES)
def special(h, exponent_bits, fraction_bits):
    unit, form, a, b = environment(h, exponent_bits, fraction_bits)
    nan = a.is_nan | b.is_nan | (a.is_inf & b.is_inf & (a.sign != b.sign))
    h.prove(~nan | (unit.o == form.nan), "the one NaN")
    h.prove(nan | ~(a.is_inf | b.is_inf)
            | (unit.o == Cat(C(form.top << form.fraction, form.bits - 1), Mux(a.is_inf, a.sign, b.sign))), "infinity")
    h.prove(nan | (unit.o[:-1] <= form.top << form.fraction), "no NaN of others")
    h.reach(nan & ~a.is_nan & ~b.is_nan, "inf - inf")


@proof("wrong: x - x is -0 if x is negative", size=SIZE, cases={"3 and 2 bits": CASES["3 and 2 bits"]},
       fails="the sign of the first operand")
def negative_zero(h, exponent_bits, fraction_bits):
    unit, _form, a, b = environment(h, exponent_bits, fraction_bits)
    assume_finite(h, a, b)
    h.prove((exact_sum(h, a, b) != 0) | (unit.o[-1] == a.sign), "the sign of the first operand")
