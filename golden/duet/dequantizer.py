"""Golden model of the dequantizer [Thesis 5.1.1, step 4]: codes of the Speculator become values of 16 bits.

What it computes is :func:`golden.duet.quantizer.dequantize`. The results of the last ``LATENCY`` cycles lie in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import VALUE_BITS, Function
from .quantizer import dequantize

__all__ = ["EVENTS", "LATENCY", "DequantizerState", "clock", "state", "valid_of", "value_of"]

#: Cycles from the codes to their values, without a wait.
LATENCY = 2

#: Situations that the tests must reach.
EVENTS = ("clipped_high", "clipped_low", "negative", "large_code", "waits", "gap")
CLIPPED_HIGH, CLIPPED_LOW, NEGATIVE, LARGE_CODE, WAITS, GAP = range(len(EVENTS))

_TANH, _RELU = Function.TANH.value, Function.RELU.value
_TOP = (1 << VALUE_BITS - 1) - 1


class DequantizerState(NamedTuple):
    """Ring of results; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, LATENCY]
    values: np.ndarray      # [lanes, LATENCY, columns]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> DequantizerState:
    """State after reset."""
    return DequantizerState(np.zeros(lanes, np.int64), np.zeros((lanes, LATENCY), np.int64),
                            np.zeros((lanes, LATENCY, cfg.columns), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """Values are offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def value_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return s.values[k, s.at[k], index]


@jit
def clock(s, k, advance, valid, codes, is_signed, scale):
    """One clock of lane ``k``; without ``advance`` nothing moves. ``codes`` [columns] count only if ``valid``.

    ``is_signed``: they are those of TANH.
    """
    at = s.at[k]
    s.seen[WAITS] += valid_of(s, k) and not advance
    if not advance:
        return
    s.seen[GAP] += s.valid[k, at] and not valid
    s.valid[k, at] = valid
    if valid:
        for index in range(s.values.shape[2]):
            value = dequantize(codes[index], _TANH if is_signed else _RELU, scale)
            s.values[k, at, index] = value
            s.seen[CLIPPED_HIGH] += value == _TOP
            s.seen[CLIPPED_LOW] += value == -_TOP - 1
            s.seen[NEGATIVE] += value < 0
            s.seen[LARGE_CODE] += codes[index] & 8 and value > 0
    s.at[k] = (at + 1) % LATENCY
