"""Golden model of the output unit: sums of the accumulator become words of FX16 elements.

A beat of the accumulator, the sums of all lanes for one query, is quantised and leaves as one or two words.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import quantize
from .config import DotaConfig
from .formats import FX_BITS, QUANTIZE_LATENCY

EVENTS = ("one_word", "two_words", "stalled", "clipped", "last")
ONE_WORD, TWO_WORDS, STALLED, CLIPPED, LAST = range(len(EVENTS))


class OutputState(NamedTuple):
    """``values`` [2 * vector] are the elements; others [1]."""

    wait: np.ndarray        # cycles until they are there
    words: np.ndarray       # that are left
    half: np.ndarray        # that is offered
    values: np.ndarray
    last: np.ndarray
    o_valid: np.ndarray
    clipped: np.ndarray     # an element of the beat that is just there was clipped
    seen: np.ndarray


def state(cfg: DotaConfig) -> OutputState:
    """State after reset."""
    register = [np.zeros(1, np.int64) for _ in range(6)]
    return OutputState(*register[:3], np.zeros(2 * cfg.vector, np.int64), *register[3:],
                       np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s):
    """A beat is taken in this cycle."""
    return s.words[0] == 0


@jit
def last_of(s):
    """The word that is offered is the last of a step."""
    return s.last[0] and s.words[0] == 1


@jit
def clock(s, i_valid, values, last, wide, shift, relu, o_ready):
    """One clock; ``values`` [2 * vector] are the sums."""
    taken = i_valid and ready_of(s)
    s.clipped[0] = 0
    s.seen[STALLED] += s.o_valid[0] and not o_ready
    if s.wait[0]:
        s.wait[0] -= 1
        if s.wait[0] == 0:
            s.o_valid[0] = 1
            for e in range(values.shape[0]):
                s.values[e], clipped = quantize.quantize(s.values[e], shift, relu, FX_BITS)
                s.clipped[0] |= clipped
            s.seen[CLIPPED] += s.clipped[0]
    elif s.o_valid[0] and o_ready:
        s.seen[LAST] += last_of(s)
        s.words[0] -= 1
        s.half[0] = 1
        s.o_valid[0] = s.words[0] != 0
    if taken:
        s.seen[TWO_WORDS if wide else ONE_WORD] += 1
        s.words[0] = 2 if wide else 1
        s.half[0] = 0
        s.last[0] = last
        s.wait[0] = QUANTIZE_LATENCY + 1
        for e in range(values.shape[0]):    # the second half has nothing new, which must not count as clipped
            s.values[e] = values[e] if wide or 2 * e < values.shape[0] else 0
