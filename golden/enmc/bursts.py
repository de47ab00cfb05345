"""Cycle model of a FIFO of bursts: ``hdl.common.fifo`` with payloads of many words."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit


class BurstsState(NamedTuple):
    """State of the FIFOs of all ranks.

    Attributes
    ----------
    level, head : int64 arrays, shape (ranks,)
        Bursts inside, and where the first lies.
    items : int64 array, shape (ranks, depth, words)
    scratch : int64 array, shape (words,)
        For who reads a burst.
    """

    level: np.ndarray
    head: np.ndarray
    items: np.ndarray
    scratch: np.ndarray


def bursts_state(ranks: int, depth: int, words: int) -> BurstsState:
    """Empty FIFOs."""
    return BurstsState(np.zeros(ranks, np.int64), np.zeros(ranks, np.int64), np.zeros((ranks, depth, words), np.int64),
                       np.zeros(words, np.int64))


@jit
def bursts_ready(s, k):
    """A burst is taken in this cycle."""
    return s.level[k] < s.items.shape[1]


@jit
def bursts_valid(s, k):
    """A burst is offered in this cycle: ``items[k, head[k]]``."""
    return s.level[k] > 0


@jit
def bursts_clock(s, k, i_valid, burst, o_ready):
    """One clock of rank ``k``; ``burst`` [words]."""
    depth, level = s.items.shape[1], s.level[k]
    if i_valid and level < depth:
        tail = (s.head[k] + level) % depth
        for word in range(burst.shape[0]):
            s.items[k, tail, word] = burst[word]
        s.level[k] += 1
    if o_ready and level > 0:
        s.head[k] = (s.head[k] + 1) % depth
        s.level[k] -= 1
