"""Cycle model of the whole accelerator [Thesis Fig. 7.11]: lanes, accumulator and stream port, stepped once a clock."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import accumulator, counters, exact, io_port, lane, output
from .config import DotaConfig
from .formats import EVENT_FIELDS, START_LATENCY, STEP_FIELDS, TRACE_OUTPUTS
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
_FIRST, _EMIT = _F["first"], _F["emit"]
_REDUCTION = np.array([_F["reduce"], _F["wide"], _F["shift"], _F["relu"]])     # as ``reduction`` of the stream port


class DotaInputs(NamedTuple):
    """Pins in a block of cycles, int64 [cycles] each: command stream in, reply stream's ready, host strobe."""

    s_valid: np.ndarray
    s_data: np.ndarray
    s_last: np.ndarray
    m_ready: np.ndarray
    clear: np.ndarray
    start: np.ndarray       # not a pin: lanes in which ``step`` [fields] begins
    step: np.ndarray


class DotaTrace(NamedTuple):
    """What a block of cycles shows: ``outputs`` [cycles, TRACE_OUTPUTS], ``lanes`` [cycles, lanes, TRACE_LANE]."""

    outputs: np.ndarray
    lanes: np.ndarray


class DotaState(NamedTuple):
    """State of all units, and the registers between them."""

    io: io_port.IoPortState
    lanes: lane.LaneState
    accumulator: accumulator.AccumulatorState
    output: output.OutputState
    counters: counters.CountersState
    busy: np.ndarray        # [1], registers
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
        *(zeros(1) for _ in range(3)), zeros(cfg.units_per_word), zeros(len(STEP_FIELDS)), zeros(len(COUNTERS)),
        *(zeros(cfg.units_per_word) for _ in range(2)), *(zeros(cfg.lanes) for _ in range(5)),
        zeros(cfg.lanes, 2 * cfg.vector), zeros(2 * cfg.vector), np.full(1, cfg.lanes))


@jit
def accumulator_busy(a):
    """A sum is on its way or waits."""
    return a.valid[0].any() or a.out_valid[0] != 0 or accumulator.valid_of(a, 0)


@jit
def _fields(beats, step):
    """A step from its beats."""
    for field in range(step.shape[0]):
        step[field] = beats[_LSBS[field] // 64] >> _LSBS[field] % 64 & (1 << _WIDTHS[field]) - 1


@jit
def _offer(ex, elements, step, k, valid, token, first, emit, last, values):
    """What lane ``k`` offers to the accumulator; ``ex`` is the state of its exact unit."""
    valid[k] = ex.o_valid[k]
    token[k] = exact.select_of(ex, k)
    first[k], emit[k] = step[k, _FIRST], step[k, _EMIT]
    last[k] = lane.last_sent(ex, k)
    if valid[k]:
        for i in range(values.shape[1]):
            values[k, i] = elements[k, i]


@jit
def _count(events, amounts, totals, saturated, clear, clipped):
    """One clock of the counters and the sticky flag."""
    lanes = events.shape[0]
    for i in range(amounts.shape[0]):
        amounts[i] = 0
        if _SOURCES[i] >= 0:
            for k in range(lanes):
                amounts[i] += events[k, _SOURCES[i]]
    for k in range(lanes):
        amounts[ATTEND] |= events[k, lane.ATTENDS]
        amounts[LINEAR] |= events[k, lane.MULTIPLIES]
        amounts[LOW] |= events[k, lane.TRANSFORMS]
        clipped = clipped or events[k, lane.CLIPPED] != 0
    amounts[CYCLES] = amounts[ATTEND] | amounts[LINEAR] | amounts[LOW]
    counters.clock(totals, clear, amounts)
    saturated[0] = (saturated[0] and not clear) or clipped


@jit
def advance(s, x, y, begin, count, stop_when_idle):
    """Run up to ``count`` cycles with inputs ``x``, recording into ``y``, both from position ``begin`` on.

    With ``stop_when_idle`` the run ends when no lane is busy, at the earliest after START_LATENCY. Returns the number
    of cycles.
    """
    io, n = s.io, s.sizes[0]
    for t in range(begin, begin + count):
        busy = s.busy[0]
        if stop_when_idle and not busy and not x.start[t] and t > begin + START_LATENCY:
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
        if x.start[t]:      # a step that did not come through the port
            start = x.start[t]
            for field in range(s.step.shape[0]):
                s.step[field] = x.step[field]
            if x.step[_REDUCTION[0]]:
                io.reduction[io_port.LANES_ON] = start
                for field in range(1, _REDUCTION.shape[0]):
                    io.reduction[field] = x.step[_REDUCTION[field]]
        for k in range(n):
            _offer(s.lanes.exact, s.lanes.rmmu.elements, s.lanes.step, k, s.valid, s.token, s.first, s.emit, s.last,
                   s.values)
        reduction = io.reduction
        joined = reduction[io_port.LANES_ON]
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
        now_busy = joined if accumulator_busy(s.accumulator) or output_busy else 0
        for k in range(n):
            now_busy |= (lane.busy_of(s.lanes.started, s.lanes.exact, s.lanes.estimate, k) != 0) << k
        reading = s.reading[0]
        for unit in range(s.wdata.shape[0]):
            s.wdata[unit] = io.word[unit]
        _count(s.lanes.events, s.amounts, s.counters, s.saturated, clear, s.output.clipped[0] != 0)

        # Clock edges.
        accumulator.clock(s.accumulator, 0, s.valid, s.values, s.token, s.first, s.emit, s.last, joined, output_ready)
        output.clock(s.output, sum_valid, s.sums, sum_last, reduction[io_port.WIDE] != 0, reduction[io_port.SHIFT],
                     reduction[io_port.RELU] != 0, results_ready)
        io_port.clock(io, busy, clear, x.s_valid[t] != 0, x.s_data[t], x.s_last[t], result_valid, s.word,
                      result_last, x.m_ready[t] != 0, s.answer)
        for unit in range(s.answer.shape[0]):
            s.answer[unit] = s.lanes.rdata[reading, unit]
        for k in range(n):
            lane.clock(s.lanes, k, start >> k & 1 != 0, s.step, taken and joined >> k & 1 != 0,
                       access and access_lanes >> k & 1 != 0, write, addr, s.wdata, y.lanes[t, k])
        if access:
            for k in range(n):
                if access_lanes >> k & 1:
                    s.reading[0] = k
        s.busy[0] = now_busy
    return count
