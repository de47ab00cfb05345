"""Golden model of the FP32 MACs [Thesis 6.4.2]: weights times features, beat by beat, and four partial sums."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import fp32
from .config import EnmcConfig
from .exact_control import MARK_FINISH, NO_MARK
from .formats import ADD_LATENCY, MULTIPLY_LATENCY, ROTATING
from .fp32 import ONE, add_bits, multiply_bits

EVENTS = ("beat_after_beat", "beat_after_gap", "beyond_the_first", "short_row", "empty_row", "cleared", "pass_in_row")
(BEAT_AFTER_BEAT, BEAT_AFTER_GAP, BEYOND_THE_FIRST, SHORT_ROW, EMPTY_ROW, CLEARED, PASS_IN_ROW) = range(len(EVENTS))

#: Cycles from a beat to its operands.
FETCH = 2


def latency(cfg: EnmcConfig) -> int:
    """Cycles from a mark to its partial sums, all beats up to and with the mark's included."""
    levels = (cfg.burst_words - 1).bit_length()
    return FETCH + MULTIPLY_LATENCY + (levels + 1) * ADD_LATENCY + 1


def partial_sums(weights, features) -> np.ndarray:
    """The definition: partial sums of a row.

    The products of a beat are added as a balanced tree of neighbours, ``(p0 + p1) + (p2 + p3)`` and so on; beat j is
    added to the partial sum j mod 4, which begins with +0. All rounded as in ``golden.enmc.fp32``.

    Parameters
    ----------
    weights, features : uint32 array, shape (beats, words)
        Bit patterns; ``words`` a power of two.

    Returns
    -------
    uint32 array, shape (4,)
    """
    terms = fp32.multiply(weights, features)
    while terms.shape[1] > 1:
        terms = fp32.add(terms[:, 0::2], terms[:, 1::2])
    sums = np.zeros(ROTATING, np.uint32)
    for beat, term in enumerate(terms[:, 0]):
        sums[beat % ROTATING] = fp32.add(sums[beat % ROTATING], term)
    return sums


class DotState(NamedTuple):
    """Sums are added as soon as their beat comes, and shown when the hardware has them.

    Attributes
    ----------
    features : int64 array, shape (ranks, vectors, words)
        Feature buffer.
    sums : int64 array, shape (ranks, ROTATING)
    slot, beats : int64 arrays, shape (ranks,)
        Partial sum and number of the next beat of the row.
    at, left : int64 arrays, shape (ranks,)
        Place in the rings that comes out now; cycles until nothing is on its way.
    marks, shown : int64 arrays, shape (ranks, latency) and (ranks, latency, ROTATING)
        Rings.
    works : int64 array, shape (ranks,)
        Beats of the last FETCH cycles, a bit each.
    products : int64 array, shape (words,)
        Scratch.
    """

    features: np.ndarray
    sums: np.ndarray
    slot: np.ndarray
    beats: np.ndarray
    at: np.ndarray
    left: np.ndarray
    works: np.ndarray
    marks: np.ndarray
    shown: np.ndarray
    products: np.ndarray
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> DotState:
    """State after reset; the hardware's features are undefined."""
    def zeros(*shape):
        return np.zeros((ranks, *shape), np.int64)

    length, words = latency(cfg), cfg.burst_words
    return DotState(zeros(cfg.exact_features // words, words), zeros(ROTATING), *(zeros() for _ in range(5)),
                    zeros(length), zeros(length, ROTATING), np.zeros(words, np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def mark_of(s, k):
    """A row ends in this cycle, or a record without result passes; 0: neither."""
    return s.marks[k, s.at[k]]


@jit
def sum_of(s, k, slot):
    """Partial sum of the row that ends in this cycle."""
    return s.shown[k, s.at[k], slot]


@jit
def working_of(s, k):
    """The multipliers have a beat."""
    return s.works[k] >> FETCH - 1 & 1


@jit
def busy_of(s, k):
    """A beat or a mark is on its way."""
    return s.left[k] != 0


@jit
def clock(s, k, burst, beat, write, addr, ones, first, mark):
    """One clock of rank ``k``; ``burst`` [words]."""
    length, words, at = s.marks.shape[1], burst.shape[0], s.at[k]
    if write:
        for word in range(words):
            s.features[k, addr, word] = burst[word]
    if beat:
        s.seen[BEAT_AFTER_BEAT if s.works[k] & 1 else BEAT_AFTER_GAP] += 1
        if first:
            s.seen[CLEARED] += s.beats[k] != 0
            s.slot[k], s.beats[k] = 0, 0
            for slot in range(s.sums.shape[1]):
                s.sums[k, slot] = 0
        slot = s.slot[k]
        s.sums[k, slot] = add_bits(_tree(s, k, burst, addr, ones), s.sums[k, slot])
        s.slot[k] = (slot + 1) % s.sums.shape[1]
        s.seen[BEYOND_THE_FIRST] += s.beats[k] >= s.sums.shape[1]
        s.beats[k] += 1
    s.marks[k, at] = mark
    if mark == MARK_FINISH:
        s.seen[EMPTY_ROW] += s.beats[k] == 0
        s.seen[SHORT_ROW] += 0 < s.beats[k] < s.sums.shape[1]
        for slot in range(s.sums.shape[1]):
            s.shown[k, at, slot], s.sums[k, slot] = s.sums[k, slot], 0
        s.beats[k] = 0
    elif mark != NO_MARK:
        s.seen[PASS_IN_ROW] += s.beats[k] != 0
    s.left[k] = length if beat or mark != NO_MARK else max(s.left[k] - 1, 0)
    s.works[k] = s.works[k] << 1 & 3 | int(beat)
    s.at[k] = (at + 1) % length


@jit
def _tree(s, k, burst, addr, ones):
    words, products = burst.shape[0], s.products
    for word in range(words):
        products[word] = multiply_bits(burst[word], ONE if ones else s.features[k, addr, word])
    while words > 1:
        words //= 2
        for word in range(words):
            products[word] = add_bits(products[2 * word], products[2 * word + 1])
    return products[0]
