"""Golden model of the order of the screener's work [Thesis 6.4.2]: which burst meets which lanes, features and sums."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import Screen

EVENTS = ("starved", "filter_waits", "store_stalled", "cleared", "ones", "second_input")
STARVED, FILTER_WAITS, STORE_STALLED, CLEARED, ONES, SECOND_INPUT = range(len(EVENTS))

FEATURES, PSUMS, MULTIPLY, FILTER, STORE = (int(kind) for kind in Screen)
#: Bursts of a tile of partial sums.
QUARTERS = 4
#: Cycles until the scores belong to what STORE wants to see.
SETTLE = 2


class ControlState(NamedTuple):
    """Registers [ranks]; ``features`` [ranks, pairs], ``weights`` and ``stored`` [ranks, words]."""

    busy: np.ndarray
    kind: np.ndarray
    clear: np.ndarray
    ones: np.ndarray
    left: np.ndarray
    b: np.ndarray
    first: np.ndarray
    pair: np.ndarray
    column: np.ndarray
    tile: np.ndarray
    set: np.ndarray
    sent: np.ndarray
    settle: np.ndarray
    multiply_s1: np.ndarray
    clear_s1: np.ndarray
    b_s1: np.ndarray
    bias_s1: np.ndarray
    add: np.ndarray
    clear_s2: np.ndarray
    at_s2: np.ndarray
    filter_start: np.ndarray
    filter_set: np.ndarray
    filter_base: np.ndarray
    store_valid: np.ndarray
    operand: np.ndarray     # two features
    features: np.ndarray
    weights: np.ndarray
    stored: np.ndarray
    most: np.ndarray        # [ranks], cfg.batch
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> ControlState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((ranks, *shape), np.int64)

    return ControlState(*(zeros() for _ in range(25)), zeros(cfg.features // 2), zeros(cfg.burst_words),
                        zeros(cfg.burst_words), np.full(ranks, cfg.batch), np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A command is taken in this cycle."""
    return not s.busy[k]


@jit
def drained_of(s, k):
    """No product is on its way to a partial sum."""
    return not s.multiply_s1[k] and not s.add[k]


@jit
def at_of(s, k):
    """Partial sum that the lanes work on."""
    return s.at_s2[k] if s.add[k] else s.b_s1[k] + s.most[k] * s.set[k]


@jit
def view_of(s, k):
    """What STORE wants to see."""
    return (s.b[k] + s.most[k] * s.set[k]) % (2 * s.most[k])


@jit
def front_ready_of(s, k, batch):
    """The burst in front is finished with."""
    last_b, kind = s.b[k] + 1 == batch, s.kind[k]
    if not s.busy[k]:
        return False
    return kind == FEATURES or kind == MULTIPLY and last_b or kind == PSUMS and last_b and drained_of(s, k)


@jit
def clock(s, k, i_valid, i_kind, i_count, i_clear, i_ones, front_valid, front, batch, screen_bursts, new_batch, scores,
          filter_busy, store_ready):
    """One clock of rank ``k``; ``front`` [words] is the burst in front, ``scores`` [classes] those of the lanes."""
    words, pairs = s.weights.shape[1], s.features.shape[1]
    kind, b, left, set_, settle = s.kind[k], s.b[k], s.left[k], s.set[k], s.settle[k]
    last_b, drained, running = b + 1 == batch, drained_of(s, k), s.busy[k] != 0
    at, took, starting = s.b_s1[k] + s.most[k] * set_, store_ready or not s.store_valid[k], s.filter_start[k]
    s.add[k], s.clear_s2[k], s.at_s2[k] = s.multiply_s1[k], s.clear_s1[k], at
    s.multiply_s1[k], s.bias_s1[k], s.filter_start[k] = 0, 0, 0
    end = False
    if i_valid and not running:
        s.busy[k], s.kind[k], s.left[k], s.clear[k], s.ones[k] = 1, i_kind, i_count, i_clear, i_ones
        s.first[k], s.b[k], s.pair[k], s.column[k], s.sent[k], s.settle[k] = 1, 0, 0, 0, 0, SETTLE
    if store_ready and not (running and kind == STORE):
        s.store_valid[k] = 0
    if running:
        s.seen[STARVED] += kind <= MULTIPLY and not front_valid
        issue = front_valid and (kind == MULTIPLY or kind == PSUMS and drained)
        if kind == FEATURES and front_valid:
            for word in range(words):
                for byte in range(4):
                    s.features[k, (s.pair[k] + 4 * word + byte) % pairs] = front[word] >> 8 * byte & 0xFF
            s.pair[k] = (s.pair[k] + 4 * words) % pairs
            s.left[k] = left - 1 & 0xFFFF
            end = left == 1
        if issue:
            for word in range(words):
                s.weights[k, word] = front[word]
            s.b_s1[k], s.b[k] = b, 0 if last_b else b + 1
            s.seen[SECOND_INPUT] += b > 0
            end = last_b and left == 1
            if kind == PSUMS:
                s.bias_s1[k] = 1 << (QUARTERS - left) % QUARTERS
            else:
                s.multiply_s1[k], s.clear_s1[k] = 1, s.clear[k] and s.first[k]
                s.operand[k] = 0x11 if s.ones[k] else s.features[k, s.pair[k]]
                s.seen[CLEARED] += s.clear_s1[k]
                s.seen[ONES] += s.ones[k]
                s.pair[k] = (s.column[k] + 1 if last_b else s.pair[k] + screen_bursts) % pairs
                s.column[k] = (s.column[k] + last_b) % pairs
            if last_b:
                s.left[k], s.first[k] = left - 1 & 0xFFFF, 0
        if kind == FILTER:
            end = drained and not filter_busy and not starting
            s.seen[FILTER_WAITS] += not end
            if end:
                s.filter_start[k], s.filter_set[k], s.set[k] = 1, set_, 1 - set_
                s.filter_base[k] = s.tile[k] * scores.shape[0] & 0xFFFFFF
                s.tile[k] = s.tile[k] + 1 & 0xFFFFFF
        if kind == STORE:
            s.seen[STORE_STALLED] += not took
            if settle and drained:
                s.settle[k] = settle - 1
            if took:
                s.store_valid[k] = settle == 0
                if settle == 0:
                    for word in range(words):
                        s.stored[k, word] = scores[s.sent[k] * words + word] & 0xFFFFFFFF
                    if s.sent[k] == QUARTERS - 1:
                        s.b[k], s.settle[k] = b + 1, SETTLE
                        end = last_b
                    s.sent[k] = (s.sent[k] + 1) % QUARTERS
    if end:
        s.busy[k] = 0
    if new_batch:
        s.tile[k] = 0
