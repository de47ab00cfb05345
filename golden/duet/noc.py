"""Golden model of the network on chip [Thesis 5.1, Fig. 5.1]: Y-bus, X-buses, multicast controllers."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import multicast
from .config import DuetConfig
from .multicast import MulticastState

__all__ = ["EVENTS", "LATENCY", "NocState", "clock", "deliver", "from_values", "instruction_of",
           "lut_valid_of", "state", "take_of"]

#: Cycles from a transfer to the words on the X-buses.
LATENCY = 1
#: Kinds of transfers: ``hdl.duet.layouts.Load``.
INPUT, WEIGHT, LUT = range(3)

#: Situations that the tests must reach.
EVENTS = ("all_rows", "one_row", "several_rows", "no_row", "all_columns", "one_column", "no_column", "instruction",
          "gap")
ALL_ROWS, ONE_ROW, SEVERAL_ROWS, NO_ROW, ALL_COLUMNS, ONE_COLUMN, NO_COLUMN, INSTRUCTION, GAP = range(len(EVENTS))


def deliver(cfg: DuetConfig, row: int, column: int, row_ids, column_ids) -> np.ndarray:
    """The definition: which PEs a transfer with these tags reaches.

    Parameters
    ----------
    row, column : int
        Tags; ``cfg.rows`` and ``cfg.columns`` mean all.
    row_ids, column_ids : int array, shape (rows,) and (columns,)

    Returns
    -------
    bool array, shape (rows, columns)
    """
    rows = (np.asarray(row_ids) == row) | (row == cfg.rows)
    columns = (np.asarray(column_ids) == column) | (column == cfg.columns)
    return rows[:, None] & columns


class NocState(NamedTuple):
    """Registers [lanes]; the word of the Y-bus ``data`` [lanes, columns, pixels]; controllers [lanes * rows] and
    [lanes * columns]."""

    valid: np.ndarray
    kind: np.ndarray
    bank: np.ndarray
    index: np.ndarray
    data: np.ndarray
    rows: MulticastState
    columns: MulticastState
    mask: np.ndarray        # bits of an instruction, a constant
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> NocState:
    """State after reset."""
    return NocState(*(np.zeros(lanes, np.int64) for _ in range(4)),
                    np.zeros((lanes, cfg.columns, cfg.pixels), np.int64),
                    multicast.state(cfg.rows, lanes * cfg.rows), multicast.state(cfg.columns, lanes * cfg.columns),
                    np.full(lanes, (1 << cfg.instruction_bits) - 1, np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def take_of(s, k, r, c):
    """The PE of this row and column takes the word."""
    rows, columns = s.rows.match.shape[0] // s.valid.shape[0], s.data.shape[1]
    return s.rows.match[k * rows + r] != 0 and s.columns.match[k * columns + c] != 0


@jit
def lut_valid_of(s, k):
    """There is a micro-instruction on the Y-bus."""
    return s.valid[k] != 0 and s.kind[k] == LUT


@jit
def from_values(low, high, mask):
    """The micro-instruction in the first two values of a lane."""
    return (low & 0xFFFF | (high & 0xFFFF) << 16) & mask


@jit
def instruction_of(s, k, c):
    """The micro-instruction in lane ``c`` of the Y-bus."""
    return from_values(s.data[k, c, 0], s.data[k, c, 1], s.mask[k])


@jit
def clock(s, k, valid, kind, row, column, bank, index, data, row_ids, column_ids):
    """One clock of lane ``k``: a transfer, if ``valid``; ``data`` [columns, pixels] signed, the IDs [rows], [columns].
    """
    columns, pixels = s.data.shape[1], s.data.shape[2]
    rows = s.rows.match.shape[0] // s.valid.shape[0]
    s.seen[GAP] += s.valid[k] != 0 and not valid
    s.valid[k] = valid
    some_rows = 0
    for r in range(rows):
        multicast.clock(s.rows, k * rows + r, valid, row, row_ids[r], rows)
        some_rows += s.rows.match[k * rows + r]
    some_columns = 0
    for c in range(columns):
        multicast.clock(s.columns, k * columns + c, valid, column, column_ids[c], columns)
        some_columns += s.columns.match[k * columns + c]
    if not valid:
        return
    s.kind[k], s.bank[k], s.index[k] = kind, bank, index
    for c in range(columns):
        for v in range(pixels):
            s.data[k, c, v] = data[c, v]
    s.seen[ALL_ROWS] += row == rows
    s.seen[ONE_ROW] += row != rows and some_rows == 1
    s.seen[SEVERAL_ROWS] += row != rows and some_rows > 1
    s.seen[NO_ROW] += some_rows == 0
    s.seen[ALL_COLUMNS] += column == columns
    s.seen[ONE_COLUMN] += column != columns and some_columns == 1
    s.seen[NO_COLUMN] += some_columns == 0
    s.seen[INSTRUCTION] += kind == LUT
