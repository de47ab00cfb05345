"""Golden model of the scheduler [Thesis 7.6.3, Fig. 7.16]: the order of ``golden.dota.scheduler`` with its clock.

FIFOs hold complete keys here as soon as they are pushed; in the hardware the key follows its push by a cycle.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import QUERIES

#: Situations that the tests must reach.
EVENTS = ("one_load", "two_loads", "three_loads", "four_loads", "idle_query", "one_goes_back", "two_go_back",
          "popped_at_once", "fifo_full", "dense_word", "empty_word", "word_behind_word", "stalled")
(ONE_LOAD, TWO_LOADS, THREE_LOADS, FOUR_LOADS, IDLE_QUERY, ONE_BACK, TWO_BACK, AT_ONCE, FIFO_FULL, DENSE, EMPTY, BEHIND,
 STALLED) = range(len(EVENTS))

#: From the cycle in which a group's last keys go into the FIFOs to the first round at the output [cycles].
LATENCY = 3
#: FIFOs, by the queries that need their keys, query 1 in the highest bit; number 0 is not there.
FIFOS = 1 << QUERIES


class SchedulerState(NamedTuple):
    """Registers and memories, with a leading lane axis."""

    keys: np.ndarray        # [lanes, FIFOS, queue] rings
    head: np.ndarray        # [lanes, FIFOS]
    level: np.ndarray
    ready: np.ndarray       # [lanes] from here on
    word: np.ndarray        # a word of the mask is inside
    owners: np.ndarray      # [lanes, block] what is left of it
    number: np.ndarray      # of the next word
    word_last: np.ndarray
    draining: np.ndarray    # the group is complete: rounds are chosen
    pending: np.ndarray     # FIFO that a second key goes back to, 0: none
    pending_key: np.ndarray
    round: np.ndarray       # a round was chosen
    round_live: np.ndarray
    round_keys: np.ndarray  # [lanes, QUERIES]
    valid: np.ndarray       # output
    live: np.ndarray
    last: np.ndarray
    o_keys: np.ndarray      # [lanes, QUERIES]
    pushed: np.ndarray      # FIFO that a key went back to in the cycle before, 0: none
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> SchedulerState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return SchedulerState(
        keys=zeros(FIFOS, cfg.queue), head=zeros(FIFOS), level=zeros(FIFOS), ready=zeros() + 1, word=zeros(),
        owners=zeros(cfg.block), number=zeros(), word_last=zeros(), draining=zeros(), pending=zeros(),
        pending_key=zeros(), round=zeros(), round_live=zeros(), round_keys=zeros(QUERIES), valid=zeros(), live=zeros(),
        last=zeros(), o_keys=zeros(QUERIES), pushed=zeros(), seen=np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A word of the mask is taken in this cycle."""
    return s.ready[k] != 0


@jit
def valid_of(s, k):
    """A round is offered."""
    return s.valid[k] != 0


@jit
def live_of(s, k):
    """Queries that compute in the round that is offered, query 1 in the lowest bit."""
    return s.live[k]


@jit
def last_of(s, k):
    """The round that is offered is its group's last one."""
    return s.last[k] != 0


@jit
def key_of(s, k, query):
    """Key of a query in the round that is offered, 0 if it idles."""
    return s.o_keys[k, query]


@jit
def size(owners):
    """Number of queries that a FIFO is for."""
    return (owners & 1) + (owners >> 1 & 1) + (owners >> 2 & 1) + (owners >> 3 & 1)


@jit
def choose(s, k, waiting, longer):
    """FIFO to take from when these queries are without a key: :func:`golden.dota.scheduler.schedule` says which."""
    best, best_rank = 0, -1
    for owners in range(1, FIFOS):
        if s.level[k, owners] and owners & waiting:
            if owners & ~waiting:
                rank = ((QUERIES - size(owners)) * 2 + (longer >> owners & 1)) * FIFOS + FIFOS - owners
            else:
                rank = (size(owners) + 2 * QUERIES) * FIFOS + owners
            if rank > best_rank:
                best, best_rank = owners, rank
    return best


@jit
def push(s, k, owners, key):
    """A key goes into a FIFO."""
    depth = s.keys.shape[2]
    assert s.level[k, owners] < depth
    s.keys[k, owners, (s.head[k, owners] + s.level[k, owners]) % depth] = key
    s.level[k, owners] += 1
    s.seen[FIFO_FULL] += s.level[k, owners] == depth


@jit
def pop(s, k, owners):
    """The first key leaves a FIFO."""
    key = s.keys[k, owners, s.head[k, owners]]
    s.head[k, owners] = (s.head[k, owners] + 1) % s.keys.shape[2]
    s.level[k, owners] -= 1
    return key


@jit
def choose_round(s, k, balance):
    """Take the keys of a round; of two that go back the second one waits in ``pending``."""
    needed, longer = 0, 0
    for owners in range(1, FIFOS):
        if s.level[k, owners]:
            needed |= owners
        if balance and size(owners) == 2 and s.level[k, owners] > s.level[k, FIFOS - 1 - owners]:
            longer |= 1 << owners
    pushed_before, went_back, loads = s.pushed[k], 0, 0
    s.round[k], s.round_live[k], s.pushed[k] = 1, 0, 0
    for query in range(QUERIES):
        s.round_keys[k, query] = 0
    waiting = needed
    while waiting:
        owners = choose(s, k, waiting, longer)
        s.seen[AT_ONCE] += s.level[k, owners] == 1 and pushed_before == owners
        key = pop(s, k, owners)
        for query in range(QUERIES):
            if (owners & waiting) >> (QUERIES - 1 - query) & 1:
                s.round_keys[k, query] = key
                s.round_live[k] |= 1 << query
        left = owners & ~waiting
        waiting &= ~owners
        loads += 1
        if left and not went_back:
            push(s, k, left, key)
            s.pushed[k] = left
        elif left:
            assert not s.pending[k]
            s.pending[k], s.pending_key[k] = left, key
        went_back += left != 0
    s.seen[ONE_LOAD + loads - 1] += 1
    s.seen[IDLE_QUERY] += needed != FIFOS - 1
    s.seen[ONE_BACK] += went_back == 1
    s.seen[TWO_BACK] += went_back == 2


@jit
def crowd(s, k):
    """Largest number of keys with equal owners in what is left of the word."""
    most = 0
    for owners in range(1, FIFOS):
        count = 0
        for j in range(s.owners.shape[1]):
            count += s.owners[k, j] == owners
        most = max(most, count)
    return most


@jit
def fill(s, k):
    """Every FIFO takes the lowest key of the word that is for it."""
    taken = 0
    base = (s.number[k] - 1) * s.owners.shape[1]
    for j in range(s.owners.shape[1]):
        owners = s.owners[k, j]
        if owners and not taken >> owners & 1:
            push(s, k, owners, base + j)
            s.owners[k, j] = 0
            taken |= 1 << owners
    s.seen[EMPTY] += not taken and not s.word_last[k]


@jit
def clock(s, k, i_valid, i_owners, i_last, o_ready, balance):
    """One clock of lane ``k``; ``i_owners`` [block] is the mask, ``balance`` the order (see ``schedule``).

    Raises
    ------
    AssertionError
        If a query has more connections than a FIFO holds, or a group none at all.
    """
    some = False
    for owners in range(1, FIFOS):
        some = some or s.level[k, owners] > 0
    step = not s.valid[k] or o_ready
    take = i_valid and s.ready[k]
    may_choose = s.draining[k] and some and not s.pending[k] and (step or not s.round[k])
    s.seen[STALLED] += s.draining[k] and some and not s.pending[k] and not may_choose
    assert some or s.round[k] or not s.draining[k]

    drained = False
    if step:
        s.valid[k] = s.round[k]
        if s.round[k]:
            s.live[k], s.last[k], drained = s.round_live[k], not some, not some
            for query in range(QUERIES):
                s.o_keys[k, query] = s.round_keys[k, query]
        s.round[k] = 0
    if may_choose:
        choose_round(s, k, balance)
    else:
        s.pushed[k] = s.pending[k]
        if s.pending[k]:
            push(s, k, s.pending[k], s.pending_key[k])
            s.pending[k] = 0
    if drained:
        s.draining[k], s.ready[k] = 0, 1

    if s.word[k]:
        fill(s, k)
        left = crowd(s, k)
        s.word[k] = left > 0
        s.ready[k] = left <= 1 and not s.word_last[k]
        if not left and s.word_last[k]:
            s.draining[k], s.number[k] = 1, 0
    if take:
        s.seen[BEHIND] += s.number[k] > 0
        s.word[k], s.word_last[k] = 1, i_last
        s.number[k] += 1
        for j in range(s.owners.shape[1]):
            s.owners[k, j] = i_owners[j]
        s.ready[k] = crowd(s, k) <= 1 and not i_last
        s.seen[DENSE] += crowd(s, k) > 1
