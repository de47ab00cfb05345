"""Groups of dot products for the tests of the multi-function unit."""

import random
from typing import NamedTuple

import numpy as np


class Setting(NamedTuple):
    """How dot products become exponents."""

    score_shift: int
    scale: int
    scale_shift: int

    @classmethod
    def random(cls, rng: random.Random):
        """Sensible ones mostly, and any."""
        if rng.random() < 0.7:
            return cls(rng.randint(8, 32), rng.randint(100, 3000), rng.randint(0, 6))
        return cls(rng.randrange(48), rng.randrange(1 << 16), rng.randrange(32))


def random_group(rng: random.Random, rounds: int, setting: Setting):
    """Dot products and which are live, each [rounds, 4]: rows of the same length or not, close together or far apart.

    Returns
    -------
    (int64 array, bool array)
    """
    spread = rng.choice([1, 30, 1000, 1 << 15, 1 << 16]) << setting.score_shift
    limit = 1 << 47
    dots = [[min(max(rng.randint(-spread, spread), -limit), limit - 1) for _ in range(4)] for _ in range(rounds)]
    lengths = [rounds] * 4 if rng.random() < 0.5 else [rng.randint(0, rounds) for _ in range(4)]
    live = np.arange(rounds)[:, None] < np.array(lengths)
    if rng.random() < 0.2:
        live &= np.array([[rng.random() < 0.6 for _ in range(4)] for _ in range(rounds)])
    return np.array(dots, np.int64), live


def group_of(rows):
    """A group from the dot products of each query; there is at least one round."""
    rounds = max(1, *map(len, rows))
    dots, live = np.zeros((rounds, 4), np.int64), np.zeros((rounds, 4), bool)
    for query, row in enumerate(rows):
        dots[:len(row), query], live[:len(row), query] = row, True
    return dots, live
