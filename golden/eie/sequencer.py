"""Golden model of the sequencer, the computing mode of the central control unit [EIE IV, "Central Control Unit"].

It runs one pass after another: tells the PEs to scan (and load), broadcasts the non-zero activations that the
quadtree delivers, then the bias column, waits until the PEs are done, and stores or swaps. Consecutive input
passes of one output do not wait for each other. A refused pass ends the program, once the PEs are done with the
passes before it.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap
from golden.common.jit import jit
from golden.common.skid import SkidState, skid_field, skid_ready, skid_state, skid_step, skid_valid

from . import program as pr
from .formats import CAUSES
from .lnzd import INDEX, LAST, NULL, VALUE

#: States.
IDLE, DISPATCH, RUN, BIAS, DRAIN, STORE = range(6)

#: Positions in :data:`golden.eie.formats.CAUSES`.
BROADCASTS, STALL_QUEUE, STALL_LNZD, STALL_DRAIN, STALL_STORE, CONTROL = range(len(CAUSES))

#: Situations that the tests must reach.
EVENTS = ("null_pass", "pass_follows_undrained", "bias_waits", "swap", "store", "refused_pass", "refused_start",
          "bias_without_element", "refused_undrained")
(NULL_PASS, FOLLOWS_UNDRAINED, BIAS_WAITS, SWAP, STORED, REFUSED_PASS, REFUSED_START,
 BIAS_ALONE, REFUSED_UNDRAINED) = range(len(EVENTS))


class SequencerState(NamedTuple):
    """Registers, [1]; ``desc`` [17] is the pass that runs, ``skid`` keeps a token of the root."""

    state: np.ndarray
    desc: np.ndarray
    skid: SkidState
    started: np.ndarray     # the start was accepted in the cycle before
    last_pass: np.ndarray
    refused: np.ndarray     # the pass of this number
    number: np.ndarray      # of the pass
    role: np.ndarray        # register file that is the source
    scan: np.ndarray        # commands to the PEs
    clear: np.ndarray
    load: np.ndarray
    store: np.ndarray
    base: np.ndarray
    rows: np.ndarray
    b_valid: np.ndarray     # broadcast register
    b_column: np.ndarray
    b_value: np.ndarray
    wait: np.ndarray
    done: np.ndarray
    program_error: np.ndarray
    start_error: np.ndarray
    any_sent: np.ndarray    # bookkeeping of the coverage
    seen: np.ndarray


def state() -> SequencerState:
    """State after reset."""
    registers = [np.zeros(1, np.int64) for _ in range(len(SequencerState._fields) - 3)]
    registers[1:1] = np.zeros(len(pr.PASS_FIELDS), np.int64), skid_state(1, 4)
    return SequencerState(*registers, np.zeros(len(EVENTS), np.int64))


@jit
def may_broadcast(s, room, room_2):
    """All queues have room for one more: ``room``, or ``room_2`` for two while one is on its way."""
    return room_2 if s.b_valid[0] else room


@jit
def cause_of(s, room, room_2, i_valid):
    """Index into CAUSES of the current cycle, which is not IDLE."""
    if s.b_valid[0]:
        return BROADCASTS
    if s.state[0] == BIAS or (s.state[0] == RUN and skid_valid(s.skid, 0, i_valid)):
        return STALL_LNZD if may_broadcast(s, room, room_2) else STALL_QUEUE
    if s.state[0] == RUN:
        return STALL_LNZD
    if s.state[0] == DRAIN:
        return STALL_DRAIN
    if s.state[0] == STORE:
        return STALL_STORE
    return CONTROL


@jit
def takes_pass(s, p):
    """The pass at the output of the program reader is taken in this cycle."""
    return s.state[0] == DISPATCH and p.valid[0]


@jit
def ready_of(s):
    """The token at the root of the quadtree is taken in this cycle, if there is one."""
    return skid_ready(s.skid, 0)


@jit
def clock(s, p, start, clear, io_active, room, room_2, any_busy, i_valid, i_index, i_value, i_null, i_last,
          ptr_words, bits):
    """One clock. ``p``: program reader before its clock; ``i_*``: root of the quadtree; ``room``, ``room_2``: all
    queues have room for one or two activations; ``any_busy``: some PE still works; ``bits``: width of an activation."""
    pushing = s.b_valid[0]
    free = may_broadcast(s, room, room_2)
    s.b_valid[0] = 0
    taken = s.state[0] == RUN and free
    t_valid = skid_valid(s.skid, 0, i_valid)
    t_index, t_value = skid_field(s.skid, 0, INDEX, i_index), skid_field(s.skid, 0, VALUE, i_value)
    t_null, t_last = skid_field(s.skid, 0, NULL, i_null), skid_field(s.skid, 0, LAST, i_last)
    if skid_step(s.skid, 0, i_valid, taken):
        s.skid.item[0, INDEX] = i_index
        s.skid.item[0, VALUE] = i_value
        s.skid.item[0, NULL] = i_null
        s.skid.item[0, LAST] = i_last
    s.scan[0] = s.clear[0] = s.load[0] = s.store[0] = 0
    s.started[0] = start and s.state[0] == IDLE and not io_active
    if clear:
        s.program_error[0] = s.start_error[0] = 0
    if start and not s.started[0]:
        s.start_error[0] = 1
        s.seen[REFUSED_START] += 1
    d = s.desc
    end_pass = False

    if s.state[0] == IDLE:
        if s.started[0]:
            s.state[0] = DISPATCH
            s.role[0] = 0
            s.number[0] = 0
            s.refused[0] = 0
            s.done[0] = 0
    elif s.state[0] == DISPATCH:
        if p.valid[0]:
            if p.illegal[0]:
                s.program_error[0] = 1
                s.refused[0] = 1
                s.state[0] = DRAIN
                s.seen[REFUSED_PASS] += 1
                s.seen[REFUSED_UNDRAINED] += pushing or any_busy
            else:
                for i in range(d.shape[0]):
                    d[i] = p.fields[i]
                s.last_pass[0] = p.last[0]
                s.scan[0] = 1
                s.clear[0] = d[pr.CLEAR]
                s.load[0] = d[pr.LOAD]
                s.base[0] = d[pr.IN_BASE]
                s.rows[0] = d[pr.IN_ROWS]
                s.state[0] = RUN
                s.any_sent[0] = 0
                s.seen[FOLLOWS_UNDRAINED] += any_busy
    elif s.state[0] == RUN:
        if free and t_valid:
            if not t_null:
                s.b_valid[0] = 1
                s.b_column[0] = (d[pr.COLUMN_BASE] + t_index) % ptr_words
                s.b_value[0] = t_value
                s.any_sent[0] = 1
            if t_last:
                s.seen[NULL_PASS] += not s.any_sent[0]
                s.state[0] = BIAS if d[pr.BIAS] else (DRAIN if d[pr.FINISH] else DISPATCH)
                s.number[0] += not d[pr.BIAS] and not d[pr.FINISH]
    elif s.state[0] == BIAS:
        s.seen[BIAS_WAITS] += not free
        if free:
            s.b_valid[0] = 1
            s.b_column[0] = d[pr.BIAS_COLUMN]
            s.b_value[0] = wrap(d[pr.BIAS_VALUE], bits)
            s.seen[BIAS_ALONE] += not s.any_sent[0]
            s.state[0] = DRAIN if d[pr.FINISH] else DISPATCH
            s.number[0] += not d[pr.FINISH]
    elif s.state[0] == DRAIN:
        if not pushing and not any_busy:
            if s.refused[0]:
                s.state[0] = IDLE
                s.done[0] = 1
            elif d[pr.STORE]:
                s.store[0] = 1
                s.base[0] = d[pr.OUT_BASE]
                s.rows[0] = d[pr.OUT_ROWS]
                s.wait[0] = d[pr.OUT_ROWS] + 1
                s.state[0] = STORE
                s.seen[STORED] += 1
            else:
                end_pass = True
    else:
        s.wait[0] -= 1
        end_pass = s.wait[0] < 0

    if end_pass:
        if d[pr.SWAP]:
            s.role[0] = 1 - s.role[0]
            s.seen[SWAP] += 1
        s.number[0] += 1
        if s.last_pass[0]:
            s.state[0] = IDLE
            s.done[0] = 1
        else:
            s.state[0] = DISPATCH
