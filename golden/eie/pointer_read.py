"""Golden model of the pointer read unit [EIE IV, "Pointer Read Unit"].

The two pointers of column j come from two single-ported banks: even pointers in one, odd ones in the other,
so p_j and p_j+1 are read in one cycle.

Compiled models keep the state of all lanes (PEs) in arrays with a leading lane axis; ``clock`` advances lane
``k`` by one clock edge. Registered outputs are read from the state before the call.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("odd_column", "even_column", "empty_column", "stalled", "refill_while_leaving")
ODD_COLUMN, EVEN_COLUMN, EMPTY_COLUMN, STALLED, REFILL = range(len(EVENTS))


class PointerReadState(NamedTuple):
    """``ptr`` [lanes, ptr_words] is the memory; the others are registers, [lanes]."""

    ptr: np.ndarray
    valid: np.ndarray   # a column's pointers stand at the outputs of the banks
    column: np.ndarray
    value: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> PointerReadState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(3)]
    return PointerReadState(np.zeros((lanes, cfg.ptr_words), np.int64), *registers, np.zeros(len(EVENTS), np.int64))


@jit
def start_of(s, k):
    """p_j of the column at the outputs."""
    return s.ptr[k, s.column[k]]


@jit
def end_of(s, k):
    """p_j+1 of the column at the outputs; after the last pointer comes the first."""
    return s.ptr[k, (s.column[k] + 1) % s.ptr.shape[1]]


@jit
def clock(s, k, i_valid, i_column, i_value, o_ready, drop_empty):
    """One clock of lane ``k``. Returns (i_ready, o_valid): with ``drop_empty`` an empty column leaves by itself."""
    empty = end_of(s, k) <= start_of(s, k)
    dropped = s.valid[k] and drop_empty and empty
    o_valid = s.valid[k] and not dropped
    i_ready = not s.valid[k] or o_ready or dropped
    if s.valid[k]:
        s.seen[EMPTY_COLUMN] += empty
        s.seen[STALLED] += not i_ready
        s.seen[REFILL] += i_ready and i_valid
    if i_ready:
        s.valid[k] = i_valid
        if i_valid:
            s.column[k] = i_column
            s.value[k] = i_value
            s.seen[ODD_COLUMN if i_column & 1 else EVEN_COLUMN] += 1
    return i_ready, o_valid
