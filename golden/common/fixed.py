"""Fixed-point helpers: rounding shift, saturation, wrapping.

Twin of ``hdl.common.fixed``. ``round_shift``, ``saturate`` and ``wrap`` take one integer and may be called
from compiled code; the ``*_array`` forms take integer arrays. No bit is ever masked away silently: who
saturates is told, who wraps says so.
"""

import numpy as np

from golden.common.jit import jit

__all__ = ["round_shift", "round_shift_array", "saturate", "saturate_array", "wrap", "wrap_array"]


@jit
def round_shift(value, shift):
    """``value / 2**shift``, rounded to the nearest integer, halves up.

    ``(value + 2**(shift - 1)) >> shift`` without the wide sum.

    Parameters
    ----------
    value : int
        Below 2**63 - 1 in compiled code.
    shift : int
        0..63.
    """
    if shift == 0:
        return value
    return ((value >> (shift - 1)) + 1) >> 1


@jit
def saturate(value, bits):
    """Nearest signed integer of ``bits`` bits, and whether it differs from ``value``.

    Parameters
    ----------
    value : int
    bits : int
        1..63.

    Returns
    -------
    (int, bool)
    """
    high = (1 << (bits - 1)) - 1
    low = -high - 1
    if value > high:
        return high, True
    if value < low:
        return low, True
    return value, False


@jit
def wrap(value, bits):
    """The signed integer of ``bits`` bits (1..63) that equals ``value`` modulo ``2**bits``."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def round_shift_array(value, shift):
    """:func:`round_shift` of every element of an int64 array; ``shift`` is an integer or an array."""
    value, shift = np.asarray(value, np.int64), np.asarray(shift, np.int64)
    return np.where(shift == 0, value, ((value >> np.maximum(shift - 1, 0)) + 1) >> 1)


def saturate_array(value, bits):
    """:func:`saturate` of every element: an int64 array and a boolean array."""
    value = np.asarray(value, np.int64)
    high = (1 << (bits - 1)) - 1
    clipped = np.clip(value, -high - 1, high)
    return clipped, clipped != value


def wrap_array(value, bits):
    """:func:`wrap` of every element of an int64 array."""
    half = np.int64(1 << (bits - 1))
    return ((np.asarray(value, np.int64) + half) & np.int64((1 << bits) - 1)) - half
