"""Groups and sums for the store, as an Executor sends them; for the bench and for the model alone."""

from typing import NamedTuple

import numpy as np

from golden.duet.formats import Function, Kind

__all__ = ["Group", "Job", "random_groups", "random_job", "sum_words"]


class Job(NamedTuple):
    kind: Kind
    function: Function
    shift: int


class Group(NamedTuple):
    """A group and its sums, int64 [rows, pixels]; ``sensitive`` bool [rows, pixels]."""

    on: np.ndarray
    channels: np.ndarray
    bias: np.ndarray
    sensitive: np.ndarray
    word: int
    map_word: int
    tile_done: bool
    empty: bool
    sums: np.ndarray

    @property
    def masks(self) -> np.ndarray:
        """``sensitive`` as integers, bit ``k`` for pixel ``k``."""
        return (self.sensitive * (1 << np.arange(self.sensitive.shape[1]))).sum(1).astype(np.int64)


    @property
    def arguments(self) -> tuple:
        """As the model takes them, always of the same types: others would be compiled anew."""
        return (self.word, self.map_word, self.tile_done, self.empty, self.on.astype(np.int64), self.channels,
                self.bias, self.masks)


def random_job(rng, kind) -> Job:
    """A convolution without function or with ReLU, or a vector with any function."""
    functions = list(Function) if kind == Kind.VECTOR else [Function.NONE, Function.RELU]
    return Job(kind, Function(int(rng.choice(functions))), int(rng.integers(32)))


def random_groups(rng, cfg, job, count, *, p_on=0.8, p_empty=0.2, words=40):
    """Groups with channels in any order, sums of all sizes, all, some or no pixels sensitive.

    No two rows of a tile have the same channel, so that the order of writes does not matter.
    """
    groups, shape = [], (cfg.rows, cfg.pixels)
    per_word = cfg.columns * (cfg.pixels if job.kind == Kind.VECTOR else 1)
    for _ in range(count):
        empty = bool(job.kind == Kind.CONV and rng.random() < p_empty)
        bits = int(rng.integers(1, 33))
        sums = rng.integers(-1 << bits - 1, 1 << bits - 1, shape)
        # Around zero after the shift, too: halves and their neighbours.
        near = rng.integers(-2, 3, shape) * (1 << job.shift >> 1) + rng.integers(-1, 2, shape)
        sums = np.clip(np.where(rng.random(shape) < 0.3, near, sums), -1 << 31, (1 << 31) - 1)
        bias = rng.integers(-1 << 31, 1 << 31, cfg.rows) >> rng.integers(32)
        sensitive = rng.random(shape) < rng.choice([0.2, 0.6, 1.0])
        groups.append(Group(
            rng.random(cfg.rows) < rng.choice([p_on, 1.0, 1.0]),
            rng.choice(4 * max(per_word, cfg.rows), cfg.rows, replace=False),
            bias, sensitive & (not empty), int(rng.integers(words)), int(rng.integers(words)),
            bool(rng.random() < 0.4), empty, sums.astype(np.int64)))
    return groups


def sum_words(group, job) -> list[tuple[int, np.ndarray]]:
    """(pixel, sums [rows]) in the order in which they come."""
    if group.empty:
        return []
    pixels = 1 if job.kind == Kind.VECTOR else group.sums.shape[1]
    return [(pixel, np.ascontiguousarray(group.sums[:, pixel])) for pixel in range(pixels)]
