"""Cycle model of the whole accelerator: the unit models, stepped once a clock from sink to source.

Each unit reads the registered outputs of its sources before they move on, so one order serves: sequencer,
quadtree from the root to the leaves, then every PE from the arithmetic unit back to its queue, I/O port last.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState
from golden.common.fixed import wrap
from golden.common.jit import jit

from . import (
    act_queue,
    act_rw,
    arithmetic,
    io_port,
    lnzd,
    pe,
    pointer_read,
    program,
    regfile,
    sequencer,
    spmat_read,
)
from .config import EieConfig
from .formats import BEAT_BITS, CAUSES, CHILDREN, COUNTERS, TRACE_OUTPUTS, Mem, Op, mem_bits

#: Positions in :data:`golden.eie.formats.COUNTERS`.
CYCLES, FIRST_CAUSE, FIRST_WORK = 0, 1, 1 + len(CAUSES)

(M_DATA, S_READY, M_VALID, M_LAST, DONE, SATURATED, PROGRAM_ERROR, START_ERROR, IO_ERROR, ROW_ERROR, STATE, PUSH,
 PAD, NUMBER, COLUMN, VALUE) = range(len(TRACE_OUTPUTS))


class EieInputs(NamedTuple):
    """Pins in a block of cycles, int64 [cycles] each: command stream in, reply stream's ready, host strobes."""

    s_valid: np.ndarray
    s_data: np.ndarray
    s_last: np.ndarray
    m_ready: np.ndarray
    start: np.ndarray
    clear: np.ndarray
    length: np.ndarray


class EieTrace(NamedTuple):
    """What a block of cycles shows: ``outputs`` [cycles, fields] as TRACE_OUTPUTS, PE records [cycles, n_pe]."""

    outputs: np.ndarray
    valid: np.ndarray
    row: np.ndarray
    value: np.ndarray


class Scratch(NamedTuple):
    """Arrays that a cycle works with and leaves behind; compiled code allocates nothing."""

    ready: np.ndarray           # [n_pe], the element of a PE is taken
    node_ready: np.ndarray      # [nodes], the same for the nodes of the tree
    valid: np.ndarray           # [4], children of one node
    index: np.ndarray
    value: np.ndarray
    null: np.ndarray
    last: np.ndarray
    answer: np.ndarray          # [8], word read by the I/O port
    work: np.ndarray            # [counters], done in this cycle


class EieState(NamedTuple):
    """State of all units. ``tree`` holds the nodes leaves first; ``first`` [levels + 1] where each level begins."""

    sequencer: sequencer.SequencerState
    program: program.ProgramState
    io: io_port.IoPortState
    tree: lnzd.LnzdState
    first: np.ndarray
    queue: FifoState
    pointers: pointer_read.PointerReadState
    entries: spmat_read.SpmatReadState
    arithmetic: arithmetic.ArithmeticState
    files: regfile.RegFileState  # two a PE
    acts: act_rw.ActRwState
    busy: np.ndarray            # [n_pe], status registers
    pe_entries: np.ndarray      # [n_pe], entries retired since the start of the program
    counters: np.ndarray
    pass_counters: np.ndarray   # [program_words, counters], the same by pass
    widths: np.ndarray          # bits of a word of each memory
    run_ahead: np.ndarray       # [1]
    scratch: Scratch


def state(cfg: EieConfig) -> EieState:
    """State after reset; memories are zero."""
    sizes, n = [], cfg.n_pe
    for _ in range(cfg.tree_levels):
        n = -(-n // CHILDREN)
        sizes.append(n)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return EieState(
        sequencer=sequencer.state(), program=program.state(cfg), io=io_port.state(cfg),
        tree=lnzd.state(cfg, int(first[-1])), first=first, queue=act_queue.state(cfg, cfg.n_pe),
        pointers=pointer_read.state(cfg, cfg.n_pe),
        entries=spmat_read.state(cfg, cfg.n_pe), arithmetic=arithmetic.state(cfg, cfg.n_pe),
        files=regfile.state(cfg, 2 * cfg.n_pe), acts=act_rw.state(cfg, cfg.n_pe),
        busy=np.zeros(cfg.n_pe, np.int64), pe_entries=np.zeros(cfg.n_pe, np.int64),
        counters=np.zeros(len(COUNTERS), np.int64),
        pass_counters=np.zeros((cfg.program_words, len(COUNTERS)), np.int64),
        widths=np.array([mem_bits(cfg)[m] for m in Mem], np.int64),
        run_ahead=np.full(1, int(cfg.run_ahead)),
        scratch=Scratch(*(np.zeros(n, np.int64) for n in (cfg.n_pe, int(first[-1]), 4, 4, 4, 4, 4,
                                                         io_port.MAX_BEATS, len(COUNTERS)))))


@jit
def _low(value, bits):
    """The low ``bits`` of a beat."""
    return value & ((1 << bits) - 1) if bits < BEAT_BITS else value


@jit
def write_word(s, mem, k, addr, data):
    """Write one word, given in beats ``data`` [8], into a memory of PE ``k`` (or the program memory)."""
    bits = s.widths[mem]
    if mem == Mem.SPMAT.value:
        per_row = bits // 8
        for i in range(per_row):
            s.entries.spmat[k, addr * per_row + i] = (data[i // 8] >> (8 * (i % 8))) & 255
    elif mem == Mem.PTR.value:
        s.pointers.ptr[k, addr] = _low(data[0], bits)
    elif mem == Mem.CODEBOOK.value:
        s.arithmetic.codebook[k, addr] = wrap(_low(data[0], bits), bits)
    elif mem == Mem.ACT_SRAM.value:
        s.acts.sram[k, addr] = wrap(_low(data[0], bits), bits)
    elif mem == Mem.PROGRAM.value:
        for i in range(3):
            s.program.words[addr, i] = data[i]
    else:
        regfile.write(s.files, 2 * k + (mem == Mem.ACT1.value), addr, wrap(_low(data[0], bits), bits), 0)


@jit
def read_word(s, mem, k, addr, data):
    """Read one word into beats ``data`` [8], zero-extended."""
    bits = s.widths[mem]
    data[:] = 0
    if mem == Mem.SPMAT.value:
        per_row = bits // 8
        for i in range(per_row):
            data[i // 8] |= np.int64(s.entries.spmat[k, addr * per_row + i]) << (8 * (i % 8))
    elif mem == Mem.PTR.value:
        data[0] = s.pointers.ptr[k, addr]
    elif mem == Mem.CODEBOOK.value:
        data[0] = _low(s.arithmetic.codebook[k, addr], bits)
    elif mem == Mem.ACT_SRAM.value:
        data[0] = _low(s.acts.sram[k, addr], bits)
    elif mem == Mem.PROGRAM.value:
        for i in range(3):
            data[i] = s.program.words[addr, i]
    else:
        data[0] = _low(regfile.read(s.files, 2 * k + (mem == Mem.ACT1.value), addr), bits)


@jit
def _access(s, a, answer):
    """Carry out what stands on the bus of the I/O port; a read leaves its word in ``answer``."""
    n_pe = s.busy.shape[0]
    if a.mem == Mem.SPMAT.value:
        for k in range(n_pe):
            if a.every or k == a.pe:
                s.entries.row[k] = -1   # the row at the output of the SRAM is not what the tag says any more
    if a.op == Op.READ.value:
        read_word(s, a.mem, a.pe, a.addr, answer)
        return
    for k in range(n_pe):
        if a.every or k == a.pe:
            if a.op == Op.CLEAR.value:
                lane = 2 * k + (a.mem == Mem.ACT1.value)
                s.files.live[lane, :] = 0
                s.files.nonzero[lane, :] = 0
            else:
                write_word(s, a.mem, k, a.addr, s.io.data)


@jit
def _clock_tree(s, root_ready, ready):
    """One clock of the quadtree; ``ready`` [n_pe] receives whether each PE's element is taken."""
    n_pe = s.busy.shape[0]
    levels = s.first.shape[0] - 1
    tree = s.tree
    w = s.scratch
    node_ready, valid, index, value = w.node_ready, w.valid, w.index, w.value
    null, last = w.null, w.last
    node_ready[-1] = root_ready
    for level in range(levels - 1, -1, -1):
        children = n_pe if level == 0 else s.first[level] - s.first[level - 1]
        for node in range(s.first[level], s.first[level + 1]):
            for c in range(4):
                child = 4 * (node - s.first[level]) + c
                # Nobody there: the end of a scan, always.
                valid[c] = null[c] = last[c] = 1
                if child < children:
                    if level == 0:
                        valid[c] = s.acts.o_valid[child]
                        index[c] = s.acts.o_row[child] * n_pe + child
                        value[c] = act_rw.value_of(s.files, child, s.sequencer.role[0])
                        null[c] = s.acts.o_null[child]
                        last[c] = s.acts.o_last[child]
                    else:
                        lane = s.first[level - 1] + child
                        valid[c], index[c], value[c] = tree.valid[lane], tree.index[lane], tree.value[lane]
                        null[c], last[c] = tree.null[lane], tree.last[lane]
            for c in range(4):
                child = 4 * (node - s.first[level]) + c
                if child < children:
                    if level == 0:
                        ready[child] = lnzd.ready_of(tree, node, c)
                    else:
                        node_ready[s.first[level - 1] + child] = lnzd.ready_of(tree, node, c)
            lnzd.clock(tree, node, valid, index, value, null, last, node_ready[node])


@jit
def advance(s, x, y, first, count, stop_when_idle):
    """Run up to ``count`` cycles with inputs ``x``, recording into ``y``, both from position ``first`` on.

    With ``stop_when_idle`` the run ends before a cycle in which no program runs. Returns the number of cycles.
    """
    q = s.sequencer
    n_pe = s.busy.shape[0]
    ready, answer, work = s.scratch.ready, s.scratch.answer, s.scratch.work
    for t in range(first, first + count):
        idle = q.state[0] == sequencer.IDLE
        if stop_when_idle and idle and not x.start[t]:
            return t - first
        room = room_2 = True
        any_busy = False
        for k in range(n_pe):
            room = room and act_queue.has_room(s.queue, k, 1)
            room_2 = room_2 and act_queue.has_room(s.queue, k, 2)
            any_busy = any_busy or s.busy[k] != 0
        push = q.b_valid[0] != 0
        start, clear = x.start[t], x.clear[t]

        # Outputs of this cycle.
        out = y.outputs[t]
        out[M_VALID], out[M_DATA], out[M_LAST] = s.io.o_valid[0], s.io.o_data[0], s.io.o_last[0]
        out[S_READY] = io_port.ready_of(s.io)
        out[DONE], out[STATE], out[NUMBER] = q.done[0], q.state[0], q.number[0]
        out[SATURATED], out[ROW_ERROR] = s.arithmetic.saturated.any(), s.arithmetic.row_error.any()
        out[PROGRAM_ERROR], out[START_ERROR], out[IO_ERROR] = q.program_error[0], q.start_error[0], s.io.error[0]
        out[PUSH], out[COLUMN], out[VALUE] = push, q.b_column[0], q.b_value[0]
        for k in range(n_pe):
            y.valid[t, k] = s.arithmetic.w_valid[k]
            y.row[t, k] = s.arithmetic.w_row[k]
            y.value[t, k] = s.arithmetic.w_sum[k]

        # Central unit; the commands and the broadcast are registers, so the PEs see them as they were.
        root = s.tree.valid.shape[0] - 1
        root_valid, root_index, root_value = s.tree.valid[root], s.tree.index[root], s.tree.value[root]
        root_null, root_last = s.tree.null[root], s.tree.last[root]
        work[:] = 0
        number = q.number[0]
        if not idle:
            work[CYCLES] = 1
            work[FIRST_CAUSE + sequencer.cause_of(q, room, room_2, root_valid)] = 1
        commands = (q.role[0], q.scan[0], q.clear[0], q.load[0], q.store[0], q.base[0], q.rows[0], clear)
        column, value = q.b_column[0], q.b_value[0]
        io_active = io_port.active_of(s.io)
        started = q.started[0]
        takes_pass = sequencer.takes_pass(q, s.program)
        _clock_tree(s, sequencer.ready_of(q), ready)
        for k in range(n_pe):
            pe.clock(s, k, push, column, value, commands, ready[k], work[FIRST_WORK:])
        sequencer.clock(q, s.program, start, clear, io_active, room, room_2, any_busy, root_valid, root_index,
                        root_value, root_null, root_last, s.pointers.ptr.shape[1], s.widths[Mem.ACT0.value])
        program.clock(s.program, started, x.length[t], takes_pass)

        access = io_port.clock(s.io, idle, clear, x.s_valid[t], x.s_data[t], x.s_last[t], x.m_ready[t], answer)
        if access.valid:
            _access(s, access, answer)
        if started:
            s.counters[:] = 0
            s.pass_counters[:] = 0
            s.pe_entries[:] = 0
        for i in range(len(COUNTERS)):
            s.counters[i] += work[i]
            if not idle:
                s.pass_counters[number % s.pass_counters.shape[0], i] += work[i]
    return count
