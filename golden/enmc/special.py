"""Golden model of the special function unit [Thesis 6.4.2, 6.5.2]: sigmoid and softmax of exact results.

Everything is made of FP32 sums, products and a quotient, each rounded as in ``golden.enmc.fp32``, so hardware and model
agree in every bit. Largest errors, against real numbers (``EXPONENTIAL_ERROR`` and so on):

===========  ==========================================================================================================
exponential  6e-5 of the value for -87 <= x <= 0; below that the result is 0, less than 1.7e-38 too small
sigmoid      6e-5 of the value, 1.5e-5 absolute; below -87 the result is 0
softmax      2e-4 of the weight, and 2**-23 of it for each result that went into the sum
===========  ==========================================================================================================

Nearly all of it is the Taylor polynomial of degree 4, which is 5.6e-5 too large at -ln(2) / 2.

Softmax takes one pass: the sum is relative to the largest result so far, and is scaled when a larger one comes. So any
number of results can follow each other, and each costs one exponential. A result's ``value`` is relative to the largest
one up to and with itself: its weight is ``value * exp(largest then - largest at the end) / sum``.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EnmcConfig
from .formats import Function
from .fp32 import INF, ONE, SIGN, add_bits, divide_bits, is_nan, multiply_bits

__all__ = ["EVENTS", "EXPONENTIAL_ERROR", "INTERVAL", "LATENCY", "LOWEST", "PASS_LATENCY", "PLACES",
           "SIGMOID_ABSOLUTE_ERROR", "SIGMOID_ERROR", "SOFTMAX_ERROR", "SUM_ERROR", "SpecialState", "busy_of", "clock",
           "exponential", "field_of", "ready_of", "sigmoid", "softmax_step", "state", "tag_of", "valid_of", "value_of"]

#: Cycles from a result to its record, and from one result to the next.
LATENCY, INTERVAL = 116, 33
#: The same for a result without function, while nothing else is inside; one a cycle.
PASS_LATENCY = 2
#: Results that may be inside and not yet offered, and places that they pass, an interval each.
ROOM, PLACES = 4, 4
#: Cycles after a result enters the first place: it is compared, it is added to the sum, its record is complete.
COMPARE, SUM, LEAVE = 1, 83, 114

#: Largest errors: relative, except for the second one of sigmoid.
EXPONENTIAL_ERROR, SIGMOID_ERROR, SIGMOID_ABSOLUTE_ERROR = 6e-5, 6e-5, 1.5e-5
#: Of a weight: once, and for each result in the sum.
SOFTMAX_ERROR, SUM_ERROR = 2e-4, 2**-23

#: Largest result before the first one; a bit pattern like all numbers here.
LOWEST = SIGN | INF
#: -87: the exponential of anything below is 0. That of -87 is the smallest, 1.6e-38, still a normal number.
DEEPEST = 0xC2AE_0000
#: log2(e); 1.5 * 2**23, which rounds what it is added to; parts of -ln(2), the first of 9 bits: its product is exact.
LOG2_E, ROUNDER, MINUS_LN2_HIGH, MINUS_LN2_LOW = 0x3FB8_AA3B, 0x4B40_0000, 0xBF31_8000, 0x395E_8083
#: 1/2, 1/6, 1/24.
HALF, SIXTH, TWENTY_FOURTH = 0x3F00_0000, 0x3E2A_AAAB, 0x3D2A_AAAB

SIGMOID, SOFTMAX = int(Function.SIGMOID), int(Function.SOFTMAX)
#: Fields of a result beside ``exact`` and ``score``, in one number: label, batch, function.
BATCH_AT, FUNCTION_AT = 24, 28

#: Situations that the tests must reach.
EVENTS = ("first", "new_largest", "not_larger", "equal", "vanished", "no_number", "infinite", "sigmoid_positive",
          "sigmoid_negative", "passed", "pass_waits", "no_room", "next_at_once", "all_places")
(FIRST, NEW_LARGEST, NOT_LARGER, EQUAL, VANISHED, NO_NUMBER, INFINITE, SIGMOID_POSITIVE, SIGMOID_NEGATIVE, PASSED,
 PASS_WAITS, NO_ROOM, NEXT_AT_ONCE, ALL_PLACES) = range(len(EVENTS))


@jit
def exponential(x):
    """exp(x) of x <= 0 or NaN [Thesis 6.5.2]: x = n ln(2) + r, then Taylor to the 4th order, then times 2**n."""
    if DEEPEST < x <= LOWEST:
        return 0
    # The sum's last places are the whole number n, and n is what it has above 1.5 * 2**23.
    rounded = add_bits(multiply_bits(x, LOG2_E), ROUNDER)
    n = add_bits(rounded, SIGN | ROUNDER)
    r = add_bits(add_bits(x, multiply_bits(n, MINUS_LN2_HIGH)), multiply_bits(n, MINUS_LN2_LOW))
    result = TWENTY_FOURTH
    for coefficient in (SIXTH, HALF, ONE, ONE):
        result = add_bits(multiply_bits(result, r), coefficient)
    return multiply_bits(result, (rounded + 127 & 255) << 23)


@jit
def sigmoid(z):
    """1 / (1 + exp(-z)), from exp(-|z|): 1 / (1 + e), or e / (1 + e) if z is negative. NaN stays NaN."""
    e = exponential(z | SIGN)
    return divide_bits(e if z & SIGN else ONE, add_bits(ONE, e))


@jit
def _order(z):
    """Grows with the number; -0 is below 0."""
    return SIGN - z if z & SIGN else z + 1


@jit
def _exceeds(z, largest):
    return not is_nan(z) and _order(z) > _order(largest)


@jit
def _weight(z, largest):
    """exp(-|z - largest|)."""
    if z == largest and z & ~SIGN == INF:
        return ONE if z == INF else 0
    if _exceeds(z, largest):
        return exponential(add_bits(largest, z ^ SIGN))
    return exponential(add_bits(z, largest ^ SIGN))


@jit
def _summed(total, weight, exceeds):
    """The sum with one result more."""
    return add_bits(multiply_bits(total, weight if exceeds else ONE), ONE if exceeds else weight)


@jit
def softmax_step(z, largest, total):
    """One more result of softmax [Thesis 6.4.2].

    Begin with ``LOWEST`` and 0. A NaN becomes the value and the sum, and is not the largest. -inf adds 0. After +inf
    all others are 0, and every further +inf is 1.

    Returns
    -------
    (int, int, int)
        exp(z - largest), the largest, the sum of all exp(z - largest).
    """
    exceeds, weight = _exceeds(z, largest), _weight(z, largest)
    return ONE if exceeds else weight, z if exceeds else largest, _summed(total, weight, exceeds)


class SpecialState(NamedTuple):
    """Results wait in ``queue``, then pass four places while their records wait in ``waiting``; ``values`` are done."""

    queue: FifoState        # exact, score, tag
    waiting: FifoState
    values: FifoState
    phase: np.ndarray       # [lanes], 0..INTERVAL - 1
    valid: np.ndarray       # [lanes, PLACES]
    z: np.ndarray           # [lanes, PLACES]
    function: np.ndarray    # [lanes, PLACES]
    batch: np.ndarray       # [lanes, PLACES]
    exceeds: np.ndarray     # [lanes, PLACES]
    weight: np.ndarray      # [lanes, PLACES]
    value: np.ndarray       # [lanes, PLACES]
    largest: np.ndarray     # [lanes, batch]
    sums: np.ndarray        # [lanes, batch]
    seen: np.ndarray


def state(cfg: EnmcConfig, lanes: int) -> SpecialState:
    """State after reset."""
    places = [np.zeros((lanes, PLACES), np.int64) for _ in range(7)]
    return SpecialState(fifo_state(lanes, 2, 3), fifo_state(lanes, ROOM, 3), fifo_state(lanes, ROOM),
                        np.zeros(lanes, np.int64), *places, np.full((lanes, cfg.batch), LOWEST, np.int64),
                        np.zeros((lanes, cfg.batch), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def tag_of(label, batch, function):
    """Three fields of a result as one number."""
    return label | batch << BATCH_AT | function << FUNCTION_AT


@jit
def ready_of(s, k):
    """A result is taken in this cycle."""
    return fifo_ready(s.queue, k)


@jit
def valid_of(s, k):
    """A record is offered."""
    return fifo_valid(s.values, k)


@jit
def field_of(s, k, field):
    """Field 0, 1 or 2 of the record that is offered: exact, score (as it came), tag."""
    return fifo_front(s.waiting, k, field)


@jit
def value_of(s, k):
    """Its value."""
    return fifo_front(s.values, k, 0)


@jit
def busy_of(s, k):
    """A result is inside."""
    return fifo_valid(s.queue, k) or fifo_valid(s.waiting, k)


@jit
def clock(s, k, i_valid, exact, score, tag, new_batch, o_ready):
    """One clock of lane ``k``; ``new_batch`` only while it is not busy."""
    phase, running = s.phase[k], False
    for place in range(PLACES):
        running |= s.valid[k, place] != 0
    arrived, room = fifo_valid(s.queue, k), fifo_ready(s.waiting, k)
    z, arrived_score, arrived_tag = fifo_front(s.queue, k, 0), fifo_front(s.queue, k, 1), fifo_front(s.queue, k, 2)
    function = arrived_tag >> FUNCTION_AT
    has_function = function == SIGMOID or function == SOFTMAX
    enters = arrived and room and has_function and phase == 0
    passes = arrived and room and not has_function and not running
    leaves = s.valid[k, PLACES - 1] != 0 and phase == LEAVE % INTERVAL
    s.seen[PASSED] += passes
    s.seen[PASS_WAITS] += arrived and not has_function and running
    s.seen[NO_ROOM] += arrived and not room
    s.seen[NEXT_AT_ONCE] += enters and s.valid[k, 1] != 0
    s.seen[ALL_PLACES] += s.valid[k].all()

    give = o_ready and fifo_valid(s.values, k)
    fifo_step(s.values, k, leaves or passes, s.value[k, PLACES - 1] if leaves else 0, 0, 0, give)
    fifo_step(s.waiting, k, enters or passes, z, arrived_score, arrived_tag, give)
    fifo_step(s.queue, k, i_valid, exact, score, tag, enters or passes)
    _work(s, k, phase)
    if leaves:
        s.valid[k, PLACES - 1] = 0
    if phase == INTERVAL - 1:
        _move(s, k)
    if enters:
        s.valid[k, 0], s.z[k, 0], s.function[k, 0] = 1, z, function
        s.batch[k, 0] = arrived_tag >> BATCH_AT & 15
    s.phase[k] = (phase + 1) % INTERVAL if running or enters else 0
    if new_batch:
        for batch in range(s.sums.shape[1]):
            s.largest[k, batch], s.sums[k, batch] = LOWEST, 0


@jit
def _work(s, k, phase):
    """What results do in their places. The hardware takes its time; only when it shows matters here."""
    if phase == COMPARE and s.valid[k, 0]:
        z, batch = s.z[k, 0], s.batch[k, 0]
        if s.function[k, 0] == SIGMOID:
            s.value[k, 0] = sigmoid(z)
            s.seen[SIGMOID_NEGATIVE if z & SIGN else SIGMOID_POSITIVE] += 1
        else:
            _compare(s, k, z, batch)
        s.seen[NO_NUMBER] += is_nan(z)
        s.seen[INFINITE] += z & ~SIGN == INF
        s.seen[VANISHED] += s.value[k, 0] == 0
    place = SUM // INTERVAL
    if phase == SUM % INTERVAL and s.valid[k, place] and s.function[k, place] == SOFTMAX:
        batch = s.batch[k, place]
        s.sums[k, batch] = _summed(s.sums[k, batch], s.weight[k, place], s.exceeds[k, place])


@jit
def _compare(s, k, z, batch):
    largest = s.largest[k, batch]
    exceeds = _exceeds(z, largest)
    s.weight[k, 0], s.exceeds[k, 0] = _weight(z, largest), exceeds
    s.value[k, 0] = ONE if exceeds else s.weight[k, 0]
    s.seen[FIRST] += largest == LOWEST
    s.seen[EQUAL] += z == largest
    s.seen[NEW_LARGEST if exceeds else NOT_LARGER] += 1
    if exceeds:
        s.largest[k, batch] = z


@jit
def _move(s, k):
    """Every result goes one place further."""
    for place in range(PLACES - 1, 0, -1):
        s.valid[k, place], s.function[k, place] = s.valid[k, place - 1], s.function[k, place - 1]
        s.batch[k, place], s.exceeds[k, place] = s.batch[k, place - 1], s.exceeds[k, place - 1]
        s.weight[k, place], s.value[k, place] = s.weight[k, place - 1], s.value[k, place - 1]
    s.valid[k, 0] = 0
