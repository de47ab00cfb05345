"""Fixed-point helpers as expressions: rounding shift and saturation.

Twin of ``golden.common.fixed``. Combinational functions of Amaranth values. Pass :func:`saturate` a signal,
not a large expression: Amaranth emits an expression once for each use.
"""

from amaranth import *

__all__ = ["round_shift", "saturate", "shift_and_half"]


def shift_and_half(value, shift):
    """``value >> shift``, and the bit that has to be added to round it to the nearest integer, halves up.

    That is the last bit shifted out, 0 if ``shift`` is 0. Where the result goes into a sum, it can be the carry.

    Parameters
    ----------
    value : Value
        Signed or unsigned.
    shift : Value or int
        Unsigned.

    Returns
    -------
    shifted : Value
        Of the shape of ``value``.
    half : Value
        1 bit.

    Raises
    ------
    ValueError
        If ``shift`` is signed.
    """
    value, shift = Value.cast(value), Value.cast(shift)
    if shift.shape().signed:
        raise ValueError(f"shift must be unsigned, not {shift.shape()!r}")
    doubled = Cat(C(0, 1), value)
    doubled = doubled.as_signed() if value.shape().signed else doubled
    return value >> shift, (doubled >> shift)[0]


def round_shift(value, shift):
    """``value / 2**shift``, rounded to the nearest integer, halves up.

    Equal to ``(value + 2**(shift - 1)) >> shift``, and to ``value`` if ``shift`` is 0.

    Parameters
    ----------
    value : Value
        Signed or unsigned.
    shift : Value or int
        Unsigned.

    Returns
    -------
    Value
        Of the shape of ``value``: rounding cannot leave it.

    Raises
    ------
    ValueError
        If ``shift`` is signed.
    """
    shifted, half = shift_and_half(value, shift)
    rounded = (shifted + half)[:len(shifted)]
    return rounded.as_signed() if shifted.shape().signed else rounded


def saturate(value, bits):
    """Nearest signed integer of ``bits`` bits, and whether it differs from ``value``.

    Parameters
    ----------
    value : Value
        Signed.
    bits : int
        Width of the result, at least 1.

    Returns
    -------
    clipped : Value
        ``signed(bits)``.
    overflowed : Value
        1 bit.

    Raises
    ------
    ValueError
        If ``value`` is unsigned or ``bits`` is not a positive integer.
    """
    value = Value.cast(value)
    if not value.shape().signed:
        raise ValueError(f"value must be signed, not {value.shape()!r}")
    if not isinstance(bits, int) or bits < 1:
        raise ValueError(f"bits must be a positive integer, not {bits!r}")
    if len(value) <= bits:
        return Cat(value, value[-1].replicate(bits - len(value))).as_signed(), C(0, 1)
    sign, upper = value[-1], value[bits - 1:]
    overflowed = upper.any() & ~upper.all()
    limit = Cat((~sign).replicate(bits - 1), sign)
    return Mux(overflowed, limit, value[:bits]).as_signed(), overflowed
