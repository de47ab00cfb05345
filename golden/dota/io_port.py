"""Golden model of the stream port of the chip: commands and data in, words out [Thesis 7.6.1, Fig. 7.11].

A bad command sets the sticky error flag and is skipped up to its TLAST; nothing is written or started by it. Two
beats may wait in front of the port. Words are arrays of unsigned 32-bit units, low first.
"""

from typing import NamedTuple

import numpy as np

from golden.common.beats import (
    BeatsState,
    beats_data,
    beats_last,
    beats_ready,
    beats_state,
    beats_step,
    beats_valid,
)
from golden.common.fields import beats_of
from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import DotaConfig
from .formats import (
    BEAT_BITS,
    COMMAND_FIELDS,
    INBOX_BEATS,
    READ_LATENCY,
    START_LATENCY,
    STEP_BITS,
    STEP_FIELDS,
    UNIT_BITS,
    Op,
)

#: States.
COMMAND, CHECK, WRITE, STEP, VERIFY, SETTLE, READ, SKIP = range(8)

#: Situations that the tests must reach.
EVENTS = ("write", "read", "run", "all_lanes", "several_words", "bad_command", "bad_framing", "bad_step", "skipped",
          "results", "reply_stalled", "read_ahead", "waits_for_lane", "beside_others", "read_waits_for_sums",
          "step_waits_for_sums")
(EV_WRITE, EV_READ, EV_RUN, ALL_LANES, SEVERAL_WORDS, BAD_COMMAND, BAD_FRAMING, BAD_STEP, SKIPPED, RESULTS,
 REPLY_STALLED, READ_AHEAD, WAITS, BESIDE, READ_WAITS, STEP_WAITS) = range(len(EVENTS))

#: Positions of the fields in a command.
OP, ZERO, LANES, ADDR, COUNT, ZERO_HIGH = range(len(COMMAND_FIELDS))

_WIDTH = np.array(list(COMMAND_FIELDS.values()))
_LSB = np.cumsum(_WIDTH) - _WIDTH
STEP_BEATS = STEP_BITS // BEAT_BITS
_STEP_MASK = (1 << STEP_FIELDS["step"]) - 1
_STEP_LSB = {name: sum(list(STEP_FIELDS.values())[:k]) for k, name in enumerate(STEP_FIELDS)}
(_PAD_LSB, _REDUCE_LSB, _WIDE_LSB, _SHIFT_LSB, _RELU_LSB) = (_STEP_LSB[name] for name in ("pad", "reduce", "wide",
                                                                                          "shift", "relu"))
_PAD_MASK, _SHIFT_MASK = ((1 << STEP_FIELDS[name]) - 1 for name in ("pad", "shift"))
#: What the accumulator and the output unit must know of a step with ``reduce``.
LANES_ON, WIDE, SHIFT, RELU = range(4)
_UNIT_MASK = (1 << UNIT_BITS) - 1


class IoPortState(NamedTuple):
    """One port; registers are [1] if not said otherwise."""

    inbox: FifoState            # beats (data, last) that came in
    replies: BeatsState         # words on their way out
    state: np.ndarray
    fields: np.ndarray          # [6], the command
    ended: np.ndarray           # TLAST came with it
    addr: np.ndarray
    left: np.ndarray            # words that are still to come or to be read
    beat: np.ndarray            # of a word or step
    wait: np.ndarray            # cycles until an answer is sampled, or until ``busy`` counts
    word: np.ndarray            # [units], ``wdata`` or what was read
    word_full: np.ndarray       # it was read and not handed on yet
    word_last: np.ndarray
    access_valid: np.ndarray    # the bus to the lanes ...
    access_write: np.ndarray
    access_lanes: np.ndarray
    access_addr: np.ndarray
    in_lane: np.ndarray         # ... and, a cycle later, the registers behind it
    start: np.ndarray           # mask of lanes
    step: np.ndarray            # [5], beats as two's complement
    reduction: np.ndarray       # [4], of the last step with ``reduce``: lanes, wide, shift, relu
    reducing: np.ndarray        # lanes in which it still runs
    error: np.ndarray           # sticky
    size: np.ndarray            # [2], words of a lane, lanes
    seen: np.ndarray


def state(cfg: DotaConfig) -> IoPortState:
    """State after reset."""
    def zeros(width=1):
        return np.zeros(width, np.int64)

    return IoPortState(
        inbox=fifo_state(1, INBOX_BEATS, 2), replies=beats_state(1, beats_of(cfg.word_bits, BEAT_BITS)), state=zeros(),
        fields=zeros(len(COMMAND_FIELDS)), ended=zeros(), addr=zeros(), left=zeros(), beat=zeros(), wait=zeros(),
        word=zeros(cfg.units_per_word), word_full=zeros(), word_last=zeros(), access_valid=zeros(),
        access_write=zeros(), access_lanes=zeros(), access_addr=zeros(), in_lane=zeros(), start=zeros(),
        step=zeros(STEP_BEATS), reduction=zeros(4), reducing=zeros(), error=zeros(),
        size=np.array([cfg.words, cfg.lanes]), seen=zeros(len(EVENTS)))


@jit
def is_legal(c, ended, words, lanes):
    """The rules of a command; ``words`` of a lane, ``lanes`` of the chip."""
    mask = c[LANES]
    if c[OP] > Op.RUN.value or c[ZERO] != 0 or c[ZERO_HIGH] != 0 or mask == 0 or mask >> lanes != 0:
        return False
    if c[COUNT] == 0 or c[ADDR] + c[COUNT] > words:
        return False
    if c[OP] == Op.READ.value:
        return mask & (mask - 1) == 0 and ended != 0
    if c[OP] == Op.RUN.value and (c[ADDR] != 0 or c[COUNT] != 1):
        return False
    return not ended


@jit
def is_legal_step(step):
    """The rules of a step that the port looks at; ``step`` [5] are its beats."""
    return step[0] & _STEP_MASK != 0 and step[0] >> _PAD_LSB & _PAD_MASK == 0


@jit
def reduces(step):
    """The step uses the accumulator and the way out; ``step`` [5] are its beats."""
    return step[0] >> _REDUCE_LSB & 1 != 0


@jit
def ready_of(s):
    """A beat is accepted in this cycle."""
    return fifo_ready(s.inbox, 0)


@jit
def results_ready_of(s):
    """A word of the accumulator is accepted in this cycle."""
    return s.state[0] != READ and beats_ready(s.replies, 0)


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
    return fifo_valid(s.inbox, 0) or s.state[0] != COMMAND or s.access_valid[0] != 0 or s.in_lane[0] != 0


@jit
def _reply(s, results_valid, results_word, results_last, o_ready):
    """One clock of what goes out; whether the word that was read is handed on."""
    reading = s.state[0] == READ
    offers = s.word_full[0] != 0 if reading else results_valid
    last = s.word_last[0] if reading else results_last
    s.seen[REPLY_STALLED] += valid_of(s) and not o_ready
    takes = beats_step(s.replies, 0, offers, last, o_ready)
    if takes:
        for i in range(s.replies.word.shape[1]):
            s.replies.word[0, i] = 0
        for i in range(s.word.shape[0]):
            unit = s.word[i] if reading else results_word[i]
            s.replies.word[0, i // 2] |= unit << UNIT_BITS * (i % 2)
        s.seen[RESULTS] += not reading
    return takes and reading


@jit
def _put_on_bus(s, write):
    """The next word of the command goes over the bus to the lanes."""
    s.access_valid[0], s.access_write[0] = 1, write
    s.access_lanes[0], s.access_addr[0] = s.fields[LANES], s.addr[0]
    s.addr[0] += 1
    s.left[0] -= 1


@jit
def _check(s, busy):
    """State CHECK: what becomes of the command; it waits until its lanes are done, a READ for a ``reduce`` too."""
    c = s.fields
    s.addr[0], s.left[0], s.beat[0] = c[ADDR], c[COUNT], 0
    if not is_legal(c, s.ended[0], s.size[0], s.size[1]):
        s.error[0] = 1
        s.state[0] = COMMAND if s.ended[0] else SKIP
        s.seen[BAD_COMMAND] += 1
        return
    if busy & c[LANES]:
        s.seen[WAITS] += 1
        return
    if c[OP] == Op.READ.value and busy & s.reducing[0]:
        s.seen[READ_WAITS] += 1
        return
    s.seen[BESIDE] += busy != 0
    s.state[0] = READ if c[OP] == Op.READ.value else STEP if c[OP] == Op.RUN.value else WRITE
    s.seen[EV_WRITE + c[OP]] += 1
    s.seen[ALL_LANES] += c[LANES] == (1 << s.size[1]) - 1
    s.seen[SEVERAL_WORDS] += c[COUNT] > 1


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
    word_ends = s.beat[0] + 1 == s.replies.word.shape[1]
    all_ends = word_ends and s.left[0] == 1
    for i in range(2):
        unit = 2 * s.beat[0] + i
        if unit < s.word.shape[0]:
            s.word[unit] = data >> UNIT_BITS * i & _UNIT_MASK
    s.beat[0] = 0 if word_ends else s.beat[0] + 1
    if word_ends:
        _put_on_bus(s, 1)
    _framed(s, last, all_ends, COMMAND)


@jit
def _verify(s, busy):
    """State VERIFY: the step starts, if it is legal; one with ``reduce`` waits until the one before is over."""
    if not is_legal_step(s.step):
        s.error[0] = 1
        s.state[0] = COMMAND
        s.seen[BAD_STEP] += 1
        return
    if reduces(s.step):
        if busy & s.reducing[0]:
            s.seen[STEP_WAITS] += 1
            return
        lanes, beat = s.fields[LANES], s.step[0]
        s.reducing[0] = s.reduction[LANES_ON] = lanes
        s.reduction[WIDE], s.reduction[RELU] = beat >> _WIDE_LSB & 1, beat >> _RELU_LSB & 1
        s.reduction[SHIFT] = beat >> _SHIFT_LSB & _SHIFT_MASK
    s.start[0] = s.fields[LANES]
    s.wait[0] = START_LATENCY
    s.state[0] = SETTLE


@jit
def _read(s, answer, handed):
    """State READ: the next word is read as soon as this one is handed on."""
    waits = s.wait[0]
    if handed:
        s.word_full[0] = 0
        if s.word_last[0]:
            s.state[0] = COMMAND
    if waits > 0:
        s.wait[0] -= 1
    if waits == 1:
        for i in range(s.word.shape[0]):
            s.word[i] = answer[i]
        s.word_full[0], s.word_last[0] = 1, s.left[0] == 0
    if waits == 0 and s.left[0] > 0 and not s.word_full[0]:
        _put_on_bus(s, 0)
        s.wait[0] = READ_LATENCY + 1
        s.seen[READ_AHEAD] += handed


@jit
def clock(s, busy, clear, i_valid, i_data, i_last, results_valid, results_word, results_last, o_ready, answer):
    """One clock; the bus, ``start`` and ``step`` of the next cycle are in the state afterwards.

    ``busy`` has a bit for each lane; ``results_word`` and ``answer`` are words, [units]; ``i_data`` is 64 bits as two's
    complement.
    """
    if clear:
        s.error[0] = 0
    here = s.state[0]
    reads = here == WRITE or here == STEP or here == SKIP or here == COMMAND
    took = reads and fifo_valid(s.inbox, 0)
    data, last = fifo_front(s.inbox, 0, 0), fifo_front(s.inbox, 0, 1)
    fifo_step(s.inbox, 0, i_valid, i_data, i_last, 0, reads)
    handed = _reply(s, results_valid, results_word, results_last, o_ready)
    s.in_lane[0], s.access_valid[0], s.start[0] = s.access_valid[0], 0, 0
    if here != SETTLE:      # `busy` does not count yet
        s.reducing[0] &= busy
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
    elif here == STEP:
        if took:
            s.step[s.beat[0]] = data
            all_ends = s.beat[0] + 1 == STEP_BEATS
            s.beat[0] = 0 if all_ends else s.beat[0] + 1
            _framed(s, last, all_ends, VERIFY)
    elif here == VERIFY:
        _verify(s, busy)
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
