"""Golden model of the multi-function unit [Thesis 7.6.1, Fig. 7.12, table C.1]: softmax of a group of four queries.

The scores of a group come in as rounds, one score a query. Softmax to the base 2 in fixed point: the scores are scaled
by ``scale / 2**(scale_shift + 10)``, which has to hold log2(e) and the 1 / sqrt(d) of attention.

Error of a weight against softmax in floating point of the same rounded scores, n connections: at most
``6.6 + 0.8 n`` units of 2**-15. Of these 5.6 come from y being cut to 1/1024 (every exponential but the largest is too
large by a factor of at most 2**(1/1024); a part p of the sum changes by p (1 - p) of that), 0.8 for each other
exponential (the sum is at least 1, that of the largest, which is exact), 1 from rounding and clipping. The weights of a
query add up to 2**15 within n / 2, or within 1 if n is 1.

The clocked model computes a group at once in the cycle in which the hardware has normalised it: no output shows less.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array
from golden.common.jit import jit

from .config import DotaConfig
from .divide import divide, divide_array
from .exp import Y_BITS, exp, exp_array
from .formats import FX_BITS, QUERIES
from .quantize import quantize

__all__ = ["EVENTS", "FIRST_WEIGHT", "NORMALISE", "RECEIVE", "MfuState", "busy_of", "clock", "error_bound", "last_of",
           "ready_of", "softmax", "state", "valid_of", "weight_of"]

#: Scores that a word holds and the arithmetic takes at a time, which is 4 rounds of 4 queries.
ROUNDS = 4
#: Cycles from the last round of a group until it can be normalised.
RECEIVE = 4
#: Cycles of normalising a group of n words: NORMALISE + 2 n.
NORMALISE = 26
#: Cycles from the last round to the first weight, if nothing is ahead: FIRST_WEIGHT + 2 n.
FIRST_WEIGHT = RECEIVE + NORMALISE + 2

#: Situations that the tests must reach.
EVENTS = ("score_clipped", "far_below", "idle_query", "no_connection", "only_connection", "partial_word", "full_queue",
          "refused", "sent_while_received", "normalised_while_sent", "waits_for_the_sender", "repeated", "stalled")
(SCORE_CLIPPED, FAR_BELOW, IDLE_QUERY, NO_CONNECTION, ONLY_CONNECTION, PARTIAL_WORD, FULL_QUEUE, REFUSED,
 SENT_WHILE_RECEIVED, NORMALISED_WHILE_SENT, WAITS_FOR_THE_SENDER, REPEATED, STALLED) = range(len(EVENTS))

_Y_MAX = (1 << Y_BITS) - 1


def softmax(dots, live, score_shift, scale, scale_shift) -> np.ndarray:
    """The definition.

    Parameters
    ----------
    dots : int array, shape (rounds, 4)
        Dot products, one a query and round.
    live : bool array, shape (rounds, 4)
        Which of them count.
    score_shift : int
        Right shift of a dot product, 0..63; scores have 16 bits.
    scale, scale_shift : int
        Factor of a difference of scores, 0..2**16 - 1, and right shift behind it, 0..31, to units of 1/1024.

    Returns
    -------
    int64 array, shape (rounds, 4)
        Weights in units of 2**-15, 0 where not live.
    """
    live = np.asarray(live, bool)
    score = saturate_array(round_shift_array(dots, score_shift), FX_BITS)[0]
    largest = np.where(live, score, -1 << FX_BITS - 1).max(axis=0, initial=-1 << FX_BITS - 1)
    y = np.minimum((largest - score) * scale >> scale_shift, _Y_MAX)
    powers = np.where(live, exp_array(np.where(live, y, 0)), 0)
    return divide_array(powers, np.maximum(powers.sum(axis=0), 1))


def error_bound(connections) -> float:
    """Largest error of a weight [units of 2**-15] of a query with this number of connections."""
    return 6.6 + 0.8 * connections


class MfuState(NamedTuple):
    """State of the units; a slot holds a group from its last round until its last weight is on offer."""

    scores: np.ndarray      # [lanes, 2 slots, queue, 4]; then the weights
    live: np.ndarray        # [lanes, 2, queue]: a bit for each query, query 1 lowest
    rounds: np.ndarray      # [lanes, 2]: received so far
    full: np.ndarray        # [lanes, 2]
    arriving: np.ndarray    # [lanes, 2]: cycles until its last word is stored
    done: np.ndarray        # [lanes, 2]: normalised
    fill: np.ndarray        # [lanes]: the slot that receives,
    work: np.ndarray        # that is normalised,
    left: np.ndarray        # for how many cycles yet,
    send: np.ndarray        # and that is sent:
    active: np.ndarray      # a word of it stands at the output of the memory
    round: np.ndarray       # next one to be offered
    number: np.ndarray      # and how often they have all been
    o_valid: np.ndarray
    o_last: np.ndarray
    o_weights: np.ndarray   # [lanes, 4]
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> MfuState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return MfuState(zeros(2, cfg.queue, QUERIES), zeros(2, cfg.queue), zeros(2), zeros(2), zeros(2), zeros(2),
                    *(zeros() for _ in range(9)), zeros(QUERIES), np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A round is taken in this cycle."""
    return not s.full[k, s.fill[k]]


@jit
def valid_of(s, k):
    """The weights of a round are offered."""
    return s.o_valid[k] != 0


@jit
def weight_of(s, k, query):
    """One of them."""
    return s.o_weights[k, query]


@jit
def last_of(s, k):
    """They are the last ones of their group, in this pass."""
    return s.o_last[k] != 0


@jit
def busy_of(s, k):
    """Something is inside."""
    return s.rounds[k, s.fill[k]] != 0 or s.full[k, 0] or s.full[k, 1] or s.o_valid[k]


@jit
def clock(s, k, i_valid, dots, live, last, score_shift, scale, scale_shift, passes, o_ready):
    """One clock of lane ``k``; ``dots`` [4], ``live`` has a bit for each query."""
    sending, normalising = s.active[k] != 0, s.left[k] != 0
    s.seen[NORMALISED_WHILE_SENT] += sending and normalising
    s.seen[WAITS_FOR_THE_SENDER] += sending and not normalising and s.done[k, 0] and s.done[k, 1]
    ready = ready_of(s, k)
    _send(s, k, passes, o_ready)
    _normalise(s, k, scale, scale_shift)
    for slot in range(2):
        s.arriving[k, slot] = max(s.arriving[k, slot] - 1, 0)
    s.seen[REFUSED] += i_valid and not ready
    if i_valid and ready:
        s.seen[SENT_WHILE_RECEIVED] += sending
        _receive(s, k, dots, live, last, score_shift)


@jit
def _receive(s, k, dots, live, last, score_shift):
    slot = s.fill[k]
    number = s.rounds[k, slot]
    for query in range(QUERIES):
        score, clipped = quantize(dots[query], score_shift, False, FX_BITS)
        s.scores[k, slot, number, query] = score
        s.seen[SCORE_CLIPPED] += clipped and live >> query & 1
    s.live[k, slot, number] = live
    s.rounds[k, slot] = number + 1
    s.seen[IDLE_QUERY] += live != (1 << QUERIES) - 1
    if last:
        s.full[k, slot] = 1
        s.arriving[k, slot] = RECEIVE - 1
        s.fill[k] = 1 - slot
        s.seen[PARTIAL_WORD] += (number + 1) % ROUNDS != 0
        s.seen[FULL_QUEUE] += number + 1 == s.live.shape[2]


@jit
def _normalise(s, k, scale, scale_shift):
    slot = s.work[k]
    if s.left[k]:
        s.left[k] -= 1
        if s.left[k] == 0:
            for query in range(QUERIES):
                _normalise_query(s, k, slot, query, scale, scale_shift)
            s.done[k, slot] = 1
            s.work[k] = 1 - slot
    elif s.full[k, slot] and not s.arriving[k, slot] and not s.done[k, slot]:
        words = (s.rounds[k, slot] + ROUNDS - 1) // ROUNDS
        s.left[k] = NORMALISE - 1 + 2 * words


@jit
def _normalise_query(s, k, slot, query, scale, scale_shift):
    largest, total, count = -1 << FX_BITS, 0, 0
    for number in range(s.rounds[k, slot]):
        if s.live[k, slot, number] >> query & 1:
            largest = max(largest, s.scores[k, slot, number, query])
            count += 1
    for number in range(s.rounds[k, slot]):
        power = 0
        if s.live[k, slot, number] >> query & 1:
            y = (largest - s.scores[k, slot, number, query]) * scale >> scale_shift
            s.seen[FAR_BELOW] += y > _Y_MAX
            power = exp(min(y, _Y_MAX))
        s.scores[k, slot, number, query] = power
        total += power
    for number in range(s.rounds[k, slot]):
        s.scores[k, slot, number, query] = divide(s.scores[k, slot, number, query], max(total, 1))
    s.seen[NO_CONNECTION] += count == 0
    s.seen[ONLY_CONNECTION] += count == 1


@jit
def _send(s, k, passes, o_ready):
    slot = s.send[k]
    s.seen[STALLED] += s.o_valid[k] and not o_ready
    if s.o_valid[k] and o_ready:
        s.o_valid[k] = 0
    if s.active[k] and not s.o_valid[k]:
        number = s.round[k]
        is_last = number + 1 == s.rounds[k, slot]
        s.o_valid[k] = 1
        s.o_last[k] = is_last
        for query in range(QUERIES):
            s.o_weights[k, query] = s.scores[k, slot, number, query]
        s.round[k] = 0 if is_last else number + 1
        if is_last:
            s.number[k] += 1
            s.seen[REPEATED] += s.number[k] > 1
            if s.number[k] == passes:
                s.active[k], s.number[k], s.done[k, slot] = 0, 0, 0
                s.full[k, slot], s.rounds[k, slot] = 0, 0
                s.send[k] = 1 - slot
    elif not s.active[k] and s.done[k, slot]:
        s.active[k] = 1
