"""Cycle model of the whole accelerator [Thesis Fig. 7.11]: lanes, accumulator and stream port, stepped once a clock."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import accumulator, counters, exact, io_port, lane, output
from .config import DotaConfig
from .formats import EVENT_FIELDS, STEP_FIELDS, TRACE_OUTPUTS
from .registers import COUNTERS

#: Counters of amounts: the event of the lanes that each adds.
_SUMS = {"exact_fires": "fires", "macs": "macs", "low_macs": "low_macs", "rounds": "rounds", "key_loads": "key_loads",
         "value_loads": "value_loads", "detect_cycles": "detects", "softmax_cycles": "normalises"}
_EVENT = {name: position for position, name in enumerate(EVENT_FIELDS)}
_SOURCES = np.array([_EVENT[_SUMS[name]] if name in _SUMS else -1 for name in COUNTERS])
CYCLES, ATTEND, LINEAR, LOW = range(4)

(M_DATA, S_READY, M_VALID, M_LAST, ACTIVE, IO_ERROR, SATURATED, BUSY, PAD) = range(len(TRACE_OUTPUTS))
_WIDTHS = np.array(list(STEP_FIELDS.values()))
_LSBS = np.cumsum(_WIDTHS) - _WIDTHS
_F = {name: position for position, name in enumerate(STEP_FIELDS)}
(_WIDE, _SHIFT, _RELU, _REDUCE, _FIRST, _EMIT) = (_F[name] for name in ("wide", "shift", "relu", "reduce", "first",
                                                                        "emit"))


class DotaInputs(NamedTuple):
    """Pins in a block of cycles, int64 [cycles] each: command stream in, reply stream's ready, host strobe."""

    s_valid: np.ndarray
    s_data: np.ndarray
    s_last: np.ndarray
    m_ready: np.ndarray
    clear: np.ndarray


class DotaTrace(NamedTuple):
    """What a block of cycles shows: ``outputs`` [cycles, TRACE_OUTPUTS], ``lanes`` [cycles, lanes, TRACE_LANE]."""

    outputs: np.ndarray
    lanes: np.ndarray


class DotaState(NamedTuple):
    """State of all units; ``wide``, ``shift``, ``relu`` belong to the step that feeds the accumulator."""

    io: io_port.IoPortState
    lanes: lane.LaneState
    accumulator: accumulator.AccumulatorState
    output: output.OutputState
    counters: counters.CountersState
    busy: np.ndarray        # [1], registers
    joined: np.ndarray
    wide: np.ndarray
    shift: np.ndarray
    relu: np.ndarray
    reading: np.ndarray
    saturated: np.ndarray
    answer: np.ndarray      # [units]
    step: np.ndarray        # [fields], scratch, as the rest
    amounts: np.ndarray     # [counters]
    word: np.ndarray        # [units]
    wdata: np.ndarray       # [units]
    valid: np.ndarray       # [lanes], what the lanes offer to the accumulator
    token: np.ndarray
    first: np.ndarray
    emit: np.ndarray
    last: np.ndarray
    values: np.ndarray      # [lanes, 2 * vector]
    sums: np.ndarray        # [2 * vector]
    sizes: np.ndarray       # [1], lanes


def state(cfg: DotaConfig) -> DotaState:
    """State after reset; memories are 0."""
    def zeros(*shape):
        return np.zeros(shape, np.int64)

    return DotaState(
        io_port.state(cfg), lane.state(cfg), accumulator.state(cfg, 1), output.state(cfg), counters.state(cfg),
        *(zeros(1) for _ in range(7)), zeros(cfg.units_per_word), zeros(len(STEP_FIELDS)), zeros(len(COUNTERS)),
        *(zeros(cfg.units_per_word) for _ in range(2)), *(zeros(cfg.lanes) for _ in range(5)),
        zeros(cfg.lanes, 2 * cfg.vector), zeros(2 * cfg.vector), np.full(1, cfg.lanes))


@jit
def accumulator_busy(s):
    """A sum is on its way or waits."""
    a = s.accumulator
    return a.valid[0].any() or a.out_valid[0] != 0 or accumulator.valid_of(a, 0)


@jit
def _fields(beats, step):
    """A step from its beats."""
    for field in range(step.shape[0]):
        step[field] = beats[_LSBS[field] // 64] >> _LSBS[field] % 64 & (1 << _WIDTHS[field]) - 1


@jit
def _offers(s):
    """What the lanes offer to the accumulator."""
    lanes = s.lanes
    for k in range(s.sizes[0]):
        s.valid[k] = lane.offers_of(lanes, k)
        s.token[k] = exact.select_of(lanes.exact, k)
        s.first[k], s.emit[k] = lanes.step[k, _FIRST], lanes.step[k, _EMIT]
        s.last[k] = lane.last_sent(lanes, k)
        if s.valid[k]:
            for i in range(s.values.shape[1]):
                s.values[k, i] = lanes.rmmu.elements[k, i]


@jit
def _count(s, clear, clipped):
    """One clock of the counters and the sticky flag."""
    events = s.lanes.events
    for i in range(s.amounts.shape[0]):
        s.amounts[i] = 0
        if _SOURCES[i] >= 0:
            for k in range(s.sizes[0]):
                s.amounts[i] += events[k, _SOURCES[i]]
    for k in range(s.sizes[0]):
        s.amounts[ATTEND] |= events[k, lane.ATTENDS]
        s.amounts[LINEAR] |= events[k, lane.MULTIPLIES]
        s.amounts[LOW] |= events[k, lane.TRANSFORMS]
        clipped = clipped or events[k, lane.CLIPPED] != 0
    s.amounts[CYCLES] = s.amounts[ATTEND] | s.amounts[LINEAR] | s.amounts[LOW]
    counters.clock(s.counters, clear, s.amounts)
    s.saturated[0] = (s.saturated[0] and not clear) or clipped


@jit
def advance(s, x, y, begin, count, stop_when_idle):
    """Run up to ``count`` cycles with inputs ``x``, recording into ``y``, both from position ``begin`` on.

    With ``stop_when_idle`` the run ends before a cycle in which nothing runs and no beat comes. Returns the number of
    cycles.
    """
    io, n = s.io, s.sizes[0]
    for t in range(begin, begin + count):
        busy = s.busy[0]
        if stop_when_idle and not busy and not io_port.active_of(io) and not io_port.valid_of(io) and not x.s_valid[t]:
            return t - begin
        clear = x.clear[t] != 0

        # Outputs of this cycle.
        out = y.outputs[t]
        out[M_VALID], out[M_DATA], out[M_LAST] = io_port.valid_of(io), io_port.data_of(io), io_port.last_of(io)
        out[S_READY], out[ACTIVE], out[IO_ERROR] = io_port.ready_of(io), io_port.active_of(io), io.error[0]
        out[SATURATED], out[BUSY] = s.saturated[0], busy

        # Registered outputs that others read.
        start, access, write = io.start[0], io.access_valid[0] != 0, io.access_write[0] != 0
        access_lanes, addr = io.access_lanes[0], io.access_addr[0]
        _fields(io.step, s.step)
        _offers(s)
        joined = s.joined[0]
        taken = accumulator.taken_of(s.accumulator, 0, s.valid, joined)
        sum_valid, sum_last = accumulator.valid_of(s.accumulator, 0), accumulator.last_of(s.accumulator, 0)
        if sum_valid:
            for i in range(s.sums.shape[0]):
                s.sums[i] = accumulator.value_of(s.accumulator, 0, i)
        output_ready, output_busy = output.ready_of(s.output), s.output.words[0] != 0
        result_valid, result_last = s.output.o_valid[0] != 0, output.last_of(s.output)
        half = s.output.half[0]
        for unit in range(s.word.shape[0]):
            e = half * 2 * s.word.shape[0] + 2 * unit
            s.word[unit] = (s.output.values[e] & 0xFFFF) | (s.output.values[e + 1] & 0xFFFF) << 16
        results_ready = io_port.results_ready_of(io)
        now_busy = joined if accumulator_busy(s) or output_busy else 0
        for k in range(n):
            now_busy |= lane.busy_of(s.lanes, k) << k
        reading = s.reading[0]
        for unit in range(s.wdata.shape[0]):
            s.wdata[unit] = io.word[unit]
        _count(s, clear, s.output.clipped[0] != 0)

        # Clock edges.
        accumulator.clock(s.accumulator, 0, s.valid, s.values, s.token, s.first, s.emit, s.last, joined, output_ready)
        output.clock(s.output, sum_valid, s.sums, sum_last, s.wide[0] != 0, s.shift[0], s.relu[0] != 0, results_ready)
        io_port.clock(io, busy, clear, x.s_valid[t] != 0, x.s_data[t], x.s_last[t], result_valid, s.word,
                      result_last, x.m_ready[t] != 0, s.answer)
        for unit in range(s.answer.shape[0]):
            s.answer[unit] = s.lanes.rdata[reading, unit]
        for k in range(n):
            lane.clock(s.lanes, k, start >> k & 1 != 0, s.step, taken and joined >> k & 1 != 0,
                       access and access_lanes >> k & 1 != 0, write, addr, s.wdata, y.lanes[t, k])
        if start and s.step[_REDUCE]:
            s.joined[0], s.wide[0], s.shift[0], s.relu[0] = start, s.step[_WIDE], s.step[_SHIFT], s.step[_RELU]
        if access:
            for k in range(n):
                if access_lanes >> k & 1:
                    s.reading[0] = k
        s.busy[0] = now_busy
    return count
