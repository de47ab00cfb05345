"""Golden model of the QDR input buffer and of the order of the INT4 products [Thesis 5.1.1, step 3; Fig. 5.2].

For every tile of outputs, and for each of ``tiles_n`` groups of outputs: pixel by pixel all words of the reduced input,
each against its tile of weights. A pixel's products come one after the other, so that their sum needs no memory; the
array takes another tile of weights in every cycle.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "END", "FINAL", "FIRST", "LAST", "PIXEL", "LowInputState", "clock", "order", "ready_of", "rows",
           "state", "tag_of", "tile_of", "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("input_waits", "no_row", "back_to_back", "pause", "part_of_a_tile", "one_product")
INPUT_WAITS, NO_ROW, BACK_TO_BACK, PAUSE, PART, ONE_PRODUCT = range(len(EVENTS))

#: Bits of a tag: first and last product of a pixel; last pixel of the group of outputs; the group is the tile's last.
FIRST, LAST, END, FINAL = 1, 2, 4, 8
#: Where the number of the pixel lies in a tag.
PIXEL = 4


def rows(cfg: DuetConfig) -> int:
    """Pixels whose sums the QDR output buffer holds: two tiles of them."""
    return 2 * cfg.pixels


def order(mask, reduced, tiles_n):
    """The definition: (pixel, word, tile of weights above ``low_base``, tag) of all products of a tile, in order.

    Parameters
    ----------
    mask : int
        Pixels that there are, one bit each; not 0.
    reduced, tiles_n : int
        Words of a pixel's reduced input; groups of outputs.
    """
    pixels = [pixel for pixel in range(mask.bit_length()) if mask >> pixel & 1]
    return [(pixel, word, n * reduced + word,
             FIRST * (word == 0) | LAST * (word == reduced - 1) | END * (pixel == pixels[-1])
             | FINAL * (n == tiles_n - 1) | pixel << PIXEL)
            for n in range(tiles_n) for pixel in pixels for word in range(reduced)]


class LowInputState(NamedTuple):
    """Registers [lanes], or as said; two halves, one of which is filled while the other is multiplied."""

    vectors: np.ndarray     # [lanes, 2, pixels, reduced_words, trees] int8
    full: np.ndarray        # [lanes, 2] a tile is complete
    mask: np.ndarray        # [lanes, 2] its pixels
    fill: np.ndarray        # half that is filled
    begun: np.ndarray       # a vector of the tile has come
    half: np.ndarray        # half that is multiplied
    run: np.ndarray
    left: np.ndarray        # pixels of the group that are to come, with the present one
    word: np.ndarray
    n: np.ndarray
    tile: np.ndarray        # of weights, of the next product
    base: np.ndarray        # of the first product of a pixel of the group
    credit: np.ndarray      # rows of the output buffer that are free
    valid: np.ndarray       # outputs
    tag: np.ndarray
    out_tile: np.ndarray
    values: np.ndarray      # [lanes, trees]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> LowInputState:
    """State after reset."""
    shapes = dict.fromkeys(LowInputState._fields, ()) | {"full": (2,), "mask": (2,), "values": (cfg.trees,)}
    s = LowInputState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    s.credit[:] = rows(cfg)
    return s._replace(vectors=np.zeros((lanes, 2, cfg.pixels, cfg.reduced_words, cfg.trees), np.int8),
                      seen=np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A vector is taken in this cycle."""
    return s.full[k, s.fill[k]] == 0


@jit
def valid_of(s, k):
    """``values[k]`` goes into the array in this cycle."""
    return s.valid[k] != 0


@jit
def tag_of(s, k):
    """With this tag; only while :func:`valid_of`."""
    return s.tag[k]


@jit
def tile_of(s, k):
    """Against this tile of weights; only while :func:`valid_of`."""
    return s.out_tile[k]


@jit
def lowest(mask):
    """Number of the lowest bit of a mask that is not 0."""
    pixel = 0
    while not mask >> pixel & 1:
        pixel += 1
    return pixel


@jit
def load(s, k, half, low_base):
    """Begin with the tile in a half."""
    s.run[k], s.left[k], s.word[k], s.n[k] = 1, s.mask[k, half], 0, 0
    s.tile[k] = s.base[k] = low_base


@jit
def issue(s, k, reduced, tiles_n, low_base):
    """Send a product into the array, and go on to the next one."""
    half, word, n, pixel = s.half[k], s.word[k], s.n[k], lowest(s.left[k])
    left = s.left[k] & s.left[k] - 1
    last, end, final = word + 1 == reduced, left == 0, n + 1 == tiles_n
    for index in range(s.values.shape[1]):
        s.values[k, index] = s.vectors[k, half, pixel, word, index]
    s.tag[k] = FIRST * (word == 0) | LAST * last | END * end | FINAL * final | pixel << PIXEL
    s.out_tile[k] = s.tile[k]
    s.tile[k] += 1
    s.word[k] = word + 1
    if last:
        s.word[k], s.left[k] = 0, left
        if end:
            s.left[k], s.base[k], s.n[k] = s.mask[k, half], s.tile[k], n + 1
        else:
            s.tile[k] = s.base[k]
    if last and end and final:
        s.full[k, half], s.half[k], s.run[k] = 0, 1 - half, 0
        s.seen[PART] += s.mask[k, half] != (1 << s.vectors.shape[2]) - 1
        s.seen[ONE_PRODUCT] += s.mask[k, half] & s.mask[k, half] - 1 == 0 and reduced * tiles_n == 1
        s.seen[BACK_TO_BACK] += s.full[k, 1 - half]
        if s.full[k, 1 - half]:
            load(s, k, 1 - half, low_base)


@jit
def clock(s, k, i_valid, i_pixel, i_word, i_last, i_values, reduced, tiles_n, low_base, freed):
    """One clock of lane ``k``.

    Parameters
    ----------
    i_valid, i_pixel, i_word, i_last, i_values
        The vector that is offered, [trees].
    reduced, tiles_n, low_base : int
        Of the job.
    freed : bool
        A row of the output buffer has become free.
    """
    fill, take = s.fill[k], i_valid and ready_of(s, k)
    room = s.word[k] != 0 or s.credit[k] != 0
    goes = s.run[k] != 0 and room
    s.seen[INPUT_WAITS] += i_valid and not take
    s.seen[NO_ROW] += s.run[k] and not room
    s.seen[PAUSE] += s.valid[k] and not s.run[k]
    s.credit[k] += freed
    s.credit[k] -= goes and s.word[k] == 0
    s.valid[k] = goes
    if goes:
        issue(s, k, reduced, tiles_n, low_base)
    elif not s.run[k] and s.full[k, s.half[k]]:
        load(s, k, s.half[k], low_base)
    if take:
        for index in range(s.values.shape[1]):
            s.vectors[k, fill, i_pixel, i_word, index] = i_values[index]
        s.mask[k, fill] = (s.mask[k, fill] if s.begun[k] else 0) | 1 << i_pixel
        s.begun[k] = not i_last
        if i_last:
            s.full[k, fill], s.fill[k] = 1, 1 - fill
