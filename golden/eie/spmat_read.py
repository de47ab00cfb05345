"""Golden model of the sparse-matrix read unit [EIE IV, "Sparse Matrix Read Unit"].

An address stage walks a column's entries, one a cycle, and reads a row of the SRAM only when the entry is not
in the row that was read last; an entry stage picks (v, z) out of the row. So rows are fetched ahead, and there
is no bubble between columns or rows.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("row_reused", "row_crossed", "column_follows_column", "empty_column", "single_entry")
ROW_REUSED, ROW_CROSSED, COLUMN_FOLLOWS, EMPTY_COLUMN, SINGLE_ENTRY = range(len(EVENTS))


class SpmatReadState(NamedTuple):
    """``spmat`` [lanes, spmat_entries] is the memory, entry by entry; the others are registers, [lanes]."""

    spmat: np.ndarray
    busy: np.ndarray        # address stage: a column is being walked
    any: np.ndarray         # it has at least one entry
    at: np.ndarray
    end: np.ndarray
    first: np.ndarray
    value: np.ndarray
    row: np.ndarray         # row at the output of the SRAM, -1 when unknown
    e_valid: np.ndarray     # entry stage
    e_at: np.ndarray
    e_first: np.ndarray
    e_value: np.ndarray
    o_valid: np.ndarray     # output register
    o_first: np.ndarray
    o_v: np.ndarray
    o_z: np.ndarray
    o_value: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> SpmatReadState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(len(SpmatReadState._fields) - 2)]
    s = SpmatReadState(np.zeros((lanes, cfg.spmat_entries), np.uint8), *registers, np.zeros(len(EVENTS), np.int64))
    s.row[:] = -1
    return s


@jit
def ready_of(s, k):
    """The address stage takes a column in this cycle."""
    return not s.busy[k] or not s.any[k] or s.at[k] + 1 == s.end[k]


@jit
def clock(s, k, i_valid, i_start, i_end, i_value, entries_per_row):
    """One clock of lane ``k``. Returns whether a row of the SRAM was read."""
    ready = ready_of(s, k)

    s.o_valid[k] = s.e_valid[k]
    if s.e_valid[k]:
        entry = s.spmat[k, s.e_at[k]]
        s.o_first[k] = s.e_first[k]
        s.o_v[k] = entry >> 4
        s.o_z[k] = entry & 15
        s.o_value[k] = s.e_value[k]

    read = False
    s.e_valid[k] = s.busy[k] and s.any[k]
    if s.e_valid[k]:
        at = s.at[k] % s.spmat.shape[1]
        row = at // entries_per_row
        read = row != s.row[k]
        s.seen[ROW_REUSED] += s.first[k] and not read
        s.seen[ROW_CROSSED] += read and not s.first[k]
        s.row[k] = row
        s.e_at[k] = at
        s.e_first[k] = s.first[k]
        s.e_value[k] = s.value[k]
        s.at[k] += 1
        s.first[k] = 0

    if ready:
        s.seen[COLUMN_FOLLOWS] += s.busy[k] and i_valid
        s.busy[k] = i_valid
        if i_valid:
            s.any[k] = i_end > i_start
            s.at[k] = i_start
            s.end[k] = i_end
            s.first[k] = 1
            s.value[k] = i_value
            s.seen[EMPTY_COLUMN] += not s.any[k]
            s.seen[SINGLE_ENTRY] += i_end == i_start + 1
    return read
