"""Golden model of the cell unit [Thesis 5.2.2]: elementwise work of an LSTM or a GRU, a pixel of a word at a time."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import cell_lane
from .config import DuetConfig
from .formats import Cell

__all__ = ["EVENTS", "IN_FLIGHT", "READS", "WRITES", "CellState", "apply", "busy_of", "clock", "cycles", "state",
           "request_valid_of", "write_valid_of"]

NONE, LSTM, RESET, GRU = (int(op) for op in Cell)
#: Operands in the order in which they are read, and results in the order in which they are written, by operation.
READS = {Cell.LSTM: ("b", "state", "a", "d", "c"), Cell.RESET: ("a", "hidden"), Cell.GRU: ("b", "hidden", "a")}
WRITES = {Cell.LSTM: ("state", "hidden"), Cell.RESET: ("d",), Cell.GRU: ("d",)}
#: Pixels that are read and not yet written.
IN_FLIGHT = 4

#: Situations that the tests must reach.
EVENTS = ("lstm", "reset", "gru", "nothing", "part_of_lanes", "next_word", "waits_for_results", "request_waits",
          "write_waits", "clipped", "answer_beside_write")
(LSTM_SEEN, RESET_SEEN, GRU_SEEN, NOTHING, PART_OF_LANES, NEXT_WORD, WAITS_FOR_RESULTS, REQUEST_WAITS, WRITE_WAITS,
 CLIPPED, ANSWER_BESIDE_WRITE) = range(len(EVENTS))

A, B, C, D, STATE, HIDDEN = range(6)
_FIELDS = {"a": A, "b": B, "c": C, "d": D, "state": STATE, "hidden": HIDDEN}
#: The same as tables, [operation, step].
_READS, _WRITES = np.zeros((4, 5), np.int64), np.zeros((4, 2), np.int64)
_STEPS, _PARTS = np.zeros(4, np.int64), np.zeros(4, np.int64)
for _op, _names in READS.items():
    _READS[_op, :len(_names)] = [_FIELDS[name] for name in _names]
    _STEPS[_op] = len(_names)
for _op, _names in WRITES.items():
    _WRITES[_op, :len(_names)] = [_FIELDS[name] for name in _names]
    _PARTS[_op] = len(_names)


def apply(memory, op, length, a, b, c, d, state, hidden):
    """The definition: a job on ``memory`` [words, columns, pixels], in the layout of vectors; changes it."""
    _words, columns, pixels = memory.shape
    e = np.arange(length)
    place = e // (columns * pixels), e % columns, e // columns % pixels

    def of(base):
        return memory[base + place[0], place[1], place[2]]

    def put(base, values):
        memory[base + place[0], place[1], place[2]] = values

    if op == Cell.LSTM:
        after = cell_lane.lstm_array(of(a), of(b), of(c), of(d), of(state))
        put(state, after[0])
        put(hidden, after[1])
    elif op == Cell.RESET:
        put(d, cell_lane.reset_array(of(a), of(hidden)))
    elif op == Cell.GRU:
        put(d, cell_lane.gru_array(of(a), of(b), of(hidden)))


def cycles(op: Cell, pixels: int) -> int:
    """Cycles of ``busy`` of a job of at least 10 pixels whose ports are never busy with others."""
    drain = {Cell.LSTM: 11, Cell.RESET: 7, Cell.GRU: 7 if pixels % IN_FLIGHT in (1, 2) else 6}[op]
    return (len(READS[op]) + len(WRITES[op])) * pixels + drain


class CellState(NamedTuple):
    """Registers [lanes], unless a shape is given.

    ``r_*``: next request, ``x_*``: next answer, ``w_*``: next write. ``results`` [lanes, 2, IN_FLIGHT, columns]: first
    results and hidden states of the pixels under way, in rings; ``level`` [lanes, 2]: how many of them wait.
    """

    busy: np.ndarray
    r_left: np.ndarray          # pixels
    r_step: np.ndarray
    r_pixel: np.ndarray
    r_word: np.ndarray
    in_flight: np.ndarray
    r_valid: np.ndarray
    r_addr: np.ndarray
    x_step: np.ndarray
    x_pixel: np.ndarray
    x_slot: np.ndarray
    operands: np.ndarray        # [lanes, 5, columns]
    done: np.ndarray            # bit k: the last operand of a pixel came k + 1 cycles ago
    results: np.ndarray
    level: np.ndarray
    w_left: np.ndarray          # elements
    w_part: np.ndarray
    w_pixel: np.ndarray
    w_word: np.ndarray
    w_slot: np.ndarray
    w_valid: np.ndarray
    w_final: np.ndarray
    w_addr: np.ndarray
    w_mask: np.ndarray          # [lanes, values]
    w_data: np.ndarray          # [lanes, values]
    w_none: np.ndarray          # [lanes, values], zeros: no map is written
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> CellState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    columns, values = cfg.columns, cfg.values
    return CellState(*(zeros() for _ in range(11)), zeros(5, columns), zeros(), zeros(2, IN_FLIGHT, columns), zeros(2),
                     *(zeros() for _ in range(8)), zeros(values), zeros(values), zeros(values),
                     np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, k):
    """A job is under way."""
    return s.busy[k] != 0


@jit
def request_valid_of(s, k):
    """A request is offered in this cycle."""
    return s.r_valid[k] != 0


@jit
def write_valid_of(s, k):
    """A write is offered in this cycle."""
    return s.w_valid[k] != 0


@jit
def _answer(s, k, op, data):
    """A word has come: its pixel is the next operand; with the last one the results are worked out."""
    columns, step, slot = s.operands.shape[2], s.x_step[k], s.x_slot[k]
    pixels = data.shape[0] // columns
    last = step + 1 == _STEPS[op]
    for column in range(columns):
        s.operands[k, step, column] = data[column * pixels + s.x_pixel[k]]
        if last:
            _compute(s, k, op, column, slot)
    s.x_step[k] = 0 if last else step + 1
    if last:
        s.x_pixel[k], s.x_slot[k] = (s.x_pixel[k] + 1) % pixels, (slot + 1) % IN_FLIGHT
    s.seen[ANSWER_BESIDE_WRITE] += s.w_valid[k]
    return last


@jit
def _compute(s, k, op, column, slot):
    v = s.operands[k]
    if op == LSTM:
        value, clipped = cell_lane.lstm_state(v[2, column], v[0, column], v[4, column], v[1, column])
        s.results[k, 0, slot, column] = value
        s.results[k, 1, slot, column] = cell_lane.lstm_hidden(v[3, column], value)
    elif op == RESET:
        s.results[k, 1, slot, column], clipped = cell_lane.reset(v[0, column], v[1, column])
    else:
        s.results[k, 1, slot, column], clipped = cell_lane.gru(v[2, column], v[0, column], v[1, column])
    s.seen[CLIPPED] += clipped


@jit
def _load_write(s, k, op, bases):
    """The next results go into the write register."""
    columns, part = s.operands.shape[2], s.w_part[k]
    pixels, left, pixel = s.w_mask.shape[1] // columns, s.w_left[k], s.w_pixel[k]
    last = part + 1 == _PARTS[op]
    queue = 0 if op == LSTM and part == 0 else 1
    s.w_valid[k], s.w_final[k] = 1, last and left <= columns
    s.w_addr[k] = bases[_WRITES[op, part]] + s.w_word[k] & 0xFFFF
    for column in range(columns):
        value = s.results[k, queue, s.w_slot[k], column]
        for at in range(pixels):
            s.w_mask[k, column * pixels + at] = column < left and at == pixel
            s.w_data[k, column * pixels + at] = value
    s.level[k, queue] -= 1
    s.w_part[k] = 0 if last else 1
    s.seen[PART_OF_LANES] += left < columns
    if last:
        s.w_left[k] = max(left - columns, 0)
        s.w_slot[k] = (s.w_slot[k] + 1) % IN_FLIGHT
        s.w_pixel[k] = (pixel + 1) % pixels
        s.w_word[k] += pixel + 1 == pixels
    return last


@jit
def _load_request(s, k, op, bases):
    """The next operand is asked for; returns whether it is the first of its pixel."""
    step, pixels = s.r_step[k], s.w_mask.shape[1] // s.operands.shape[2]
    s.r_valid[k], s.r_addr[k] = 1, bases[_READS[op, step]] + s.r_word[k] & 0xFFFF
    last = step + 1 == _STEPS[op]
    s.r_step[k] = 0 if last else step + 1
    if last:
        s.r_left[k] -= 1
        s.seen[NEXT_WORD] += s.r_pixel[k] + 1 == pixels and s.r_left[k] > 0
        s.r_word[k] += s.r_pixel[k] + 1 == pixels
        s.r_pixel[k] = (s.r_pixel[k] + 1) % pixels
    return step == 0


@jit
def _slot(s, k, op, bases, request_ready, write_ready):
    """A request or a write is offered, never both: results that are there go first."""
    waits = s.r_valid[k] and not request_ready or s.w_valid[k] and not write_ready
    s.seen[REQUEST_WAITS] += s.r_valid[k] and not request_ready
    s.seen[WRITE_WAITS] += s.w_valid[k] and not write_ready
    if s.w_valid[k] and write_ready and s.w_final[k]:
        s.busy[k] = s.done[k] = 0
    if waits:
        return
    s.r_valid[k] = s.w_valid[k] = s.w_final[k] = 0
    if s.level[k, 0 if op == LSTM and s.w_part[k] == 0 else 1]:
        s.in_flight[k] -= _load_write(s, k, op, bases)
    elif s.r_left[k]:
        if s.r_step[k] or s.in_flight[k] < IN_FLIGHT:
            s.in_flight[k] += _load_request(s, k, op, bases)
        else:
            s.seen[WAITS_FOR_RESULTS] += 1


@jit
def clock(s, k, start, op, length, bases, request_ready, valid, data, write_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    op, length, bases
        Job: its addresses [6] in the order a, b, c, d, state, hidden. Constant from ``start`` on.
    valid, data
        Answer of the global buffer, [values].
    """
    columns = s.operands.shape[2]
    _slot(s, k, op, bases, request_ready, write_ready)
    done = s.done[k]
    s.level[k, 0 if op == LSTM else 1] += done >> cell_lane.RESULT_LATENCY - 1 & 1
    s.level[k, 1] += op == LSTM and done >> cell_lane.HIDDEN_LATENCY - 1 & 1
    s.done[k] = done << 1 & (1 << cell_lane.HIDDEN_LATENCY) - 1
    if valid:
        s.done[k] |= _answer(s, k, op, data)
    if start:
        s.seen[NOTHING] += op == NONE or length == 0
        s.seen[LSTM_SEEN] += op == LSTM
        s.seen[RESET_SEEN] += op == RESET
        s.seen[GRU_SEEN] += op == GRU
        s.busy[k] = op != NONE and length > 0
        s.r_left[k] = (length + columns - 1) // columns if op != NONE else 0
        s.w_left[k] = length
        s.r_pixel[k] = s.r_word[k] = s.x_pixel[k] = s.w_pixel[k] = s.w_word[k] = 0
