"""Golden model of the quantizer [Thesis 5.1.1, step 1], and what the quantizer and the dequantizer compute.

INT16 becomes INT4 by keeping the four most significant bits: the scale grows by 4,096. A code of the Speculator becomes
INT16 again by a multiplication.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import saturate, saturate_array
from golden.common.jit import jit

from .config import DuetConfig
from .formats import LOW_BITS, VALUE_BITS, Function

__all__ = ["EVENTS", "LATENCY", "QuantizerState", "clock", "dequantize", "dequantize_array", "quantize",
           "quantize_array", "state", "valid_of", "value_of"]

#: Cycles from a word to its INT4 values.
LATENCY = 1

#: Situations that the tests must reach.
EVENTS = ("largest", "smallest", "small_negative", "gap")
LARGEST, SMALLEST, SMALL_NEGATIVE, GAP = range(len(EVENTS))

_SHIFT = VALUE_BITS - LOW_BITS
_CODES = 1 << LOW_BITS
_TANH = Function.TANH.value


@jit
def quantize(value):
    """INT4 of an INT16 value: its four most significant bits, rounded towards minus infinity."""
    return value >> _SHIFT


def quantize_array(values) -> np.ndarray:
    """:func:`quantize` of every element; int64."""
    return np.asarray(values, np.int64) >> _SHIFT


@jit
def dequantize(code, function, scale):
    """INT16 value of a code.

    Parameters
    ----------
    code : int
        Its low four bits count; TANH: two's complement, -8..7; else 0..15.
    function : int
        Of :class:`Function`.
    scale : int
        Value of code 1, 0..65535.
    """
    code &= _CODES - 1
    if function == _TANH and code >= _CODES // 2:
        code -= _CODES
    return saturate(code * scale, VALUE_BITS)[0]


def dequantize_array(codes, function, scale) -> np.ndarray:
    """:func:`dequantize` of every element; int64."""
    codes = np.asarray(codes, np.int64) & _CODES - 1
    if function == Function.TANH:
        codes = codes - _CODES * (codes >= _CODES // 2)
    return saturate_array(codes * scale, VALUE_BITS)[0]


class QuantizerState(NamedTuple):
    """Output register."""

    valid: np.ndarray       # [lanes]
    values: np.ndarray      # [lanes, cfg.values]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> QuantizerState:
    """State after reset."""
    return QuantizerState(np.zeros(lanes, np.int64), np.zeros((lanes, cfg.values), np.int64),
                          np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """INT4 values are offered in this cycle."""
    return s.valid[k] != 0


@jit
def value_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return s.values[k, index]


@jit
def clock(s, k, valid, word):
    """One clock of lane ``k``; ``word`` [values] is looked at only if ``valid``."""
    s.seen[GAP] += s.valid[k] and not valid
    s.valid[k] = valid
    if valid:
        largest, smallest, small_negative = False, False, False
        for index in range(s.values.shape[1]):
            value = quantize(word[index])
            s.values[k, index] = value
            largest |= value == _CODES // 2 - 1
            smallest |= value == -_CODES // 2
            small_negative |= value == -1
        s.seen[LARGEST] += largest
        s.seen[SMALLEST] += smallest
        s.seen[SMALL_NEGATIVE] += small_negative
