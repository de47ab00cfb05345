"""What it means that a floating-point result is right, without computing it: no number is nearer to the exact one."""

from amaranth import *

from hdl.enmc.fp32 import take_apart

__all__ = ["assume_finite", "magnitude", "nearest", "parts"]


def parts(h, name, bits, form):
    """The parts of a bit pattern, see ``hdl.enmc.fp32.take_apart``."""
    signal = Signal(form.bits, name=name)
    h.m.d.comb += signal.eq(bits)
    return take_apart(h.m, name, signal, form)


def magnitude(number):
    """A finite number without sign in units of the smallest subnormal one."""
    return number.significand << (number.exponent - 1)[:len(number.exponent)]


def assume_finite(h, *operands):
    """Leave infinities and NaNs out."""
    for number in operands:
        h.assume(~number.is_inf & ~number.is_nan)


def _of_pattern(pattern, form):
    """Of a bit pattern without sign; infinity counts as the power of two that it stands in for."""
    field, fraction = pattern[form.fraction:], pattern[:form.fraction]
    significand = Cat(fraction, field.any())
    return significand << Mux(field.any(), field - 1, 0)[:form.exponent]


def nearest(h, o, exact, form, *, scale=1):
    """Whether ``o`` is the nearest number to ``exact / scale``, of two that are equally near the even one.

    Parameters
    ----------
    o : Value
        Bit pattern without sign, finite or infinite.
    exact : Value
        In units of the smallest subnormal number times ``scale``; not negative.
    scale : int or Value
    """
    lower = Signal(form.exponent + form.fraction, name="lower")
    upper = Signal(form.exponent + form.fraction, name="upper")
    h.m.d.comb += [lower.eq(o - 1), upper.eq(o + 1)]
    here = _of_pattern(o, form)
    twice, is_even = exact << 1, ~o[0]
    from_below = (here + _of_pattern(lower, form)) * scale
    to_above = (here + _of_pattern(upper, form)) * scale
    is_inf = o == form.top << form.fraction
    return (((o == 0) | (twice > from_below) | (is_even & (twice == from_below)))
            & (is_inf | (twice < to_above) | (is_even & (twice == to_above))))
