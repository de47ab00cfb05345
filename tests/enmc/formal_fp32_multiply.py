"""Floating-point multiplier: every product of a small format is the number nearest to the exact one."""

from hdl.enmc.fp32 import Format
from hdl.enmc.fp32_multiply import Fp32Multiply
from sim.common.formal import proof
from tests.enmc.fp32_proofs import assume_finite, magnitude, nearest, parts

SIZE, CASES = "{0} bits of exponent, {1} of fraction", {"3 and 2 bits": (3, 2), "2 and 3 bits": (2, 3)}


def environment(h, exponent_bits, fraction_bits):
    """The unit, the operands of its result, and their parts."""
    form = Format(exponent_bits, fraction_bits)
    unit = h.place("unit", Fp32Multiply(exponent_bits, fraction_bits))
    a, b = unit.a, unit.b
    for stage in range(1, unit.LATENCY + 1):
        a, b = h.past(a, f"a_s{stage}"), h.past(b, f"b_s{stage}")
    return unit, form, parts(h, "operand_a", a, form), parts(h, "operand_b", b, form)


def finite(h, exponent_bits, fraction_bits):
    """The same for finite operands, the exact product, and how many of its units are one of the result."""
    unit, form, a, b = environment(h, exponent_bits, fraction_bits)
    assume_finite(h, a, b)
    return unit, form, a, b, magnitude(a) * magnitude(b), 1 << form.bias - 1 + form.fraction


@proof("the product of finite numbers is the number nearest to the exact one, of two the even one; its sign is right",
       size=SIZE, cases=CASES)
def rounding(h, exponent_bits, fraction_bits):
    unit, form, a, b, exact, scale = finite(h, exponent_bits, fraction_bits)
    h.prove(nearest(h, unit.o[:-1], exact, form, scale=scale), "no number is nearer")
    h.prove(unit.o[-1] == a.sign ^ b.sign, "the sign")
    h.reach((unit.o[:-1] == 1) & (exact != scale), "a rounded subnormal product")
    h.reach(unit.o[:-1] == form.top << form.fraction, "an overflow")


@proof("NaN comes of NaN and of 0 times infinity, and it is the one NaN; infinity of all else with infinity", size=SIZE,
       cases=CASES)
def special(h, exponent_bits, fraction_bits):
    unit, form, a, b = environment(h, exponent_bits, fraction_bits)
    nan = a.is_nan | b.is_nan | (a.is_zero & b.is_inf) | (a.is_inf & b.is_zero)
    h.prove(~nan | (unit.o == form.nan), "the one NaN")
    h.prove(nan | ~(a.is_inf | b.is_inf) | (unit.o[:-1] == form.top << form.fraction), "infinity")
    h.prove(nan | (unit.o[:-1] <= form.top << form.fraction), "no NaN of others")
    h.reach(nan & ~a.is_nan & ~b.is_nan, "0 times infinity")


@proof("wrong: of two numbers that are equally near the lower one is taken", size=SIZE,
       cases={"3 and 2 bits": CASES["3 and 2 bits"]}, fails="the lower one")
def ties_down(h, exponent_bits, fraction_bits):
    unit, form, _a, _b, exact, scale = finite(h, exponent_bits, fraction_bits)
    number = magnitude(parts(h, "result", unit.o, form))
    h.prove((unit.o[:-1] >= form.top << form.fraction) | (number * scale <= exact) | (exact[0] != 0)
            | (number * scale * 2 - exact * 2 != scale), "the lower one")
