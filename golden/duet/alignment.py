"""Golden model of the alignment units and adder trees [Thesis 5.1.1, step 2]: the ternary projection of the inputs.

The trees are a pipeline of fixed length, so the model adds a window up when it enters, and keeps the results of the
last ``latency(cfg)`` cycles in a ring.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift, saturate, wrap
from golden.common.jit import jit

from .activation_buffer import TAG
from .config import DuetConfig
from .formats import LOW_BITS, TREE_BITS

__all__ = ["EVENTS", "AlignmentState", "clock", "latency", "result_of", "state", "tag_of", "tree_stages", "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("clipped_high", "clipped_low", "rounded_up", "one_window", "many_windows", "gap_inside", "wrapped", "write")
CLIPPED_HIGH, CLIPPED_LOW, ROUNDED_UP, ONE, MANY, GAP, WRAPPED, WRITE = range(len(EVENTS))

ADDRESS, FIRST, LAST, PIXEL, WORD, END = range(len(TAG))


class AlignmentState(NamedTuple):
    """``projection`` [lanes, cfg.projection_words, trees, values] is the projection buffer: -1, 0, 1."""

    projection: np.ndarray
    sums: np.ndarray        # [lanes, trees]
    inside: np.ndarray      # [lanes], windows of this vector so far
    at: np.ndarray          # [lanes], where in the ring the oldest result lies
    valid: np.ndarray       # [lanes, latency]
    results: np.ndarray     # [lanes, latency, trees]
    tag: np.ndarray         # [lanes, latency, 3]: pixel, word, end
    seen: np.ndarray


def tree_stages(cfg: DuetConfig) -> int:
    """Registers of an adder tree: one after every second level."""
    return -(-(cfg.values.bit_length() - 1) // 2)


def latency(cfg: DuetConfig) -> int:
    """Cycles from the last window of a vector to the vector: projection buffer, tree, sum, shift, rounding."""
    return tree_stages(cfg) + 4


def state(cfg: DuetConfig, lanes: int) -> AlignmentState:
    """State after reset; the projection is 0, where the hardware's is undefined."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    length = latency(cfg)
    return AlignmentState(np.zeros((lanes, cfg.projection_words, cfg.trees, cfg.values), np.int8), zeros(cfg.trees),
                          zeros(), zeros(), zeros(length), zeros(length, cfg.trees), zeros(length, 3),
                          np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """A vector is offered in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def result_of(s, k, tree):
    """One of its elements; only while :func:`valid_of`."""
    return s.results[k, s.at[k], tree]


@jit
def tag_of(s, k, field):
    """``PIXEL``, ``WORD`` or ``END`` of it; only while :func:`valid_of`."""
    return s.tag[k, s.at[k], field - PIXEL]


@jit
def _project(s, k, place, tree, values):
    """Sum of a tree."""
    total = 0
    for index in range(s.projection.shape[3]):
        total += s.projection[k, place, tree, index] * values[index]
    return total


@jit
def _finish(s, k, at, shift):
    """Sums into a result."""
    for tree in range(s.sums.shape[1]):
        total = s.sums[k, tree]
        result, clipped = saturate(round_shift(total, shift), LOW_BITS)
        s.results[k, at, tree] = result
        s.seen[CLIPPED_HIGH] += clipped and result > 0
        s.seen[CLIPPED_LOW] += clipped and result < 0
        s.seen[ROUNDED_UP] += not clipped and result > total >> shift


@jit
def clock(s, k, shift, valid, values, tag, w_en, w_addr, w_data):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : AlignmentState
    k, shift : int
    valid : bool
    values : array, [values]
        A window.
    tag : array, [len(TAG)]
        What belongs to it.
    w_en : bool
    w_addr : int
    w_data : array, [trees, values]
        Word of the projection: -1, 0, 1.
    """
    at, words = s.at[k], s.projection.shape[1]
    s.valid[k, at] = 0
    s.seen[GAP] += s.inside[k] != 0 and not valid
    if valid:
        first, last = tag[FIRST] != 0, tag[LAST] != 0
        s.inside[k] = 1 if first else s.inside[k] + 1
        for tree in range(s.sums.shape[1]):
            total = _project(s, k, tag[ADDRESS] % words, tree, values) + (0 if first else s.sums[k, tree])
            s.sums[k, tree] = wrap(total, TREE_BITS)
            s.seen[WRAPPED] += s.sums[k, tree] != total
        if last:
            s.valid[k, at] = 1
            _finish(s, k, at, shift)
            for field in range(3):
                s.tag[k, at, field] = tag[PIXEL + field]
            s.seen[ONE] += s.inside[k] == 1
            s.seen[MANY] += s.inside[k] > 2
            s.inside[k] = 0
    s.at[k] = (at + 1) % s.valid.shape[1]
    if w_en:
        s.seen[WRITE] += 1
        for tree in range(s.sums.shape[1]):
            for index in range(s.projection.shape[3]):
                s.projection[k, w_addr, tree, index] = w_data[tree, index]
