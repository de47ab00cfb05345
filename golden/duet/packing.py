"""Where values lie in words: feature maps, vectors, weights, programs; and words as beats of the stream.

A word is an array of elements, the first one lowest: (columns, pixels) values of a word of the global buffer, one bit
each of a map, (trees, columns, pixels) of the projection, (trees, systolic columns) INT4 weights, one instruction of
the LUT. What is not named by a position is 0.
"""

import functools
from typing import NamedTuple

import numpy as np

from .config import DuetConfig
from .formats import BEAT_BITS, LOW_BITS, SUM_BITS, TERNARY_BITS, VALUE_BITS, Target
from .projection import pack_projection

__all__ = ["Write", "beats", "element_bits", "kernel_positions", "map_positions", "pack", "pack_bias", "pack_low_bias",
           "pack_low_weights", "pack_projection_map", "pack_projection_vector", "unpack", "vector_positions",
           "words_of", "words_of_beats"]


class Write(NamedTuple):
    """What the host writes: words ``addr`` and on of a memory.

    Attributes
    ----------
    target : Target
    addr : int
    words : int64 array, shape (words, elements)
        Signed or unsigned elements of :func:`element_bits` bits.
    """

    target: Target
    addr: int
    words: np.ndarray


def element_bits(cfg: DuetConfig, target: Target) -> int:
    """Width of an element of a word [bits]."""
    return {Target.GLB: VALUE_BITS, Target.MAP: 1, Target.LUT: cfg.instruction_bits, Target.PROJECTION: TERNARY_BITS,
            Target.LOW_WEIGHTS: LOW_BITS, Target.LOW_BIAS: SUM_BITS}[target]


def beats(words, bits: int) -> np.ndarray:
    """Words as beats of the stream, low bits first: uint64 [words, beats], from elements of ``bits`` bits."""
    words = np.asarray(words, np.int64)
    digits = (words[:, :, None] >> np.arange(bits) & 1).astype(np.uint8).reshape(len(words), -1)
    digits = np.pad(digits, ((0, 0), (0, -digits.shape[1] % BEAT_BITS)))
    return np.packbits(digits, axis=1, bitorder="little").view("<u8")


def words_of_beats(cfg: DuetConfig, stream) -> np.ndarray:
    """Words of the global buffer from beats, as the host reads them: int64 [words, values]."""
    return np.ascontiguousarray(stream, "<u8").view("<i2").reshape(-1, cfg.values).astype(np.int64)


def words_of(cfg: DuetConfig, elements: int) -> int:
    """Words of a vector."""
    return -(-elements // cfg.values)


@functools.cache
def vector_positions(cfg: DuetConfig, elements: int) -> np.ndarray:
    """Value index, through all words, of every element of a vector: the column changes first, then the pixel."""
    e = np.arange(elements)
    return e // cfg.values * cfg.values + e % cfg.columns * cfg.pixels + e // cfg.columns % cfg.pixels


@functools.cache
def map_positions(cfg: DuetConfig, shape: tuple) -> np.ndarray:
    """Value index, through all words, of every value of a feature map of shape (channels, height, width)."""
    depth, blocks_x = -(-shape[0] // cfg.columns), -(-shape[2] // cfg.side)
    c, y, x = np.indices(shape)
    block = y // cfg.side * blocks_x + x // cfg.side
    word = block * depth + c // cfg.columns
    return word * cfg.values + c % cfg.columns * cfg.pixels + y % cfg.side * cfg.side + x % cfg.side


def kernel_positions(cfg: DuetConfig, shape: tuple, chunk: int, passes: int, weight_words: int) -> np.ndarray:
    """Value index of every weight of a convolution of shape (outputs, channels, kernel height, kernel width).

    A row of weights of a step: channel block by channel block, tap by tap.
    """
    taps = shape[2] * shape[3]
    n, c, y, x = np.indices(shape)
    block = c // cfg.columns
    slot = block % chunk * taps + y * shape[3] + x
    word = (n * passes + block // chunk) * weight_words + slot // cfg.pixels
    return word * cfg.values + c % cfg.columns * cfg.pixels + slot % cfg.pixels


def pack(cfg: DuetConfig, values, positions, words: int) -> np.ndarray:
    """Words with ``values`` at their positions: int64 [words, values]."""
    flat = np.zeros(words * cfg.values, np.int64)
    flat[positions] = values
    return flat.reshape(words, cfg.values)


def unpack(words, positions) -> np.ndarray:
    """Values at positions: the inverse of :func:`pack`."""
    return np.asarray(words).reshape(-1)[positions]


def pack_bias(cfg: DuetConfig, b) -> np.ndarray:
    """Biases, 32 bits each in two values, the low half first: int64 [words, values]."""
    halves = np.stack([b & 0xFFFF, b >> 16 & 0xFFFF], axis=-1).reshape(-1)
    halves = np.pad(halves, (0, -len(halves) % cfg.values))
    return (halves - (halves >> 15 << 16)).reshape(-1, cfg.values)


def pack_projection_vector(cfg: DuetConfig, p, positions, depth: int) -> np.ndarray:
    """P of a vector, [k, elements] at their positions in ``depth`` words: int64 [words, trees * values]."""
    elements = np.argsort(vector_positions(cfg, depth * cfg.values))    # by position
    full = np.zeros((len(p), len(elements)), np.int64)
    full[:, elements[positions]] = p
    return _flat(pack_projection(cfg, full))


def pack_projection_map(cfg: DuetConfig, p) -> np.ndarray:
    """P of a convolution, [k, channels, kernel height, kernel width]: int64 [words, trees * values]."""
    return _flat(pack_projection(cfg, p))


def _flat(words):
    return words.reshape(len(words), -1).astype(np.int64)


def pack_low_weights(cfg: DuetConfig, w) -> np.ndarray:
    """W_low [outputs, k] as tiles, ``reduced`` for every ``systolic_columns`` outputs: int64 [tiles, elements]."""
    outputs, size = w.shape
    tiles_n, reduced = -(-outputs // cfg.systolic_columns), -(-size // cfg.trees)
    full = np.zeros((tiles_n * cfg.systolic_columns, reduced * cfg.trees), np.int64)
    full[:outputs, :size] = w
    full = full.reshape(tiles_n, cfg.systolic_columns, reduced, cfg.trees).transpose(0, 2, 3, 1)
    return full.reshape(tiles_n * reduced, cfg.trees * cfg.systolic_columns)


def pack_low_bias(cfg: DuetConfig, b) -> np.ndarray:
    """b_low [outputs]: int64 [words, systolic_columns]."""
    return np.pad(b, (0, -len(b) % cfg.systolic_columns)).reshape(-1, cfg.systolic_columns)
