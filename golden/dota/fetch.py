"""Golden model of the fetch unit: reads the vectors of a round, each distinct key once.

Keys (and values) are interleaved over four banks. A request names one vector for each of the four queries; in a cycle
every bank serves the first query, in order, that still waits for it, and with it all that want the same vector. So a
request takes as many cycles as the busiest bank has distinct vectors, 1 in the best case.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import KEY_BANKS, QUERIES

EVENTS = ("shared_by_all", "four_banks", "bank_conflict", "longest_conflict", "idle_query", "back_to_back")
SHARED, FOUR_BANKS, CONFLICT, LONGEST, IDLE_QUERY, BACK_TO_BACK = range(len(EVENTS))

#: Fields of a request besides addresses, live bits and weights.
FIRST, END, LAST, CHUNK, ELEMENT, OTHER = range(6)
#: The same, by name and in this order.
TAGS = ("first", "end", "last", "chunk", "element", "other")


class FetchState(NamedTuple):
    """Registers: the request at work, and what stands at the operands in this cycle; [lanes] or [lanes, 4 or tags]."""

    valid: np.ndarray
    fresh: np.ndarray       # nothing of it was read yet
    addr: np.ndarray
    live: np.ndarray
    pending: np.ndarray
    weight: np.ndarray
    tags: np.ndarray
    take: np.ndarray        # query t takes bank[t]'s word now
    bank: np.ndarray
    fire: np.ndarray        # and this completes the request
    out_row: np.ndarray     # [lanes, 4] rows that were read from the banks
    out_other: np.ndarray   # address of the vector of the second half
    out_live: np.ndarray
    out_weight: np.ndarray
    out_tags: np.ndarray
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> FetchState:
    """State after reset."""
    def register(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return FetchState(register(), register(), register(QUERIES), register(), register(), register(QUERIES),
                      register(len(TAGS)), register(), register(QUERIES), register(), register(KEY_BANKS), register(),
                      register(), register(QUERIES), register(len(TAGS)), np.zeros(len(EVENTS), np.int64))


def cycles_of(addresses, live) -> int:
    """Untimed: cycles that a request takes."""
    wanted = {addr for addr, lives in zip(addresses, live, strict=True) if lives}
    return max(1, *(sum(addr % KEY_BANKS == bank for addr in wanted) for bank in range(KEY_BANKS)))


@jit
def chosen(s, k, bank):
    """First query that waits for a bank in this cycle, or -1."""
    if s.valid[k]:
        for t in range(QUERIES):
            if s.pending[k] >> t & 1 and s.addr[k, t] % KEY_BANKS == bank:
                return t
    return -1


@jit
def served(s, k):
    """Queries whose vectors are read in this cycle, one bit each; those that want none are served at once."""
    served_now = ~s.live[k] & 15 if s.fresh[k] else 0
    for bank in range(KEY_BANKS):
        first = chosen(s, k, bank)
        if first >= 0:
            for t in range(QUERIES):
                if s.pending[k] >> t & 1 and s.addr[k, t] == s.addr[k, first]:
                    served_now |= 1 << t
    return served_now


@jit
def finishes(s, k):
    """The request at work is complete with the reads of this cycle."""
    return s.valid[k] and (s.pending[k] & ~served(s, k)) == 0


@jit
def ready_of(s, k):
    """A request is taken in this cycle."""
    return not s.valid[k] or finishes(s, k)


@jit
def _all_in_one_bank(s, k):
    """The request at work is for four different vectors of the same bank."""
    for t in range(QUERIES):
        for u in range(t):
            if s.addr[k, t] % KEY_BANKS != s.addr[k, u] % KEY_BANKS or s.addr[k, t] == s.addr[k, u]:
                return False
    return s.live[k] == 15


@jit
def clock(s, k, i_valid, i_addr, i_live, i_weight, i_tags):
    """One clock of lane ``k``; ``i_addr``, ``i_weight`` [4], ``i_tags`` as TAGS. Returns the number of vectors read."""
    valid = s.valid[k] != 0
    now = served(s, k) if valid else 0
    done = finishes(s, k)
    ready = ready_of(s, k)
    reads = 0
    for bank in range(KEY_BANKS):
        first = chosen(s, k, bank)
        if first >= 0:
            s.out_row[k, bank] = s.addr[k, first] // KEY_BANKS
            reads += 1
    s.take[k], s.fire[k] = now, done
    if valid:
        s.seen[SHARED] += s.fresh[k] and s.live[k] == 15 and reads == 1 and done
        s.seen[FOUR_BANKS] += reads == KEY_BANKS
        s.seen[CONFLICT] += not done
        s.seen[LONGEST] += done and _all_in_one_bank(s, k)
        s.seen[IDLE_QUERY] += s.live[k] != 15
        s.seen[BACK_TO_BACK] += done and i_valid
        for t in range(QUERIES):
            s.bank[k, t] = s.addr[k, t] % KEY_BANKS
            s.out_weight[k, t] = s.weight[k, t]
        s.out_live[k] = s.live[k]
        for tag in range(len(TAGS)):
            s.out_tags[k, tag] = s.tags[k, tag]
        s.out_other[k] = s.tags[k, OTHER]
        s.pending[k] &= ~now
        s.fresh[k] = 0
    if ready:
        s.valid[k] = i_valid
        if i_valid:
            s.fresh[k] = 1
            s.live[k] = s.pending[k] = i_live
            for t in range(QUERIES):
                s.addr[k, t], s.weight[k, t] = i_addr[t], i_weight[t]
            for tag in range(len(TAGS)):
                s.tags[k, tag] = i_tags[tag]
    return reads
