"""Golden model of the order of inputs [Thesis 5.1.2]: words of the blocks near a tile, tile by tile."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import EXECUTE_FIELDS

__all__ = ["SETTLED", "InputWalkState", "begin_job", "begin_step", "next_tile", "state", "take", "there_of"]

#: Cycles after the start in which what follows from the job is worked out.
SETTLED = 3

_JOB = list(EXECUTE_FIELDS)
(_TILES_Y, _TILES_X, _STRIDE, _FIRST_Y, _FIRST_X, _NEAR_Y, _NEAR_X, _BLOCKS_Y, _BLOCKS_X, _DEPTH) = (
    _JOB.index(name) for name in ("tiles_y", "tiles_x", "stride", "first_y", "first_x", "near_y", "near_x", "blocks_y",
                                  "blocks_x", "depth"))
_MASK = 0xFFFF


class InputWalkState(NamedTuple):
    """Registers [lanes]. Addresses are relative to the job's, modulo 2**16."""

    tile_y: np.ndarray
    tile_x: np.ndarray
    block_y: np.ndarray     # first block of the tile
    block_x: np.ndarray
    at_row: np.ndarray      # address of the first block of the row of tiles, of the tile
    at_tile: np.ndarray
    y: np.ndarray           # next word: row and column among the blocks near, word, number
    x: np.ndarray
    n: np.ndarray
    index: np.ndarray
    near_y: np.ndarray      # its block
    near_x: np.ndarray
    at_word: np.ndarray     # addresses: of the word's first block, of the row's, of the block
    at_line: np.ndarray
    at: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> InputWalkState:
    """State after reset; the same for every configuration."""
    del cfg
    return InputWalkState(*(np.zeros(lanes, np.int64) for _ in InputWalkState._fields))


@jit
def begin_job(s, k, job):
    """What follows from the job is there: the first tile."""
    s.tile_y[k] = s.tile_x[k] = 0
    s.block_y[k], s.block_x[k] = -job[_FIRST_Y], -job[_FIRST_X]
    before = job[_FIRST_Y] * job[_BLOCKS_X] * job[_DEPTH] + job[_FIRST_X] * job[_DEPTH]
    s.at_row[k] = s.at_tile[k] = -before & _MASK


@jit
def next_tile(s, k, job):
    """The next tile; returns whether it begins a row, and whether there is none."""
    stride, depth = job[_STRIDE], job[_DEPTH]
    if s.tile_x[k] + 1 != job[_TILES_X]:
        s.tile_x[k] += 1
        s.block_x[k] += stride
        s.at_tile[k] = s.at_tile[k] + stride * depth & _MASK
        return False, False
    s.tile_x[k], s.block_x[k] = 0, -job[_FIRST_X]
    s.tile_y[k] += 1
    s.block_y[k] += stride
    s.at_row[k] = s.at_tile[k] = s.at_row[k] + stride * job[_BLOCKS_X] * depth & _MASK
    return True, s.tile_y[k] == job[_TILES_Y]


@jit
def begin_step(s, k, word):
    """The inputs of a step, from word ``word`` of the blocks on."""
    s.y[k] = s.x[k] = s.n[k] = s.index[k] = 0
    s.near_y[k], s.near_x[k] = s.block_y[k], s.block_x[k]
    s.at_word[k] = s.at_line[k] = s.at[k] = s.at_tile[k] + word & _MASK


@jit
def there_of(s, k, job):
    """The block of the next word, ``at``, is in the map."""
    return 0 <= s.near_y[k] < job[_BLOCKS_Y] and 0 <= s.near_x[k] < job[_BLOCKS_X]


@jit
def take(s, k, job, words):
    """The next word is taken; returns whether it was the last one of a step of ``words`` words a block."""
    s.index[k] += 1
    s.x[k] += 1
    s.near_x[k] += 1
    s.at[k] = s.at[k] + job[_DEPTH] & _MASK
    if s.x[k] != job[_NEAR_X]:
        return False
    s.x[k], s.near_x[k] = 0, s.block_x[k]
    s.y[k] += 1
    s.near_y[k] += 1
    s.at_line[k] = s.at[k] = s.at_line[k] + job[_BLOCKS_X] * job[_DEPTH] & _MASK
    if s.y[k] != job[_NEAR_Y]:
        return False
    s.y[k], s.near_y[k] = 0, s.block_y[k]
    s.n[k] += 1
    s.at_word[k] = s.at_line[k] = s.at[k] = s.at_word[k] + 1 & _MASK
    return s.n[k] == words
