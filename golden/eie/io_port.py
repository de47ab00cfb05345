"""Golden model of the I/O port, the I/O mode of the central control unit [EIE IV, "Central Control Unit"].

One stream brings commands and data, the other takes what was read. A bad command sets the sticky error flag
and is skipped up to its TLAST; nothing is written by it. Two beats may wait in front of the port.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EieConfig
from .formats import COMMAND_FIELDS, INBOX_BEATS, READ_LATENCY, Mem, Op, Walk, beats, mem_bits, mem_words

#: States.
COMMAND, CHECK, WRITE, READ, WAIT, SEND, SKIP = range(7)

#: Situations that the tests must reach.
EVENTS = ("write", "read", "clear", "interleaved", "broadcast", "several_beats", "bad_command", "bad_framing",
          "skipped", "reply_stalled")
(EV_WRITE, EV_READ, EV_CLEAR, INTERLEAVED, BROADCAST, SEVERAL_BEATS, BAD_COMMAND, BAD_FRAMING, SKIPPED,
 REPLY_STALLED) = range(len(EVENTS))

#: Positions of the fields in a command.
OP, MEM, WALK, ZERO, PE, ADDR, COUNT = range(len(COMMAND_FIELDS))

_WIDTH = np.array(list(COMMAND_FIELDS.values()))
_LSB = np.cumsum(_WIDTH) - _WIDTH
MAX_BEATS = 8


class Access(NamedTuple):
    """One word on the bus to the memories, valid in the cycle after the call that made it."""

    valid: bool
    op: int
    mem: int
    every: bool
    pe: int
    addr: int


class IoPortState(NamedTuple):
    """``words``, ``beats`` [7]: size of a memory; ``fields`` [7]: the command; ``data`` [8]: the word; others [1]."""

    inbox: FifoState        # beats (data, last) that came in
    words: np.ndarray
    beats: np.ndarray
    n_pe: np.ndarray
    state: np.ndarray
    fields: np.ndarray
    ended: np.ndarray       # TLAST came with the command
    pe: np.ndarray
    addr: np.ndarray
    left: np.ndarray
    beat: np.ndarray
    data: np.ndarray
    wait: np.ndarray
    on_bus: np.ndarray      # 2 when an access stands on the bus, 1 in the next cycle, when it is in the memory
    o_valid: np.ndarray
    o_data: np.ndarray
    o_last: np.ndarray
    error: np.ndarray       # sticky
    seen: np.ndarray


def state(cfg: EieConfig) -> IoPortState:
    """State after reset."""
    words = np.array([mem_words(cfg)[m] for m in Mem], np.int64)
    per_word = np.array([beats(mem_bits(cfg)[m]) for m in Mem], np.int64)

    def register():
        return np.zeros(1, np.int64)

    return IoPortState(
        fifo_state(1, INBOX_BEATS, 2), words, per_word, np.full(1, cfg.n_pe), register(),
        np.zeros(len(COMMAND_FIELDS), np.int64), register(), register(), register(), register(), register(),
        np.zeros(MAX_BEATS, np.int64), register(), register(), register(), register(), register(), register(),
        np.zeros(len(EVENTS), np.int64))


@jit
def is_legal(c, ended, words, n_pe):
    """The rules of a command; ``words`` [7] are the sizes of the memories."""
    if c[OP] > 2 or c[MEM] >= len(words) or c[WALK] > 2 or c[ZERO] != 0 or c[COUNT] == 0:
        return False
    rows = (c[COUNT] + n_pe - 1) // n_pe if c[WALK] == Walk.INTERLEAVED.value else c[COUNT]
    if c[ADDR] + rows > words[c[MEM]]:
        return False
    if c[MEM] == Mem.PROGRAM.value and c[WALK] != Walk.ONE.value:
        return False
    if c[WALK] == Walk.ONE.value and c[MEM] != Mem.PROGRAM.value:
        if c[PE] >= n_pe:
            return False
    elif c[PE] != 0:
        return False
    if c[OP] == Op.READ.value:
        return c[WALK] != Walk.ALL.value and ended != 0
    if c[OP] == Op.CLEAR.value:
        is_file = c[MEM] == Mem.ACT0.value or c[MEM] == Mem.ACT1.value
        return c[WALK] == Walk.ALL.value and is_file and c[ADDR] == 0 and c[COUNT] == 1 and ended != 0
    return not ended


@jit
def ready_of(s):
    """The port accepts a beat in this cycle."""
    return fifo_ready(s.inbox, 0)


@jit
def active_of(s):
    """A command waits or is being carried out."""
    return fifo_valid(s.inbox, 0) or s.state[0] != COMMAND or s.on_bus[0] != 0


@jit
def _advance(s):
    """Address of the next word; the number of words left."""
    c = s.fields
    s.left[0] -= 1
    s.beat[0] = 0
    if c[WALK] == Walk.INTERLEAVED.value and s.pe[0] + 1 < s.n_pe[0]:
        s.pe[0] += 1
    else:
        s.addr[0] += 1
        if c[WALK] == Walk.INTERLEAVED.value:
            s.pe[0] = 0


@jit
def clock(s, engine_idle, clear, i_valid, i_data, i_last, o_ready, answer):
    """One clock. ``answer`` [8] is the word that the bus brings back when ``wait`` ends.

    Returns the :class:`Access` that stands on the bus in the next cycle; the data to write is ``s.data``.
    """
    if clear:
        s.error[0] = 0
    access = Access(False, 0, 0, False, 0, 0)
    here = s.state[0]
    reads = here == WRITE or here == SKIP or (here == COMMAND and engine_idle)
    took = reads and fifo_valid(s.inbox, 0)
    data, last = fifo_front(s.inbox, 0, 0), fifo_front(s.inbox, 0, 1)
    fifo_step(s.inbox, 0, i_valid, i_data, i_last, 0, reads)
    out_free = not s.o_valid[0] or o_ready
    s.seen[REPLY_STALLED] += not out_free
    if out_free:
        s.o_valid[0] = 0
    c = s.fields
    if here == COMMAND:
        if took:
            for i in range(c.shape[0]):
                c[i] = (data >> _LSB[i]) & ((1 << _WIDTH[i]) - 1)
            s.ended[0] = last
            s.state[0] = CHECK
    elif here == CHECK:
        s.pe[0], s.addr[0], s.left[0], s.beat[0] = c[PE], c[ADDR], c[COUNT], 0
        if is_legal(c, s.ended[0], s.words, s.n_pe[0]):
            if c[OP] == Op.CLEAR.value:
                access = Access(True, Op.CLEAR.value, c[MEM], True, 0, 0)
                s.state[0] = COMMAND
            else:
                s.state[0] = READ if c[OP] == Op.READ.value else WRITE
            s.seen[EV_WRITE + c[OP]] += 1
            s.seen[INTERLEAVED] += c[WALK] == Walk.INTERLEAVED.value
            s.seen[BROADCAST] += c[WALK] == Walk.ALL.value
            s.seen[SEVERAL_BEATS] += s.beats[c[MEM]] > 1
        else:
            s.error[0] = 1
            s.state[0] = COMMAND if s.ended[0] else SKIP
            s.seen[BAD_COMMAND] += 1
    elif here == WRITE:
        if took:
            s.data[s.beat[0]] = data
            word_ends = s.beat[0] + 1 == s.beats[c[MEM]]
            all_ends = word_ends and s.left[0] == 1
            if word_ends:
                access = Access(True, Op.WRITE.value, c[MEM], c[WALK] == Walk.ALL.value, s.pe[0], s.addr[0])
                _advance(s)
            else:
                s.beat[0] += 1
            if (last != 0) != all_ends:
                s.error[0] = 1
                s.seen[BAD_FRAMING] += 1
            if last:
                s.state[0] = COMMAND
            elif all_ends:
                s.state[0] = SKIP
    elif here == READ:
        access = Access(True, Op.READ.value, c[MEM], False, s.pe[0], s.addr[0])
        s.wait[0] = READ_LATENCY
        s.state[0] = WAIT
    elif here == WAIT:
        s.wait[0] -= 1
        if s.wait[0] == 0:
            for i in range(MAX_BEATS):
                s.data[i] = answer[i]
            s.state[0] = SEND
    elif here == SEND:
        if out_free:
            s.o_valid[0] = 1
            s.o_data[0] = s.data[s.beat[0]]
            word_ends = s.beat[0] + 1 == s.beats[c[MEM]]
            s.o_last[0] = word_ends and s.left[0] == 1
            if word_ends:
                s.state[0] = COMMAND if s.left[0] == 1 else READ
                _advance(s)
            else:
                s.beat[0] += 1
    else:
        s.seen[SKIPPED] += took
        if took and last:
            s.state[0] = COMMAND
    s.on_bus[0] = 2 if access.valid else max(0, s.on_bus[0] - 1)
    return access
