"""Golden model of the queue of rounds: what the scheduler decided, kept until scores and outputs are computed.

"The Scheduler ... stores the reordered connection IDs in the Queue" [Thesis 7.6.3]; the order is used twice, for the
scores and for the weighted sum of the values. A slot holds the rounds of one group.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import QUERIES, QUEUE_SLOTS

EVENTS = ("full", "single_round", "release_while_writing", "read_while_writing")
FULL, SINGLE, RELEASE_WHILE_WRITING, READ_WHILE_WRITING = range(len(EVENTS))


class RoundQueueState(NamedTuple):
    """``keys`` [lanes, slots, rounds, 4], ``live`` and ``last`` [lanes, slots, rounds]: the memory; others [lanes]."""

    keys: np.ndarray
    live: np.ndarray
    last: np.ndarray
    complete: np.ndarray    # groups that are complete and not released
    slot: np.ndarray        # that is filled
    level: np.ndarray       # rounds in it
    r_keys: np.ndarray      # [lanes, 4], the round that was read last
    r_live: np.ndarray
    r_last: np.ndarray
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> RoundQueueState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    slots = QUEUE_SLOTS, cfg.queue
    return RoundQueueState(zeros(*slots, QUERIES), zeros(*slots), zeros(*slots), zeros(), zeros(), zeros(),
                           zeros(QUERIES), zeros(), zeros(), np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A round is taken in this cycle."""
    return s.complete[k] < QUEUE_SLOTS


@jit
def live_of(s, k):
    """``live`` of the round that was read."""
    return s.r_live[k]


@jit
def last_of(s, k):
    """``last`` of the round that was read."""
    return s.r_last[k]


@jit
def key_of(s, k, query):
    """Key of a query in the round that was read."""
    return s.r_keys[k, query]


@jit
def clock(s, k, i_valid, i_keys, i_live, i_last, r_en, r_slot, r_round, release):
    """One clock of lane ``k``; ``i_keys`` [4]. ``release`` frees the oldest group."""
    take = i_valid and ready_of(s, k)
    s.seen[FULL] += i_valid and not take
    s.seen[SINGLE] += take and i_last and s.level[k] == 0
    s.seen[RELEASE_WHILE_WRITING] += take and release
    s.seen[READ_WHILE_WRITING] += take and r_en
    if r_en:
        s.r_live[k], s.r_last[k] = s.live[k, r_slot, r_round], s.last[k, r_slot, r_round]
        for query in range(QUERIES):
            s.r_keys[k, query] = s.keys[k, r_slot, r_round, query]
    if take:
        slot, level = s.slot[k], s.level[k]
        for query in range(QUERIES):
            s.keys[k, slot, level, query] = i_keys[query]
        s.live[k, slot, level], s.last[k, slot, level] = i_live, i_last
        s.level[k] = 0 if i_last else level + 1
        s.slot[k] = (slot + i_last) % QUEUE_SLOTS
    s.complete[k] += 1 if take and i_last else 0
    s.complete[k] -= 1 if release else 0
