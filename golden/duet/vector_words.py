"""Golden model of the placing of approximations of a vector [Thesis 5.1.1, step 4]: dequantised, element by element.

Element e belongs to value ``(e % columns) * pixels + e // columns % pixels`` of word ``e // (columns * pixels)``. The
pipeline has a fixed number of stages, so the model keeps the results of the last ``LATENCY`` steps in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import dequantizer
from .config import DuetConfig
from .formats import Function

__all__ = ["EVENTS", "LATENCY", "VectorWordsState", "clock", "field_of", "sensitive_of", "state", "valid_of",
           "value_of"]

#: Cycles from approximations to their values, without a wait.
LATENCY = dequantizer.LATENCY

#: Situations that the tests must reach, besides those of the dequantizer.
EVENTS = ("some_lanes", "next_word", "last_pixel")
SOME_LANES, NEXT_WORD, LAST_PIXEL = range(len(EVENTS))

_TANH = Function.TANH.value

#: Fields of what leaves: word, pixel, number of elements that exist, whether they are the last ones of the vector.
WORD, PIXEL, COUNT, LAST = range(4)


class VectorWordsState(NamedTuple):
    """The dequantizer, and a ring beside it."""

    dequantizer: dequantizer.DequantizerState
    fields: np.ndarray      # [lanes, LATENCY, 4]
    sensitive: np.ndarray   # [lanes, LATENCY, columns]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> VectorWordsState:
    """State after reset."""
    return VectorWordsState(dequantizer.state(cfg, lanes), np.zeros((lanes, LATENCY, 4), np.int64),
                            np.zeros((lanes, LATENCY, cfg.columns), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """Values are offered in this cycle."""
    return dequantizer.valid_of(s.dequantizer, k)


@jit
def value_of(s, k, index):
    """One of them; only while :func:`valid_of`."""
    return dequantizer.value_of(s.dequantizer, k, index)


@jit
def field_of(s, k, field):
    """Field of what is offered."""
    return s.fields[k, s.dequantizer.at[k], field]


@jit
def sensitive_of(s, k, index):
    """Whether one of them is sensitive."""
    return s.sensitive[k, s.dequantizer.at[k], index]


@jit
def clock(s, k, advance, valid, first, last, sensitive, codes, channels, pixels, function, scale):
    """One clock of lane ``k``; without ``advance`` nothing moves. ``sensitive`` and ``codes`` [columns], of the
    elements ``first`` and on, count only if ``valid``."""
    at, columns = s.dequantizer.at[k], s.sensitive.shape[2]
    if advance and valid:
        number = first // columns
        s.fields[k, at, WORD], s.fields[k, at, PIXEL] = number // pixels, number % pixels
        s.fields[k, at, COUNT], s.fields[k, at, LAST] = min(channels - first, columns), last
        s.seen[SOME_LANES] += channels - first < columns
        s.seen[NEXT_WORD] += number // pixels > 0
        s.seen[LAST_PIXEL] += number % pixels == pixels - 1
        for index in range(columns):
            s.sensitive[k, at, index] = sensitive[index]
    dequantizer.clock(s.dequantizer, k, advance, valid, codes, function == _TANH, scale)
