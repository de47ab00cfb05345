"""Golden model of the order of the dimension reduction: tiles, words of the reduced input, pixels, windows, words.

A tile first takes its words into the activation buffer; then a window a cycle is read. ``DEPTH`` vectors may be between
the first and the consumer, who says which he took.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .activation_buffer import TAG
from .config import DuetConfig
from .formats import SPECULATE_FIELDS, Kind

__all__ = ["DEPTH", "EVENTS", "WalkState", "busy_of", "clock", "loading_of", "state", "valid_of"]

#: Vectors between the activation buffer and the consumer: enough for one in every cycle.
DEPTH = 16

#: Situations that the tests must reach.
EVENTS = ("vector", "waits_for_words", "waits_for_room", "cut_rows", "cut_columns", "several_windows", "several_words",
          "several_reduced", "next_column", "next_row", "one_window")
(VECTOR, WAITS_WORDS, WAITS_ROOM, CUT_ROWS, CUT_COLUMNS, WINDOWS, WORDS, REDUCED, NEXT_COLUMN, NEXT_ROW,
 ONE) = range(len(EVENTS))

_JOB = list(SPECULATE_FIELDS)
J_KIND, J_STRIDE, J_PAD = _JOB.index("kind"), _JOB.index("stride"), _JOB.index("pad")
J_WINDOWS_Y, J_WINDOWS_X = _JOB.index("windows_y"), _JOB.index("windows_x")
J_TILES_Y, J_TILES_X = _JOB.index("tiles_y"), _JOB.index("tiles_x")
J_HEIGHT, J_WIDTH = _JOB.index("height"), _JOB.index("width")
J_DEPTH, J_BASE, J_REDUCED = _JOB.index("depth"), _JOB.index("projection_base"), _JOB.index("reduced")
_VECTOR = Kind.VECTOR.value

ADDRESS, FIRST, LAST, PIXEL, WORD, END = range(len(TAG))


class WalkState(NamedTuple):
    """Registers, [lanes]."""

    running: np.ndarray
    loading: np.ndarray         # else, while running, the windows of the tile are read
    in_flight: np.ndarray       # vectors not yet taken
    tile_y: np.ndarray
    tile_x: np.ndarray
    top: np.ndarray             # first pixel that the tile needs
    left: np.ndarray
    rows_left: np.ndarray       # outputs from here on
    columns_left: np.ndarray
    first: np.ndarray           # the next window is the first of its vector
    pixel_row: np.ndarray
    pixel_column: np.ndarray
    pixel_y: np.ndarray         # first window of the pixel
    pixel_x: np.ndarray
    window_row: np.ndarray
    window_column: np.ndarray
    y: np.ndarray
    x: np.ndarray
    word: np.ndarray
    reduced: np.ndarray
    base: np.ndarray            # word of the projection for the first window of a pixel
    address: np.ndarray
    valid: np.ndarray           # output
    o_y: np.ndarray
    o_x: np.ndarray
    o_word: np.ndarray
    tag: np.ndarray             # [lanes, len(TAG)]
    side: np.ndarray            # a constant
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> WalkState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(26)]
    return WalkState(*registers, np.zeros((lanes, len(TAG)), np.int64), np.full(lanes, cfg.side),
                     np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, k):
    """A job runs, or vectors of it were not yet taken."""
    return s.running[k] != 0 or s.in_flight[k] != 0


@jit
def loading_of(s, k):
    """Words of a tile are taken."""
    return s.loading[k] != 0


@jit
def valid_of(s, k):
    """A window is read in this cycle: at ``o_y``, ``o_x``, ``o_word``, with ``tag``."""
    return s.valid[k] != 0


@jit
def _start(s, k, job):
    s.running[k] = s.loading[k] = s.first[k] = 1
    s.tile_y[k] = s.tile_x[k] = 0
    s.rows_left[k], s.columns_left[k] = job[J_HEIGHT], job[J_WIDTH]
    s.top[k] = s.left[k] = 0 if job[J_KIND] == _VECTOR else -job[J_PAD]
    s.pixel_row[k] = s.pixel_column[k] = s.window_row[k] = s.window_column[k] = s.word[k] = s.reduced[k] = 0
    s.base[k] = s.address[k] = job[J_BASE]
    s.seen[VECTOR] += job[J_KIND] == _VECTOR


@jit
def _next_pixel(s, k, job, row_ends, column_ends):
    """The windows of a pixel are through."""
    stride = job[J_STRIDE]
    s.window_row[k] = s.window_column[k] = 0
    s.pixel_x[k] = s.left[k] if row_ends else s.pixel_x[k] + stride
    s.pixel_column[k] = 0 if row_ends else s.pixel_column[k] + 1
    if row_ends:
        s.pixel_y[k] = s.top[k] if column_ends else s.pixel_y[k] + stride
        s.pixel_row[k] = 0 if column_ends else s.pixel_row[k] + 1
    s.y[k], s.x[k] = s.pixel_y[k], s.pixel_x[k]


@jit
def _next_tile(s, k, job, vector):
    """The tile is through."""
    side, step = s.side[k], s.side[k] * job[J_STRIDE]
    row_ends = vector or s.tile_x[k] + 1 == job[J_TILES_X]
    done = vector or row_ends and s.tile_y[k] + 1 == job[J_TILES_Y]
    s.running[k] = s.loading[k] = not done
    s.base[k] = s.address[k] = job[J_BASE]
    s.reduced[k] = 0
    s.tile_x[k] = 0 if row_ends else s.tile_x[k] + 1
    s.left[k] = -job[J_PAD] if row_ends else s.left[k] + step
    s.columns_left[k] = job[J_WIDTH] if row_ends else s.columns_left[k] - side
    if row_ends:
        s.tile_y[k] += 1
        s.top[k] += step
        s.rows_left[k] -= side
    s.seen[NEXT_COLUMN] += not row_ends
    s.seen[NEXT_ROW] += row_ends and not done


@jit
def _walk(s, k, job):
    """A window, if there is room for its vector; returns whether a vector is complete."""
    vector, side = job[J_KIND] == _VECTOR, s.side[k]
    words_end = s.word[k] + 1 == job[J_DEPTH]
    columns_end = vector or s.window_column[k] + 1 == job[J_WINDOWS_X]
    last = words_end and columns_end and (vector or s.window_row[k] + 1 == job[J_WINDOWS_Y])
    row_ends = vector or s.pixel_column[k] + 1 == side or s.pixel_column[k] + 1 == s.columns_left[k]
    column_ends = vector or s.pixel_row[k] + 1 == side or s.pixel_row[k] + 1 == s.rows_left[k]
    pixels_end = last and row_ends and column_ends
    tile_ends = pixels_end and s.reduced[k] + 1 == job[J_REDUCED]
    if last and s.in_flight[k] == DEPTH:
        s.seen[WAITS_ROOM] += 1
        return False
    s.valid[k], s.o_y[k], s.o_x[k], s.o_word[k] = 1, s.y[k], s.x[k], s.word[k]
    tag = s.tag
    tag[k, ADDRESS], tag[k, FIRST], tag[k, LAST] = s.address[k], s.first[k], last
    tag[k, PIXEL], tag[k, WORD] = s.pixel_row[k] * side + s.pixel_column[k], s.reduced[k]
    tag[k, END] = tile_ends
    s.seen[ONE] += s.first[k] and last
    s.seen[WINDOWS] += s.window_row[k] > 0
    s.seen[WORDS] += s.word[k] > 0
    s.seen[REDUCED] += s.reduced[k] > 0
    s.seen[CUT_ROWS] += pixels_end and not vector and s.rows_left[k] < side
    s.seen[CUT_COLUMNS] += pixels_end and not vector and s.columns_left[k] < side
    s.first[k] = last
    s.address[k] += 1
    s.word[k] = 0 if words_end else s.word[k] + 1
    if pixels_end:
        s.base[k] = s.address[k]
        s.reduced[k] += 1
    elif last:
        s.address[k] = s.base[k]
    if last:
        _next_pixel(s, k, job, row_ends, column_ends)
    elif words_end and columns_end:
        s.window_column[k], s.x[k] = 0, s.pixel_x[k]
        s.window_row[k] += 1
        s.y[k] += side
    elif words_end:
        s.window_column[k] += 1
        s.x[k] += side
    if tile_ends:
        _next_tile(s, k, job, vector)
    return last


@jit
def clock(s, k, job, start, filled, taken):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : WalkState
    k : int
    job : array, [len(SPECULATE_FIELDS)]
    start : bool
    filled : bool
        The last word of the tile is taken.
    taken : bool
        The consumer takes a vector.
    """
    s.valid[k] = 0
    complete = False
    if s.loading[k]:
        s.seen[WAITS_WORDS] += not filled
        if filled:
            s.loading[k] = 0
            s.pixel_y[k] = s.y[k] = s.top[k]
            s.pixel_x[k] = s.x[k] = s.left[k]
    elif s.running[k]:
        complete = _walk(s, k, job)
    s.in_flight[k] += complete
    s.in_flight[k] -= taken
    if start:
        _start(s, k, job)
