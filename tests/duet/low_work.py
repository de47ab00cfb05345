"""Random work for the back of the Speculator: jobs, reduced inputs, weights, biases."""

import random

import numpy as np

from golden.duet.approximator import Job
from golden.duet.formats import Function

__all__ = ["biases", "job", "rng_of", "tile_vectors", "vectors_of", "weights"]


def rng_of(rng: random.Random):
    """A numpy generator that goes on with a seed of ``rng``."""
    return np.random.default_rng(rng.getrandbits(32))


def weights(cfg, rng):
    """All tiles of the weight buffer; a tenth of them has only the smallest and the largest value."""
    draw = rng_of(rng)
    tiles = draw.integers(-8, 8, (cfg.low_tiles, cfg.trees, cfg.systolic_columns), np.int8)
    flat = draw.random(cfg.low_tiles) < 0.1
    tiles[flat] = np.where(draw.random(tiles[flat].shape) < 0.5, -8, 7)
    return tiles


def biases(cfg, rng):
    """All words of the bias buffer, some so large that sums wrap."""
    draw = rng_of(rng)
    bits = draw.integers(0, 32, (cfg.low_bias_words, cfg.systolic_columns))
    words = draw.integers(-1 << 31, 1 << 31, bits.shape) >> bits
    words[draw.random(bits.shape) < 0.1] = (1 << 31) - 1
    return words


def job(cfg, rng, *, reduced=None, channels=None, function=None) -> Job:
    """A random job whose weights and biases are in the buffers."""
    reduced = reduced or rng.choice([1, 1, 2, rng.randint(1, min(8, cfg.reduced_words))])
    channels = channels or rng.randint(1, 3 * cfg.systolic_columns)
    tiles_n = -(-channels // cfg.systolic_columns)
    return Job(reduced=reduced, tiles_n=tiles_n, low_base=rng.randint(0, cfg.low_tiles - tiles_n * reduced),
               low_bias_base=rng.randint(0, cfg.low_bias_words - tiles_n), channels=channels,
               function=int(rng.choice(list(Function)) if function is None else function),
               threshold=rng.choice([0, rng.randint(-200, 200), rng.randint(0, 1 << rng.randrange(31))]),
               low_shift=rng.choice([0, rng.randrange(8), rng.randrange(32)]))


def tile_vectors(cfg, rng, reduced, pixels=None):
    """Reduced input of a tile: {pixel: int array [reduced, trees]}; by default of any of the pixels."""
    draw = rng_of(rng)
    if pixels is None:
        pixels = rng.choice([[0], range(cfg.pixels), rng.sample(range(cfg.pixels), rng.randint(1, cfg.pixels))])
    return {pixel: draw.integers(-8, 8, (reduced, cfg.trees)) for pixel in sorted(pixels)}


def vectors_of(tile):
    """(pixel, word, last, values) in the order in which they come: word by word."""
    reduced = len(next(iter(tile.values())))
    items = [(pixel, word, tile[pixel][word]) for word in range(reduced) for pixel in tile]
    return [(pixel, word, number == len(items) - 1, values) for number, (pixel, word, values) in enumerate(items)]
