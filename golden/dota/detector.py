"""Golden model of the detector [Thesis 7.6.3, Fig. 7.12]: which connections of a group of four queries are strong.

Every query of the group that exists takes the same number of keys, those with the largest estimated scores, so that
rows are balanced. The number is what the row with the most scores at or above the threshold has, within limits. There
is room for the scores of two groups: one is selected in while the next one's arrive.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import QUERIES

#: Situations that the tests must reach.
EVENTS = ("by_threshold", "by_keep", "by_keys", "at_least_one", "tie_split", "padded_block", "missing_query",
          "single_block", "stalled", "gap", "taken_while_selecting", "selection_busy", "rows_change")
(BY_THRESHOLD, BY_KEEP, BY_KEYS, AT_LEAST_ONE, TIE_SPLIT, PADDED, MISSING, SINGLE, STALLED, GAP, BESIDE, SELECTION_BUSY,
 ROWS_CHANGE) = range(len(EVENTS))

#: Bits of a score that one pass over the scores decides.
DIGIT_BITS = 4
#: Cycles from the last block of a group to its first look at the memory, if none is being selected in.
HAND_OVER = 6


def detect(scores, n_keys, keep, threshold, rows) -> np.ndarray:
    """Mask of a group: the equations.

    Parameters
    ----------
    scores : int array, shape (4, keys)
    n_keys : int
        Keys that exist; scores of others count nothing.
    keep : int
        Most connections of a query.
    threshold : int
        A query may have as many connections as scores at or above it, and as any other query of the group has.
    rows : sequence of 4 bools
        Queries that exist.

    Returns
    -------
    bool array, shape (4, keys)
        The same number of connections in each row that exists, at least 1; none in the others. Of equal scores the
        keys with the lower numbers.
    """
    scores, rows = np.asarray(scores), np.asarray(rows, bool)
    strong = (scores[:, :n_keys] >= threshold).sum(axis=1)
    count = min(max(strong[rows].max(), 1), keep, n_keys)
    mask = np.zeros(scores.shape, bool)
    for query in np.flatnonzero(rows):
        order = np.argsort(-scores[query, :n_keys].astype(np.int64), kind="stable")
        mask[query, order[:count]] = True
    return mask


def latency(cfg: DotaConfig, n_keys: int) -> int:
    """Cycles from the last block of a group to its first word of the mask, if no other is inside."""
    blocks = -(-n_keys // cfg.block)
    return HAND_OVER + 4 + (cfg.estimate_bits // DIGIT_BITS - 1) * (blocks + 4)


def period(cfg: DotaConfig, n_keys: int) -> int:
    """Cycles of a group that follows another: its blocks come, and its words are taken, as soon as they can."""
    return cfg.estimate_bits // DIGIT_BITS * (-(-n_keys // cfg.block) + 4)


class DetectorState(NamedTuple):
    """``scores`` [lanes, 2, keys, 4] are the two halves of the memory; others are registers, [lanes] or as said."""

    scores: np.ndarray
    ready: np.ndarray
    arriving: np.ndarray    # blocks of a group are here, but it is not handed over
    block: np.ndarray       # of the group, that comes next
    fills: np.ndarray       # half of the memory that blocks go to
    rank: np.ndarray        # cycles until the leading digits are known; then 1, 0: no group is complete
    rows: np.ndarray        # queries of the group that arrives
    first_limit: np.ndarray     # [lanes, 4] of the group that waits to be handed over: smallest score that is chosen
    first_ties: np.ndarray      # [lanes, 4] keys with just that score that are to be chosen
    selecting: np.ndarray   # a group is handed over
    half: np.ndarray        # of the memory that has its scores
    wait: np.ndarray        # cycles until the first score is read for the mask
    read: np.ndarray        # word of the mask that is read next; -1: none
    limit: np.ndarray       # [lanes, 4] the same as first_limit, of the group that is selected in
    ties: np.ndarray        # [lanes, 4] those that are still to be chosen
    stage: np.ndarray       # [lanes, 3] words on their way, -1: none
    valid: np.ndarray
    owners: np.ndarray      # [lanes, block]
    last: np.ndarray
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> DetectorState:
    """State after reset."""
    shapes = dict.fromkeys(DetectorState._fields, ())
    shapes |= {"scores": (2, cfg.keys, QUERIES), "stage": (3,), "owners": (cfg.block,)}
    shapes |= dict.fromkeys(("first_limit", "first_ties", "limit", "ties"), (QUERIES,))
    s = DetectorState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    s.ready[:], s.stage[:], s.read[:] = 1, -1, -1
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A block of scores is taken in this cycle."""
    return s.ready[k] != 0


@jit
def valid_of(s, k):
    """A word of the mask, ``owners[k]``, is offered."""
    return s.valid[k] != 0


@jit
def last_of(s, k):
    """The word that is offered is its group's last one."""
    return s.last[k] != 0


@jit
def busy_of(s, k):
    """A group is inside."""
    return s.arriving[k] != 0 or s.selecting[k] != 0


@jit
def at_least(s, k, query, n_keys, bound):
    """Number of a query's scores that are ``bound`` or larger, of the group that has arrived."""
    count = 0
    for key in range(n_keys):
        count += s.scores[k, s.fills[k], key, query] >= bound
    return count


@jit
def select(s, k, n_keys, keep, threshold, estimate_bits):
    """How many connections the queries of the group that has arrived have, and from which score on."""
    rows, strong = s.rows[k], 0
    for query in range(QUERIES):
        if rows >> query & 1:
            strong = max(strong, at_least(s, k, query, n_keys, threshold))
    count = min(max(strong, 1), keep, n_keys)
    s.seen[AT_LEAST_ONE] += strong == 0
    s.seen[BY_THRESHOLD] += count == strong and strong < min(keep, n_keys)
    s.seen[BY_KEEP] += keep < min(strong, n_keys)
    s.seen[BY_KEYS] += n_keys < keep
    s.seen[MISSING] += rows != (1 << QUERIES) - 1
    for query in range(QUERIES):
        # A query that does not exist: nothing is above the largest score, and no key with it is wanted.
        s.first_limit[k, query], s.first_ties[k, query] = (1 << estimate_bits - 1) - 1, 0
        if rows >> query & 1:
            # The largest bound that enough scores reach, bit by bit.
            bound = -(1 << estimate_bits - 1)
            for position in range(estimate_bits):
                higher = bound + (1 << estimate_bits - 1 - position)
                if at_least(s, k, query, n_keys, higher) >= count:
                    bound = higher
            above = at_least(s, k, query, n_keys, bound + 1)
            s.first_limit[k, query], s.first_ties[k, query] = bound, count - above
            s.seen[TIE_SPLIT] += at_least(s, k, query, n_keys, bound) > count


@jit
def give_word(s, k, word, n_keys):
    """Put a word of the mask into the output register."""
    block = s.owners.shape[1]
    for j in range(block):
        key = word * block + j
        s.owners[k, j] = 0
        if key < n_keys:
            for query in range(QUERIES):
                score = s.scores[k, s.half[k], key, query]
                tie = score == s.limit[k, query] and s.ties[k, query] > 0
                s.ties[k, query] -= tie
                if tie or score > s.limit[k, query]:
                    s.owners[k, j] |= 1 << (QUERIES - 1 - query)
    s.last[k] = (word + 1) * block >= n_keys


@jit
def hand_over(s, k, words, estimate_bits):
    """The group that has arrived is selected in; the next one may come."""
    for query in range(QUERIES):
        s.limit[k, query], s.ties[k, query] = s.first_limit[k, query], s.first_ties[k, query]
    s.arriving[k], s.rank[k], s.ready[k] = 0, 0, 1
    s.half[k], s.fills[k] = s.fills[k], 1 - s.fills[k]
    s.selecting[k], s.read[k] = 1, 0
    s.wait[k] = (estimate_bits // DIGIT_BITS - 1) * (words + 4)


@jit
def clock(s, k, i_valid, i_scores, i_last, o_ready, n_keys, keep, threshold, rows, estimate_bits):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_scores : int array, shape (block, 4)
    n_keys, keep, threshold : int
        Those of the groups inside, and of the one that is offered.
    rows : int
        Of the group that is offered.

    Raises
    ------
    AssertionError
        If a number is out of range, or ``i_last`` is not at the last block.
    """
    block = s.owners.shape[1]
    words = (n_keys + block - 1) // block
    step = not s.valid[k] or o_ready
    take = i_valid and s.ready[k]
    was_selecting = s.selecting[k]
    s.seen[STALLED] += not step
    s.seen[GAP] += s.block[k] > 0 and not i_valid
    s.seen[BESIDE] += take and was_selecting
    s.seen[SELECTION_BUSY] += s.rank[k] == 1 and was_selecting
    if s.valid[k] and o_ready and s.last[k]:
        s.selecting[k] = 0
    if s.rank[k] == 1 and not was_selecting:
        hand_over(s, k, words, estimate_bits)
    elif s.rank[k] > 1:
        s.rank[k] -= 1
    if step:
        if s.stage[k, 2] >= 0:
            give_word(s, k, s.stage[k, 2], n_keys)
        s.valid[k] = s.stage[k, 2] >= 0
        s.stage[k, 2], s.stage[k, 1] = s.stage[k, 1], s.stage[k, 0]
        s.stage[k, 0] = -1
        if s.read[k] >= 0 and s.wait[k] == 0:
            s.stage[k, 0] = s.read[k]
            s.read[k] = s.read[k] + 1 if s.read[k] + 1 < words else -1
    if s.wait[k]:
        s.wait[k] -= 1
    if take:
        assert 0 < n_keys <= s.scores.shape[2] and keep > 0 and rows > 0
        assert i_last == (s.block[k] == words - 1)
        for j in range(block):
            for query in range(QUERIES):
                s.scores[k, s.fills[k], s.block[k] * block + j, query] = i_scores[j, query]
        s.seen[ROWS_CHANGE] += was_selecting and rows != s.rows[k]
        s.arriving[k], s.rows[k] = 1, rows
        s.block[k] += 1
        if i_last:
            select(s, k, n_keys, keep, threshold, estimate_bits)
            s.seen[PADDED] += n_keys % block != 0
            s.seen[SINGLE] += words == 1
            s.ready[k], s.block[k], s.rank[k] = 0, 0, HAND_OVER
