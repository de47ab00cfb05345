"""Golden model of the quantiser [Thesis 7.6.1, Fig. 7.12, "(De)Quantization"]: wide sums become elements again.

Each number is shifted right and rounded (halves up), negative ones become 0 if asked for (ReLU), and what does not fit
is clipped. The pipeline has a fixed latency, so the model keeps the results of the last ``LATENCY`` cycles in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift, round_shift_array, saturate, saturate_array
from golden.common.jit import jit

__all__ = ["EVENTS", "LATENCY", "QuantizeState", "clock", "quantize", "quantize_array", "saturated_of", "state",
           "valid_of", "value_of"]

#: Cycles from the numbers to their results.
LATENCY = 2

#: Situations that the tests must reach.
EVENTS = ("rounded_up", "clipped_high", "clipped_low", "negative_to_zero", "shifted_out", "gap")
ROUNDED_UP, CLIPPED_HIGH, CLIPPED_LOW, NEGATIVE_TO_ZERO, SHIFTED_OUT, GAP = range(len(EVENTS))


def quantize_array(values, shift, relu, out_bits):
    """The definition.

    Parameters
    ----------
    values : int array
    shift : int
        0..63.
    relu : bool
    out_bits : int
        Width of the results.

    Returns
    -------
    (int64 array, bool array)
        Results, and which of them were clipped; a negative number that ReLU sets to 0 is not.
    """
    rounded = round_shift_array(values, shift)
    return saturate_array(np.maximum(rounded, 0) if relu else rounded, out_bits)


@jit
def quantize(value, shift, relu, out_bits):
    """:func:`quantize_array` of one number: (result, whether it was clipped)."""
    rounded = round_shift(value, shift)
    if relu and rounded < 0:
        return 0, False
    return saturate(rounded, out_bits)


class QuantizeState(NamedTuple):
    """Ring of results; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, LATENCY]
    clipped: np.ndarray     # [lanes, LATENCY]
    values: np.ndarray      # [lanes, LATENCY, n]
    flag: np.ndarray        # [lanes], a cycle later
    seen: np.ndarray


def state(n: int, lanes: int) -> QuantizeState:
    """State after reset, for ``n`` numbers at a time."""
    return QuantizeState(np.zeros(lanes, np.int64), np.zeros((lanes, LATENCY), np.int64),
                         np.zeros((lanes, LATENCY), np.int64), np.zeros((lanes, LATENCY, n), np.int64),
                         np.zeros(lanes, np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """Results are offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def value_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return s.values[k, s.at[k], index]


@jit
def saturated_of(s, k):
    """At least one of those of the cycle before was clipped."""
    return s.flag[k] != 0


@jit
def clock(s, k, valid, values, shift, relu, out_bits):
    """One clock of lane ``k``; ``values`` [n] are looked at only if ``valid``."""
    at = s.at[k]
    s.seen[GAP] += s.valid[k, at] and not valid
    s.flag[k] = s.clipped[k, at]
    s.valid[k, at] = valid
    s.clipped[k, at] = 0
    if valid:
        for index in range(s.values.shape[2]):
            value = values[index]
            result, clipped = quantize(value, shift, relu, out_bits)
            s.values[k, at, index] = result
            s.clipped[k, at] |= clipped
            s.seen[ROUNDED_UP] += result > value >> shift
            s.seen[CLIPPED_HIGH] += clipped and result > 0
            s.seen[CLIPPED_LOW] += clipped and result < 0
            s.seen[NEGATIVE_TO_ZERO] += relu and round_shift(value, shift) < 0
            s.seen[SHIFTED_OUT] += value != 0 and result == 0
    s.at[k] = (at + 1) % LATENCY
