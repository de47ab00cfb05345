"""Golden model of the QDR output buffer [Thesis 5.1.1, step 3; Fig. 5.2]: sums over the words of a reduced input.

The products of a pixel come one after the other, so a sum grows in a register, from its bias on, and goes to the buffer
once it is complete. The buffer is a ring of rows, a pixel each; rows leave in parts of ``columns`` sums: all pixels of
the first part of a group of outputs, then all of the next.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import wrap, wrap_array
from golden.common.jit import jit

from .config import DuetConfig
from .formats import SUM_BITS
from .low_input import END, FINAL, FIRST, LAST, PIXEL, rows

__all__ = ["EVENTS", "LowOutputState", "Piece", "accumulate", "clock", "freed_of", "pieces", "state", "sum_of",
           "valid_of", "write_bias"]

#: Situations that the tests must reach.
EVENTS = ("stalled", "waits_for_sums", "next_part", "parts_left_out", "first_row_again", "wrapped", "one_word")
STALLED, WAITS, NEXT_PART, LEFT_OUT, AGAIN, WRAPPED, ONE_WORD = range(len(EVENTS))


class Piece(NamedTuple):
    """``columns`` outputs of a pixel: ``first`` and on. The last pixel of these outputs, the last piece of the tile."""

    pixel: int
    first: int
    part_end: bool
    last: bool


def accumulate(vectors, weights, biases) -> np.ndarray:
    """y' of a tile, the definition; sums wrap at 32 bits.

    Parameters
    ----------
    vectors : int array, shape (pixels, reduced, trees)
    weights : int array, shape (tiles_n, reduced, trees, systolic_columns)
    biases : int array, shape (tiles_n, systolic_columns)

    Returns
    -------
    int64 array, shape (pixels, tiles_n * systolic_columns)
    """
    sums = np.einsum("pwr,nwrc->pnc", np.asarray(vectors, np.int64), np.asarray(weights, np.int64))
    return wrap_array(sums + np.asarray(biases, np.int64), SUM_BITS).reshape(len(vectors), -1)


def pieces(cfg: DuetConfig, pixels, channels) -> list[Piece]:
    """The order in which the sums of a tile leave: group, part, pixel; parts without an output are left out."""
    wide, out = cfg.systolic_columns, []
    for group in range(0, channels, wide):
        for first in range(group, min(group + wide, channels), cfg.columns):
            ends = first + cfg.columns >= channels
            out += [Piece(pixel, first, pixel == pixels[-1], ends and pixel == pixels[-1]) for pixel in pixels]
    return out


class LowOutputState(NamedTuple):
    """Registers [lanes], or as said."""

    bias: np.ndarray        # [lanes, low_bias_words, systolic_columns]
    buffer: np.ndarray      # [lanes, rows, systolic_columns]
    pixels: np.ndarray      # [lanes, rows] whose sums a row holds
    ends: np.ndarray        # [lanes, rows] they are the last pixel of their group
    n: np.ndarray           # group of outputs whose products come
    valid_s1: np.ndarray
    tag_s1: np.ndarray
    sums_s1: np.ndarray     # [lanes, systolic_columns]
    bias_s1: np.ndarray     # [lanes, systolic_columns]
    valid_s2: np.ndarray
    tag_s2: np.ndarray
    sums_s2: np.ndarray     # [lanes, systolic_columns] the sums that grow
    put: np.ndarray         # number of rows that were written; modulo twice those that there are
    at: np.ndarray          # row that is read next
    base: np.ndarray        # first row of its group
    part: np.ndarray
    first: np.ndarray
    freed: np.ndarray
    valid_d1: np.ndarray    # a row that was read: its part
    sums_d1: np.ndarray     # [lanes, columns]
    piece_d1: np.ndarray    # [lanes, 4]
    valid: np.ndarray
    sums: np.ndarray        # [lanes, columns]
    piece: np.ndarray       # [lanes, 4] as :class:`Piece`
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> LowOutputState:
    """State after reset; biases, which outlive it, are 0."""
    wide = cfg.systolic_columns
    shapes = dict.fromkeys(LowOutputState._fields, ()) | dict.fromkeys(("piece", "piece_d1"), (4,))
    shapes |= {"bias": (cfg.low_bias_words, wide), "buffer": (rows(cfg), wide)}
    shapes |= dict.fromkeys(("pixels", "ends"), (rows(cfg),)) | dict.fromkeys(("sums", "sums_d1"), (cfg.columns,))
    shapes |= dict.fromkeys(("sums_s1", "bias_s1", "sums_s2"), (wide,))
    s = LowOutputState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


def write_bias(s, k, addr, biases):
    """Write a word of biases, int array [systolic_columns]: what the write port does."""
    s.bias[k, addr] = biases


@jit
def valid_of(s, k):
    """``sums[k]`` of ``piece[k]`` are offered."""
    return s.valid[k] != 0


@jit
def sum_of(s, k, column):
    """One of them; only while :func:`valid_of`."""
    return s.sums[k, column]


@jit
def freed_of(s, k):
    """A row of the buffer has become free."""
    return s.freed[k] != 0


@jit
def read(s, k, channels):
    """Read the next row's part. The row is free when its last part has been read."""
    size, columns, wide = s.pixels.shape[1], s.sums.shape[1], s.sums_s1.shape[1]
    at, part, first = s.at[k], s.part[k], s.first[k]
    row = at % size
    end, ends = s.ends[k, row] != 0, first + columns >= channels
    last_part = ends or (part + 1) * columns == wide
    for column in range(columns):
        s.sums_d1[k, column] = s.buffer[k, row, part * columns + column]
    s.piece_d1[k, 0], s.piece_d1[k, 1] = s.pixels[k, row], first
    s.piece_d1[k, 2], s.piece_d1[k, 3] = end, end and ends
    s.freed[k] = last_part
    s.at[k] = (at + 1) % (2 * size)
    s.seen[AGAIN] += end and not last_part and at == s.base[k]
    if end:
        s.seen[NEXT_PART] += not last_part
        s.seen[LEFT_OUT] += ends and (part + 1) * columns != wide
        s.first[k] = 0 if ends else first + columns
        s.part[k] = 0 if last_part else part + 1
        if last_part:
            s.base[k] = s.at[k]
        else:
            s.at[k] = s.base[k]


@jit
def write(s, k):
    """The sums of a pixel are complete."""
    size = s.pixels.shape[1]
    row = s.put[k] % size
    for column in range(s.sums_s2.shape[1]):
        s.buffer[k, row, column] = s.sums_s2[k, column]
    s.pixels[k, row], s.ends[k, row] = s.tag_s2[k] >> PIXEL, s.tag_s2[k] & END != 0
    s.put[k] = (s.put[k] + 1) % (2 * size)


@jit
def add(s, k):
    """The products grow the sums, or begin them."""
    first = s.tag_s1[k] & FIRST
    s.seen[ONE_WORD] += first != 0 and s.tag_s1[k] & LAST != 0
    for column in range(s.sums_s2.shape[1]):
        exact = s.sums_s1[k, column] + (s.bias_s1[k, column] if first else s.sums_s2[k, column])
        s.sums_s2[k, column] = wrap(exact, SUM_BITS)
        s.seen[WRAPPED] += s.sums_s2[k, column] != exact


@jit
def clock(s, k, i_valid, i_tag, i_sums, channels, low_bias_base, o_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_valid, i_tag, i_sums
        Sums of the array, [systolic_columns], and their tag.
    channels, low_bias_base : int
        Of the job.
    """
    moves, filled = o_ready or not s.valid[k], s.at[k] != s.put[k]
    s.seen[STALLED] += not moves
    s.freed[k] = 0
    if moves:
        s.seen[WAITS] += s.at[k] != s.base[k] and not filled
        s.valid[k] = s.valid_d1[k]
        for column in range(s.sums.shape[1]):
            s.sums[k, column] = s.sums_d1[k, column]
        for field in range(4):
            s.piece[k, field] = s.piece_d1[k, field]
        s.valid_d1[k] = filled
        if filled:
            read(s, k, channels)
    if s.valid_s2[k]:
        write(s, k)
    if s.valid_s1[k]:
        add(s, k)
    s.valid_s2[k], s.tag_s2[k] = s.valid_s1[k] and s.tag_s1[k] & LAST != 0, s.tag_s1[k]
    s.valid_s1[k], s.tag_s1[k] = i_valid, i_tag
    if i_valid:
        for column in range(s.sums_s1.shape[1]):
            s.sums_s1[k, column] = i_sums[column]
        if i_tag & FIRST:
            for column in range(s.bias_s1.shape[1]):
                s.bias_s1[k, column] = s.bias[k, low_bias_base + s.n[k], column]
        if i_tag & LAST and i_tag & END:
            s.n[k] = 0 if i_tag & FINAL else s.n[k] + 1
