"""Golden model of the store [Thesis 5.1.2, 5.2.1]: partial sums become values, and go to the global buffer with their
map bits, row by row.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import activation, store_row
from .config import DuetConfig
from .formats import Function, Kind

__all__ = ["EVENTS", "LATENCY", "VECTOR_LATENCY", "WAITING", "StoreState", "busy_of", "clock", "drain_ready_of",
           "group_values", "ready_of", "saturated_of", "state", "store_group", "tile_done_of", "write_valid_of"]

#: Cycles from the last sums of a group until its first row is offered: of a convolution, of a vector.
LATENCY = 6
VECTOR_LATENCY = LATENCY + activation.LATENCY
#: Groups that wait.
WAITING = 2

#: Situations that the tests must reach.
EVENTS = ("clipped", "relu_zero", "insensitive", "map_bit_cleared", "row_off", "no_row", "empty", "tile_done",
          "overlap", "waits_for_rows", "queue_full", "write_waits", "vector", "vector_waits", "wrapped_word")
(CLIPPED, RELU_ZERO, INSENSITIVE, MAP_BIT_CLEARED, ROW_OFF, NO_ROW, EMPTY, TILE_DONE, OVERLAP, WAITS_FOR_ROWS,
 QUEUE_FULL, WRITE_WAITS, VECTOR_SEEN, VECTOR_WAITS, WRAPPED_WORD) = range(len(EVENTS))

VECTOR, RELU = int(Kind.VECTOR), int(Function.RELU)
#: What becomes of the group in front: nothing yet, its sums may come, they come, all are there.
IDLE, WAIT, FILL, FULL = range(4)


def group_values(sums, bias, sensitive, kind, function, shift):
    """What is stored of a group: values, int64 [rows, pixels], and which of them were clipped.

    Parameters
    ----------
    sums : int array, shape (rows, pixels)
    bias : int array, shape (rows,)
    sensitive : bool array, shape (rows, pixels)
        The others become 0.
    kind, function, shift
        Of the job. VECTOR: only pixel 0 means anything.
    """
    values, clipped = store_row.result_array(sums, np.asarray(bias)[:, None], shift, function == Function.RELU)
    values = np.where(sensitive, values, 0)
    return (activation.activate_array(values, function) if kind == Kind.VECTOR else values), clipped & sensitive


def store_group(data, maps, values, on, channels, word, map_word, kind):
    """Write a group into ``data`` and ``maps`` [words, columns, pixels]: rows that are ``on``, by their channels."""
    _words, columns, pixels = data.shape
    for row in np.flatnonzero(on):
        channel = int(channels[row])
        if kind == Kind.VECTOR:
            place, lane = divmod(channel, columns)
            data[word + place // pixels, lane, place % pixels] = values[row][0]
        else:
            data[word + channel // columns, channel % columns] = values[row]
            maps[map_word + channel // columns, channel % columns] = values[row] != 0


class StoreState(NamedTuple):
    """Registers [lanes], unless a shape is given.

    ``q_*``: ring of groups that wait, [lanes, WAITING] and [lanes, WAITING, rows]; masks of pixels are integers.
    ``phase``: what becomes of the one in front. ``s1_*``, ``s2_*``: sums on their way. ``values`` [lanes, rows,
    pixels]: the group that is collected; ``r_*``: rows to be written, of the group before; ``row_*``: the row behind
    the multiplexer; ``w_*``: the write that is offered, [lanes, values].
    """

    q_head: np.ndarray
    q_level: np.ndarray
    q_word: np.ndarray
    q_map_word: np.ndarray
    q_tile_done: np.ndarray
    q_empty: np.ndarray
    q_on: np.ndarray
    q_channel: np.ndarray
    q_bias: np.ndarray
    q_sensitive: np.ndarray
    phase: np.ndarray
    drain_ready: np.ndarray
    s1_last: np.ndarray
    s2_last: np.ndarray
    clips: np.ndarray           # bit k: a value of k + 1 cycles ago was clipped
    saturated: np.ndarray
    values: np.ndarray
    r_sending: np.ndarray
    r_on: np.ndarray            # rows still to be written, an integer
    r_word: np.ndarray
    r_map_word: np.ndarray
    r_tile_done: np.ndarray
    r_channel: np.ndarray       # [lanes, rows]
    r_values: np.ndarray        # [lanes, rows, pixels]
    row_valid: np.ndarray
    row_tag: np.ndarray
    row_map_word: np.ndarray
    row_values: np.ndarray      # [lanes, pixels]
    curve: activation.ActivationState
    w_valid: np.ndarray
    w_nothing: np.ndarray       # an item that writes nothing
    w_last: np.ndarray
    w_end: np.ndarray
    w_addr: np.ndarray
    w_map_addr: np.ndarray
    w_mask: np.ndarray
    w_map_mask: np.ndarray
    w_data: np.ndarray
    w_map: np.ndarray
    tile_done: np.ndarray
    inside: np.ndarray          # groups
    sizes: np.ndarray           # columns, log2 of columns, of pixels
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> StoreState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    rows, pixels, values = cfg.rows, cfg.pixels, cfg.values
    sizes = np.array([cfg.columns, cfg.columns.bit_length() - 1, cfg.pixel_bits], np.int64)
    return StoreState(
        zeros(), zeros(), *(zeros(WAITING) for _ in range(4)), *(zeros(WAITING, rows) for _ in range(4)),
        *(zeros() for _ in range(6)), zeros(rows, pixels), *(zeros() for _ in range(5)), zeros(rows),
        zeros(rows, pixels), zeros(), zeros(), zeros(), zeros(pixels), activation.state(cfg, lanes),
        *(zeros() for _ in range(6)), *(zeros(values) for _ in range(4)), zeros(), zeros(), sizes,
        np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A group is taken in this cycle."""
    return s.q_level[k] < WAITING


@jit
def drain_ready_of(s, k):
    """The sums of the group in front may come."""
    return s.drain_ready[k] != 0


@jit
def write_valid_of(s, k):
    """A write is offered in this cycle."""
    return s.w_valid[k] != 0


@jit
def tile_done_of(s, k):
    """The last write of a tile was taken in the cycle before."""
    return s.tile_done[k] != 0


@jit
def saturated_of(s, k):
    """A value was clipped since the reset."""
    return s.saturated[k] != 0


@jit
def busy_of(s, k):
    """A group is inside."""
    return s.inside[k] != 0


@jit
def _offer(s, k, valid, tag, map_word, first, kind):
    """The write register takes a row (``row_values``) or a value of a vector (``first``)."""
    writes = valid and tag >> 34 & 1
    s.w_valid[k], s.w_nothing[k] = writes, valid and not writes
    s.w_last[k], s.w_end[k] = valid and tag >> 32 & 1, valid and tag >> 33 & 1
    if not writes:
        return
    columns, column_bits, pixel_bits = s.sizes
    channel, word, pixels = tag & 0xFFFF, tag >> 16 & 0xFFFF, s.row_values.shape[1]
    lane, above = channel & columns - 1, channel >> column_bits
    only = above & pixels - 1 if kind == VECTOR else -1
    s.w_addr[k] = word + (above >> pixel_bits if kind == VECTOR else above) & 0xFFFF
    s.w_map_addr[k] = 0 if kind == VECTOR else map_word + above & 0xFFFF
    s.seen[WRAPPED_WORD] += above > 0
    for column in range(columns):
        for pixel in range(pixels):
            value = first if kind == VECTOR else s.row_values[k, pixel]
            at = column * pixels + pixel
            mask = column == lane and (only < 0 or pixel == only)
            s.w_mask[k, at], s.w_map_mask[k, at] = mask, mask and kind != VECTOR
            s.w_data[k, at], s.w_map[k, at] = value, value != 0


@jit
def _write(s, k, kind, function, write_ready):
    """Rows move towards the write port. Returns whether the rows of the next group may come."""
    stays = s.w_valid[k] and not write_ready
    s.tile_done[k] = s.w_end[k] and not stays
    s.inside[k] -= s.w_last[k] and not stays
    s.seen[TILE_DONE] += s.tile_done[k]
    s.seen[WRITE_WAITS] += stays
    s.seen[VECTOR_WAITS] += stays and kind == VECTOR
    if stays:
        activation.clock(s.curve, k, False, False, 0, 0, 0)
        return not s.r_sending[k]
    curved = kind == VECTOR
    if curved:
        _offer(s, k, activation.valid_of(s.curve, k), activation.tag_of(s.curve, k), 0,
               activation.value_of(s.curve, k), kind)
    else:
        _offer(s, k, s.row_valid[k] != 0, s.row_tag[k], s.row_map_word[k], 0, kind)
    activation.clock(s.curve, k, True, curved and s.row_valid[k] != 0, s.row_values[k, 0], function, s.row_tag[k])
    s.row_valid[k] = s.r_sending[k]
    if s.r_sending[k]:
        _next_row(s, k)
    return not s.r_sending[k]


@jit
def _next_row(s, k):
    """The lowest row that is left goes through the multiplexer."""
    on, row = s.r_on[k], 0
    while on and not on >> row & 1:
        row += 1
    rest = on & on - 1
    last = rest == 0
    s.row_tag[k] = (s.r_channel[k, row] | s.r_word[k] << 16 | last << 32 | (last and s.r_tile_done[k]) << 33
                    | (on != 0) << 34)
    s.row_map_word[k] = s.r_map_word[k]
    for pixel in range(s.row_values.shape[1]):
        s.row_values[k, pixel] = s.r_values[k, row, pixel]
    s.r_on[k], s.r_sending[k] = rest, not last
    s.seen[NO_ROW] += on == 0


@jit
def _load(s, k):
    """The group in front is complete: its rows are to be written, and it leaves the queue."""
    at = s.q_head[k]
    s.r_sending[k], s.r_on[k], s.r_word[k], s.r_map_word[k] = 1, 0, s.q_word[k, at], s.q_map_word[k, at]
    s.r_tile_done[k] = s.q_tile_done[k, at]
    for row in range(s.q_on.shape[2]):
        s.r_on[k] |= s.q_on[k, at, row] << row
        s.r_channel[k, row] = s.q_channel[k, at, row]
        s.seen[ROW_OFF] += not s.q_on[k, at, row]
        for pixel in range(s.values.shape[2]):
            s.r_values[k, row, pixel] = 0 if s.q_empty[k, at] else s.values[k, row, pixel]
    s.seen[EMPTY] += s.q_empty[k, at]
    s.q_head[k] = (at + 1) % WAITING
    s.q_level[k] -= 1


@jit
def _collect(s, k, pixel, sums, kind, function, shift):
    """Sums of a pixel; returns whether a value is clipped."""
    at, clip = s.q_head[k], False
    for row in range(sums.shape[0]):
        if s.q_on[k, at, row]:
            value, clipped = store_row.result(sums[row], s.q_bias[k, at, row], shift, function == RELU)
            sensitive = s.q_sensitive[k, at, row] >> pixel & 1
            s.values[k, row, pixel] = value if sensitive else 0
            clip |= clipped and sensitive
            s.seen[INSENSITIVE] += not sensitive
            s.seen[RELU_ZERO] += sensitive and function == RELU and sums[row] + s.q_bias[k, at, row] < 0
            s.seen[MAP_BIT_CLEARED] += sensitive and value == 0 and kind != VECTOR
    s.seen[CLIPPED] += clip
    s.seen[VECTOR_SEEN] += kind == VECTOR
    s.seen[OVERLAP] += s.r_sending[k]
    return clip


@jit
def _advance(s, k, free, level, drain_start, sums_valid, last):
    """What becomes of the group in front; ``level`` groups were there before this cycle."""
    phase, full = s.phase[k], s.s2_last[k]
    s.s2_last[k] = s.s1_last[k]
    s.s1_last[k] = sums_valid and last
    if phase == IDLE and level > 0:
        empty = s.q_empty[k, s.q_head[k]]
        s.phase[k] = FULL if empty else WAIT
        s.drain_ready[k] = not empty
    elif phase == WAIT and drain_start:
        s.phase[k], s.drain_ready[k] = FILL, 0
    elif phase == FILL and full:
        s.phase[k] = FULL
    elif phase == FULL:
        s.seen[WAITS_FOR_ROWS] += not free
        if free:
            _load(s, k)
            s.phase[k] = IDLE


@jit
def clock(s, k, valid, word, map_word, tile_done, empty, on, channel, bias, sensitive, drain_start, sums_valid, pixel,
          sums, kind, function, shift, write_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    valid, word, map_word, tile_done, empty, on, channel, bias, sensitive
        The group that is offered, arrays [rows]; bits of ``sensitive`` are pixels.
    drain_start
        Sums of the group in front will come.
    sums_valid, pixel, sums
        Sums that arrive, array [rows].
    """
    level = s.q_level[k]
    free = _write(s, k, kind, function, write_ready)
    s.saturated[k] |= s.clips[k] >> 2 & 1
    s.clips[k] = s.clips[k] << 1 & 7
    if sums_valid:
        s.clips[k] |= _collect(s, k, pixel, sums, kind, function, shift)
    _advance(s, k, free, level, drain_start, sums_valid, kind == VECTOR or pixel + 1 == s.values.shape[2])
    s.seen[QUEUE_FULL] += valid and level == WAITING
    if valid and level < WAITING:
        at = (s.q_head[k] + s.q_level[k]) % WAITING
        s.q_word[k, at], s.q_map_word[k, at], s.q_tile_done[k, at], s.q_empty[k, at] = word, map_word, tile_done, empty
        for row in range(on.shape[0]):
            s.q_on[k, at, row], s.q_channel[k, at, row] = on[row], channel[row]
            s.q_bias[k, at, row], s.q_sensitive[k, at, row] = bias[row], sensitive[row]
        s.q_level[k] += 1
        s.inside[k] += 1
