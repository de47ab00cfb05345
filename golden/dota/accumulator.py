"""Golden model of the accumulator [Thesis 7.6.1, Fig. 7.11, table C.1, "512 accu/cycle"]: sums what the lanes give.

A beat is one word of partial sums of one token from every lane that takes part. Its sum over the lanes replaces what is
kept of this token, or is added to it; if asked for, the result goes on.

Sums have 48 bits. They are exact while no more than 2**17 - 1 products of two 16-bit elements, 2**30 each at most, come
together in one, over all lanes and beats. Beyond that they wrap.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit
from golden.common.skid import SkidState, skid_field, skid_ready, skid_state, skid_step, skid_valid

from .config import DotaConfig
from .formats import QUERIES, SUM_BITS

__all__ = ["EVENTS", "AccumulatorState", "Beat", "accumulate", "clock", "last_of", "latency", "may_take", "state",
           "taken_of", "token_of", "valid_of", "value_of"]

#: Situations that the tests must reach.
EVENTS = ("first", "added", "same_token_again", "kept_back", "held", "passed_held", "lane_waits", "lane_off")
FIRST, ADDED, SAME_TOKEN_AGAIN, KEPT_BACK, HELD, PASSED_HELD, LANE_WAITS, LANE_OFF = range(len(EVENTS))

#: Fields of a sum behind its values.
TOKEN, LAST = range(2)


class Beat(NamedTuple):
    """One word of partial sums, as the definition takes it: ``values`` [lanes, n] of the lanes that take part."""

    values: np.ndarray
    token: int
    first: bool
    emit: bool
    last: bool


def accumulate(beats, n) -> list[tuple[list[int], int, bool]]:
    """The definition: (values, token, last) of each sum that goes on, of ``n`` values each."""
    kept, sums = np.zeros((QUERIES, n), object), []
    for beat in beats:
        total = np.asarray(beat.values, object).sum(axis=0)
        kept[beat.token] = total if beat.first else kept[beat.token] + total
        kept[beat.token] = [wrap(int(value), SUM_BITS) for value in kept[beat.token]]
        if beat.emit:
            sums.append((kept[beat.token].tolist(), beat.token, beat.last))
    return sums


def latency(lanes: int) -> int:
    """Cycles from a beat to its sum: one for each level of the tree over the lanes, at least one, and one to add it."""
    return max(1, (lanes - 1).bit_length()) + 1


class AccumulatorState(NamedTuple):
    """State of accumulators, each on an index of the first axis; they have the beats of all lanes of their own."""

    kept: np.ndarray        # [k, 4 tokens, n]
    valid: np.ndarray       # [k, levels]: the tree, its last level at the end
    first: np.ndarray
    emit: np.ndarray
    token: np.ndarray
    last: np.ndarray
    sums: np.ndarray        # [k, levels, n]
    out_valid: np.ndarray   # [k]: behind the addition
    out: np.ndarray         # [k, n + 2]: values, token, last
    skid: SkidState         # and behind that
    seen: np.ndarray


def state(cfg: DotaConfig, count: int) -> AccumulatorState:
    """State after reset."""
    n, levels = 2 * cfg.vector, latency(cfg.lanes) - 1

    def zeros(*shape):
        return np.zeros((count, *shape), np.int64)

    return AccumulatorState(zeros(QUERIES, n), *(zeros(levels) for _ in range(5)), zeros(levels, n), zeros(),
                            zeros(n + 2), skid_state(count, n + 2), np.zeros(len(EVENTS), np.int64))


@jit
def may_take(s, k):
    """The pipeline moves: a beat is taken if all lanes that take part offer one."""
    at = s.valid.shape[1] - 1
    return not (s.out_valid[k] and not skid_ready(s.skid, k) and s.valid[k, at] and s.emit[k, at])


@jit
def taken_of(s, k, valid, lanes_on):
    """A beat is taken in this cycle; ``valid`` [lanes] says who offers one, ``lanes_on`` has a bit for each lane."""
    offers, wanted = 0, 0
    for lane in range(len(valid)):
        if lanes_on >> lane & 1:
            wanted += 1
            offers += valid[lane] != 0
    return wanted > 0 and offers == wanted and may_take(s, k)


@jit
def valid_of(s, k):
    """A sum is offered."""
    return skid_valid(s.skid, k, s.out_valid[k] != 0)


@jit
def value_of(s, k, index):
    """One value of it."""
    return skid_field(s.skid, k, index, s.out[k, index])


@jit
def token_of(s, k):
    """Its token."""
    return value_of(s, k, s.kept.shape[2] + TOKEN)


@jit
def last_of(s, k):
    """Its ``last``."""
    return value_of(s, k, s.kept.shape[2] + LAST)


@jit
def clock(s, k, valid, values, token, first, emit, last, lanes_on, o_ready):
    """One clock of accumulator ``k``.

    ``valid``, ``token``, ``first``, ``emit``, ``last`` are [lanes], ``values`` [lanes, n]: what each lane offers.
    """
    moves, taken = may_take(s, k), taken_of(s, k, valid, lanes_on)
    waits = s.out_valid[k] != 0 and not skid_ready(s.skid, k)
    _give(s, k, o_ready)
    s.seen[HELD] += not moves
    s.seen[PASSED_HELD] += moves and waits
    if not moves:
        return
    end = s.valid.shape[1] - 1
    s.out_valid[k] = waits
    if s.valid[k, end]:
        _add(s, k, end)
    for level in range(end, 0, -1):
        _copy(s, k, level)
    follows = s.valid[k, 0] != 0
    s.valid[k, 0] = taken
    offers = 0
    for lane in range(len(valid)):
        offers += valid[lane] != 0 and lanes_on >> lane & 1
    s.seen[LANE_WAITS] += offers > 0 and not taken
    if taken:
        before = s.token[k, 0]
        lead = _take(s, k, values, token, first, emit, last, lanes_on)
        s.seen[SAME_TOKEN_AGAIN] += follows and token[lead] == before and not first[lead]
        s.seen[LANE_OFF] += lanes_on != (1 << len(token)) - 1


@jit
def _give(s, k, o_ready):
    """The output: what stands behind the addition goes into the skid buffer if it is not taken."""
    if skid_step(s.skid, k, s.out_valid[k] != 0, o_ready):
        for index in range(s.out.shape[1]):
            s.skid.item[k, index] = s.out[k, index]


@jit
def _add(s, k, end):
    token, emits = s.token[k, end], s.emit[k, end] != 0
    for index in range(s.kept.shape[2]):
        before = 0 if s.first[k, end] else s.kept[k, token, index]
        total = wrap(before + s.sums[k, end, index], SUM_BITS)
        s.kept[k, token, index] = total
        if emits:
            s.out[k, index] = total
    s.seen[FIRST if s.first[k, end] else ADDED] += 1
    s.seen[KEPT_BACK] += not emits
    if emits:
        s.out_valid[k] = 1
        s.out[k, s.kept.shape[2] + TOKEN] = token
        s.out[k, s.kept.shape[2] + LAST] = s.last[k, end]


@jit
def _copy(s, k, level):
    """A level of the tree takes what the one before has."""
    if s.valid[k, level - 1]:
        s.first[k, level], s.emit[k, level] = s.first[k, level - 1], s.emit[k, level - 1]
        s.token[k, level], s.last[k, level] = s.token[k, level - 1], s.last[k, level - 1]
        for index in range(s.sums.shape[2]):
            s.sums[k, level, index] = s.sums[k, level - 1, index]
    s.valid[k, level] = s.valid[k, level - 1]


@jit
def _take(s, k, values, token, first, emit, last, lanes_on):
    """The sum over the lanes; the rest is that of the first lane that takes part, which is returned."""
    lead = 0
    while not lanes_on >> lead & 1:
        lead += 1
    s.token[k, 0], s.last[k, 0], s.first[k, 0], s.emit[k, 0] = token[lead], last[lead], first[lead], emit[lead]
    for index in range(s.sums.shape[2]):
        total = 0
        for lane in range(len(token)):
            if lanes_on >> lane & 1:
                total += values[lane, index]
        s.sums[k, 0, index] = wrap(total, SUM_BITS)
    return lead
