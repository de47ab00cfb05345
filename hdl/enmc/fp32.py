"""What the floating-point units share: taking numbers apart, counting zeros, rounding and putting them together.

Units take the widths of exponent and fraction as parameters, so that formats of a few bits can be tried with every
operand.
"""

from typing import NamedTuple

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import find_first

__all__ = ["Format", "Number", "Pipeline", "leading_zeros", "round_and_pack", "take_apart", "trailing_zeros"]


class Format(NamedTuple):
    """Widths of a binary format of IEEE 754 [bits]; 8 and 23 in single precision."""

    exponent: int = 8
    fraction: int = 23

    @property
    def bits(self) -> int:
        return 1 + self.exponent + self.fraction

    @property
    def precision(self) -> int:
        """Bits of a significand, the hidden one included."""
        return 1 + self.fraction

    @property
    def bias(self) -> int:
        return (1 << self.exponent - 1) - 1

    @property
    def top(self) -> int:
        """Exponent field of infinities and NaNs."""
        return (1 << self.exponent) - 1

    @property
    def nan(self) -> int:
        """The NaN that comes out."""
        return self.top << self.fraction | 1 << self.fraction - 1

    def check(self):
        """Raise ValueError unless both widths are usable; returns the format."""
        for name, value, low, high in ("exponent_bits", self.exponent, 2, 8), ("fraction_bits", self.fraction, 2, 23):
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} must be an integer in {low}..{high}, not {value!r}")
        return self


class Pipeline(wiring.Component):
    """An operation of IEEE 754 on two numbers, ``LATENCY`` cycles from operands to result, one a cycle; never stalls.

    Rounds to the nearest, ties to even. Subnormal operands and results are exact. Every NaN that comes out is
    0x7FC00000.

    Parameters
    ----------
    exponent_bits, fraction_bits : int
        Widths of the format, 2..8 and 2..23. Others than those of single precision are there to be tested whole.

    Members
    -------
    a, b : In(32)
    o : Out(32)
        0 after reset, until the first result comes.

    Raises
    ------
    ValueError
        If a width is out of range.
    """

    LATENCY = 0

    def __init__(self, exponent_bits=8, fraction_bits=23):
        self._format = form = Format(exponent_bits, fraction_bits).check()
        super().__init__({"a": In(form.bits), "b": In(form.bits), "o": Out(form.bits)})


class Number(NamedTuple):
    """A number taken apart. ``exponent`` is at least 1: a subnormal number has a ``significand`` without hidden bit."""

    sign: Value
    exponent: Value
    significand: Value
    is_zero: Value
    is_inf: Value
    is_nan: Value


def take_apart(m, name, bits, form) -> Number:
    """The parts of a bit pattern, as signals ``<name>_...``."""
    field, fraction = bits[form.fraction:-1], bits[:form.fraction]
    widths = {"exponent": form.exponent, "significand": form.precision, "is_zero": 1, "is_inf": 1, "is_nan": 1}
    parts = {part: Signal(width, name=f"{name}_{part}") for part, width in widths.items()}
    m.d.comb += [
        parts["exponent"].eq(Cat(field[0] | ~field.any(), field[1:])),
        parts["significand"].eq(Cat(fraction, field.any())),
        parts["is_zero"].eq(~bits[:-1].any()),
        parts["is_inf"].eq(field.all() & ~fraction.any()),
        parts["is_nan"].eq(field.all() & fraction.any()),
    ]
    return Number(sign=bits[-1], **parts)


def leading_zeros(signal):
    """Zeros above the highest set bit; 0 if there is none."""
    return find_first(signal[::-1])[1]


def trailing_zeros(signal):
    """Zeros below the lowest set bit; 0 if there is none."""
    return find_first(signal)[1]


def round_and_pack(m, form, *, field, fraction, guard, sticky):
    """Exponent and fraction of the nearest number, ties to even.

    Parameters
    ----------
    field : Value
        Exponent field, before rounding; at its largest, or beyond after rounding, the number is infinite.
    fraction : Value
        Without hidden bit.
    guard, sticky : Value
        The bit below the fraction, and whether any below that is set.

    Returns
    -------
    Signal
        Without sign.
    """
    rounded = Signal(form.exponent + form.fraction, name="rounded")
    packed = Signal(form.exponent + form.fraction, name="packed")
    # A carry out of the fraction goes into the exponent, and from the largest number to infinity.
    m.d.comb += [
        rounded.eq(Cat(fraction, field) + (guard & (sticky | fraction[0]))),
        packed.eq(Mux(field.all(), form.top << form.fraction, rounded)),
    ]
    return packed
