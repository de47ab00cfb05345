"""Golden model of the activation unit [Thesis 5.1.1, MFU; 5.2.2]: sigmoid and tanh of a value in fixed point.

In: 16 bits, 12 of them fraction (-8..8). Out: 16 bits, 15 of them fraction. tanh(abs(x)) comes from a table of 128
segments with linear interpolation (:mod:`golden.common.activation_table`); sigmoid(x) = (1 + tanh(x / 2)) / 2 from the
same one. Without function a value passes; ReLU makes negative ones 0.

Error against the real functions, over all 65,536 operands, in units of 2**-15: at most ``TANH_ERROR`` = 2.04 (6.2e-5,
2**-13.97) and ``SIGMOID_ERROR`` = 1.26 (3.8e-5, 2**-14.67). 1.5 of tanh come from the interpolation, the rest from
rounding: 0.5 at the end, 0.2 in the table. Both never fall; tanh(-x) = -tanh(x) and sigmoid(-x) = 1 - sigmoid(x)
exactly.
"""

from typing import NamedTuple

import numpy as np

from golden.common.activation_table import GUARD_BITS, STEP_BITS, VALUE_FRACTION, tanh_table
from golden.common.jit import jit

from .config import DuetConfig
from .formats import VALUE_BITS, Function

__all__ = ["EVENTS", "LATENCY", "SIGMOID_ERROR", "TANH_ERROR", "ActivationState", "activate", "activate_array", "clock",
           "sigmoid", "sigmoid_array", "state", "tag_of", "tanh", "tanh_array", "valid_of", "value_of"]

#: Cycles from a value to its result.
LATENCY = 5
#: Largest difference from the real function [2**-15].
TANH_ERROR, SIGMOID_ERROR = 2.04, 1.26

#: Situations that the tests must reach.
EVENTS = ("none", "relu_zero", "sigmoid", "tanh", "negative", "narrow", "middle", "wide", "lowest", "gap", "held")
NONE_SEEN, RELU_ZERO, SIGMOID_SEEN, TANH_SEEN, NEGATIVE, NARROW, MIDDLE, WIDE, LOWEST, GAP, HELD = range(len(EVENTS))

RELU, SIGMOID, TANH = int(Function.RELU), int(Function.SIGMOID), int(Function.TANH)
LEAST = -1 << VALUE_BITS - 1
HALF = 1 << VALUE_FRACTION - 1

_BASE, _RISE = (np.array(column, np.int64) for column in zip(*tanh_table(), strict=True))


@jit
def _magnitude(a):
    """tanh of ``a`` / 2**13, 0..65535, in units of 2**-18."""
    if a < 0x4000:
        segment, step = a >> 8, (a & 0xFF) << 2
    elif a < 0x8000:
        segment, step = 32 + (a >> 9), (a & 0x1FF) << 1
    else:
        segment, step = 64 + (a >> 10), a & 0x3FF
    return _BASE[segment] + (_RISE[segment] * step >> STEP_BITS)


@jit
def tanh(x):
    """tanh of an integer with 12 fraction bits, -32768..32767, with 15: -32767..32767."""
    value = _magnitude(min(2 * abs(x), 0xFFFF)) + (1 << GUARD_BITS - 1) >> GUARD_BITS
    return -value if x < 0 else value


@jit
def sigmoid(x):
    """Sigmoid of an integer with 12 fraction bits, -32768..32767, with 15: 0..32767."""
    value = _magnitude(abs(x)) + (1 << GUARD_BITS) >> GUARD_BITS + 1
    return HALF - value if x < 0 else HALF + value


@jit
def activate(value, function):
    """``value`` after ``function``, a :class:`~golden.duet.formats.Function`."""
    if function == SIGMOID:
        return sigmoid(value)
    if function == TANH:
        return tanh(value)
    return 0 if function == RELU and value < 0 else value


def _magnitude_array(a):
    narrow, middle = a < 0x4000, a < 0x8000
    segment = np.where(narrow, a >> 8, np.where(middle, 32 + (a >> 9), 64 + (a >> 10)))
    step = np.where(narrow, (a & 0xFF) << 2, np.where(middle, (a & 0x1FF) << 1, a & 0x3FF))
    return _BASE[segment] + (_RISE[segment] * step >> STEP_BITS)


def tanh_array(x) -> np.ndarray:
    """:func:`tanh` of every element of an integer array; int64."""
    x = np.asarray(x, np.int64)
    return np.sign(x) * (_magnitude_array(np.minimum(2 * abs(x), 0xFFFF)) + (1 << GUARD_BITS - 1) >> GUARD_BITS)


def sigmoid_array(x) -> np.ndarray:
    """:func:`sigmoid` of every element of an integer array; int64."""
    x = np.asarray(x, np.int64)
    return HALF + np.sign(x) * (_magnitude_array(abs(x)) + (1 << GUARD_BITS) >> GUARD_BITS + 1)


def activate_array(values, function) -> np.ndarray:
    """:func:`activate` of every element of an integer array; int64."""
    values = np.asarray(values, np.int64)
    if function == Function.SIGMOID:
        return sigmoid_array(values)
    if function == Function.TANH:
        return tanh_array(values)
    return np.maximum(values, 0) if function == Function.RELU else values


class ActivationState(NamedTuple):
    """Ring of results, as the latency is fixed; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, LATENCY]
    tag: np.ndarray         # [lanes, LATENCY]
    value: np.ndarray       # [lanes, LATENCY]
    seen: np.ndarray


def state(_cfg: DuetConfig | None, lanes: int) -> ActivationState:
    """State after reset; the same for every configuration."""
    return ActivationState(np.zeros(lanes, np.int64), *(np.zeros((lanes, LATENCY), np.int64) for _ in range(3)),
                           np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """A result is offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def value_of(s, k):
    """The result; only while :func:`valid_of`."""
    return s.value[k, s.at[k]]


@jit
def tag_of(s, k):
    """What came with its value; only while :func:`valid_of`."""
    return s.tag[k, s.at[k]]


@jit
def clock(s, k, advance, valid, value, function, tag):
    """One clock of lane ``k``; without ``advance`` everything stays."""
    at = s.at[k]
    if not advance:
        s.seen[HELD] += s.valid[k, at] != 0
        return
    s.seen[GAP] += s.valid[k, at] and not valid
    s.valid[k, at] = valid
    if valid:
        s.value[k, at] = activate(value, function)
        s.tag[k, at] = tag
        _cover(s, value, function)
    s.at[k] = (at + 1) % LATENCY


@jit
def _cover(s, value, function):
    curved = function == SIGMOID or function == TANH
    a = abs(value) << (function == TANH)
    s.seen[NONE_SEEN] += not curved and function != RELU
    s.seen[RELU_ZERO] += function == RELU and value < 0
    s.seen[SIGMOID_SEEN] += function == SIGMOID
    s.seen[TANH_SEEN] += function == TANH
    s.seen[NEGATIVE] += curved and value < 0
    s.seen[NARROW] += curved and a < 0x4000
    s.seen[MIDDLE] += curved and 0x4000 <= a < 0x8000
    s.seen[WIDE] += curved and a >= 0x8000
    s.seen[LOWEST] += curved and value == LEAST
