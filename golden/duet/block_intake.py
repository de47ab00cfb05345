"""Golden model of the intake of the Speculator: words of the input map are quantised and find their place."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import quantizer
from .config import DuetConfig
from .formats import SPECULATE_FIELDS, Kind
from .quantizer import QuantizerState

__all__ = ["EVENTS", "LATENCY", "IntakeState", "clock", "mask_of", "state", "valid_of", "value_of"]

#: Cycles from a word to its write.
LATENCY = 1

#: Situations that the tests must reach.
EVENTS = ("whole_block", "upper_rows_dropped", "lower_rows_dropped", "left_columns_dropped", "right_columns_dropped",
          "nothing_kept", "vector")
WHOLE, UPPER, LOWER, LEFT, RIGHT, NOTHING, VECTOR = range(len(EVENTS))

_JOB = list(SPECULATE_FIELDS)
KIND, STRIDE = _JOB.index("kind"), _JOB.index("stride")
WINDOWS_Y, WINDOWS_X = _JOB.index("windows_y"), _JOB.index("windows_x")
_VECTOR = Kind.VECTOR.value


class IntakeState(NamedTuple):
    """Registers [lanes]; ``rows``, ``columns`` are bits of the block's pixels that are kept."""

    quantizer: QuantizerState
    y: np.ndarray
    x: np.ndarray
    word: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    side: np.ndarray        # a constant
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> IntakeState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(5)]
    return IntakeState(quantizer.state(cfg, lanes), *registers, np.full(lanes, cfg.side),
                       np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """A word is written in this cycle."""
    return quantizer.valid_of(s.quantizer, k)


@jit
def value_of(s, k, index):
    """One of its values; only while :func:`valid_of`."""
    return quantizer.value_of(s.quantizer, k, index)


@jit
def mask_of(s, k):
    """Pixels that are written, a bit each; only while :func:`valid_of`."""
    mask, side = 0, s.side[k]
    for i in range(side):
        if s.rows[k] >> i & 1:
            mask |= s.columns[k] << i * side
    return mask


@jit
def kept(side, distance, size):
    """Bits of the rows of a block that are less than ``size`` from the first one needed, which is ``distance`` above.

    Likewise for columns.
    """
    bits = 0
    for i in range(side):
        if 0 <= distance + i < size:
            bits |= 1 << i
    return bits


@jit
def clock(s, k, job, top, left, valid, block_y, block_x, block_word, values):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : IntakeState
    k : int
    job : array, [len(SPECULATE_FIELDS)]
    top, left : int
        First pixel that the tile needs.
    valid : bool
        A word is taken.
    block_y, block_x, block_word : int
    values : array, [values]
        INT16.
    """
    quantizer.clock(s.quantizer, k, valid, values)
    if not valid:
        return
    side, stride, every = s.side[k], job[STRIDE], (1 << s.side[k]) - 1
    s.y[k], s.x[k], s.word[k] = block_y, block_x, block_word
    if job[KIND] == _VECTOR:
        s.rows[k] = s.columns[k] = every
        s.seen[VECTOR] += 1
        return
    rows = kept(side, block_y * side - top, (side - 1) * stride + job[WINDOWS_Y] * side)
    columns = kept(side, block_x * side - left, (side - 1) * stride + job[WINDOWS_X] * side)
    s.rows[k], s.columns[k] = rows, columns
    s.seen[WHOLE] += rows == every and columns == every
    s.seen[NOTHING] += not rows or not columns
    s.seen[UPPER] += rows and not rows & 1
    s.seen[LOWER] += rows & 1 and rows != every
    s.seen[LEFT] += columns and not columns & 1
    s.seen[RIGHT] += columns & 1 and columns != every
