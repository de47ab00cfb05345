"""Golden model of the Speculator's multi-function unit [Thesis 5.1.1]: INT4 codes of ReLU, sigmoid and tanh.

y' is rounded to four integer and four fraction bits and saturated; a table of 256 codes does the rest. The pipeline has
a fixed number of stages, so the model keeps the results of the last ``LATENCY`` steps in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift, round_shift_array, saturate, saturate_array
from golden.common.jit import jit

from .config import DuetConfig
from .formats import CODE_INPUT_BITS, CODE_SIGMOID, CODE_TANH, LOW_BITS, Function

__all__ = ["EVENTS", "LATENCY", "MfuState", "clock", "code", "code_array", "code_of", "state", "valid_of"]

#: Cycles from the sums to their codes, without a wait.
LATENCY = 3

#: Situations that the tests must reach.
EVENTS = ("none", "relu", "sigmoid", "tanh", "rounded_up", "clipped_high", "clipped_low", "below_zero", "waits", "gap")
_FUNCTIONS = 4
ROUNDED_UP, CLIPPED_HIGH, CLIPPED_LOW, BELOW_ZERO, WAITS, GAP = range(_FUNCTIONS, len(EVENTS))

_SIGMOID, _TANH = Function.SIGMOID.value, Function.TANH.value
_HALF = 1 << CODE_INPUT_BITS - 1
_MOST = (1 << LOW_BITS) - 1
_TABLE = np.array([[min(max(x, 0), _MOST) for x in range(-_HALF, _HALF)]] * 2 + [CODE_SIGMOID, CODE_TANH], np.int64)


@jit
def code(y, function, low_shift):
    """Code of an approximation; ``low_shift`` 0..31. ReLU, none: 0..15 sixteenths; sigmoid: 0..15; tanh: -7..7."""
    return _TABLE[function, saturate(round_shift(y, low_shift), CODE_INPUT_BITS)[0] + _HALF]


def code_array(y, function, low_shift) -> np.ndarray:
    """:func:`code` of every element; int64."""
    return _TABLE[function, saturate_array(round_shift_array(y, low_shift), CODE_INPUT_BITS)[0] + _HALF]


class MfuState(NamedTuple):
    """Ring of results; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, LATENCY]
    codes: np.ndarray       # [lanes, LATENCY, columns]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> MfuState:
    """State after reset."""
    return MfuState(np.zeros(lanes, np.int64), np.zeros((lanes, LATENCY), np.int64),
                    np.zeros((lanes, LATENCY, cfg.columns), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """Codes are offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def code_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return s.codes[k, s.at[k], index]


@jit
def clock(s, k, advance, valid, sums, function, low_shift):
    """One clock of lane ``k``; without ``advance`` nothing moves. ``sums`` [columns] count only if ``valid``."""
    at = s.at[k]
    s.seen[WAITS] += valid_of(s, k) and not advance
    if not advance:
        return
    s.seen[GAP] += s.valid[k, at] and not valid
    s.valid[k, at] = valid
    if valid:
        s.seen[function] += 1
        for index in range(s.codes.shape[2]):
            near = round_shift(sums[index], low_shift)
            s.codes[k, at, index] = code(sums[index], function, low_shift)
            s.seen[ROUNDED_UP] += near > sums[index] >> low_shift
            s.seen[CLIPPED_HIGH] += near >= _HALF
            s.seen[CLIPPED_LOW] += near < -_HALF
            s.seen[BELOW_ZERO] += near < 0
    s.at[k] = (at + 1) % LATENCY
