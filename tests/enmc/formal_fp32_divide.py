"""Floating-point divider: handshake, time, and every quotient of a small format."""

from amaranth import *

from hdl.enmc.fp32 import Format
from hdl.enmc.fp32_divide import Fp32Divide
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.enmc.fp32_proofs import assume_finite, magnitude, nearest, parts

SIZE, CASES = "{0} bits of exponent, {1} of fraction", {"3 and 2 bits": (3, 2)}


@proof("an offered quotient stays until it is taken", size=SIZE, cases=CASES)
def handshakes(h, exponent_bits, fraction_bits):
    handshake(h, Fp32Divide(exponent_bits, fraction_bits))


def age_of(h, unit):
    """Cycles since operands were taken; 0 if nothing is inside."""
    age = Signal(range(unit.latency + 2))
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += age.eq(1)
    with h.m.Elif(unit.o.valid & unit.o.ready):
        h.m.d.sync += age.eq(0)
    with h.m.Elif((age != 0) & (age != unit.latency)):
        h.m.d.sync += age.eq(age + 1)
    return age


@proof("the quotient is offered exactly after the latency, and no operands are taken before it has gone", size=SIZE,
       cases=CASES)
def time(h, exponent_bits, fraction_bits):
    unit = h.place("unit", Fp32Divide(exponent_bits, fraction_bits))
    age = age_of(h, unit)
    h.prove(unit.o.valid == (age == unit.latency), "offered after the latency")
    h.prove(~unit.i.ready | (age == 0), "one at a time")
    h.reach(unit.o.valid & unit.o.ready, "a quotient")


@proof("the quotient is the number nearest to the exact one, of two the even one; one NaN, infinities, signs",
       size=SIZE, cases=CASES, method="bounded", depth=13)
def rounding(h, exponent_bits, fraction_bits):
    form = Format(exponent_bits, fraction_bits)
    unit = h.place("unit", Fp32Divide(exponent_bits, fraction_bits))
    taken_a = h.constant("taken_a", form.bits)
    taken_b = h.constant("taken_b", form.bits)
    h.assume(~unit.i.valid | ((unit.i.p.a == taken_a) & (unit.i.p.b == taken_b)))
    a, b = parts(h, "dividend", taken_a, form), parts(h, "divisor", taken_b, form)
    o, infinity, offered = unit.o.payload, form.top << form.fraction, unit.o.valid
    nan = a.is_nan | b.is_nan | (a.is_inf & b.is_inf) | (a.is_zero & b.is_zero)
    is_finite = ~(a.is_inf | a.is_nan | b.is_inf | b.is_nan | b.is_zero)
    exact = magnitude(a) << form.bias - 1 + form.fraction
    h.prove(~offered | ~nan | (o == form.nan), "the one NaN")
    h.prove(~offered | nan | (o[-1] == a.sign ^ b.sign), "the sign")
    h.prove(~offered | nan | ~(a.is_inf | b.is_zero) | (o[:-1] == infinity), "infinity")
    h.prove(~offered | nan | ~b.is_inf | (o[:-1] == 0), "nothing by infinity")
    h.prove(~offered | ~is_finite | nearest(h, o[:-1], exact, form, scale=magnitude(b)), "no number is nearer")
    h.reach(offered & is_finite & (o[:-1] == 1), "a subnormal quotient")


@proof("wrong: a quotient of normal numbers is normal", size=SIZE, cases=CASES, fails="normal")
def never_subnormal(h, exponent_bits, fraction_bits):
    form = Format(exponent_bits, fraction_bits)
    unit = h.place("unit", Fp32Divide(exponent_bits, fraction_bits))
    a, b = parts(h, "dividend", unit.i.p.a, form), parts(h, "divisor", unit.i.p.b, form)
    assume_finite(h, a, b)
    h.assume(a.significand[-1] & b.significand[-1])
    h.prove(~unit.o.valid | unit.o.payload[form.fraction:-1].any(), "normal")
