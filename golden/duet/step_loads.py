"""Golden model of the loads of steps [Thesis 5.1.2]: inputs, weights, maps, then the build and the step."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_state, fifo_step
from golden.common.jit import jit

from . import input_walk, row_pick
from .config import DuetConfig
from .formats import EXECUTE_FIELDS, Kind
from .input_walk import SETTLED, InputWalkState
from .row_pick import RowPickState

__all__ = ["AHEAD", "EVENTS", "STEPS", "StepLoadsState", "busy_of", "clock", "memory_ready_of", "op_valid_of",
           "ready_of", "state"]

#: Steps that are loaded, or wait, or run, beside the one that is begun; steps that wait here at most.
AHEAD = 1
STEPS = 2

#: Situations that the tests must reach; the last ones count cycles and words.
EVENTS = ("empty_group", "inputs_stay", "outside", "short_step", "omap_last", "next_tile_row", "reader_waits",
          "memory_waits", "pipeline_empties", "waits_for_bank", "waits_for_group", "input_word", "weight_word",
          "memory_word", "step", "build_with_weights", "build_with_memory", "build_at_end")
(EMPTY_GROUP, INPUTS_STAY, OUTSIDE, SHORT_STEP, OMAP_LAST, NEXT_TILE_ROW, READER_WAITS, MEMORY_WAITS,
 PIPELINE_EMPTIES, WAITS_FOR_BANK, WAITS_FOR_GROUP, INPUT_WORD, WEIGHT_WORD, MEMORY_WORD, STEP, BUILD_WITH_WEIGHTS,
 BUILD_WITH_MEMORY, BUILD_AT_END) = range(len(EVENTS))

#: States.
IDLE, SETTLE, GROUP, CREDIT, INPUTS, WEIGHTS, MEMORY, ENDS = range(8)
#: Kinds of operations, the first two as ``hdl.duet.layouts.Load``.
_INPUT, _WEIGHT, _STEP = range(3)
#: Of a step: input bank, weight bank, bank of the output maps; last of its group; its build may follow.
_INPUT_BANK, _WEIGHT_BANK, _OMAP_BANK, _LAST, _BUILD = 1, 2, 4, 8, 16

_JOB = list(EXECUTE_FIELDS)
_KIND, _OFF_CHIP, _DEPTH, _CHUNK, _PASSES, _WEIGHT_WORDS, _IN_BASE, _IMAP_BASE = (_JOB.index(name) for name in (
    "kind", "off_chip", "depth", "chunk", "passes", "weight_words", "in_base", "imap_base"))
_VECTOR = int(Kind.VECTOR)
_MASK = 0xFFFF


class StepLoadsState(NamedTuple):
    """Registers [lanes], unless a shape is given."""

    state: np.ndarray
    wait: np.ndarray
    ahead: np.ndarray           # steps that were begun and are not over
    in_flight: np.ndarray       # operations without an answer
    inputs: InputWalkState
    loaded: np.ndarray          # the inputs of the tile are there, and they are all
    tile_done: np.ndarray       # of the group
    first: np.ndarray           # its first step
    sensitive: np.ndarray       # [lanes, rows]
    pick: RowPickState
    step: np.ndarray
    word: np.ndarray            # first word of the step
    left: np.ndarray            # words from there on
    place: np.ndarray           # first word of weights of the step, after the row's
    words: np.ndarray           # words of the step
    row_words: np.ndarray       # words of weights of a row
    input_bank: np.ndarray
    weight_bank: np.ndarray
    omap_bank: np.ndarray
    q: np.ndarray               # next word of weights of the row
    omaps: np.ndarray           # rows whose output maps were sent; ``rows``: all
    build_due: np.ndarray       # the build of the step is still to be sent
    o_valid: np.ndarray         # the operation that is offered
    o_reads: np.ndarray
    o_addr: np.ndarray
    o_map_addr: np.ndarray
    o_tag: np.ndarray
    t_valid: np.ndarray         # transfer
    t_kind: np.ndarray
    t_row: np.ndarray
    t_bank: np.ndarray
    t_index: np.ndarray
    t_data: np.ndarray          # [lanes, columns, pixels]
    imap_valid: np.ndarray      # with the bank and index of the transfer
    imap: np.ndarray            # [lanes, columns]
    omap_valid: np.ndarray
    omap_row: np.ndarray
    omap: np.ndarray
    builds: FifoState           # bank, bank of the output maps, the step is the last of its group
    steps: FifoState            # input bank, weight bank, last
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> StepLoadsState:
    """State after reset."""
    shapes = dict.fromkeys(StepLoadsState._fields, ()) | {
        "sensitive": (cfg.rows,), "t_data": (cfg.columns, cfg.pixels), "imap": (cfg.columns,)}
    registers = {name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()}
    s = StepLoadsState(**registers | {
        "inputs": input_walk.state(cfg, lanes), "pick": row_pick.state(cfg, lanes),
        "builds": fifo_state(lanes, STEPS, 3),
        "steps": fifo_state(lanes, STEPS, 3), "seen": np.zeros(len(EVENTS), np.int64)})
    s.omaps[:] = cfg.rows
    return s


@jit
def ready_of(s, k):
    """A group is taken in this cycle."""
    return s.state[k] == GROUP


@jit
def op_valid_of(s, k):
    """An operation is offered: ``o_reads``, ``o_addr``, ``o_map_addr``, ``o_tag``."""
    return s.o_valid[k] != 0


@jit
def memory_ready_of(s, k):
    """A word of the memory is taken in this cycle."""
    return s.state[k] == MEMORY and s.in_flight[k] == 0 and row_pick.valid_of(s.pick, k)


@jit
def busy_of(s, k):
    """Groups are to come, or a step is not over."""
    return s.state[k] != IDLE or s.ahead[k] != 0


@jit
def _offer(s, k, reads, addr, map_addr, kind, row, bank, index, flags):
    s.o_valid[k], s.o_reads[k], s.o_addr[k], s.o_map_addr[k] = 1, reads, addr & _MASK, map_addr & _MASK
    s.o_tag[k] = kind | row << 2 | bank << 8 | index << 9 | flags << 21


@jit
def _end_group(s, k, job, tile_done):
    """The next group, of the next tile."""
    s.state[k] = GROUP
    if tile_done:
        s.loaded[k] = 0
        row, done = input_walk.next_tile(s.inputs, k, job)
        s.seen[NEXT_TILE_ROW] += row and not done
        if done:
            s.state[k] = IDLE


@jit
def _take(s, k, job, sensitive, empty, tile_done):
    """A group comes."""
    s.seen[EMPTY_GROUP] += empty
    if empty:
        _end_group(s, k, job, tile_done)
        return
    for row in range(sensitive.shape[0]):
        s.sensitive[k, row] = sensitive[row]
    s.tile_done[k], s.first[k], s.step[k], s.word[k], s.place[k] = tile_done, 1, 0, 0, 0
    s.left[k] = job[_DEPTH]
    s.state[k] = CREDIT


@jit
def _begin_step(s, k, job):
    """There is a bank for the next step."""
    last = s.step[k] + 1 == job[_PASSES]
    words = s.left[k] if last else job[_CHUNK]
    s.words[k] = words
    s.row_words[k] = words if job[_KIND] == _VECTOR else job[_WEIGHT_WORDS]
    s.weight_bank[k] = 1 - s.weight_bank[k]
    s.seen[SHORT_STEP] += words != job[_CHUNK]
    s.seen[STEP] += 1
    if s.first[k]:
        s.first[k], s.omaps[k], s.omap_bank[k] = 0, 0, 1 - s.omap_bank[k]
    s.q[k], s.build_due[k] = 0, 1
    if s.loaded[k]:
        s.seen[INPUTS_STAY] += 1
        s.state[k] = MEMORY if job[_OFF_CHIP] else WEIGHTS
        return
    s.loaded[k] = job[_PASSES] == 1
    s.input_bank[k] = 1 - s.input_bank[k]
    input_walk.begin_step(s.inputs, k, s.word[k])
    s.state[k] = INPUTS


@jit
def _input(s, k, job):
    """A word of a block near the tile; outside of the map it is not read."""
    inputs = s.inputs
    there = input_walk.there_of(inputs, k, job)
    _offer(s, k, there, job[_IN_BASE] + inputs.at[k], job[_IMAP_BASE] + inputs.at[k], _INPUT, 0, s.input_bank[k],
           inputs.index[k], 0)
    s.seen[OUTSIDE] += not there
    s.seen[INPUT_WORD] += 1
    if input_walk.take(inputs, k, job, s.words[k]):
        s.state[k] = MEMORY if job[_OFF_CHIP] else WEIGHTS


@jit
def _next_weight(s, k):
    """A word of weights goes; returns whether its row is through."""
    s.q[k] += 1
    if s.q[k] != s.row_words[k]:
        return False
    s.q[k] = 0
    if s.pick.last[k]:
        s.state[k] = ENDS
    return True


@jit
def _flags(s, k, job, omaps_sent):
    """What the step is; the build may follow if all maps are on the way: tags are worked out beside the weights."""
    last, build = s.step[k] + 1 == job[_PASSES], s.build_due[k] != 0 and omaps_sent
    if build:
        s.build_due[k] = 0
    return (_INPUT_BANK * s.input_bank[k] | _WEIGHT_BANK * s.weight_bank[k] | _OMAP_BANK * s.omap_bank[k]
            | _LAST * last | _BUILD * build)


@jit
def _end_step(s, k, job):
    """All is on the way: the step may follow."""
    last, flags = s.step[k] + 1 == job[_PASSES], _flags(s, k, job, True)
    s.seen[BUILD_AT_END] += flags & _BUILD != 0
    _offer(s, k, 0, 0, 0, _STEP, 0, 0, 0, flags)
    s.step[k] += 1
    s.word[k] += job[_CHUNK]
    s.left[k] -= job[_CHUNK]
    s.place[k] = s.place[k] + (job[_CHUNK] if job[_KIND] == _VECTOR else job[_WEIGHT_WORDS]) & _MASK
    s.state[k] = CREDIT
    if last:
        _end_group(s, k, job, s.tile_done[k])


@jit
def _transfer(s, k, kind, row, bank, index, reads, data):
    s.t_valid[k], s.t_kind[k], s.t_row[k], s.t_bank[k], s.t_index[k] = 1, kind, row, bank, index
    columns, pixels = s.t_data.shape[1], s.t_data.shape[2]
    for c in range(columns):
        for p in range(pixels):
            s.t_data[k, c, p] = data[c * pixels + p] if reads else 0


@jit
def _answer(s, k, tag, reads, data, map_):
    """An operation is over: its word goes to the Executor. Returns whether it was the end of a step."""
    kind = tag & 3
    if kind == _STEP:
        return True
    pixels, rows = s.t_data.shape[2], s.sensitive.shape[1]
    bank, index = tag >> 8 & 1, tag >> 9 & 0xFFF
    _transfer(s, k, kind, rows if kind == _INPUT else tag >> 2 & 0x3F, bank, index, reads, data)
    if kind == _INPUT:
        s.imap_valid[k] = 1
        for c in range(s.imap.shape[1]):
            s.imap[k, c] = 0
            for p in range(pixels):
                s.imap[k, c] |= (1 if reads and map_[c * pixels + p] else 0) << p
    return False


@jit
def _omaps(s, k):
    """Output maps of the group, a row a cycle, beside its words."""
    rows, row = s.sensitive.shape[1], s.omaps[k]
    s.omap_valid[k] = row != rows
    if row != rows:
        s.omap_row[k], s.omap[k] = row, s.sensitive[k, row]
        s.omaps[k] += 1


@jit
def clock(s, k, job, start, group, sensitive, empty, tile_done, places, op_ready, answer, tag, reads, data, map_,
          memory_valid, memory_data, build_ready, step_ready, step_done):
    """One clock of lane ``k``.

    Parameters
    ----------
    job : int array, [len(EXECUTE_FIELDS)]
    start : bool
    group, sensitive, empty, tile_done, places
        A group is offered, with arrays [rows].
    op_ready : bool
        The operation that is offered is taken.
    answer, tag, reads, data, map_
        An answer, with arrays [values].
    memory_valid, memory_data
        A word of the memory, array [values], is offered.
    build_ready, step_ready, step_done : bool
        Of the Executor.
    """
    here, free = s.state[k], not s.o_valid[k] or op_ready
    s.seen[READER_WAITS] += not free
    load = group and here == GROUP and not empty
    again, pick, takes_memory = False, False, memory_valid and memory_ready_of(s, k)
    picked, row, place, ahead = row_pick.valid_of(s.pick, k), s.pick.row[k], s.pick.place[k], s.ahead[k]
    sent = s.o_valid[k] != 0 and op_ready
    omaps_sent = s.omaps[k] == s.sensitive.shape[1]
    s.seen[WAITS_FOR_GROUP] += here == GROUP and not group
    s.seen[WAITS_FOR_BANK] += here == CREDIT and ahead > AHEAD
    s.seen[MEMORY_WAITS] += memory_ready_of(s, k) and not memory_valid
    s.seen[PIPELINE_EMPTIES] += here == MEMORY and s.in_flight[k] != 0
    s.seen[OMAP_LAST] += here == ENDS and not omaps_sent
    s.t_valid[k] = s.imap_valid[k] = 0
    ends = answer and _answer(s, k, tag, reads, data, map_)
    bits = tag >> 21
    builds = answer and bits & _BUILD != 0
    _omaps(s, k)
    if sent:
        s.o_valid[k] = 0
    issued = 0

    if here == SETTLE:
        s.wait[k] -= 1
        if s.wait[k] == 0:
            input_walk.begin_job(s.inputs, k, job)
            s.loaded[k], s.state[k] = 0, GROUP
    elif here == GROUP:
        if group:
            _take(s, k, job, sensitive, empty, tile_done)
    elif here == CREDIT:
        if ahead <= AHEAD:
            again = True
            s.ahead[k] += 1
            _begin_step(s, k, job)
    elif here == INPUTS:
        if free:
            issued = 1
            _input(s, k, job)
    elif here == WEIGHTS:
        if free and picked:
            issued = 1
            flags = _flags(s, k, job, omaps_sent)
            s.seen[BUILD_WITH_WEIGHTS] += flags & _BUILD != 0
            _offer(s, k, 1, place + s.place[k] + s.q[k], 0, _WEIGHT, row, s.weight_bank[k], s.q[k], flags)
            s.seen[WEIGHT_WORD] += 1
            pick = _next_weight(s, k)
    elif here == MEMORY:
        if takes_memory:
            _transfer(s, k, _WEIGHT, row, s.weight_bank[k], s.q[k], True, memory_data)
            s.seen[MEMORY_WORD] += 1
            if s.build_due[k] and omaps_sent:
                # Nothing is in flight, so there is no answer.
                bits, builds = _flags(s, k, job, True), True
                s.seen[BUILD_WITH_MEMORY] += 1
            pick = _next_weight(s, k)
    elif here == ENDS:
        if free and omaps_sent:
            issued = 1
            _end_step(s, k, job)

    s.ahead[k] -= 1 if step_done else 0
    s.in_flight[k] += issued - (1 if answer else 0)
    row_pick.clock(s.pick, k, load, sensitive, places, again, pick)
    fifo_step(s.builds, k, builds, bits & 1, bits >> 2 & 1, bits >> 3 & 1, build_ready)
    fifo_step(s.steps, k, ends, bits & 1, bits >> 1 & 1, bits >> 3 & 1, step_ready)
    if start:
        s.state[k], s.wait[k] = SETTLE, SETTLED
