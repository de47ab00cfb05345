"""Cycle model of the whole accelerator [Thesis Fig. 5.1], stepped once a clock."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import fifo_front, fifo_valid
from golden.common.jit import jit

from . import (
    cell,
    control,
    executor,
    glb,
    groups,
    io_port,
    loader,
    mac_lut,
    memory,
    memory_port,
    reader,
    scan_chain,
    spec_fetch,
    spec_store,
    speculator,
    step_control,
    step_loads,
    store,
    weight_requests,
)
from .config import DuetConfig
from .formats import (
    BEAT_BITS,
    EXECUTE_FIELDS,
    LOW_BITS,
    SPECULATE_FIELDS,
    SUM_BITS,
    TERNARY_BITS,
    TRACE_OUTPUTS,
    VALUE_BITS,
    Cell,
    Kind,
    Target,
)
from .registers import COUNTER_BITS, COUNTERS

_GLB, _MAP, _LUT, _PROJECTION, _LOW_WEIGHTS, _LOW_BIAS = (target.value for target in Target)
_VECTOR, _NO_CELL = Kind.VECTOR.value, Cell.NONE.value
_E = {name: position for position, name in enumerate(EXECUTE_FIELDS)}
_RUN, _KIND, _FUNCTION, _SHIFT = (_E[name] for name in ("run", "kind", "function", "shift"))
_USE_IMAP, _LUT_BASE, _LUT_LENGTH, _LUT_LAST = (_E[name] for name in ("use_imap", "lut_base", "lut_length",
                                                                      "lut_last"))
_THRESHOLD = list(SPECULATE_FIELDS).index("threshold")
_SIGN = 1 << SPECULATE_FIELDS["threshold"] - 1
#: Kinds of transfers, as ``hdl.duet.layouts.Load``.
_INPUT, _WEIGHT, _LUT_LOAD = range(3)
(M_DATA, AR_ADDR, AR_LEN, AR_VALID, R_READY, S_READY, M_VALID, M_LAST, ACTIVE, IO_ERROR, SATURATED, WRITE_ADDR,
 WRITE_MAP_ADDR, READ_ADDR, READ_MAP_ADDR, WRITE_DATA, WRITE_MAP, WRITE_PORT, READ_PORT, BUSY, EXECUTES, SPECULATES,
 CELL_WORKS, STEP_DONE, TRANSFER, MACS, TILES_DONE, PAD) = range(len(TRACE_OUTPUTS))


class DuetInputs(NamedTuple):
    """Pins in a block of cycles, int64 [cycles] each; ``r_data`` [cycles, values of a beat], signed 16 bits."""

    s_valid: np.ndarray
    s_data: np.ndarray
    s_last: np.ndarray
    m_ready: np.ndarray
    clear: np.ndarray
    ar_ready: np.ndarray
    r_valid: np.ndarray
    r_last: np.ndarray
    r_data: np.ndarray


class Job(NamedTuple):
    """The jobs that hold: fields, and where they stand in the scan chain [fields, 2]."""

    speculate: np.ndarray
    execute: np.ndarray
    cell: np.ndarray
    row_ids: np.ndarray
    column_ids: np.ndarray
    speculate_at: np.ndarray
    execute_at: np.ndarray
    cell_at: np.ndarray
    row_ids_at: np.ndarray
    column_ids_at: np.ndarray


class DuetState(NamedTuple):
    """State of all units; then room for what goes from one to another."""

    io: io_port.IoPortState
    chain: scan_chain.ScanChainState
    control: control.ControlState
    glb: glb.GlbState
    loader: loader.LoaderState
    memory: memory_port.MemoryPortState
    executor: executor.ExecutorState
    store: store.StoreState
    speculator: speculator.SpeculatorState
    cell: cell.CellState
    job: Job
    was_map: np.ndarray         # [1], the word that was asked for is one of the map buffer
    amounts: np.ndarray         # [counters], that are added in the next cycle
    totals: np.ndarray          # [counters]
    mask: np.ndarray            # [values], a write of the global buffer
    map_mask: np.ndarray
    data: np.ndarray
    map: np.ndarray
    transfer: np.ndarray        # [columns, pixels]
    projection: np.ndarray      # [trees, values]
    sums: np.ndarray            # [rows]
    answer: np.ndarray          # [beats of a word]
    sizes: np.ndarray           # rows, columns, pixels, tags


def state(cfg: DuetConfig) -> DuetState:
    """State after reset; memories are 0."""
    def zeros(*shape):
        return np.zeros(shape, np.int64)

    sections = ("speculate_", "execute_", "cell_", "row_id_", "column_id_")
    places = [scan_chain.table(cfg, prefix) for prefix in sections]
    return DuetState(
        io_port.state(cfg), scan_chain.state(cfg), control.state(cfg), glb.state(cfg, 1), loader.state(cfg, 1),
        memory_port.state(cfg, 1), executor.state(cfg, 1), store.state(cfg, 1), speculator.state(cfg),
        cell.state(cfg, 1), Job(*(zeros(len(place)) for place in places), *places), zeros(1), zeros(len(COUNTERS)),
        zeros(len(COUNTERS)), *(zeros(cfg.values) for _ in range(4)), zeros(cfg.columns, cfg.pixels),
        zeros(cfg.trees, cfg.values), zeros(cfg.rows), zeros(-(-cfg.word_bits // BEAT_BITS)),
        np.array([cfg.rows, cfg.columns, cfg.pixels, cfg.tags], np.int64))


@jit
def element(word, index, bits):
    """Signed element ``index`` of ``bits`` bits of a word [beats]; ``bits`` divides 64."""
    per_beat = BEAT_BITS // bits
    value = word[index // per_beat] >> bits * (index % per_beat) & ((1 << bits) - 1)
    return value - ((value >> (bits - 1)) << bits)


# Functions that take all states take long to compile: so there are few of them, and the others get what they need.
@jit
def _update(job, held):
    """The jobs of the scan chain hold."""
    scan_chain.extract(held, job.speculate_at, job.speculate)
    scan_chain.extract(held, job.execute_at, job.execute)
    scan_chain.extract(held, job.cell_at, job.cell)
    scan_chain.extract(held, job.row_ids_at, job.row_ids)
    scan_chain.extract(held, job.column_ids_at, job.column_ids)
    if job.speculate[_THRESHOLD] & _SIGN:
        job.speculate[_THRESHOLD] -= 2 * _SIGN


@jit
def _choose_write(port, one, two, units, io, room, pixels):
    """Payload of the write port that has its turn, into the room for it; its addresses.

    ``one``, ``two``, ``units``: states of the stores of Executor and Speculator, and of the cell unit.
    """
    mask, map_mask, data, map_ = room
    if port == 0:
        for value in range(mask.shape[0]):
            mask[value], map_mask[value] = one.w_mask[0, value], one.w_map_mask[0, value]
            data[value], map_[value] = one.w_data[0, value], one.w_map[0, value]
        return one.w_addr[0], one.w_map_addr[0]
    if port == 1:
        for value in range(mask.shape[0]):
            column, pixel = value // pixels, value % pixels
            mask[value] = two.lanes[0] >> column & two.pixels[0] >> pixel & 1
            map_mask[value] = two.map_pixels[0] >> pixel & 1
            data[value], map_[value] = two.values[0, column], two.bits[0, column] >> pixel & 1
        return two.addr[0], two.map_addr[0]
    if port == 2:
        for value in range(mask.shape[0]):
            mask[value], map_mask[value] = units.w_mask[0, value], 0
            data[value], map_[value] = units.w_data[0, value], 0
        return units.w_addr[0], 0
    is_map = io.access_target[0] == _MAP
    for value in range(mask.shape[0]):
        mask[value], map_mask[value] = not is_map, is_map
        data[value] = 0 if is_map else element(io.word, value, VALUE_BITS)
        map_[value] = io.word[value // BEAT_BITS] >> value % BEAT_BITS & 1 if is_map else 0
    return io.access_addr[0], io.access_addr[0]


@jit
def _read_addr(port, fetch, loads, units, io):
    """Addresses of the read port that has its turn: of the Speculator's fetch, the loader's reader, the cell unit."""
    if port == 0:
        return fetch.addr[0], 0
    if port == 1:
        return loads.addr[0], loads.map_addr[0]
    if port == 2:
        return units.r_addr[0], 0
    return io.access_addr[0], io.access_addr[0]


@jit
def _show_write(room, out, addr, map_addr):
    """What a write of the global buffer leaves in the trace."""
    mask, map_mask, written, bits_written = room
    data = bits = values = maps = 0
    for value in range(mask.shape[0]):
        if mask[value]:
            data ^= (written[value] & 0xFFFF) << VALUE_BITS * (value % 2)
            values = 1
        if map_mask[value]:
            bits ^= (bits_written[value] & 1) << value % 32
            maps = 1
    out[WRITE_ADDR], out[WRITE_MAP_ADDR] = addr * values, map_addr * maps
    out[WRITE_DATA], out[WRITE_MAP] = data, bits


@jit
def _host_write(io, projection, weights, bias):
    """A word of the host for one of the memories beside the global buffer; whether it is one of the projection."""
    target, addr = io.access_target[0], io.access_addr[0]
    if target == _PROJECTION:
        trees, values = projection.shape
        for tree in range(trees):
            for value in range(values):
                projection[tree, value] = element(io.word, tree * values + value, TERNARY_BITS)
        return True
    if target == _LOW_WEIGHTS:
        for row in range(weights.shape[2]):
            for column in range(weights.shape[3]):
                weights[0, addr, row, column] = element(io.word, row * weights.shape[3] + column, LOW_BITS)
    elif target == _LOW_BIAS:
        for column in range(bias.shape[2]):
            bias[0, addr, column] = element(io.word, column, SUM_BITS)
    return False


@jit
def _clock_executor(array, job, ids, steps, io, transfer, sizes, drain_ready, host_lut):
    """One clock of the Executor with what the loader offers, or the host; ``ids`` of rows and of columns."""
    rows, columns, most_pixels, tags = sizes
    bank, index, valid = steps.t_bank[0], steps.t_index[0], steps.t_valid[0] != 0
    kind, row = steps.t_kind[0], steps.t_row[0]
    if host_lut:
        valid, kind, row, bank, index = True, _LUT_LOAD, rows, 0, io.access_addr[0]
        for column in range(columns):
            for pixel in range(transfer.shape[1]):
                transfer[column, pixel] = element(io.word, pixel, VALUE_BITS) if pixel < 4 else 0
    elif valid:
        for column in range(columns):
            for pixel in range(transfer.shape[1]):
                transfer[column, pixel] = steps.t_data[0, column, pixel]
    build, step = fifo_valid(steps.builds, 0), fifo_valid(steps.steps, 0)
    length = words = build_bank = omap_bank = input_bank = weight_bank = last = 0
    if build:
        build_bank, omap_bank = fifo_front(steps.builds, 0, 0), fifo_front(steps.builds, 0, 1)
        length = job[_LUT_LAST] if fifo_front(steps.builds, 0, 2) else job[_LUT_LENGTH]
        words = (length + tags - 1) // tags
    if step:
        input_bank, weight_bank = fifo_front(steps.steps, 0, 0), fifo_front(steps.steps, 0, 1)
        last = fifo_front(steps.steps, 0, 2)
    pixels = 1 if job[_KIND] == _VECTOR else most_pixels
    executor.clock(array, valid, kind, row, columns, bank, index, transfer, ids[0], ids[1],
                   steps.imap_valid[0] != 0, steps.t_bank[0], steps.t_index[0], steps.imap[0],
                   steps.omap_valid[0] != 0, steps.omap_bank[0], steps.omap_row[0], steps.omap[0],
                   build, job[_LUT_BASE] // tags, words, length, build_bank, omap_bank, job[_USE_IMAP], 1,
                   (1 << most_pixels) - 1, step, input_bank, weight_bank, last, drain_ready, pixels)


@jit
def _count(totals, amounts, clear, busy, executes, speculates, cell_busy, steps, macs, step_done):
    """One clock of the counters."""
    for k in range(totals.shape[0]):
        totals[k] = 0 if clear else (totals[k] + amounts[k]) & ((1 << COUNTER_BITS) - 1)
    transfer = steps.t_valid[0] != 0
    amounts[0], amounts[1], amounts[2], amounts[3] = busy, executes, speculates, executes and speculates
    amounts[4], amounts[5], amounts[6], amounts[7] = cell_busy, macs, macs != 0, step_done
    amounts[8] = transfer and steps.t_kind[0] == _WEIGHT
    amounts[9] = transfer and steps.t_kind[0] == _INPUT


@jit
def _answer(buffer, is_map, answer):
    """What the global buffer shows, as beats; of a map the low ones."""
    for beat in range(answer.shape[0]):
        answer[beat] = 0
    for value in range(buffer.out_data.shape[1]):
        if is_map:
            answer[value // BEAT_BITS] |= np.int64(buffer.out_map[0, value] != 0) << value % BEAT_BITS
        else:
            answer[value // 4] |= (buffer.out_data[0, value] & 0xFFFF) << VALUE_BITS * (value % 4)


@jit
def _clock(s, x, t, out):
    """One clock."""
    io, job = s.io, s.job
    clear, update = x.clear[t] != 0, io.update[0] != 0
    busy, speculates = control.busy_of(s.control), speculator.busy_of(s.speculator)
    executes = (loader.busy_of(s.loader, 0) or executor.busy_of(s.executor) or store.busy_of(s.store, 0)) != 0

    # Ports of the global buffer.
    access, host_write = io.access_valid[0] != 0, io.access_write[0] != 0
    target = io.access_target[0]
    to_glb = access and host_write and target <= _MAP
    r0, r1 = spec_fetch.request_valid_of(s.speculator.fetch, 0), reader.valid_of(s.loader.reader, 0)
    r2, r3 = cell.request_valid_of(s.cell, 0), access and not host_write
    w0, w1 = store.write_valid_of(s.store, 0), spec_store.valid_of(s.speculator.store, 0)
    w2 = cell.write_valid_of(s.cell, 0)
    r_port, w_port = glb.first_of(r0, r1, r2, r3), glb.first_of(w0, w1, w2, to_glb)
    r_addr = r_map_addr = w_addr = w_map_addr = 0
    room = s.mask, s.map_mask, s.data, s.map
    if r_port >= 0:
        r_addr, r_map_addr = _read_addr(r_port, s.speculator.fetch, s.loader.reader, s.cell, io)
    if w_port >= 0:
        w_addr, w_map_addr = _choose_write(w_port, s.store, s.speculator.store, s.cell, io, room, s.sizes[2])

    # Outputs of this cycle.
    for field in range(out.shape[0]):
        out[field] = 0
    out[M_VALID], out[M_DATA], out[M_LAST] = io_port.valid_of(io), io_port.data_of(io), io_port.last_of(io)
    out[S_READY], out[ACTIVE], out[IO_ERROR] = io_port.ready_of(io), io_port.active_of(io), io.error[0]
    out[AR_VALID], out[AR_ADDR] = memory_port.ar_valid_of(s.memory, 0), s.memory.ar_addr[0]
    out[AR_LEN], out[R_READY] = s.memory.ar_len[0], memory_port.r_ready_of(s.memory, 0)
    out[SATURATED], out[BUSY] = store.saturated_of(s.store, 0), busy
    out[EXECUTES], out[SPECULATES], out[CELL_WORKS] = executes, speculates, cell.busy_of(s.cell, 0)
    out[STEP_DONE], out[TRANSFER] = s.executor.control.step_done[0], s.loader.steps.t_valid[0]
    out[MACS], out[TILES_DONE] = s.executor.macs[0], s.control.tiles_done[0]
    out[READ_PORT], out[WRITE_PORT] = r_port + 1, w_port + 1
    out[READ_ADDR], out[READ_MAP_ADDR] = r_addr, r_map_addr
    if w_port >= 0:
        _show_write(room, out, w_addr, w_map_addr)

    # What units show to others, before any of them moves.
    start_execute, start_speculate = s.control.execute[0] != 0, s.control.speculate[0] != 0
    start_cell, tiles_done, all_done = s.control.cell[0] != 0, s.control.tiles_done[0], s.control.executed[0] != 0
    tile_done, cell_busy = store.tile_done_of(s.store, 0), cell.busy_of(s.cell, 0)
    drain_ready, drain_start = store.drain_ready_of(s.store, 0), s.executor.control.drain_start[0]
    group_ready, group_valid = store.ready_of(s.store, 0), groups.valid_of(s.loader.groups, 0, groups.GROUP)
    build_ready = mac_lut.build_ready_of(s.executor.mac_lut, 0)
    step_ready = step_control.step_ready_of(s.executor.control, 0)
    step_done = s.executor.control.step_done[0] != 0
    fetch_valid, fetch_ready = weight_requests.valid_of(s.loader.requests, 0), memory_port.burst_ready_of(s.memory, 0)
    fetch_addr, fetch_count = s.loader.requests.addr[0], s.loader.requests.count[0]
    memory_valid, memory_ready = memory_port.valid_of(s.memory, 0), step_loads.memory_ready_of(s.loader.steps, 0)
    sums_valid, sums_pixel = s.executor.sums_valid[0] != 0, s.executor.pixel[0]
    if sums_valid:
        for r in range(s.sums.shape[0]):
            s.sums[r] = executor.sum_of(s.executor, r)
    _answer(s.glb, s.was_map[0] != 0, s.answer)
    host_lut = access and host_write and target == _LUT
    projection_en, low = False, s.speculator.approximator
    if access and host_write and target > _LUT:
        projection_en = _host_write(io, s.projection, low.systolic.weights, low.low_output.bias)
    access_addr = io.access_addr[0]
    _count(s.totals, s.amounts, clear, busy, executes, speculates, cell_busy, s.loader.steps, s.executor.macs[0],
           step_done)

    # Clock edges, from consumers to producers.
    group = s.loader.groups
    store.clock(s.store, 0, group_valid, group.word[0], group.map_word[0], group.tile_done[0], group.empty[0],
                group.on[0], group.channel[0], group.bias[0], group.sensitive[0], drain_start, sums_valid, sums_pixel,
                s.sums, job.execute[_KIND], job.execute[_FUNCTION], job.execute[_SHIFT], True)
    _clock_executor(s.executor, job.execute, (job.row_ids, job.column_ids), s.loader.steps, io, s.transfer, s.sizes,
                    drain_ready, host_lut)
    loader.clock(s.loader, 0, job.execute, start_execute, not r0, s.glb.out_data[0], s.glb.out_map[0], group_ready,
                 build_ready, step_ready, step_done, fetch_ready, memory_valid, s.memory.word[0])
    memory_port.clock(s.memory, 0, fetch_valid, fetch_addr, fetch_count, x.ar_ready[t] != 0, x.r_valid[t] != 0,
                      x.r_last[t] != 0, x.r_data[t], memory_ready)
    speculator.clock(s.speculator, job.speculate, start_speculate, tiles_done, all_done, True, s.glb.out_data[0],
                     projection_en, access_addr, s.projection, not w0)
    cell.clock(s.cell, 0, start_cell, job.cell[0], job.cell[1], job.cell[2:], not r0 and not r1,
               glb.valid_of(s.glb, 0, 2), s.glb.out_data[0], not w0 and not w1)
    control.clock(s.control, update, job.execute[_RUN] != 0, job.speculate[_RUN] != 0, job.cell[0] != _NO_CELL,
                  executes, speculates, cell_busy, tile_done)
    glb.clock(s.glb, 0, r_port, r0 + r1 + r2 + r3, r_addr, r_map_addr, w_port, w0 + w1 + w2 + to_glb, w_addr,
              w_map_addr, s.mask, s.map_mask, s.data, s.map)
    shift, beat = io.shift[0] != 0, io.chain[0]
    s.was_map[0] = target == _MAP
    io_port.clock(io, busy, clear, x.s_valid[t] != 0, x.s_data[t], x.s_last[t], x.m_ready[t] != 0, s.answer)
    scan_chain.clock(s.chain, shift, beat, update)
    if update:
        _update(job, s.chain.held)


@jit
def advance(s, x, y, count):
    """Run ``count`` cycles with inputs ``x``, recording into ``y`` [cycles, TRACE_OUTPUTS]."""
    for t in range(count):
        _clock(s, x, t, y[t])


@jit
def run_stage(s, chip, x, y, most):
    """Run a stage, whose jobs are in the scan chain, with a memory beside it; ``x`` and ``y`` have one cycle.

    Returns the number of cycles from ``update`` on, at most ``most``.
    """
    s.io.update[0] = 1
    cycles, first = 0, x.clear.shape[0] - 1     # 0, but not a literal: that would be another type
    while cycles < most and (s.io.update[0] or control.busy_of(s.control)):
        memory.show(chip, x.ar_ready, x.r_valid, x.r_last, x.r_data)
        memory.clock(chip, memory_port.ar_valid_of(s.memory, 0), s.memory.ar_addr[0], s.memory.ar_len[0],
                     memory_port.r_ready_of(s.memory, 0))
        _clock(s, x, first, y[first])
        cycles += 1
    return cycles
