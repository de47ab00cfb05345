"""Golden model of the Executor [Thesis 5.1.2, 5.2.1]: rows x columns of PEs, their network, tags and steps.

Made of the functions of its units; every unit reads what the others showed before any of them moves on.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap_array
from golden.common.jit import jit

from . import executor_pe, mac_lut, noc, step_control
from .config import DuetConfig
from .executor_pe import PeState, step_sums
from .formats import SUM_BITS
from .mac_lut import MacLutState
from .noc import NocState
from .step_control import STEP_OVERHEAD, StepControlState

__all__ = ["BUILD_LATENCY", "EVENTS", "STEP_LATENCY", "ExecutorState", "busy_of", "clock", "group_spec", "state",
           "step_spec", "sum_of", "sums_latency"]

#: Cycles to the first instruction of a step: from its build, and as many as it has words; from the step.
BUILD_LATENCY = 6
STEP_LATENCY = 2

#: Situations that the tests must reach.
EVENTS = ("all_busy", "one_busy", "idle", "row_idle", "sums", "load_beside_step", "tags_beside_step")
ALL_BUSY, ONE_BUSY, IDLE, ROW_IDLE, SUMS, LOAD_BESIDE_STEP, TAGS_BESIDE_STEP = range(len(EVENTS))


def sums_latency(cfg: DuetConfig) -> int:
    """Cycles from a drain's command to the first PEs to the first sums."""
    return cfg.columns + 1


def step_spec(inputs, weights, program, imaps, omaps, sums) -> tuple[np.ndarray, int]:
    """The definition of a step.

    Parameters
    ----------
    inputs : int array, shape (columns, n)
        By input index.
    weights : int array, shape (rows, columns, n)
        By weight index.
    program : int array, shape (n, 3)
        Micro-instructions: indices of input, weight, output.
    imaps : bool array, shape (columns, n)
    omaps : bool array, shape (rows, pixels)
        Of outputs outside of the map too: False.
    sums : int array, shape (rows, columns, pixels)
        Partial sums before the step.

    Returns
    -------
    (int64 array, int)
        Partial sums after it; cycles that it takes.
    """
    inputs, weights, sums, most = np.asarray(inputs), np.asarray(weights), np.array(sums, np.int64), 0
    for r, omap in enumerate(omaps):
        for c, imap in enumerate(imaps):
            tags = mac_lut.valid(program, imap, omap)
            sums[r, c] = step_sums(inputs[c], weights[r, c], program, tags, sums[r, c])
            most = max(most, int(tags.sum()))
    return sums, most + STEP_OVERHEAD


def group_spec(sums) -> np.ndarray:
    """Sums of a group, shape (rows, pixels): those of the PEs of a row, added up."""
    return wrap_array(np.asarray(sums, np.int64).sum(axis=1), SUM_BITS)


class ExecutorState(NamedTuple):
    """Units; PEs row by row. One lane."""

    noc: NocState
    mac_lut: MacLutState
    control: StepControlState
    pes: PeState
    sums_valid: np.ndarray      # [1]
    pixel: np.ndarray           # [1]
    row_macs: np.ndarray        # [rows], MACs issued in the cycle before
    macs: np.ndarray            # [1], and in the one before
    busy: np.ndarray            # [rows], PEs that issue in this cycle
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int = 1) -> ExecutorState:
    """State after reset.

    Raises
    ------
    ValueError
        If ``lanes`` is not 1.
    """
    if lanes != 1:
        raise ValueError(f"lanes must be 1, not {lanes!r}")
    one = [np.zeros(1, np.int64) for _ in range(3)]
    by_row = [np.zeros(cfg.rows, np.int64) for _ in range(2)]
    return ExecutorState(noc.state(cfg, 1), mac_lut.state(cfg, 1), step_control.state(cfg, 1),
                         executor_pe.state(cfg, cfg.rows * cfg.columns), one[0], one[1], by_row[0], one[2], by_row[1],
                         np.zeros(len(EVENTS), np.int64))


@jit
def sum_of(s, r):
    """Sum of row ``r`` for pixel ``s.pixel``; only while ``s.sums_valid``."""
    columns = s.noc.data.shape[1]
    return s.pes.chain[(r + 1) * columns - 1]


@jit
def busy_of(s):
    """Something of a step is under way: from its build until its sums have left."""
    return mac_lut.busy_of(s.mac_lut, 0) or step_control.busy_of(s.control, 0) or s.sums_valid[0] != 0


@jit
def count(s, rows, columns):
    """PEs that issue, by row; their number over all rows."""
    total = 0
    idle_rows = 0
    for r in range(rows):
        busy = 0
        for p in range(r * columns, (r + 1) * columns):
            busy += executor_pe.busy_of(s.pes, p)
        s.busy[r] = busy
        total += busy
        idle_rows += busy == 0
    s.seen[ALL_BUSY] += total == rows * columns
    s.seen[ONE_BUSY] += total == 1
    s.seen[IDLE] += total == 0
    s.seen[ROW_IDLE] += total > 0 and idle_rows > 0
    return total


@jit
def clock_pes(s, start):
    """All PEs, the last column first: each reads what the one before it showed."""
    rows, columns = s.busy.shape[0], s.noc.data.shape[1]
    bus, lut, control, pes = s.noc, s.mac_lut, s.control, s.pes
    for r in range(rows):
        for c in range(columns - 1, -1, -1):
            p = r * columns + c
            take = bus.rows.match[r] != 0 and bus.columns.match[c] != 0
            drains = pes.drain[p - 1, 0] if c > 0 else control.drain[0]
            tags = lut.itags[0, c] & lut.otags[0, r] if lut.valid[0] else 0
            if not (start or take or drains or tags != 0) and executor_pe.idle_of(pes, p):
                continue
            if c > 0:
                drain, bank, pixel = pes.drain[p - 1, 0], pes.drain[p - 1, 1], pes.drain[p - 1, 2]
                last, chain = pes.drain[p - 1, 3], pes.chain[p - 1]
            else:
                drain, bank, pixel = control.drain[0], control.drain_bank[0], control.drain_pixel[0]
                last, chain = control.drain_last[0], 0
            executor_pe.clock(
                pes, p, take, bus.kind[0], bus.bank[0], bus.index[0], bus.data[0], c, lut.valid[0], lut.word[0],
                lut.o_phase[0], tags, start, control.input_bank[0], control.weight_bank[0], control.sum_bank[0], drain,
                bank, pixel, last, chain)


@jit
def clock(s, i_valid, kind, row, column, bank, index, data, row_ids, column_ids,
          imap_valid, imap_bank, imap_word, imap_bits, omap_valid, omap_bank, omap_row, omap_bits,
          build, base, words, length, build_bank, build_omap_bank, use_imap, use_omap, inside,
          step, input_bank, weight_bank, last, drain_ready, pixels):
    """One clock.

    Parameters
    ----------
    i_valid, kind, row, column, bank, index, data : int; ``data`` int64 array, shape (columns, pixels)
        A transfer: ``hdl.duet.layouts.transfer_layout``.
    row_ids, column_ids : int64 array, shape (rows,) and (columns,)
    imap_valid, imap_bank, imap_word, imap_bits : int; ``imap_bits`` int64 array, shape (columns,)
    omap_valid, omap_bank, omap_row, omap_bits : int
    build, base, words, length, build_bank, build_omap_bank, use_imap, use_omap, inside : int
        A build is offered: ``build_layout``.
    step, input_bank, weight_bank, last : int
        A step is offered.
    drain_ready, pixels : int
        The store can take the sums of a group; how many they are.
    """
    rows, columns = s.busy.shape[0], s.noc.data.shape[1]
    macs = 0
    for r in range(rows):
        macs += s.row_macs[r]
    s.macs[0] = macs
    busy = count(s, rows, columns)
    for r in range(rows):
        s.row_macs[r] = s.busy[r]
    start = step_control.start_of(s.control, 0, busy > 0)
    s.seen[SUMS] += s.sums_valid[0]
    s.seen[LOAD_BESIDE_STEP] += s.noc.valid[0] != 0 and busy > 0
    s.seen[TAGS_BESIDE_STEP] += s.mac_lut.valid[0] != 0 and busy > 0

    end = columns - 1
    drained, drained_bank = s.pes.drain[end, 0] and s.pes.drain[end, 3], s.pes.drain[end, 1]
    s.sums_valid[0] = s.pes.drain[end, 0]
    if s.pes.drain[end, 0]:
        s.pixel[0] = s.pes.drain[end, 2]
    clock_pes(s, start)
    lut = s.mac_lut
    built, step_done = lut.valid[0] != 0 and lut.last[0] != 0, s.control.step_done[0]
    step_control.clock(s.control, 0, step, input_bank, weight_bank, last, built, busy > 0, drain_ready, pixels,
                       drained, drained_bank)
    if noc.lut_valid_of(s.noc, 0):
        mac_lut.write_lut(lut, 0, s.noc.index[0], noc.instruction_of(s.noc, 0, 0))
    mac_lut.clock(lut, 0, build, base, words, length, build_bank, build_omap_bank, use_imap, use_omap, inside,
                  step_done)
    if imap_valid:
        mac_lut.write_imap(lut, 0, imap_bank, imap_word, imap_bits)
    if omap_valid:
        mac_lut.write_omap(lut, 0, omap_bank, omap_row, omap_bits)
    noc.clock(s.noc, 0, i_valid, kind, row, column, bank, index, data, row_ids, column_ids)
