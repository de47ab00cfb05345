"""Golden model of the reconfigurable matrix multiplication unit [Thesis 7.6.2, Fig. 7.13 (a)].

Rows and PEs are stepped by the functions of their own models. Only rows that fire cost more than a look at them.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit

from . import pe, row
from .config import DotaConfig
from .formats import INPUTS, OUTPUTS, QUERIES, Precision
from .row import RowState

#: Situations that the tests must reach.
EVENTS = ("all_fx16", "all_int8", "all_int4", "all_int2", "two_precisions", "idle_row", "precision_change", "idle",
          "other_query")
TWO, IDLE_ROW, CHANGE, IDLE, OTHER_QUERY = range(4, len(EVENTS))

#: Multiplications of a PE in a fire, by precision.
MACS = tuple(INPUTS[each] * OUTPUTS[each] for each in Precision)


class RmmuState(NamedTuple):
    """Registers of the array; what it shows of them."""

    rows: RowState
    dots: np.ndarray        # [lanes, 8], query t of half h at 4 * h + t
    elements: np.ndarray    # [lanes, 2 * vector]
    macs: np.ndarray        # [lanes]
    select: np.ndarray      # [lanes], query of the elements
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> RmmuState:
    """State after reset."""
    return RmmuState(row.array_state(cfg, lanes, cfg.rows), np.zeros((lanes, 2 * QUERIES), np.int64),
                     np.zeros((lanes, 2 * cfg.vector), np.int64), np.zeros(lanes, np.int64),
                     np.zeros(lanes, np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def read(s, k, select):
    """Dot products and the partial sums of query ``select``, from what the rows show in this cycle."""
    sums, array = s.rows.sums, s.rows.pe.sum
    rows, columns = array.shape[1], array.shape[2]
    parts = s.rows.dots_per_row[k]
    share = rows * parts // s.dots.shape[1]
    for dot in range(s.dots.shape[1]):
        total = 0
        for part in range(dot * share, (dot + 1) * share):
            total += sums[k, part // parts, part % parts]
        s.dots[k, dot] = wrap(total, 48)
    vector = s.elements.shape[1] // 2
    for half in range(2):
        for index in range(vector):
            place = half * (rows * columns // 2) + select * vector + index
            s.elements[k, half * vector + index] = array[k, place // columns, place % columns]


@jit
def cover(s, k, precision, fire, select):
    """Raise the events of a cycle."""
    rows = len(fire)
    fires = 0
    same = True
    which = 0
    for r in range(rows):
        if fire[r]:
            same = same and (fires == 0 or precision[r] == which)
            which = precision[r]
            fires += 1
            s.seen[CHANGE] += s.rows.pe.s1_fire[k, r] and s.rows.pe.s1_precision[k, r] != precision[r]
    s.seen[which] += fires == rows and same
    s.seen[TWO] += not same
    s.seen[IDLE_ROW] += 0 < fires < rows
    s.seen[IDLE] += fires == 0
    s.seen[OTHER_QUERY] += select != s.select[k]


@jit
def clock(s, k, operands, take, load, slot, precision, fire, first, select):
    """One clock of lane ``k``.

    Parameters
    ----------
    operands, take, load : int64 array, shape (rows, columns)
        For each PE: 32 bits; whether it keeps them as its streamed operand; whether in a slot.
    slot, precision, fire, first : int64 array, shape (rows,)
        For each row.
    select : int
        Query whose partial sums ``elements`` shows in the next cycle.
    """
    rows, columns = operands.shape
    cover(s, k, precision, fire, select)
    read(s, k, select)
    s.select[k] = select
    macs = 0
    for r in range(rows):
        if fire[r]:
            macs += columns * MACS[precision[r]]
        row.advance(s.rows, k, r, precision[r], fire[r], first[r])
        for c in range(columns):
            pe.capture(s.rows.pe, k, r, c, operands[r, c], take[r, c], load[r, c], slot[r])
    s.macs[k] = macs
