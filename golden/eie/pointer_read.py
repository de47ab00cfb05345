"""Golden model of the pointer read unit [EIE IV, "Pointer Read Unit"].

The two pointers of column j come from two single-ported banks: even pointers in one, odd ones in the other,
so p_j and p_j+1 are read in one cycle. What was read goes into a FIFO in front of the entry reader, with run-ahead
only if the column has entries here.

Compiled models keep the state of all lanes (PEs) in arrays with a leading lane axis; ``clock`` advances lane
``k`` by one clock edge. Registered outputs are read from the state before the call.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("odd_column", "even_column", "empty_column", "stalled", "refill_while_leaving")
ODD_COLUMN, EVEN_COLUMN, EMPTY_COLUMN, STALLED, REFILL = range(len(EVENTS))


#: Fields of a column in the FIFO.
START, END, VALUE = range(3)


class PointerReadState(NamedTuple):
    """``ptr`` [lanes, ptr_words] is the memory; the others are registers, [lanes]."""

    ptr: np.ndarray
    columns: FifoState
    valid: np.ndarray   # a column's pointers stand at the outputs of the banks
    column: np.ndarray
    value: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> PointerReadState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(3)]
    return PointerReadState(np.zeros((lanes, cfg.ptr_words), np.int64), fifo_state(lanes, cfg.columns_ahead, 3),
                            *registers, np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A broadcast is taken from the queue in this cycle."""
    return not s.valid[k] or fifo_ready(s.columns, k)


@jit
def valid_of(s, k):
    """A column is offered to the entry reader."""
    return fifo_valid(s.columns, k)


@jit
def field_of(s, k, field):
    """START, END or VALUE of the column that is offered."""
    return fifo_front(s.columns, k, field)


@jit
def clock(s, k, i_valid, i_column, i_value, o_ready, drop_empty):
    """One clock of lane ``k``; with ``drop_empty`` a column without entries is not offered."""
    ready = ready_of(s, k)
    column = s.column[k]
    start, end = s.ptr[k, column], s.ptr[k, (column + 1) % s.ptr.shape[1]]  # after the last pointer comes the first
    if s.valid[k]:
        s.seen[EMPTY_COLUMN] += end <= start
        s.seen[STALLED] += not ready
        s.seen[REFILL] += ready and i_valid
    fifo_step(s.columns, k, s.valid[k] and not (drop_empty and end <= start), start, end, s.value[k], o_ready)
    if ready:
        s.valid[k] = i_valid
        if i_valid:
            s.column[k] = i_column
            s.value[k] = i_value
            s.seen[ODD_COLUMN if i_column & 1 else EVEN_COLUMN] += 1
