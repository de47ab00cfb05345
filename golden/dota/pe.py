"""Golden model of the PE: a multiply-accumulate unit of four precisions [Thesis 7.6.2, Fig. 7.13 (b)].

The state has the PEs of whole arrays, [lanes, rows, columns]; a PE alone is an array of one. Registers that all PEs
of a row agree on are there once a row. What the multiplier has in its registers is kept as its product.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit

from .config import DotaConfig
from .formats import PE_SUM_BITS, SUM_BITS, Precision
from .multiplier import FIELDS, SLOTS, element_of, product_of, products, unpack

#: Situations that the tests must reach.
EVENTS = ("fx16", "int8", "int4", "int2", "first", "fire_with_take", "fire_with_load", "take_with_load", "back_to_back",
          "precision_change", "wrap", "fire_without_operands")
FIRST, WITH_TAKE, WITH_LOAD, TAKE_LOAD, BACK_TO_BACK, CHANGE, WRAP, WITHOUT = range(4, len(EVENTS))

#: By precision: bits of a field of the sum.
WIDTHS = tuple(PE_SUM_BITS[each] for each in Precision)


class PeState(NamedTuple):
    """Registers of arrays: by PE, [lanes, rows, columns], and by row, [lanes, rows]."""

    operand: np.ndarray
    slots: np.ndarray       # [lanes, rows, columns, 4]
    product: np.ndarray     # fields of the multiplier
    sum: np.ndarray         # as a signed number of 48 bits
    s1_fire: np.ndarray     # what was fired in the cycle before ...
    s1_first: np.ndarray
    s1_precision: np.ndarray
    s2_fire: np.ndarray     # ... and in the one before that
    s2_first: np.ndarray
    s2_precision: np.ndarray
    seen: np.ndarray


def array_state(lanes: int, rows: int, columns: int) -> PeState:
    """State after reset of arrays of PEs."""
    shape = lanes, rows, columns
    by_row = [np.zeros((lanes, rows), np.int64) for _ in range(6)]
    return PeState(np.zeros(shape, np.int64), np.zeros((*shape, SLOTS), np.int64), np.zeros(shape, np.int64),
                   np.zeros(shape, np.int64), *by_row, np.zeros(len(EVENTS), np.int64))


def state(_cfg: DotaConfig, lanes: int) -> PeState:
    """State after reset of one PE a lane."""
    return array_state(lanes, 1, 1)


def accumulate(before: int, operand: int, slots, precision: Precision) -> int:
    """The partial sum after one fire, as 48 bits; ``before`` is 0 for the first one. Without time."""
    width = PE_SUM_BITS[precision]
    fields = unpack(before, width, SUM_BITS)
    for index, more in enumerate(products(operand, slots, precision)):
        fields[index] += more
    return sum((field & ((1 << width) - 1)) << width * index for index, field in enumerate(fields))


@jit
def added(before, product, precision):
    """A partial sum and the fields of a product, field by field; each wraps by itself."""
    if precision <= 1:
        return wrap(before + element_of(product, 0, 32), 48)
    fields = FIELDS[precision]
    width = WIDTHS[precision]
    total = 0
    for field in range(fields):
        value = (before >> width * field) + element_of(product, field, 32 // fields)
        total |= (value & ((1 << width) - 1)) << width * field
    return wrap(total, 48)


@jit
def advance(s, k, r):
    """Sums and products of row ``r`` of lane ``k`` at a clock edge; before the operands move on. Whether sums moved."""
    fired = s.s2_fire[k, r]
    if fired:
        precision = s.s2_precision[k, r]
        first = s.s2_first[k, r]
        for c in range(s.sum.shape[2]):
            before = 0 if first else s.sum[k, r, c]
            s.sum[k, r, c] = added(before, s.product[k, r, c], precision)
    if s.s1_fire[k, r]:
        precision = s.s1_precision[k, r]
        for c in range(s.sum.shape[2]):
            s.product[k, r, c] = product_of(s.operand[k, r, c], s.slots[k, r, c, 0], s.slots[k, r, c, 1],
                                            s.slots[k, r, c, 2], s.slots[k, r, c, 3], precision)
    return fired


@jit
def command(s, k, r, precision, fire, first):
    """Control registers of row ``r`` at the same clock edge, after :func:`advance`."""
    s.s2_fire[k, r], s.s2_first[k, r], s.s2_precision[k, r] = s.s1_fire[k, r], s.s1_first[k, r], s.s1_precision[k, r]
    s.s1_fire[k, r], s.s1_first[k, r], s.s1_precision[k, r] = fire, first, precision


@jit
def capture(s, k, r, c, operand, take, load, slot):
    """Operand registers of a PE at the same clock edge, after :func:`advance`."""
    if take:
        s.operand[k, r, c] = operand
    if load:
        s.slots[k, r, c, slot] = operand


@jit
def wraps(before, product, precision):
    """Whether a field of the sum leaves its range."""
    width = WIDTHS[precision]
    for field in range(FIELDS[precision]):
        total = element_of(before, field, width) + element_of(product, field, 32 // FIELDS[precision])
        if wrap(total, width) != total:
            return True
    return False


@jit
def clock(s, k, operand, take, load, slot, precision, fire, first):
    """One clock of the PE of lane ``k``."""
    if s.s2_fire[k, 0] and not s.s2_first[k, 0]:
        s.seen[WRAP] += wraps(s.sum[k, 0, 0], s.product[k, 0, 0], s.s2_precision[k, 0])
    if fire:
        s.seen[precision] += 1
        s.seen[FIRST] += first
        s.seen[WITH_TAKE] += take
        s.seen[WITH_LOAD] += load
        s.seen[WITHOUT] += not (take or load)
        s.seen[BACK_TO_BACK] += s.s1_fire[k, 0]
        s.seen[CHANGE] += s.s1_fire[k, 0] and s.s1_precision[k, 0] != precision
    s.seen[TAKE_LOAD] += take and load
    advance(s, k, 0)
    command(s, k, 0, precision, fire, first)
    capture(s, k, 0, 0, operand, take, load, slot)
