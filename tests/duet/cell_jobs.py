"""Jobs of the cell unit and a memory to run them on; for the bench and for the model alone."""

import numpy as np

from golden.duet.config import DuetConfig

__all__ = ["BASES", "ROWS", "memory_of", "random_job"]

#: Words of the memory; where the vectors of a job lie: a, b, c, d, state, hidden.
ROWS = 120
BASES = tuple(range(0, ROWS, 20))


def memory_of(cfg: DuetConfig, rng) -> np.ndarray:
    """int64 [words, values]: values of all sizes, the largest and the smallest among them."""
    shape = ROWS, cfg.values
    values = rng.integers(-32768, 32768, shape) >> rng.integers(0, 12, shape)
    return np.where(rng.random(shape) < 0.1, rng.choice([-32768, 32767, 0, 1], shape), values)


def random_job(cfg: DuetConfig, rng, op) -> tuple[int, ...]:
    """``CELL_FIELDS`` in their order: up to three words, vectors in any order."""
    return int(op), int(rng.integers(1, min(3 * cfg.values, 40 * cfg.columns))), *map(int, rng.permutation(BASES))
