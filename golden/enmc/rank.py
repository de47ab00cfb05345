"""Golden model of the ranks of a DIMM [Thesis Fig. 6.6]: the unit models, stepped once a clock.

All units read registered outputs of the others, so those are gathered first, and then every unit has its clock edge.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import fifo_front, fifo_valid
from golden.common.jit import jit

from . import controller, dram_controller, exact_control, executor, host_port, screener, status
from .config import EnmcConfig
from .formats import PHASES, TRACE_RANK, Dest, trace_of

_T = {name: position for position, name in enumerate(TRACE_RANK)}
_SHOWN = ("dram_oe", "oe", "alert_n", "owner", "query", "take", "request", "request_write", "request_dest", "load",
          "load_dest", "candidate", "finished", "filtered", "screening", "executing", "screen_busy", "execute_busy",
          "dram_busy", "own", "label", "batch", "score", "addr", "count", "answer")
(T_DRAM_OE, T_OE, T_ALERT, T_OWNER, T_QUERY, T_TAKE, T_REQUEST, T_REQUEST_WRITE, T_REQUEST_DEST, T_LOAD, T_LOAD_DEST,
 T_CANDIDATE, T_FINISHED, T_FILTERED, T_SCREENING, T_EXECUTING, T_SCREEN_BUSY, T_EXECUTE_BUSY, T_DRAM_BUSY, T_OWN,
 T_LABEL, T_BATCH, T_SCORE, T_ADDR, T_COUNT, T_ANSWER) = (_T[name] for name in _SHOWN)
T_PINS = np.array([_T[f"dram_pins_{slot}"] for slot in range(PHASES)])
T_DATA = len(TRACE_RANK)
_SCREENER, _EXECUTOR = int(Dest.SCREENER), int(Dest.EXECUTOR)


class RanksState(NamedTuple):
    """State of the units of all ranks; ``cl`` and ``cwl`` [1]; ``columns`` [1] of the trace for data pins."""

    port: host_port.HostPortState
    controller: controller.ControllerState
    dram: dram_controller.DramControllerState
    screener: screener.ScreenerState
    executor: executor.ExecutorState
    words: np.ndarray       # [words of a cycle], scratch
    enmc_pins: np.ndarray   # [PHASES]
    enmc_data: np.ndarray   # [PHASES, phase_words]
    record: np.ndarray      # [burst_words]
    stored: np.ndarray      # [burst_words]
    cl: np.ndarray
    cwl: np.ndarray
    columns: np.ndarray


class RanksInputs(NamedTuple):
    """Pins in a block of cycles; data are 32-bit words.

    ``pins`` [cycles, ranks, PHASES], ``dq_i`` [cycles, PHASES, phase_words], of the host; ``dram_dq_i`` [cycles, ranks,
    PHASES, phase_words].
    """

    pins: np.ndarray
    dq_i: np.ndarray
    dram_dq_i: np.ndarray


def state(cfg: EnmcConfig) -> RanksState:
    """State after reset."""
    n = cfg.ranks
    columns = (len(trace_of(cfg)) - T_DATA) // 2
    return RanksState(
        host_port.state(cfg, n), controller.state(cfg, n), dram_controller.state(cfg, n), screener.state(cfg, n),
        executor.state(cfg, n), np.zeros(PHASES * cfg.phase_words, np.int64), np.zeros(PHASES, np.int64),
        np.zeros((PHASES, cfg.phase_words), np.int64), *(np.zeros(cfg.burst_words, np.int64) for _ in range(2)),
        np.array([cfg.cl]), np.array([cfg.cwl]), np.array([columns]))


@jit
def _show(y, at, columns, data, k):
    """Data pins [ranks, PHASES, words] of rank ``k`` as fields of the trace from ``at`` on."""
    words, each = data.shape[2], columns // PHASES
    for slot in range(PHASES):
        for part in range((words + 1) // 2):
            value = data[k, slot, 2 * part]
            if words > 1:
                value |= data[k, slot, 2 * part + 1] << 32
            y[at + slot * each + part] = value


@jit
def _trace(s, k, y):
    """Outputs of this cycle, and what goes on between the units."""
    port, dram, scr, ex, d = s.port, s.dram, s.screener, s.executor, s.controller.dispatch
    for slot in range(PHASES):
        y[T_PINS[slot]] = port.dram_pins[k, slot]
    y[T_DRAM_OE], y[T_OE], y[T_ALERT] = port.dram_dq_oe[k], port.dq_oe[k], 1 - port.refused[k]
    y[T_OWNER], y[T_QUERY], y[T_TAKE] = dram_controller.owner_of(dram, k), port.query[k], port.take[k]
    y[T_REQUEST] = fifo_valid(d.request, k) and dram_controller.ready_of(dram, k)
    if y[T_REQUEST]:
        flags = fifo_front(d.request, k, 2)
        y[T_REQUEST_WRITE], y[T_REQUEST_DEST] = flags & 1, flags >> 1
        y[T_ADDR], y[T_COUNT] = fifo_front(d.request, k, 0), fifo_front(d.request, k, 1)
    y[T_LOAD], y[T_LOAD_DEST] = dram_controller.load_valid(dram, k), dram_controller.load_dest_of(dram, k)
    y[T_CANDIDATE] = screener.valid_of(scr, k) and controller.candidate_ready_of(s.controller, k)
    if y[T_CANDIDATE]:
        y[T_LABEL], y[T_BATCH] = screener.candidate_of(scr, k, screener.LABEL), screener.candidate_of(scr, k,
                                                                                                      screener.BATCH)
        y[T_SCORE] = screener.candidate_of(scr, k, screener.SCORE) & 0xFFFFFFFF
    y[T_FINISHED], y[T_FILTERED] = ex.output.finished[k], scr.filter.done[k]
    y[T_SCREENING], y[T_EXECUTING] = scr.control.add[k], executor.working_of(ex, k)
    y[T_SCREEN_BUSY], y[T_EXECUTE_BUSY] = screener.busy_of(scr, k), executor.busy_of(ex, k)
    y[T_DRAM_BUSY], y[T_OWN] = dram_controller.busy_of(dram, k), d.own[k]
    answer = s.controller.status.answer
    y[T_ANSWER] = answer[k, 0] | answer[k, 1] << 32
    _show(y, T_DATA, s.columns[0], port.dram_dq_o, k)
    _show(y, T_DATA + s.columns[0], s.columns[0], port.dq_o, k)


@jit
def clock(s, k, pins, dq_i, dram_dq_i):
    """One clock edge of rank ``k``; ``pins`` [PHASES], ``dq_i``, ``dram_dq_i`` [PHASES, phase_words]."""
    port, dram, scr, ex, ctl = s.port, s.dram, s.screener, s.executor, s.controller
    d, registers = ctl.dispatch, ctl.status.registers
    batch, bursts, row_bursts = (registers[k, status.BATCH], registers[k, status.SCREEN_BURSTS],
                                 registers[k, status.ROW_BURSTS])
    classes, threshold = registers[k, status.CLASSES], status.threshold_of(ctl.status, k)
    new_batch, clear = ctl.status.new_batch[k] != 0, d.clear[k] != 0
    owner, take = dram_controller.owner_of(dram, k), port.take[k] != 0
    host_command, host_refresh = port.host_command[k] != 0, port.host_refresh[k] != 0
    valid, word, low, high = port.valid[k], port.word[k], port.data[k, 0], port.data[k, 1]
    query, number = port.query[k], port.reg[k]
    request, screen, execute = fifo_valid(d.request, k), fifo_valid(d.screen, k), fifo_valid(d.execute, k)
    addr, count, flags = (fifo_front(d.request, k, 0), fifo_front(d.request, k, 1), fifo_front(d.request, k, 2))
    screen_kind, screen_count, screen_flags = (fifo_front(d.screen, k, 0), fifo_front(d.screen, k, 1),
                                               fifo_front(d.screen, k, 2))
    command, tag, tag_score = (fifo_front(d.execute, k, 0), fifo_front(d.execute, k, 1), fifo_front(d.execute, k, 2))
    own = d.own[k] != 0
    request_ready, screen_ready = dram_controller.ready_of(dram, k), screener.screen_control.ready_of(scr.control, k)
    execute_ready = executor.ready_of(ex, k)
    candidate = screener.valid_of(scr, k)
    label, score, item = (screener.candidate_of(scr, k, screener.LABEL), screener.candidate_of(scr, k, screener.SCORE),
                          screener.candidate_of(scr, k, screener.BATCH))
    candidate_ready = controller.candidate_ready_of(ctl, k)
    freed = (screener.freed_of(scr, k, batch) << _SCREENER) | (executor.freed_of(ex, k) << _EXECUTOR)
    load, dest = dram_controller.load_valid(dram, k), dram_controller.load_dest_of(dram, k)
    store, store_ready = scr.control.store_valid[k] != 0, dram_controller.store_ready_of(dram, k)
    answer_low, answer_high = ctl.status.answer[k, 0], ctl.status.answer[k, 1]
    events = controller.Events(
        dram.commands.read[k], dram.commands.written[k], dram.commands.refreshed[k], scr.control.add[k],
        1 if executor.working_of(ex, k) else 0, ex.output.finished[k], ex.output.popped[k], scr.filter.done[k],
        port.overrun[k], port.refused[k])
    units = controller.Units(
        1 if screener.busy_of(scr, k) else 0, 1 if executor.busy_of(ex, k) else 0,
        1 if dram_controller.busy_of(dram, k) else 0, 1 if owner else 0, ex.output.level[k])
    for slot in range(PHASES):
        s.enmc_pins[slot] = dram_controller.pins_of(dram, k, slot)
        for part in range(s.enmc_data.shape[1]):
            s.enmc_data[slot, part] = dram.data.out[k, slot * s.enmc_data.shape[1] + part]
            s.words[slot * s.enmc_data.shape[1] + part] = port.enmc_dq_i[k, slot, part]
    enabled = 0
    for slot in range(PHASES):
        enabled |= dram.data.enabled[k, slot] << slot
    for part in range(s.record.shape[0]):
        s.record[part], s.stored[part] = ex.output.burst[k, part], scr.control.stored[k, part]

    host_port.clock(port, k, s.cl[0], s.cwl[0], owner, pins, dq_i, s.enmc_pins, s.enmc_data, enabled, dram_dq_i,
                    answer_low, answer_high, s.record)
    controller.clock(ctl, k, valid, word, low, high, query, number, 1 if candidate else 0, score & 0xFFFFFFFF, label,
                     item, events, units, request_ready, screen_ready, execute_ready, ex.special.largest[k],
                     ex.special.sums[k])
    screener.clock(scr, k, screen, screen_kind, screen_count, screen_flags & 1, screen_flags >> 1,
                   load and dest == _SCREENER, dram.data.load[k], candidate_ready, store_ready, batch, bursts, classes,
                   threshold, new_batch)
    executor.clock(ex, k, execute, _command(command, tag), tag & 0xFFFFFF, tag_score, load and dest == _EXECUTOR,
                   dram.data.load[k], row_bursts, new_batch, clear, take)
    dram_controller.clock(dram, k, request, addr, count, flags, own, host_command, host_refresh, freed, s.words, store,
                          s.stored)


@jit
def _command(command, tag):
    """A command of the dispatcher as the executor has it."""
    return exact_control.packed(command & 3, command >> 6 & 0xFFFF, command >> 2 & 1, command >> 3 & 1,
                                command >> 4 & 3, tag >> 24 & 15)


@jit
def advance(s, x, y, begin, count):
    """Run ``count`` cycles with inputs ``x``, recording what each shows into ``y`` [cycles, ranks, fields]."""
    for t in range(begin, begin + count):
        for k in range(y.shape[1]):
            _trace(s, k, y[t, k])
            clock(s, k, x.pins[t, k], x.dq_i[t], x.dram_dq_i[t, k])


@jit
def pins_of(y, pins, data, columns):
    """What a rank showed its DRAM: commands [PHASES] and data [PHASES, words], from a row of the trace."""
    words, each = data.shape[1], columns // PHASES
    for slot in range(PHASES):
        pins[slot] = y[T_PINS[slot]]
        for word in range(words):
            data[slot, word] = y[T_DATA + slot * each + word // 2] >> 32 * (word % 2) & 0xFFFFFFFF
