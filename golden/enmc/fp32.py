"""IEEE 754 single precision on bit patterns: sum, product, quotient [Thesis 6.4.2, the FP32 units of the executor].

Rounded to the nearest, ties to even; subnormal numbers are exact, nothing is flushed to zero; every NaN that comes out
is the same one. Three independent forms, held against each other by the tests:

- :func:`add`, :func:`multiply`, :func:`divide`: arrays; the arithmetic of numpy's float32. This is the promise.
- :func:`exact`: the definition in rational numbers, for a format of any width.
- :func:`add_bits`, :func:`multiply_bits`, :func:`divide_bits`: one pair, in integers; for compiled models.
"""

import operator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

__all__ = ["FP32", "INF", "NAN", "ONE", "SIGN", "Format", "add", "add_bits", "bits_of", "divide", "divide_bits",
           "exact", "floats_of", "is_nan", "multiply", "multiply_bits", "value_of"]

SIGN = 0x8000_0000
INF = 0x7F80_0000
#: The NaN that comes out.
NAN = 0x7FC0_0000
ONE = 0x3F80_0000
#: Bits of a significand, the hidden one included; that one, and those below it.
PRECISION = 24
HIDDEN = 1 << PRECISION - 1
FRACTION = HIDDEN - 1


def add(a, b) -> np.ndarray:
    """Sums. ``a``, ``b``: uint32 arrays or integers, bit patterns. Returns uint32 bit patterns."""
    return _numpy(np.add, a, b)


def multiply(a, b) -> np.ndarray:
    """Products; arguments as :func:`add`."""
    return _numpy(np.multiply, a, b)


def divide(a, b) -> np.ndarray:
    """Quotients a / b; arguments as :func:`add`."""
    return _numpy(np.divide, a, b)


def bits_of(values) -> np.ndarray:
    """Bit patterns (uint32) of numbers, rounded to single precision."""
    return np.asarray(values, np.float32).view(np.uint32)


def floats_of(bits) -> np.ndarray:
    """Numbers (float32) of bit patterns."""
    return np.asarray(bits, np.uint32).view(np.float32)


def _numpy(operation, a, b):
    with np.errstate(all="ignore"):
        result = np.asarray(operation(floats_of(a), floats_of(b)), np.float32)
    return np.where(np.isnan(result), np.uint32(NAN), result.view(np.uint32))


class Format(NamedTuple):
    """Widths of a binary format of IEEE 754 [bits]."""

    exponent: int
    fraction: int

    @property
    def bias(self) -> int:
        return (1 << self.exponent - 1) - 1

    @property
    def bits(self) -> int:
        return 1 + self.exponent + self.fraction

    @property
    def inf(self) -> int:
        """Bit pattern of infinity."""
        return (1 << self.exponent) - 1 << self.fraction

    @property
    def nan(self) -> int:
        """Bit pattern of the NaN that comes out."""
        return self.inf | 1 << self.fraction - 1


FP32 = Format(8, 23)


def value_of(bits: int, form: Format = FP32) -> Fraction | float:
    """The number that a bit pattern stands for: exact, or a float that is infinite or no number."""
    negative, magnitude = bits >> form.bits - 1, bits & (1 << form.bits - 1) - 1
    if magnitude >= form.inf:
        return float("nan") if magnitude > form.inf else float("-inf" if negative else "inf")
    exponent, fraction = magnitude >> form.fraction, magnitude & (1 << form.fraction) - 1
    significand = fraction + (1 << form.fraction if exponent else 0)
    value = significand * Fraction(2)**(max(exponent, 1) - form.bias - form.fraction)
    return -value if negative else value


def exact(operation: str, a: int, b: int, form: Format = FP32) -> int:
    """The definition: the exact sum, product or quotient, rounded once.

    Parameters
    ----------
    operation : str
        ``"+"``, ``"*"`` or ``"/"``.
    a, b : int
        Bit patterns.
    form : Format
    """
    x, y = value_of(a, form), value_of(b, form)
    negative = [a >> form.bits - 1 != 0, b >> form.bits - 1 != 0]
    if operation == "/" and y == 0:
        return form.nan if x == 0 or x != x else _rounded(float("inf"), negative[0] != negative[1], form)
    if isinstance(x, float) or isinstance(y, float):
        x, y = float(x), float(y)
    value = {"+": operator.add, "*": operator.mul, "/": operator.truediv}[operation](x, y)
    if value != value:
        return form.nan
    return _rounded(abs(value), value < 0 or all(negative) if operation == "+" else negative[0] != negative[1], form)


def _rounded(value, negative, form: Format) -> int:
    """Bit pattern of the nearest number to ``value``, which is not negative."""
    sign = 1 << form.bits - 1 if negative else 0
    if isinstance(value, float):  # no finite operands
        return sign | (form.inf if value else 0)
    smallest = 1 - form.bias
    exponent = max(smallest, value.numerator.bit_length() - value.denominator.bit_length() - 1) if value else smallest
    while value >= Fraction(2)**(exponent + 1):
        exponent += 1
    # In units of the last place; Python's round() takes the even one of two that are equally near.
    significand = round(value / Fraction(2)**(exponent - form.fraction))
    return sign | min(significand + (exponent - smallest << form.fraction), form.inf)


@jit
def is_nan(a):
    """Whether a bit pattern is that of a NaN."""
    return a & ~SIGN > INF


@jit
def add_bits(a, b):
    """:func:`add` of two integers, 0..2**32 - 1."""
    if is_nan(a) or is_nan(b):
        return NAN
    if a & ~SIGN < b & ~SIGN:
        a, b = b, a
    if a & ~SIGN == INF:
        return NAN if a ^ b == SIGN else a
    exponent, small = max(a >> 23 & 255, 1), max(b >> 23 & 255, 1)
    # 32 bits more: what is further below than that only says in the last bit that it is there.
    total = _significand(a) << 32
    lesser = _significand(b) << 32
    distance = exponent - small
    lesser = lesser >> distance if distance <= 32 else int(lesser != 0)
    total += lesser if (a ^ b) & SIGN == 0 else -lesser
    if total == 0:
        return a & b & SIGN
    return _pack(a & SIGN, total, exponent - 1 - 32)


@jit
def multiply_bits(a, b):
    """:func:`multiply` of two integers, 0..2**32 - 1."""
    sign = (a ^ b) & SIGN
    if is_nan(a) or is_nan(b):
        return NAN
    if a & ~SIGN == INF or b & ~SIGN == INF:
        return NAN if a & ~SIGN == 0 or b & ~SIGN == 0 else sign | INF
    return _pack(sign, _significand(a) * _significand(b), max(a >> 23 & 255, 1) + max(b >> 23 & 255, 1) - 151)


@jit
def divide_bits(a, b):
    """:func:`divide` of two integers, 0..2**32 - 1."""
    sign = (a ^ b) & SIGN
    a, b = a & ~SIGN, b & ~SIGN
    if a > INF or b > INF or (a == INF and b == INF) or (a == 0 and b == 0):
        return NAN
    if a == INF or b == 0:
        return sign | INF
    if a == 0 or b == INF:
        return sign
    exponent = max(a >> 23, 1) - max(b >> 23, 1) + 149
    x, y = _significand(a), _significand(b)
    shift_x, shift_y = PRECISION - _length(x), PRECISION - _length(y)
    x, y = x << shift_x + 26, y << shift_y
    quotient = x // y
    # One bit more says whether anything is left.
    return _pack(sign, quotient << 1 | int(quotient * y != x), exponent - shift_x + shift_y - 27)


@jit
def _significand(a):
    """Of a finite number."""
    return a & FRACTION | HIDDEN if a & INF else a & FRACTION


@jit
def _length(x):
    """Bits of a positive integer below 2**63."""
    length = 1
    for step in (32, 16, 8, 4, 2, 1):
        if x >> step:
            x >>= step
            length += step
    return length


@jit
def _pack(sign, significand, exponent):
    """Bit pattern of ``significand * 2**(exponent - 149)``, rounded; significand: 0..2**62 - 1."""
    if significand == 0:
        return sign
    # The last place that is kept is 2**(exponent + cut - 149): 24 bits, or down to the smallest subnormal number.
    cut = max(_length(significand) - PRECISION, -exponent)
    if cut > 62:
        return sign
    if cut <= 0:
        kept = significand << -cut
    else:
        kept = significand >> cut
        rest, half = significand - (kept << cut), 1 << cut - 1
        if rest > half or (rest == half and kept & 1):
            kept += 1
    # The hidden bit counts as one more in the exponent, and so does a carry out of the significand.
    return sign | min(kept + (exponent + cut << 23), INF)
