"""Golden model of the order of the executor's work [Thesis 6.4.2]: which burst meets which features, where rows end."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EnmcConfig
from .formats import Execute, Function
from .special import tag_of

EVENTS = ("starved", "crowded", "with_beat", "after_row", "passed", "cleared", "ones", "continued", "wrapped",
          "unknown_function", "no_bursts")
(STARVED, CROWDED, WITH_BEAT, AFTER_ROW, PASSED, CLEARED, ONES, CONTINUED, WRAPPED,
 UNKNOWN_FUNCTION, NO_BURSTS) = range(len(EVENTS))

FEATURES, MULTIPLY, FINISH, PASS = (int(kind) for kind in Execute)
NONE = int(Function.NONE)
#: Commands that wait.
COMMANDS = 2
#: Cycles from one end of a row to the next at least: each takes three sums of one adder.
SPACING = 3
#: What goes along behind the last beat of a row: its result is wanted, or a record without one.
NO_MARK, MARK_FINISH, MARK_PASS = range(3)
#: Function of a record without exact result, on its way through the special function unit, which adds nothing.
NO_RESULT = 3

#: Fields of a command beside ``label`` and ``score``, in one number.
COUNT_AT, CLEAR_AT, ONES_AT, FUNCTION_AT, BATCH_AT = 2, 18, 19, 20, 22


class ControlState(NamedTuple):
    """Registers [ranks]. ``beat``, ``write``, ``addr``, ``use_ones``, ``first``, ``mark`` and ``burst`` go out."""

    queue: FifoState            # packed command, label, score
    running: np.ndarray
    writes: np.ndarray          # the command is FEATURES
    ones: np.ndarray
    left: np.ndarray
    base: np.ndarray            # vector that the command begins with
    column: np.ndarray          # beat of the row, from 0 again after ``row_bursts``
    fresh: np.ndarray           # the next beat is a row's first
    waiting: np.ndarray         # mark that has not gone along
    spacing: np.ndarray
    beat: np.ndarray
    write: np.ndarray
    addr: np.ndarray
    use_ones: np.ndarray
    first: np.ndarray
    mark: np.ndarray
    burst: np.ndarray           # [ranks, words]
    vectors: np.ndarray         # of the feature buffer
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> ControlState:
    """State after reset."""
    registers = [np.zeros(ranks, np.int64) for _ in range(15)]
    registers[6][:] = 1
    return ControlState(fifo_state(ranks, COMMANDS, 3), *registers, np.zeros((ranks, cfg.burst_words), np.int64),
                        np.full(ranks, cfg.exact_features // cfg.burst_words), np.zeros(len(EVENTS), np.int64))


@jit
def packed(kind, count, clear, ones, function, batch):
    """Fields of a command in one number."""
    return (kind | count << COUNT_AT | int(clear) << CLEAR_AT | int(ones) << ONES_AT | function << FUNCTION_AT
            | batch << BATCH_AT)


@jit
def ready_of(s, k):
    """A command is taken in this cycle."""
    return fifo_ready(s.queue, k)


@jit
def busy_of(s, k):
    """A command, or what it sends on, is inside."""
    return (fifo_valid(s.queue, k) or s.running[k] != 0 or s.waiting[k] != 0 or s.beat[k] != 0 or s.write[k] != 0
            or s.mark[k] != 0)


@jit
def front_ready_of(s, k):
    """The burst in front is taken."""
    blocked = s.left[k] == 1 and s.waiting[k] != 0 and s.spacing[k] != 0
    return s.running[k] != 0 and not blocked


@jit
def tag_valid_of(s, k):
    """Whose result comes next is handed on: fields 0 (score) and 1 (tag) of :func:`tag_field`."""
    return fifo_valid(s.queue, k) and fifo_front(s.queue, k, 0) & 3 >= FINISH and s.waiting[k] == 0


@jit
def tag_field(s, k, field):
    """Score, and label, batch and function as ``golden.enmc.special.tag_of`` has them."""
    if field == 0:
        return fifo_front(s.queue, k, 2)
    command = fifo_front(s.queue, k, 0)
    function = command >> FUNCTION_AT & 3
    if command & 3 == PASS:
        function = NO_RESULT
    elif function == NO_RESULT:
        function = NONE
    return tag_of(fifo_front(s.queue, k, 1), command >> BATCH_AT & 15, function)


@jit
def clock(s, k, i_valid, i, label, score, front_valid, front, row_bursts, new_batch):
    """One clock of rank ``k``; ``i``: :func:`packed`; ``front`` [words] is the burst in front."""
    running, writes, column, waiting, spacing = s.running[k] != 0, s.writes[k], s.column[k], s.waiting[k], s.spacing[k]
    ready, last = front_ready_of(s, k), s.left[k] == 1
    step = front_valid and ready
    end = step and last
    goes = waiting != 0 and spacing == 0 and (not running or end)
    offered, command = fifo_valid(s.queue, k), fifo_front(s.queue, k, 0)
    kind = command & 3
    take_mark = tag_valid_of(s, k)
    take_work = offered and kind < FINISH and (not running or end) and (waiting == 0 or goes)
    s.seen[STARVED] += running and not front_valid
    s.seen[CROWDED] += waiting != 0 and spacing != 0 and (not running or last)
    s.seen[WITH_BEAT] += goes and end
    s.seen[AFTER_ROW] += goes and not end
    s.seen[UNKNOWN_FUNCTION] += take_mark and kind == FINISH and command >> FUNCTION_AT & 3 == NO_RESULT

    s.beat[k], s.write[k], s.first[k] = step and not writes, step and writes, s.fresh[k]
    s.use_ones[k], s.mark[k] = s.ones[k], waiting if goes else NO_MARK
    s.addr[k] = (s.base[k] + (0 if writes else column)) % s.vectors[k]
    if step:
        for word in range(front.shape[0]):
            s.burst[k, word] = front[word]
        s.left[k] -= 1
        if writes:
            s.base[k] = (s.base[k] + 1) % s.vectors[k]
        else:
            wraps = (column + 1) & 0xFFFF == row_bursts
            s.column[k], s.fresh[k] = 0 if wraps else (column + 1) & 0xFFFF, 0
            s.seen[WRAPPED] += wraps and not goes
            s.seen[ONES] += s.ones[k]
    if end:
        s.running[k] = 0
    if spacing:
        s.spacing[k] -= 1
    if goes:
        s.waiting[k], s.spacing[k] = NO_MARK, SPACING - 1
        s.seen[PASSED] += waiting == MARK_PASS
        if waiting == MARK_FINISH:
            s.column[k], s.fresh[k] = 0, 1
    if take_mark:
        s.waiting[k] = MARK_FINISH if kind == FINISH else MARK_PASS
    if take_work:
        _take_work(s, k, command, row_bursts)
    if new_batch:
        s.column[k], s.fresh[k] = 0, 1
    fifo_step(s.queue, k, i_valid, i, label, score, take_mark or take_work)


@jit
def _take_work(s, k, command, row_bursts):
    s.writes[k], s.left[k] = command & 3 == FEATURES, command >> COUNT_AT & 0xFFFF
    s.running[k] = s.left[k] != 0
    s.seen[NO_BURSTS] += s.left[k] == 0
    s.ones[k] = command >> ONES_AT & 1
    s.base[k] = 0 if s.writes[k] else (command >> BATCH_AT & 15) * row_bursts % s.vectors[k]
    if not s.writes[k]:
        s.seen[CONTINUED] += not s.fresh[k] and not command >> CLEAR_AT & 1
        if command >> CLEAR_AT & 1:
            s.column[k], s.fresh[k] = 0, 1
            s.seen[CLEARED] += 1
