"""Golden model of the activation buffer [Thesis 5.1.1, Fig. 5.2]: any window of pixels is read in one cycle.

There is a bank for each pixel of a block. A window has one pixel of each bank, so that all are read at once; then they
are rotated into their places. Every ``2**span`` blocks, each way, the entries come again: a tile's inputs must not be
more than that.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "LATENCY", "MOST_SPAN", "TAG", "BufferState", "clock", "entry", "span_of", "state", "tag_of",
           "valid_of", "value_of"]

#: Cycles from a read to its window.
LATENCY = 2
#: Largest ``span``.
MOST_SPAN = 3
#: Fields that go along with a window, see ``hdl.duet.layouts.tag_layout``.
TAG = ("address", "first", "last", "pixel", "word", "end")

#: Situations that the tests must reach.
EVENTS = ("vector", "rotated", "over_the_edge", "before_the_edge", "wrapped_block", "part_written", "read_after_write",
          "gap")
VECTOR, ROTATED, OVER, BEFORE, WRAPPED, PART, AFTER_WRITE, GAP = range(len(EVENTS))


class BufferState(NamedTuple):
    """``words`` [lanes, cfg.activation_words, cfg.values] is the memory: a value lies in the bank of its pixel."""

    words: np.ndarray
    at: np.ndarray          # [lanes], where in the ring the oldest window lies
    valid: np.ndarray       # [lanes, LATENCY]
    values: np.ndarray      # [lanes, LATENCY, cfg.values]
    tag: np.ndarray         # [lanes, LATENCY, len(TAG)]
    wrote: np.ndarray       # [lanes], there was a write in the cycle before
    side: np.ndarray        # a constant, [lanes]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> BufferState:
    """State after reset; the memory is 0, where the hardware's is undefined."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return BufferState(zeros(cfg.activation_words, cfg.values), zeros(), zeros(LATENCY), zeros(LATENCY, cfg.values),
                       zeros(LATENCY, len(TAG)), zeros(), np.full(lanes, cfg.side), np.zeros(len(EVENTS), np.int64))


def span_of(cfg: DuetConfig, *, stride: int, pad: int, windows: int, first: int, near: int) -> int:
    """Smallest ``span`` for one direction: the greater one of both directions is the job's.

    Parameters
    ----------
    cfg : DuetConfig
    stride, pad : int
        Pixels.
    windows, first, near : int
        Fields ``windows_y``, ``first_y``, ``near_y`` of the job, or those of the other direction.

    Raises
    ------
    ValueError
        If there is none.
    """
    # Pixels that are written: of the blocks that come, those that windows reach. No two may share an entry.
    pixels = min((near - first) * cfg.side + pad, (cfg.side - 1) * stride + windows * cfg.side)
    span = (-(-pixels // cfg.side) - 1).bit_length()
    if span > MOST_SPAN:
        raise ValueError(f"inputs of a tile must be at most {cfg.side << MOST_SPAN} pixels wide, not {pixels!r}")
    return span


@jit
def entry(vector, span, word, block_y, block_x):
    """Entry of a word of a block in the banks."""
    if vector:
        return word
    blocks = 1 << span
    return (word * blocks + block_y % blocks) * blocks + block_x % blocks


@jit
def valid_of(s, k):
    """A window is offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def value_of(s, k, index):
    """One of its values; only while :func:`valid_of`."""
    return s.values[k, s.at[k], index]


@jit
def tag_of(s, k, field):
    """A field of :data:`TAG`; only while :func:`valid_of`."""
    return s.tag[k, s.at[k], field]


@jit
def _read(s, k, at, vector, span, in_height, in_width, y, x, word):
    """A window into the ring."""
    side, entries = s.side[k], s.words.shape[1]
    pixels = side * side
    for i in range(side):
        for j in range(side):
            row, column = (i, j) if vector else (y + i, x + j)
            inside = vector or 0 <= row < in_height and 0 <= column < in_width
            place = entry(vector, span, word, row // side, column // side) % entries
            bank = row % side * side + column % side
            for index in range(i * side + j, s.values.shape[2], pixels):
                s.values[k, at, index] = s.words[k, place, index - (i * side + j) + bank] if inside else 0
    if vector:
        s.seen[VECTOR] += 1
        return
    s.seen[ROTATED] += y % side != 0 and x % side != 0
    s.seen[OVER] += y + side > in_height or x + side > in_width
    s.seen[BEFORE] += y < 0 or x < 0
    s.seen[WRAPPED] += y // side >= 1 << span


@jit
def clock(s, k, vector, span, in_height, in_width, w_en, w_y, w_x, w_word, w_mask, w_values, r_en, y, x, word, tag):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : BufferState
    k : int
    vector : bool
        Words are those of a vector: no pixels, nothing outside.
    span, in_height, in_width : int
        Of the job.
    w_en : bool
    w_y, w_x, w_word : int
        Block and its word.
    w_mask : int
        Pixels to write, a bit each.
    w_values : array, [values]
    r_en : bool
    y, x, word : int
        Upper left pixel of the window, and word of its blocks.
    tag : array, [len(TAG)]
    """
    at, pixels = s.at[k], s.side[k] * s.side[k]
    s.seen[GAP] += s.valid[k, at] and not r_en
    s.valid[k, at] = r_en
    if r_en:
        _read(s, k, at, vector, span, in_height, in_width, y, x, word)
        for field in range(s.tag.shape[2]):
            s.tag[k, at, field] = tag[field]
        s.seen[AFTER_WRITE] += s.wrote[k]
    s.at[k] = (at + 1) % LATENCY
    s.wrote[k] = w_en
    if w_en:
        place = entry(vector, span, w_word, w_y, w_x) % s.words.shape[1]
        for index in range(s.words.shape[2]):
            if w_mask >> index % pixels & 1:
                s.words[k, place, index] = w_values[index]
        s.seen[PART] += w_mask != (1 << pixels) - 1
