"""Golden model of a row of PEs and its adder tree [Thesis 7.6.2, Fig. 7.13 (a)].

State of whole arrays as in :mod:`golden.dota.pe`; a row alone is an array of one row. Sums of a row are 96 bits in two
halves of 48: one or two sums in FX16, else two of 24 in each.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit

from . import pe
from .config import DotaConfig
from .formats import LOW_SUM_BITS, PE_SUM_BITS, SUM_BITS, Precision
from .multiplier import element_of, unpack
from .pe import PeState

#: Situations that the tests must reach.
EVENTS = ("fx16", "int8", "int4", "int2", "held", "precision_change", "other_precision", "some_take", "some_load")
HELD, CHANGE, OTHER, SOME_TAKE, SOME_LOAD = range(4, len(EVENTS))


class RowState(NamedTuple):
    """Registers, [lanes, rows]; those of the tree are [lanes, rows, 2]."""

    pe: PeState
    last_s1: np.ndarray     # precision of the last fire ...
    last_s2: np.ndarray
    last_s3: np.ndarray     # ... that the sums of the PEs have seen
    moved: np.ndarray       # tree_s4 has not seen these sums, or this precision
    tree_s4: np.ndarray
    sums: np.ndarray
    dots_per_row: np.ndarray    # a constant, [lanes]
    seen: np.ndarray


def array_state(cfg: DotaConfig, lanes: int, rows: int) -> RowState:
    """State after reset of arrays of ``rows`` rows."""
    by_row = [np.zeros((lanes, rows), np.int64) for _ in range(4)]
    tree = [np.zeros((lanes, rows, 2), np.int64) for _ in range(2)]
    return RowState(pe.array_state(lanes, rows, cfg.columns), *by_row, *tree,
                    np.full(lanes, cfg.dots_per_row, np.int64), np.zeros(len(EVENTS), np.int64))


def state(cfg: DotaConfig, lanes: int) -> RowState:
    """State after reset of one row a lane."""
    return array_state(cfg, lanes, 1)


def sums_of(cfg: DotaConfig, elements, precision: Precision) -> int:
    """The 96 bits of sums that belong to the partial sums of a row, given as 48 bits each. Without time."""
    if precision == Precision.FX16:
        width, parts, fields = SUM_BITS, cfg.dots_per_row, 1
    else:
        width = LOW_SUM_BITS
        parts, fields = {Precision.INT8: (4, 1), Precision.INT4: (2, 2), Precision.INT2: (1, 4)}[precision]
    size = cfg.columns // parts
    total = 0
    for part in range(parts):
        values = [unpack(element, PE_SUM_BITS[precision], SUM_BITS) for element in elements[size * part:][:size]]
        for field, value in enumerate(np.sum(values, axis=0).tolist()):
            total |= (value & ((1 << width) - 1)) << width * (fields * part + field)
    return total


@jit
def part_of(s, k, r, begin, end, field, bits):
    """Sum of a field of the partial sums of some PEs."""
    total = 0
    for c in range(begin, end):
        total += element_of(s.pe.sum[k, r, c], field, bits)
    return total


@jit
def tree(s, k, r, precision, half):
    """Half ``half`` of the sums of row ``r``: 48 bits, as a signed number."""
    columns = s.pe.sum.shape[2]
    if precision == 0:
        dots = s.dots_per_row[k]
        if half >= dots:
            return 0
        size = columns // dots
        return wrap(part_of(s, k, r, size * half, size * (half + 1), 0, 48), 48)
    low = 0
    high = 0
    if precision == 1:
        size = columns // 4
        low = part_of(s, k, r, size * 2 * half, size * (2 * half + 1), 0, 48)
        high = part_of(s, k, r, size * (2 * half + 1), size * (2 * half + 2), 0, 48)
    elif precision == 2:
        size = columns // 2
        low = part_of(s, k, r, size * half, size * (half + 1), 0, 24)
        high = part_of(s, k, r, size * half, size * (half + 1), 1, 24)
    else:
        low = part_of(s, k, r, 0, columns, 2 * half, 12)
        high = part_of(s, k, r, 0, columns, 2 * half + 1, 12)
    return wrap((low & 0xFFFFFF) | ((high & 0xFFFFFF) << 24), 48)


@jit
def low_sum_of(s, k, r, query):
    """Sum of row ``r`` for a query, 0..3, in low precision."""
    return element_of(s.sums[k, r, query >> 1], query & 1, 24)


@jit
def advance(s, k, r, precision, fire, first):
    """One clock of row ``r`` of lane ``k`` but for the operands of its PEs, which follow (:func:`pe.capture`)."""
    for half in range(2):
        s.sums[k, r, half] = s.tree_s4[k, r, half]
        if s.moved[k, r]:
            s.tree_s4[k, r, half] = tree(s, k, r, s.last_s3[k, r], half)
    s.moved[k, r] = pe.advance(s.pe, k, r) or s.last_s3[k, r] != s.last_s2[k, r]
    pe.command(s.pe, k, r, precision, fire, first)
    s.last_s3[k, r], s.last_s2[k, r] = s.last_s2[k, r], s.last_s1[k, r]
    if fire:
        s.last_s1[k, r] = precision


@jit
def clock(s, k, operands, take, load, slot, precision, fire, first):
    """One clock of the row of lane ``k``; ``operands``, ``take``, ``load`` are arrays, [columns]."""
    columns = s.pe.sum.shape[2]
    takes = 0
    loads = 0
    for c in range(columns):
        takes += take[c]
        loads += load[c]
    s.seen[SOME_TAKE] += 0 < takes < columns
    s.seen[SOME_LOAD] += 0 < loads < columns
    if fire:
        s.seen[precision] += 1
        s.seen[CHANGE] += s.pe.s1_fire[k, 0] and s.pe.s1_precision[k, 0] != precision
        s.seen[OTHER] += not first and s.last_s1[k, 0] != precision
    else:
        s.seen[HELD] += precision != s.last_s1[k, 0]
    advance(s, k, 0, precision, fire, first)
    for c in range(columns):
        pe.capture(s.pe, k, 0, c, operands[c], take[c], load[c], slot)
