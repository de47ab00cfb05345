"""Golden model of the approximate module behind the dimension reduction [Thesis 5.1.1, step 3; Fig. 5.2].

QDR input buffer, systolic array, QDR output buffer, then the multi-function unit beside the generator of switching
maps. The parts are stepped from the last to the first, so that each reads registers before they move on.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import low_input, low_output, mfu, switching_map, systolic
from .config import DuetConfig
from .formats import Function

__all__ = ["EVENTS", "Approximation", "ApproximatorState", "Job", "approximations", "clock", "code_of", "field_of",
           "latency", "ready_of", "sensitive_of", "state", "valid_of"]

#: Situations that the tests must reach, besides those of the parts.
EVENTS = ("stalled", "none", "relu", "sigmoid", "tanh", "sensitive", "insensitive")
STALLED, FUNCTIONS, SENSITIVE, INSENSITIVE = 0, 1, 5, 6


def latency(cfg: DuetConfig) -> int:
    """Cycles from the last vector of a tile of one word and pixel to its first approximations."""
    return 3 + systolic.latency(cfg) + 5 + mfu.LATENCY


class Job(NamedTuple):
    """Fields of a job of the Speculator that count here; integers in its units."""

    reduced: int
    tiles_n: int
    low_base: int
    low_bias_base: int
    channels: int
    function: int
    threshold: int
    low_shift: int


class Approximation(NamedTuple):
    """``columns`` outputs of a pixel; tuples of bits and of codes modulo 16."""

    piece: low_output.Piece
    sensitive: tuple
    codes: tuple


def approximations(cfg: DuetConfig, job: Job, vectors, weights, biases) -> list[Approximation]:
    """What leaves for a tile, in order: the definition.

    Parameters
    ----------
    vectors : dict of int to int array, shape (reduced, trees)
        Reduced input of every pixel.
    weights : int array, shape (low_tiles, trees, systolic_columns)
    biases : int array, shape (low_bias_words, systolic_columns)
    """
    pixels, function = sorted(vectors), Function(job.function)
    tiles = np.asarray(weights)[job.low_base:job.low_base + job.tiles_n * job.reduced]
    y = low_output.accumulate(np.array([vectors[pixel] for pixel in pixels]),
                              tiles.reshape(job.tiles_n, job.reduced, *tiles.shape[1:]),
                              np.asarray(biases)[job.low_bias_base:job.low_bias_base + job.tiles_n])
    exists = np.arange(y.shape[1]) < job.channels
    maps = switching_map.sensitive_array(y, function, job.threshold) & exists
    codes = mfu.code_array(y, function, job.low_shift) & 15
    found = []
    for piece in low_output.pieces(cfg, pixels, job.channels):
        at = pixels.index(piece.pixel), slice(piece.first, piece.first + cfg.columns)
        found.append(Approximation(piece, tuple(maps[at].tolist()), tuple(codes[at].tolist())))
    return found


class ApproximatorState(NamedTuple):
    """States of the parts, and ``piece`` [lanes, mfu.LATENCY, 4]: what goes along with the codes, in a ring as they."""

    low_input: low_input.LowInputState
    systolic: systolic.SystolicState
    low_output: low_output.LowOutputState
    mfu: mfu.MfuState
    switching_map: switching_map.SwitchingMapState
    piece: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> ApproximatorState:
    """State after reset."""
    parts = (part.state(cfg, lanes) for part in (low_input, systolic, low_output, mfu, switching_map))
    return ApproximatorState(*parts, np.zeros((lanes, mfu.LATENCY, 4), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A vector is taken in this cycle."""
    return low_input.ready_of(s.low_input, k)


@jit
def valid_of(s, k):
    """Approximations are offered in this cycle."""
    return mfu.valid_of(s.mfu, k)


@jit
def field_of(s, k, field):
    """Field of their :class:`low_output.Piece`."""
    return s.piece[k, s.mfu.at[k], field]


@jit
def code_of(s, k, index):
    """Code of one of them, TANH: signed."""
    return mfu.code_of(s.mfu, k, index)


@jit
def sensitive_of(s, k, index):
    """Whether one of them is sensitive."""
    return switching_map.sensitive_of(s.switching_map, k, index)


@jit
def clock(s, k, i_valid, i_pixel, i_word, i_last, i_values, reduced, tiles_n, low_base, low_bias_base, channels,
          function, threshold, low_shift, o_ready):
    """One clock of lane ``k``: a vector [trees] is offered, fields of the job, approximations are taken or not."""
    front, array, out = s.low_input, s.systolic, s.low_output
    advance, valid, at = o_ready or not valid_of(s, k), low_output.valid_of(out, k), s.mfu.at[k]
    s.seen[STALLED] += not advance
    if advance:
        if valid_of(s, k):
            s.seen[FUNCTIONS + function] += 1
            for index in range(s.mfu.codes.shape[2]):
                s.seen[SENSITIVE] += sensitive_of(s, k, index) != 0
                s.seen[INSENSITIVE] += sensitive_of(s, k, index) == 0
        for field in range(4):
            s.piece[k, at, field] = out.piece[k, field]
    switching_map.clock(s.switching_map, k, advance, valid, out.sums[k], out.piece[k, 1], channels, function,
                        threshold)
    mfu.clock(s.mfu, k, advance, valid, out.sums[k], function, low_shift)
    freed = low_output.freed_of(out, k)
    low_output.clock(out, k, systolic.valid_of(array, k), systolic.tag_of(array, k), array.sums[k, array.at[k]],
                     channels, low_bias_base, advance)
    systolic.clock(array, k, low_input.valid_of(front, k), front.values[k], low_input.tile_of(front, k),
                   low_input.tag_of(front, k))
    low_input.clock(front, k, i_valid, i_pixel, i_word, i_last, i_values, reduced, tiles_n, low_base, freed)
