"""Golden model of the row activator of the DRAM controller: opens rows ahead of the reads [Thesis 6.4.2].

Visits pass in order through three places: the entrance, where rows that are in the way are closed; a ring of those
whose rows are being opened; the front, from which the command generator reads. A visit enters the ring when the rows of
its pair are closed or already right, so all visits of the ring that share a pair want the same row.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import BANKS

__all__ = ["AHEAD", "RowsState", "act_bank_of", "busy_of", "clock", "front_of", "front_valid", "is_open", "must_wait",
           "passes", "pre_bank_of", "ready_of", "state"]

#: Visits in the ring, the front one included.
AHEAD = 8
#: Fields of a visit.
OFFSET, LAST, PAIR, ROW, FLAGS = range(5)
FIELDS = 5


class RowsState(NamedTuple):
    """Registers."""

    enter_valid: np.ndarray     # [lanes]
    enter: np.ndarray           # [lanes, FIELDS]
    ring: np.ndarray            # [lanes, AHEAD, FIELDS]
    head: np.ndarray            # [lanes], the oldest visit
    level: np.ndarray           # [lanes], visits in the ring
    front: np.ndarray           # [lanes], the oldest one is offered
    unopened: np.ndarray        # [lanes], the youngest visits, which the opener has not fetched
    target_valid: np.ndarray    # [lanes]
    target: np.ndarray          # [lanes], where in the ring the visit lies whose rows are being opened
    open: np.ndarray            # [lanes, BANKS]
    row: np.ndarray             # [lanes, pairs], of the visits in the ring and of the banks that are open
    users: np.ndarray           # [lanes, pairs], visits in the ring


def state(cfg: EnmcConfig, lanes: int) -> RowsState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return RowsState(zeros(), zeros(FIELDS), zeros(AHEAD, FIELDS), zeros(), zeros(), zeros(), zeros(), zeros(), zeros(),
                     zeros(BANKS), zeros(cfg.pairs), zeros(cfg.pairs))


@jit
def is_open(s, k, bank):
    """A row of the bank is open."""
    return s.open[k, bank] != 0


@jit
def _pair_open(s, k, pair):
    return s.open[k, 2 * pair] != 0 or s.open[k, 2 * pair + 1] != 0


@jit
def passes(s, k):
    """The visit in the entrance goes on into the ring."""
    if not s.enter_valid[k] or s.level[k] == AHEAD:
        return False
    pair = s.enter[k, PAIR]
    return s.row[k, pair] == s.enter[k, ROW] or (s.users[k, pair] == 0 and not _pair_open(s, k, pair))


@jit
def must_wait(s, k):
    """The visit in the entrance wants another row than one before it."""
    pair = s.enter[k, PAIR]
    return s.enter_valid[k] != 0 and s.users[k, pair] != 0 and s.row[k, pair] != s.enter[k, ROW]


@jit
def ready_of(s, k):
    """A visit is taken in this cycle."""
    return not s.enter_valid[k] or passes(s, k)


@jit
def pre_bank_of(s, k):
    """The bank that the visit in the entrance wants closed, or -1."""
    pair = s.enter[k, PAIR]
    if not s.enter_valid[k] or s.users[k, pair] or s.row[k, pair] == s.enter[k, ROW]:
        return -1
    for bank in range(2 * pair, 2 * pair + 2):
        if s.open[k, bank]:
            return bank
    return -1


@jit
def act_bank_of(s, k):
    """The bank to open next, or -1; that of the visit's first burst comes first."""
    if not s.target_valid[k]:
        return -1
    place = s.target[k]
    offset, last, pair = s.ring[k, place, OFFSET], s.ring[k, place, LAST], s.ring[k, place, PAIR]
    first = 2 * pair + (offset & 1)
    if not s.open[k, first]:
        return first
    if last != offset and not s.open[k, first ^ 1]:
        return first ^ 1
    return -1


@jit
def front_valid(s, k):
    """A visit is offered to the command generator."""
    return s.front[k] != 0


@jit
def front_of(s, k, field):
    """A field of it."""
    return s.ring[k, s.head[k], field]


@jit
def busy_of(s, k):
    """A visit is inside."""
    return s.enter_valid[k] != 0 or s.level[k] != 0


@jit
def clock(s, k, visits, o_ready, act, pre, closed):
    """One clock of lane ``k``.

    ``visits`` is the state of the source. ``act`` and ``pre`` are the banks that were opened and closed, or -1;
    ``closed``: all of them were closed.
    """
    bank = act_bank_of(s, k)
    fetch = s.unopened[k] > 0 and (not s.target_valid[k] or bank < 0)
    passed, ready = passes(s, k), ready_of(s, k)
    taken = s.front[k] != 0 and o_ready
    follows = s.level[k] - s.unopened[k] - s.front[k] > 0
    tail = (s.head[k] + s.level[k]) % AHEAD

    # The opener fetches the next visit when the rows of this one are open; after a refresh it starts afresh.
    if closed:
        s.target_valid[k] = 0
        s.unopened[k] = s.level[k]
    elif fetch:
        s.target[k] = (tail - s.unopened[k]) % AHEAD
        s.target_valid[k] = 1
        s.unopened[k] -= 1
    elif bank < 0:
        s.target_valid[k] = 0

    # The front one is done; the next one is offered when the opener has fetched it.
    if taken:
        s.users[k, front_of(s, k, PAIR)] -= 1
        s.head[k] = (s.head[k] + 1) % AHEAD
        s.level[k] -= 1
    if taken or not s.front[k]:
        s.front[k] = follows

    if passed:
        for field in range(FIELDS):
            s.ring[k, tail, field] = s.enter[k, field]
        s.row[k, s.enter[k, PAIR]] = s.enter[k, ROW]
        s.users[k, s.enter[k, PAIR]] += 1
        s.level[k] += 1
        s.unopened[k] += 1
    if ready:
        s.enter_valid[k] = visits.valid[k]
        if visits.valid[k]:
            s.enter[k, OFFSET] = visits.offset[k]
            s.enter[k, LAST] = visits.last[k]
            s.enter[k, PAIR] = visits.page[k] % s.users.shape[1]
            s.enter[k, ROW] = visits.page[k] // s.users.shape[1]
            s.enter[k, FLAGS] = visits.flags[k]

    if act >= 0:
        s.open[k, act] = 1
    if pre >= 0:
        s.open[k, pre] = 0
    if closed:
        for bank in range(BANKS):
            s.open[k, bank] = 0
