"""Beats for the tests of the accumulator."""

import random

import numpy as np

from golden.dota.accumulator import Beat


def random_beats(rng: random.Random, count: int, lanes: int, n: int, *, p_first=0.3, p_emit=0.4, limit=1 << 40):
    """Beats of ``lanes`` lanes that take part, of random tokens, often the same one again."""
    numbers, token, beats = np.random.default_rng(rng.randrange(1 << 32)), 0, []
    for _ in range(count):
        token = rng.randrange(4) if rng.random() < 0.5 else token
        values = numbers.integers(-limit, limit, (lanes, n))
        beats.append(Beat(values, token, rng.random() < p_first, rng.random() < p_emit, rng.random() < 0.2))
    return beats
