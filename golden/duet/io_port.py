"""Golden model of the stream port of the chip: commands and data in, words out [Thesis 5.2.1].

A bad command sets the sticky error flag and is skipped up to its TLAST; nothing is written or started by it. Two
beats may wait in front of the port. Words are arrays of 64-bit beats as two's complement, low first.
"""

from typing import NamedTuple

import numpy as np

from golden.common.beats import (
    BeatsState,
    beats_data,
    beats_last,
    beats_state,
    beats_step,
    beats_valid,
)
from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import DuetConfig
from .formats import (
    COMMAND_FIELDS,
    GLB_LATENCY,
    START_LATENCY,
    Op,
    Target,
    chain_beats,
    target_beats,
    target_words,
)

#: Beats that may wait in front of the port.
INBOX_BEATS = 2

#: States.
COMMAND, CHECK, WRITE, SHIFT, UPDATE, SETTLE, READ, SKIP = range(8)

#: Situations that the tests must reach.
EVENTS = ("write", "read", "run", *(f"to_{target.name.lower()}" for target in Target), "several_words", "bad_command",
          "bad_framing", "skipped", "reply_stalled", "read_ahead", "waits_for_stage", "shifts_beside", "update_waits")
EV_WRITE, TO_GLB = 0, 3
(SEVERAL_WORDS, BAD_COMMAND, BAD_FRAMING, SKIPPED, REPLY_STALLED, READ_AHEAD, WAITS, BESIDE,
 UPDATE_WAITS) = range(TO_GLB + len(Target), len(EVENTS))

#: Positions of the fields in a command.
OP, TARGET, ZERO, ADDR, COUNT, ZERO_HIGH = range(len(COMMAND_FIELDS))

_WIDTH = np.array(list(COMMAND_FIELDS.values()))
_LSB = np.cumsum(_WIDTH) - _WIDTH
_GLB, _MAP = Target.GLB.value, Target.MAP.value
_TARGETS = len(Target)
_WRITE, _READ, _RUN = Op.WRITE.value, Op.READ.value, Op.RUN.value


class IoPortState(NamedTuple):
    """One port; registers are [1] if not said otherwise."""

    inbox: FifoState            # beats (data, last) that came in
    replies: BeatsState         # words on their way out
    state: np.ndarray
    fields: np.ndarray          # [6], the command
    ended: np.ndarray           # TLAST came with it
    addr: np.ndarray
    left: np.ndarray            # words that are still to come or to be read; beats of the chain
    beat: np.ndarray            # of a word
    wait: np.ndarray            # cycles until an answer is sampled, or until ``busy`` counts
    word: np.ndarray            # [beats of the widest word], ``wdata`` or what was read
    word_full: np.ndarray       # it was read and not handed on yet
    word_last: np.ndarray
    access_valid: np.ndarray    # the bus to the memories
    access_write: np.ndarray
    access_target: np.ndarray
    access_addr: np.ndarray
    shift: np.ndarray           # a beat goes into the scan chain ...
    chain: np.ndarray           # ... this one
    update: np.ndarray          # what is in the chain holds from now on
    error: np.ndarray           # sticky
    words: np.ndarray           # [6], words of every target
    beats: np.ndarray           # [6], beats of its words
    seen: np.ndarray


def state(cfg: DuetConfig) -> IoPortState:
    """State after reset."""
    def zeros(width=1):
        return np.zeros(width, np.int64)

    beats = np.array(list(target_beats(cfg).values()))
    return IoPortState(
        inbox=fifo_state(1, INBOX_BEATS, 2), replies=beats_state(1, int(beats[_GLB])), state=zeros(),
        fields=zeros(len(COMMAND_FIELDS)), ended=zeros(), addr=zeros(), left=zeros(), beat=zeros(), wait=zeros(),
        word=zeros(int(beats.max())), word_full=zeros(), word_last=zeros(), access_valid=zeros(), access_write=zeros(),
        access_target=zeros(), access_addr=zeros(), shift=zeros(), chain=zeros(), update=zeros(), error=zeros(),
        words=np.array([*target_words(cfg).values(), chain_beats(cfg)]), beats=beats, seen=zeros(len(EVENTS)))


@jit
def is_legal(c, ended, words):
    """The rules of a command; ``words`` of every target, and beats of the scan chain."""
    if c[OP] > _RUN or c[ZERO] != 0 or c[ZERO_HIGH] != 0 or c[COUNT] == 0:
        return False
    if c[OP] == _RUN:
        return c[TARGET] == 0 and c[ADDR] == 0 and c[COUNT] == words[_TARGETS] and not ended
    if c[TARGET] >= _TARGETS or c[ADDR] + c[COUNT] > words[c[TARGET]]:
        return False
    if c[OP] == _READ:
        return c[TARGET] <= _MAP and ended != 0
    return not ended


@jit
def ready_of(s):
    """A beat is accepted in this cycle."""
    return fifo_ready(s.inbox, 0)


@jit
def valid_of(s):
    """A beat is offered to the host."""
    return beats_valid(s.replies, 0)


@jit
def data_of(s):
    """Its data, 64 bits as two's complement."""
    return beats_data(s.replies, 0)


@jit
def last_of(s):
    """Its TLAST."""
    return beats_last(s.replies, 0)


@jit
def active_of(s):
    """A command waits or is being carried out."""
    return fifo_valid(s.inbox, 0) or s.state[0] != COMMAND or s.access_valid[0] != 0


@jit
def _reply(s, o_ready):
    """One clock of what goes out; whether the word that was read is handed on."""
    s.seen[REPLY_STALLED] += valid_of(s) and not o_ready
    takes = beats_step(s.replies, 0, s.word_full[0] != 0, s.word_last[0], o_ready)
    if takes:
        for i in range(s.replies.word.shape[1]):
            s.replies.word[0, i] = s.word[i]
    return takes


@jit
def _put_on_bus(s, write):
    """The next word of the command goes over the bus to its memory."""
    s.access_valid[0], s.access_write[0] = 1, write
    s.access_target[0], s.access_addr[0] = s.fields[TARGET], s.addr[0]
    s.addr[0] += 1
    s.left[0] -= 1


@jit
def _check(s, busy):
    """State CHECK: what becomes of the command; all but RUN wait until no stage runs."""
    c = s.fields
    s.addr[0], s.left[0], s.beat[0] = c[ADDR], c[COUNT], 0
    if not is_legal(c, s.ended[0], s.words):
        s.error[0] = 1
        s.state[0] = COMMAND if s.ended[0] else SKIP
        s.seen[BAD_COMMAND] += 1
        return
    if busy and c[OP] != _RUN:
        s.seen[WAITS] += 1
        return
    s.state[0] = READ if c[OP] == _READ else SHIFT if c[OP] == _RUN else WRITE
    s.seen[EV_WRITE + c[OP]] += 1
    s.seen[TO_GLB + c[TARGET]] += c[OP] != _RUN
    s.seen[SEVERAL_WORDS] += c[OP] != _RUN and c[COUNT] > 1
    s.seen[BESIDE] += busy


@jit
def _framed(s, last, all_ends, after):
    """Where a data beat leads: ``after`` the last one, if TLAST is where it belongs."""
    if (last != 0) != all_ends:
        s.error[0] = 1
        s.seen[BAD_FRAMING] += 1
    if last:
        s.state[0] = after if all_ends else COMMAND
    elif all_ends:
        s.state[0] = SKIP


@jit
def _write(s, data, last):
    """State WRITE: a data beat."""
    word_ends = s.beat[0] + 1 == s.beats[s.fields[TARGET]]
    all_ends = word_ends and s.left[0] == 1
    s.word[s.beat[0]] = data
    s.beat[0] = 0 if word_ends else s.beat[0] + 1
    if word_ends:
        _put_on_bus(s, 1)
    _framed(s, last, all_ends, COMMAND)


@jit
def _read(s, answer, handed):
    """State READ: the next word is read as soon as this one is handed on; ``answer`` [beats of a word]."""
    waits = s.wait[0]
    if handed:
        s.word_full[0] = 0
        if s.word_last[0]:
            s.state[0] = COMMAND
    if waits > 0:
        s.wait[0] -= 1
    if waits == 1:
        for i in range(s.replies.word.shape[1]):
            s.word[i] = answer[i]
        s.word_full[0], s.word_last[0] = 1, s.left[0] == 0
    if waits == 0 and s.left[0] > 0 and not s.word_full[0]:
        _put_on_bus(s, 0)
        s.wait[0] = GLB_LATENCY + 1
        s.seen[READ_AHEAD] += handed


@jit
def clock(s, busy, clear, i_valid, i_data, i_last, o_ready, answer):
    """One clock; bus, chain and ``update`` of the next cycle are in the state afterwards.

    ``answer`` [beats of a word of the global buffer]; ``i_data`` is 64 bits as two's complement.
    """
    if clear:
        s.error[0] = 0
    here = s.state[0]
    reads = here == WRITE or here == SHIFT or here == SKIP or here == COMMAND
    took = reads and fifo_valid(s.inbox, 0)
    data, last = fifo_front(s.inbox, 0, 0), fifo_front(s.inbox, 0, 1)
    fifo_step(s.inbox, 0, i_valid, i_data, i_last, 0, reads)
    handed = _reply(s, o_ready)
    s.access_valid[0] = s.shift[0] = s.update[0] = 0
    if here == COMMAND:
        if took:
            for i in range(s.fields.shape[0]):
                s.fields[i] = data >> _LSB[i] & ((1 << _WIDTH[i]) - 1)
            s.ended[0] = last
            s.state[0] = CHECK
    elif here == CHECK:
        _check(s, busy)
    elif here == WRITE:
        if took:
            _write(s, data, last)
    elif here == SHIFT:
        if took:
            s.shift[0], s.chain[0] = 1, data
            all_ends = s.left[0] == 1
            s.left[0] -= 1
            _framed(s, last, all_ends, UPDATE)
    elif here == UPDATE:
        if busy:
            s.seen[UPDATE_WAITS] += 1
        else:
            s.update[0], s.wait[0], s.state[0] = 1, START_LATENCY, SETTLE
    elif here == SETTLE:
        s.wait[0] -= 1
        if s.wait[0] == 0:
            s.state[0] = COMMAND
    elif here == READ:
        _read(s, answer, handed)
    else:
        s.seen[SKIPPED] += took
        if took and last:
            s.state[0] = COMMAND
