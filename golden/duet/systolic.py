"""Golden model of the systolic array [Thesis 5.1.1, step 3; table 5.1]: INT4 vectors times tiles of INT4 weights.

A vector enters skewed, row by row, and the partial sums go down the columns; all sums of a vector leave together, a
fixed number of cycles later. So the model computes them when the vector enters and keeps them in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "SystolicState", "clock", "latency", "products", "state", "sum_of", "tag_of", "valid_of",
           "write_tile"]

#: Situations that the tests must reach.
EVENTS = ("new_tile", "same_tile", "gap", "largest", "smallest")
NEW_TILE, SAME_TILE, GAP, LARGEST, SMALLEST = range(len(EVENTS))

#: The largest product of two INT4 values, and the smallest.
_MOST, _LEAST = 64, -56


def latency(cfg: DuetConfig) -> int:
    """Cycles from a vector to its sums: a row a cycle, and two for the last row's product and sum."""
    return cfg.trees + 2


def products(vectors, weights) -> np.ndarray:
    """The definition.

    Parameters
    ----------
    vectors : int array, shape (..., trees)
    weights : int array, shape (..., trees, systolic_columns)
        The tile of every vector.

    Returns
    -------
    int64 array, shape (..., systolic_columns)
    """
    return np.einsum("...r,...rc->...c", np.asarray(vectors, np.int64), np.asarray(weights, np.int64))


class SystolicState(NamedTuple):
    """Ring of results; ``at`` [lanes] is where the oldest lies, which is offered."""

    at: np.ndarray
    valid: np.ndarray       # [lanes, latency]
    tag: np.ndarray         # [lanes, latency]
    sums: np.ndarray        # [lanes, latency, systolic_columns]
    tile: np.ndarray        # [lanes], of the last vector
    weights: np.ndarray     # [lanes, low_tiles, trees, systolic_columns] int8
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> SystolicState:
    """State after reset; weights, which outlive it, are 0."""
    cycles = latency(cfg)
    return SystolicState(np.zeros(lanes, np.int64), np.zeros((lanes, cycles), np.int64),
                         np.zeros((lanes, cycles), np.int64), np.zeros((lanes, cycles, cfg.systolic_columns), np.int64),
                         np.full(lanes, -1, np.int64),
                         np.zeros((lanes, cfg.low_tiles, cfg.trees, cfg.systolic_columns), np.int8),
                         np.zeros(len(EVENTS), np.int64))


def write_tile(s, k, addr, tile):
    """Write a tile of weights, int array [trees, systolic_columns]: what the write port does."""
    s.weights[k, addr] = tile


@jit
def valid_of(s, k):
    """Sums leave in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def tag_of(s, k):
    """What went in with their vector; only while :func:`valid_of`."""
    return s.tag[k, s.at[k]]


@jit
def sum_of(s, k, column):
    """One of the sums; only while :func:`valid_of`."""
    return s.sums[k, s.at[k], column]


@jit
def clock(s, k, valid, values, tile, tag):
    """One clock of lane ``k``; ``values`` [trees], ``tile`` and ``tag`` count only if ``valid``."""
    at = s.at[k]
    s.seen[GAP] += s.valid[k, at] and not valid
    s.valid[k, at], s.tag[k, at] = valid, tag
    if valid:
        s.seen[NEW_TILE] += tile != s.tile[k]
        s.seen[SAME_TILE] += tile == s.tile[k]
        s.tile[k] = tile
        trees = s.weights.shape[2]
        for column in range(s.sums.shape[2]):
            total = 0
            for row in range(trees):
                total += values[row] * s.weights[k, tile, row, column]
            s.sums[k, at, column] = total
            s.seen[LARGEST] += total == _MOST * trees
            s.seen[SMALLEST] += total == _LEAST * trees
    s.at[k] = (at + 1) % s.valid.shape[1]
