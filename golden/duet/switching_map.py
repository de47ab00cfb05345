"""Golden model of the generator of switching maps [Thesis 5.1.1, (5.2)]: which outputs are sensitive.

ReLU (and no function): those with ``y' >= threshold``. Sigmoid and tanh: those with ``|y'| <= threshold``.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import Function

__all__ = ["EVENTS", "LATENCY", "SwitchingMapState", "clock", "sensitive", "sensitive_array", "sensitive_of", "state",
           "valid_of"]

#: Cycles from the sums to their bits, without a wait: as many as the multi-function unit's.
LATENCY = 3

#: Situations that the tests must reach.
EVENTS = ("above", "below", "inside", "too_large", "too_small", "at_the_threshold", "beyond_the_outputs", "waits")
ABOVE, BELOW, INSIDE, TOO_LARGE, TOO_SMALL, AT_THRESHOLD, BEYOND, WAITS = range(len(EVENTS))

_SIGMOID = Function.SIGMOID.value


@jit
def sensitive(y, function, threshold):
    """(5.2) of one approximation."""
    if function >= _SIGMOID:
        return -threshold <= y <= threshold
    return y >= threshold


def sensitive_array(y, function, threshold) -> np.ndarray:
    """:func:`sensitive` of every element; bool."""
    y = np.asarray(y, np.int64)
    return np.abs(y) <= threshold if function in (Function.SIGMOID, Function.TANH) else y >= threshold


class SwitchingMapState(NamedTuple):
    """Ring of results; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, LATENCY]
    bits: np.ndarray        # [lanes, LATENCY, columns]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> SwitchingMapState:
    """State after reset."""
    return SwitchingMapState(np.zeros(lanes, np.int64), np.zeros((lanes, LATENCY), np.int64),
                             np.zeros((lanes, LATENCY, cfg.columns), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """Bits are offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def sensitive_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return s.bits[k, s.at[k], index]


@jit
def clock(s, k, advance, valid, sums, first, channels, function, threshold):
    """One clock of lane ``k``; without ``advance`` nothing moves. ``sums`` [columns], of the outputs ``first`` and on,
    count only if ``valid``; of ``channels`` outputs."""
    at = s.at[k]
    s.seen[WAITS] += valid_of(s, k) and not advance
    if not advance:
        return
    s.valid[k, at] = valid
    if valid:
        for index in range(s.bits.shape[2]):
            y = sums[index]
            exists, bit = first + index < channels, sensitive(y, function, threshold)
            s.bits[k, at, index] = exists and bit
            s.seen[BEYOND] += bit and not exists
            if function >= _SIGMOID:
                s.seen[INSIDE] += bit
                s.seen[TOO_LARGE] += y > threshold
                s.seen[TOO_SMALL] += y < -threshold
                s.seen[AT_THRESHOLD] += abs(y) == threshold
            else:
                s.seen[ABOVE] += bit
                s.seen[BELOW] += not bit
    s.at[k] = (at + 1) % LATENCY
