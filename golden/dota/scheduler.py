"""Locality-aware scheduling of a group of four queries [Thesis 7.6.3, Algorithm 4], without time.

The detector's mask says which keys each query of the group is connected to. In a round every query computes one of its
connections; a key is loaded once a round, however many queries use it. The scheduler keeps the keys in 15 FIFOs, named
after the queries that still need them: a key in B1010 is needed by queries 1 and 3.
"""

import itertools
from functools import cache

import numpy as np

__all__ = ["EVERYBODY", "IDLE", "PAIRS", "QUERIES", "in_order", "loads", "optimum", "owners_of", "row_by_row",
           "schedule"]

#: Queries of a group.
QUERIES = 4
#: In a round: this query computes nothing, all its connections are done.
IDLE = -1
#: Owners of a key that all queries need, and of those that two need.
EVERYBODY = (1 << QUERIES) - 1
PAIRS = tuple(owners for owners in range(EVERYBODY) if owners.bit_count() == 2)


def schedule(mask, balance=False) -> list[list[int]]:
    """Rounds of a group, by the greedy choice of Algorithm 4.

    A round goes on until every query that has connections left computes one. Among the keys that are needed by
    those still without one (and by nobody else) it takes the one needed by most; if there is none, a key that the
    fewest queries need. That key moves to the FIFO of the queries that do not use it in this round. Of several such
    FIFOs, among keys needed by nobody else the one with query 1 first, otherwise the one with query 4 first.

    With ``balance`` it takes, of the pairs that have to be split, one of which there are more than of its counterpart,
    the pair of the other two queries, at the begin of the round. Beyond the source: with equal rows no schedule has
    fewer loads (:mod:`golden.dota.policies`).

    Parameters
    ----------
    mask : bool array, shape (4, n_keys)
        Connections of each query.
    balance : bool

    Returns
    -------
    list of list of int
        Four keys a round, one a query, or IDLE. As many rounds as the largest row sum.

    Raises
    ------
    ValueError
        If the mask is not a bool array of four rows.
    """
    fifos = _fifos(_checked(mask))
    rounds = []
    while waiting := _needed_by_anybody(fifos):
        keys = [IDLE] * QUERIES
        longer = {owners for owners in PAIRS if balance and len(fifos[owners]) > len(fifos[EVERYBODY ^ owners])}
        while waiting:
            owners = _choose(fifos, waiting, longer)
            key = fifos[owners].pop(0)
            for query in range(QUERIES):
                if owners & waiting & _bit(query):
                    keys[query] = key
            if left := owners & ~waiting:
                fifos[left].append(key)
            waiting &= ~owners
        rounds.append(keys)
    return rounds


def _choose(fifos, waiting, longer=()) -> int:
    """The FIFO to take from, when the queries in ``waiting`` are without a key; split those in ``longer`` first."""
    useful = [owners for owners, keys in fifos.items() if keys and owners & waiting]
    if alone := [owners for owners in useful if not owners & ~waiting]:
        return max(alone, key=lambda owners: (owners.bit_count(), owners))
    return min(useful, key=lambda owners: (owners.bit_count(), owners not in longer, owners))


def in_order(mask) -> list[list[int]]:
    """Rounds without reordering: every query takes its keys from left to right [Thesis Fig. 7.15]."""
    rows = [np.flatnonzero(row).tolist() for row in _checked(mask)]
    return [list(keys) for keys in itertools.zip_longest(*rows, fillvalue=IDLE)]


def row_by_row(mask) -> int:
    """Key loads when the queries are computed one after the other [Thesis Fig. 7.14]."""
    return int(_checked(mask).sum())


def loads(rounds) -> int:
    """Key loads of a schedule: the different keys of each round."""
    return sum(len({key for key in keys if key != IDLE}) for keys in rounds)


def optimum(mask) -> int:
    """Fewest key loads of any schedule in which every query computes a connection in each round while it has one.

    Exhaustive: for small masks only.
    """
    @cache
    def fewest(rows):
        if not any(rows):
            return 0
        return min(len({key for key in keys if key != IDLE})
                   + fewest(tuple(row - {key} for row, key in zip(rows, keys, strict=True)))
                   for keys in itertools.product(*(sorted(row) or [IDLE] for row in rows)))

    return fewest(tuple(frozenset(np.flatnonzero(row).tolist()) for row in _checked(mask)))


def _checked(mask):
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.ndim != 2 or len(mask) != QUERIES:
        raise ValueError(f"mask must be a bool array of shape (4, n_keys), not {mask.dtype} of shape {mask.shape}")
    return mask


def _bit(query) -> int:
    """Query 1 is the highest bit of a FIFO's name."""
    return 1 << QUERIES - 1 - query


def owners_of(mask) -> np.ndarray:
    """Of each key the queries that need it, query 1 in the highest of four bits: the name of its FIFO."""
    return np.array([_bit(query) for query in range(QUERIES)]) @ _checked(mask)


def _fifos(mask) -> dict[int, list[int]]:
    """Keys by the queries that need them, in ascending order."""
    fifos = {owners: [] for owners in range(1, 1 << QUERIES)}
    for key, owners in enumerate(owners_of(mask).tolist()):
        if owners:
            fifos[owners].append(key)
    return fifos


def _needed_by_anybody(fifos) -> int:
    needed = 0
    for owners, keys in fifos.items():
        if keys:
            needed |= owners
    return needed
