"""Golden model of the detector [Thesis 7.6.3, Fig. 7.12]: which connections of a group of four queries are strong.

Every query of the group that exists takes the same number of keys, those with the largest estimated scores, so that
rows are balanced. The number is what the row with the most scores at or above the threshold has, within limits.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import QUERIES

#: Situations that the tests must reach.
EVENTS = ("by_threshold", "by_keep", "by_keys", "at_least_one", "tie_split", "padded_block", "missing_query",
          "single_block", "stalled", "gap")
(BY_THRESHOLD, BY_KEEP, BY_KEYS, AT_LEAST_ONE, TIE_SPLIT, PADDED, MISSING, SINGLE, STALLED, GAP) = range(len(EVENTS))

#: Bits of a score that one pass over the scores decides.
DIGIT_BITS = 4


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
    """Cycles from the last block of a group to its first word of the mask."""
    blocks = -(-n_keys // cfg.block)
    return 10 + (cfg.estimate_bits // DIGIT_BITS - 1) * (blocks + 4)


class DetectorState(NamedTuple):
    """``scores`` [lanes, keys, 4] is the memory; others are registers, [lanes] unless said otherwise."""

    scores: np.ndarray
    ready: np.ndarray
    busy: np.ndarray
    block: np.ndarray       # of the group, that comes next
    wait: np.ndarray        # cycles until the first score is read for the mask
    selecting: np.ndarray
    read: np.ndarray        # word of the mask that is read next
    limit: np.ndarray       # [lanes, 4] smallest score that is chosen
    ties: np.ndarray        # [lanes, 4] keys with just that score that are still to be chosen
    stage: np.ndarray       # [lanes, 3] words on their way, -1: none
    valid: np.ndarray
    owners: np.ndarray      # [lanes, block]
    last: np.ndarray
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> DetectorState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return DetectorState(
        scores=zeros(cfg.keys, QUERIES), ready=zeros() + 1, busy=zeros(), block=zeros(), wait=zeros(),
        selecting=zeros(), read=zeros(), limit=zeros(QUERIES), ties=zeros(QUERIES), stage=zeros(3) - 1,
        valid=zeros(), owners=zeros(cfg.block), last=zeros(), seen=np.zeros(len(EVENTS), np.int64))


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
    return s.busy[k] != 0


@jit
def at_least(s, k, query, n_keys, bound):
    """Number of a query's scores that are ``bound`` or larger."""
    count = 0
    for key in range(n_keys):
        count += s.scores[k, key, query] >= bound
    return count


@jit
def select(s, k, n_keys, keep, threshold, rows, estimate_bits):
    """How many connections the queries have, and from which score on."""
    strong = 0
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
        # The largest bound that enough scores reach, bit by bit.
        bound = -(1 << estimate_bits - 1)
        for position in range(estimate_bits):
            higher = bound + (1 << estimate_bits - 1 - position)
            if at_least(s, k, query, n_keys, higher) >= count:
                bound = higher
        s.limit[k, query] = bound
        s.ties[k, query] = count - at_least(s, k, query, n_keys, bound + 1)
        equal = at_least(s, k, query, n_keys, bound) - (count - s.ties[k, query])
        s.seen[TIE_SPLIT] += rows >> query & 1 and equal > s.ties[k, query]


@jit
def give_word(s, k, word, n_keys, rows):
    """Put a word of the mask into the output register."""
    block = s.owners.shape[1]
    for j in range(block):
        key = word * block + j
        s.owners[k, j] = 0
        for query in range(QUERIES):
            if key < n_keys and rows >> query & 1:
                score = s.scores[k, key, query]
                tie = score == s.limit[k, query] and s.ties[k, query] > 0
                s.ties[k, query] -= tie
                if tie or score > s.limit[k, query]:
                    s.owners[k, j] |= 1 << (QUERIES - 1 - query)
    s.last[k] = (word + 1) * block >= n_keys


@jit
def clock(s, k, i_valid, i_scores, i_last, o_ready, n_keys, keep, threshold, rows, estimate_bits):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_scores : int array, shape (block, 4)
    n_keys, keep, threshold, rows : int
        Those of the group inside, or of the one that is offered.

    Raises
    ------
    AssertionError
        If a number is out of range, or ``i_last`` is not at the last block.
    """
    block, words = s.owners.shape[1], (n_keys + s.owners.shape[1] - 1) // s.owners.shape[1]
    step = not s.valid[k] or o_ready
    take = i_valid and s.ready[k]
    s.seen[STALLED] += not step
    s.seen[GAP] += s.busy[k] and s.ready[k] and not i_valid
    if s.valid[k] and o_ready and s.last[k]:
        s.ready[k], s.busy[k] = 1, 0
    if step:
        if s.stage[k, 2] >= 0:
            give_word(s, k, s.stage[k, 2], n_keys, rows)
        s.valid[k] = s.stage[k, 2] >= 0
        s.stage[k, 2], s.stage[k, 1] = s.stage[k, 1], s.stage[k, 0]
        s.stage[k, 0] = -1
        if s.selecting[k] and s.wait[k] == 0:
            s.stage[k, 0] = s.read[k]
            s.read[k] += 1
            s.selecting[k] = s.read[k] < words
    if s.wait[k]:
        s.wait[k] -= 1
    if take:
        assert 0 < n_keys <= s.scores.shape[1] and keep > 0 and rows > 0
        assert i_last == (s.block[k] == words - 1)
        for j in range(block):
            for query in range(QUERIES):
                s.scores[k, s.block[k] * block + j, query] = i_scores[j, query]
        s.busy[k] = 1
        s.block[k] += 1
        if i_last:
            select(s, k, n_keys, keep, threshold, rows, estimate_bits)
            s.seen[PADDED] += n_keys % block != 0
            s.seen[SINGLE] += words == 1
            s.ready[k], s.block[k], s.selecting[k], s.read[k] = 0, 0, 1, 0
            s.wait[k] = 5 + (estimate_bits // DIGIT_BITS - 1) * (words + 4)
