"""Where values lie: round trips, and the words that the documentation of the formats promises."""

import numpy as np
import pytest

from golden.duet import packing
from golden.duet.formats import Target, target_beats, target_bits
from golden.duet.packing import Write
from golden.duet.projection import pack_projection
from tests.duet.launch import CONFIGS, TINY

ALL = pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS)
#: tiny: 4 columns, 2 x 2 pixels.
C, V = TINY.columns, TINY.pixels


@ALL
@pytest.mark.parametrize("elements", [1, 7, 300])
def test_vectors(cfg, elements):
    values = np.arange(1, elements + 1)
    positions = packing.vector_positions(cfg, elements)
    words = packing.pack(cfg, values, positions, packing.words_of(cfg, elements))
    assert (packing.unpack(words, positions) == values).all() and (words != 0).sum() == elements
    for e in range(0, elements, max(1, elements // 13)):
        word, column, pixel = e // cfg.values, e % cfg.columns, e // cfg.columns % cfg.pixels
        assert words[word, column * cfg.pixels + pixel] == e + 1


@ALL
@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 7, 3), (33, 4, 9)])
def test_maps(cfg, shape):
    x = np.arange(1, np.prod(shape) + 1).reshape(shape)
    depth, blocks_x = -(-shape[0] // cfg.columns), -(-shape[2] // cfg.side)
    words = depth * blocks_x * -(-shape[1] // cfg.side)
    packed = packing.pack(cfg, x, packing.map_positions(cfg, shape), words)
    assert (packed != 0).sum() == x.size
    for c, y, col in np.ndindex(*shape):
        word = (y // cfg.side * blocks_x + col // cfg.side) * depth + c // cfg.columns
        pixel = y % cfg.side * cfg.side + col % cfg.side
        assert packed[word, c % cfg.columns * cfg.pixels + pixel] == x[c, y, col]


@ALL
def test_kernels(cfg):
    shape, chunk, passes, weight_words = (5, 3 * cfg.columns - 1, 2, 3), 2, 2, -(-12 // cfg.pixels)
    w = np.arange(1, np.prod(shape) + 1).reshape(shape)
    positions = packing.kernel_positions(cfg, shape, chunk, passes, weight_words)
    words = packing.pack(cfg, w, positions, shape[0] * passes * weight_words)
    assert (words != 0).sum() == w.size
    for n, c, y, x in np.ndindex(*shape):
        block = c // cfg.columns
        slot = block % chunk * 6 + y * 3 + x
        word = (n * passes + block // chunk) * weight_words + slot // cfg.pixels
        assert words[word, c % cfg.columns * cfg.pixels + slot % cfg.pixels] == w[n, c, y, x]


def test_biases():
    """Element ``2 n`` is the low half of bias n."""
    b = np.array([1, -1, 0x7FFF8000, -(1 << 31), 0x12345678])
    words = packing.pack_bias(TINY, b)
    assert words.shape == (1, C * V) and words.min() >= -32768 and words.max() <= 32767
    assert (words[0, :10].astype(np.int16).view(np.int32) == b).all()


def test_projections_of_vectors_may_have_holes():
    """Elements in order are what the Speculator's own packing does; a hole has zeros."""
    rng = np.random.default_rng(1)
    p = rng.integers(-1, 2, (9, 37))
    depth = packing.words_of(TINY, 37)
    positions = packing.vector_positions(TINY, 37)
    words = packing.pack_projection_vector(TINY, p, positions, depth)
    assert (words == pack_projection(TINY, p).reshape(words.shape)).all()
    shifted = packing.pack_projection_vector(TINY, p, positions + 2 * TINY.values, depth + 2)
    shifted = shifted.reshape(-1, depth + 2, words.shape[1])
    assert not shifted[:, :2].any() and (shifted[:, 2:] == words.reshape(-1, depth, words.shape[1])).all()


@ALL
def test_low_weights(cfg):
    """Tile ``n * reduced + word``: row = element of the word, column = output."""
    rng = np.random.default_rng(2)
    outputs, size = 2 * cfg.systolic_columns - 1, 2 * cfg.trees + 1
    w = rng.integers(-8, 8, (outputs, size))
    tiles = packing.pack_low_weights(cfg, w).reshape(2, 3, cfg.trees, cfg.systolic_columns)
    for n, k in ((0, 0), (outputs - 1, size - 1), (cfg.systolic_columns, cfg.trees), (3, 2)):
        assert tiles[n // cfg.systolic_columns, k // cfg.trees, k % cfg.trees, n % cfg.systolic_columns] == w[n, k]
    assert np.abs(tiles).sum() == np.abs(w).sum()
    b = np.arange(outputs) - 5
    assert (packing.pack_low_bias(cfg, b).reshape(-1)[:outputs] == b).all()


@ALL
@pytest.mark.parametrize("target", Target)
def test_beats(cfg, target):
    """Words are as many beats as the port takes; the bits are the elements', the first lowest."""
    bits = packing.element_bits(cfg, target)
    assert target_bits(cfg)[target] % bits == 0
    elements = target_bits(cfg)[target] // bits
    words = np.random.default_rng(3).integers(0, 1 << bits, (2, elements))
    beats = packing.beats(words, bits)
    assert beats.shape == (2, target_beats(cfg)[target])
    for word, own in zip(words, beats, strict=True):
        value = sum(int(beat) << 64 * n for n, beat in enumerate(own))
        assert value == sum(int(element) << bits * n for n, element in enumerate(word))


def test_beats_of_negative_elements():
    words = np.array([[-1, -32768, 7, 0] * 4])
    stream = packing.beats(words, 16)
    assert (packing.words_of_beats(TINY, stream) == words).all()
    assert packing.beats(np.array([[-1, 1]]), 2).tolist() == [[0b0111]]


def test_writes_are_plain():
    assert Write(Target.GLB, 3, np.zeros((1, 16))).addr == 3
