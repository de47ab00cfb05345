"""Golden model of the activation read/write unit [EIE IV, "Activation Read/Write"].

Two register files swap roles between layers: one is the source that is scanned for non-zero activations, the
other holds the accumulators. The activation SRAM is read into the source at the start of a pass and written
from the accumulators at its end; the scan runs while the words arrive.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import regfile
from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("empty_scan", "last_with_element", "null_after_elements", "wait_for_load", "stalled", "stored_zero")
EMPTY_SCAN, LAST_WITH_ELEMENT, NULL_AFTER, WAIT_FOR_LOAD, STALLED, STORED_ZERO = range(len(EVENTS))


class ActRwState(NamedTuple):
    """``sram`` [lanes, act_words], ``pending`` [lanes, regfile_words] are arrays; the others registers, [lanes].

    ``waiting`` counts the pending bits and none is set below ``cursor``: what a priority encoder finds at once.
    """

    sram: np.ndarray
    pending: np.ndarray
    waiting: np.ndarray
    cursor: np.ndarray
    scanning: np.ndarray
    o_valid: np.ndarray     # next non-zero activation of this PE
    o_row: np.ndarray
    o_null: np.ndarray      # no element, only the end
    o_last: np.ndarray
    sent: np.ndarray        # bookkeeping of the coverage: an element went out in this scan
    load_busy: np.ndarray   # SRAM to source: read stage
    load_at: np.ndarray
    load_row: np.ndarray
    load_left: np.ndarray
    load_valid: np.ndarray  # at the output of the SRAM
    load_to: np.ndarray
    load_value: np.ndarray
    keep_valid: np.ndarray  # write stage
    keep_row: np.ndarray
    keep_value: np.ndarray
    store_busy: np.ndarray  # accumulators to SRAM: read stage
    store_at: np.ndarray
    store_row: np.ndarray
    store_left: np.ndarray
    store_valid: np.ndarray  # write stage
    store_to: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> ActRwState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(len(ActRwState._fields) - 3)]
    return ActRwState(np.zeros((lanes, cfg.act_words), np.int64), np.zeros((lanes, cfg.regfile_words), np.int64),
                      *registers, np.zeros(len(EVENTS), np.int64))


@jit
def value_of(f, k, src):
    """Value of the activation at the output: the source file's read register."""
    return f.r_value[2 * k + src]


@jit
def clock(s, f, k, src, scan, clear, load, store, base, rows, r_en, r_row, w_en, w_row, w_value, w_relu, o_ready):
    """One clock of lane ``k``; ``f`` is the state of the register files, file ``i`` of lane ``k`` at ``2 k + i``.

    ``scan clear load store`` are one-cycle commands, ``r_*`` and ``w_*`` the accumulator ports of the arithmetic
    unit. Returns (words read, words written) of the activation SRAM in this cycle, 0 or 1 each.
    """
    source = 2 * k + src
    accumulators = 2 * k + 1 - src
    loading = s.load_busy[k] or s.load_valid[k] or s.keep_valid[k]

    # Scan: the next element, or the end alone.
    slot_free = not s.o_valid[k] or o_ready
    s.seen[STALLED] += not slot_free
    issue = False
    row = 0
    if slot_free:
        s.o_valid[k] = 0
        if s.scanning[k]:
            if s.waiting[k]:
                while not s.pending[k, s.cursor[k]]:
                    s.cursor[k] += 1
                issue = True
                row = s.cursor[k]
                s.pending[k, row] = 0
                s.waiting[k] -= 1
                s.o_valid[k] = 1
                s.o_row[k] = row
                s.o_null[k] = 0
                s.o_last[k] = s.waiting[k] == 0 and not loading
                s.sent[k] = 1
                s.seen[LAST_WITH_ELEMENT] += s.o_last[k]
            elif not loading:
                s.o_valid[k] = 1
                s.o_null[k] = 1
                s.o_last[k] = 1
                s.seen[NULL_AFTER] += s.sent[k]
                s.seen[EMPTY_SCAN] += not s.sent[k]
            else:
                s.seen[WAIT_FOR_LOAD] += 1
            if s.o_valid[k] and s.o_last[k]:
                s.scanning[k] = 0

    # Store, write stage: the word that was read in the cycle before.
    written = s.store_valid[k]
    if written:
        value = f.r_value[accumulators] if f.r_nonzero[accumulators] else 0
        s.sram[k, s.store_to[k]] = value
        s.seen[STORED_ZERO] += value == 0

    # Register files: source is read by the scan and written by the load, accumulators by the arithmetic unit.
    keep, keep_row, keep_value = s.keep_valid[k], s.keep_row[k], s.keep_value[k]
    regfile.clock(f, source, load, keep, keep_row, keep_value, 0, False, 0, issue, row)
    if s.store_busy[k]:
        r_en, r_row = True, s.store_row[k]
    regfile.clock(f, accumulators, clear, w_en, w_row, w_value, w_relu, r_en, r_row, False, 0)

    # Pending bits: set by the load, or all at once from the flags of the source.
    if scan:
        s.scanning[k] = 1
        s.sent[k] = 0
        s.cursor[k] = 0
        s.waiting[k] = 0
        for i in range(s.pending.shape[1]):
            s.pending[k, i] = f.nonzero[source, i]
            s.waiting[k] += s.pending[k, i]
    elif keep and keep_value != 0:
        s.pending[k, keep_row] = 1
        s.waiting[k] += 1

    # Load and store, the stages before.
    s.keep_valid[k], s.keep_row[k], s.keep_value[k] = s.load_valid[k], s.load_to[k], s.load_value[k]
    read = s.load_busy[k]
    s.load_valid[k] = read
    if read:
        s.load_to[k] = s.load_row[k]
        s.load_value[k] = s.sram[k, s.load_at[k]]
        s.load_at[k] = (s.load_at[k] + 1) % s.sram.shape[1]
        s.load_row[k] += 1
        s.load_left[k] -= 1
        s.load_busy[k] = s.load_left[k] > 0
    s.store_valid[k] = s.store_busy[k]
    if s.store_busy[k]:
        s.store_to[k] = s.store_at[k]
        s.store_at[k] = (s.store_at[k] + 1) % s.sram.shape[1]
        s.store_row[k] += 1
        s.store_left[k] -= 1
        s.store_busy[k] = s.store_left[k] > 0
    if load:
        s.load_busy[k], s.load_at[k], s.load_row[k], s.load_left[k] = 1, base, 0, rows
    if store:
        s.store_busy[k], s.store_at[k], s.store_row[k], s.store_left[k] = 1, base, 0, rows
    return read, written
