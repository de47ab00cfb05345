"""Golden model of the output buffer [Thesis 6.4.2]: a FIFO of records, of which a burst is taken at once."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import RECORD_WORDS

EVENTS = ("full", "take_nothing", "take_some", "take_all_it_can", "push_and_take", "take_after_take", "cleared")
FULL, TAKE_NOTHING, TAKE_SOME, TAKE_ALL_IT_CAN, PUSH_AND_TAKE, TAKE_AFTER_TAKE, CLEARED = range(len(EVENTS))


class OutputState(NamedTuple):
    """State of the buffers of all ranks.

    Attributes
    ----------
    level, head : int64 arrays, shape (ranks,)
        Records inside, and where the first lies.
    popped : int64 array, shape (ranks,)
        Records that were taken in the cycle before.
    finished : int64 array, shape (ranks,)
        A record went in in the cycle before.
    took : int64 array, shape (ranks,)
    burst : int64 array, shape (ranks, words)
        What was taken last.
    items : int64 array, shape (ranks, results, RECORD_WORDS)
    """

    level: np.ndarray
    head: np.ndarray
    popped: np.ndarray
    finished: np.ndarray
    took: np.ndarray
    burst: np.ndarray
    items: np.ndarray
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> OutputState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((ranks, *shape), np.int64)

    return OutputState(*(zeros() for _ in range(5)), zeros(cfg.burst_words), zeros(cfg.results, RECORD_WORDS),
                       np.zeros(len(EVENTS), np.int64))


@jit
def clock(s, k, push, w0, w1, w2, w3, take, clear):
    """One clock of rank ``k``; ``w0`` to ``w3`` are the words of a record, the lowest first."""
    depth, words, level = s.items.shape[1], s.burst.shape[1], s.level[k]
    most = words // RECORD_WORDS
    count = min(level, most) if take and not clear else 0
    s.seen[FULL] += level == depth
    s.seen[PUSH_AND_TAKE] += push and count > 0
    s.seen[TAKE_AFTER_TAKE] += take and s.took[k]
    if take:
        s.seen[TAKE_NOTHING if count == 0 else TAKE_ALL_IT_CAN if count == most else TAKE_SOME] += 1
        for word in range(words):
            record, part = word // RECORD_WORDS, word % RECORD_WORDS
            s.burst[k, word] = s.items[k, (s.head[k] + record) % depth, part] if record < count else 0
    if push:
        tail = (s.head[k] + level) % depth
        s.items[k, tail, 0], s.items[k, tail, 1], s.items[k, tail, 2], s.items[k, tail, 3] = w0, w1, w2, w3
    s.head[k] = (s.head[k] + count) % depth
    s.level[k] = level + push - count
    s.popped[k], s.finished[k], s.took[k] = count, push, take
    if clear:
        s.seen[CLEARED] += s.level[k] > 0
        s.head[k], s.level[k] = 0, 0
