"""Dimension reduction without time: equations, and the words of the projection buffer."""

import numpy as np
import pytest

from golden.duet import projection
from tests.duet.front import ternary, values
from tests.duet.launch import CONFIGS, TINY


def test_reduced_map_by_hand():
    """One pixel, one channel: sums of the four most significant bits, rounded, clipped."""
    x = np.array([[[4096, -1], [-4097, 32767]]])
    p = np.array([[[[1, 1], [1, 1]]], [[[1, -1], [0, 0]]], [[[0, 0], [-1, 1]]], [[[0, 0], [1, -1]]]])
    reduced = projection.reduce_map(x, p, stride=1, pad=0, shift=0)
    assert reduced[:, 0, 0].tolist() == [1 - 1 - 2 + 7, 2, 7, -8]       # 2 + 7 and -2 - 7 are clipped
    assert projection.reduce_map(x, p, stride=1, pad=0, shift=1)[:, 0, 0].tolist() == [3, 1, 5, -4]


def test_reduced_map_is_a_convolution():
    """Pixel by pixel, tap by tap, in unbounded integers."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        channels, height, width, length = rng.integers(1, 5, 4)
        kernel, stride, pad = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(3))
        x, p = values(rng, (channels, height, width)), ternary(rng, (length, channels, kernel, kernel))
        if min(height, width) + 2 * pad < kernel:
            continue
        reduced = projection.reduce_map(x, p, stride=stride, pad=pad, shift=1)
        low = np.zeros((channels, height + 9, width + 9), np.int64)
        low[:, pad:pad + height, pad:pad + width] = x // 4096
        for k, y, column in np.ndindex(reduced.shape):
            total = sum(int(p[k, c, i, j] * low[c, y * stride + i, column * stride + j])
                        for c in range(channels) for i in range(kernel) for j in range(kernel))
            assert reduced[k, y, column] == min(max((total + 1) // 2, -8), 7)


def test_reduced_vector_is_a_map_of_one_pixel():
    rng = np.random.default_rng(1)
    x, p = values(rng, 100), ternary(rng, (9, 100))
    as_map = projection.reduce_map(x[:, None, None], p[:, :, None, None], stride=1, pad=0, shift=3)
    assert projection.reduce_vector(x, p, shift=3).tolist() == as_map.ravel().tolist()


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=list(CONFIGS))
def test_every_element_has_its_place(cfg):
    """Of a convolution and of a vector; all others are 0."""
    rng = np.random.default_rng(1)
    side, trees = cfg.side, cfg.trees
    length, channels, kernel = trees + 1, cfg.columns + 1, (side + 1, 2)
    p = ternary(rng, (length, channels, *kernel), 0.9)
    words = projection.pack_projection(cfg, p)
    assert words.shape == (2 * 2 * 1 * 2, trees, cfg.values)
    for k, c, i, j in np.ndindex(p.shape):
        word = (k // trees * 2 + i // side) * 2 + c // cfg.columns
        assert words[word, k % trees, c % cfg.columns * cfg.pixels + i % side * side + j] == p[k, c, i, j]
    assert np.abs(words).sum() == np.abs(p).sum()
    p = ternary(rng, (length, 2 * cfg.values + 3), 0.9)
    words = projection.pack_projection(cfg, p)
    assert words.shape == (2 * 3, trees, cfg.values)
    for k, e in np.ndindex(p.shape):
        index = e % cfg.columns * cfg.pixels + e // cfg.columns % cfg.pixels
        assert words[k // trees * 3 + e // cfg.values, k % trees, index] == p[k, e]
    assert np.abs(words).sum() == np.abs(p).sum()


def test_bits_of_a_word():
    """Two bits an element, tree by tree, the first lowest."""
    word = np.zeros((TINY.trees, TINY.values), np.int8)
    word[0, 0], word[0, 3], word[1, 0], word[3, 15] = 1, -1, 1, -1
    expected = 1 | 3 << 6 | 1 << 2 * TINY.values | 3 << 2 * (TINY.trees * TINY.values - 1)
    assert projection.projection_bits(word) == expected


@pytest.mark.parametrize("value", [2, -2])
def test_only_ternary_elements(value):
    with pytest.raises(ValueError, match=rf"^p must hold -1, 0 and 1 only, not {value}$"):
        projection.pack_projection(TINY, np.array([[0, value, 1]]))


def test_wrong_number_of_axes():
    with pytest.raises(ValueError, match=r"^p must have 2 or 4 axes, not 3$"):
        projection.pack_projection(TINY, np.zeros((1, 1, 1), int))
    with pytest.raises(ValueError, match=r"^p must have 4 axes, not 2$"):
        projection.reduce_map(np.zeros((1, 1, 1), int), np.zeros((1, 1), int), stride=1, pad=0, shift=0)
    with pytest.raises(ValueError, match=r"^p must have 2 axes, not 4$"):
        projection.reduce_vector(np.zeros(1, int), np.zeros((1, 1, 1, 1), int), shift=0)
