"""Cycle model of the Speculator [Thesis 5.1.1, Fig. 5.2]: its units, wired."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import approximator, reducer, spec_fetch, spec_store
from .config import DuetConfig
from .formats import MOST_LIMITS, SPECULATE_FIELDS

_F = {name: position for position, name in enumerate(SPECULATE_FIELDS)}
_KIND, _FUNCTION, _ORDERED, _CHANNELS, _SCALE = (_F[n] for n in ("kind", "function", "ordered", "channels", "scale"))
_TILES_Y, _TILES_X, _OUT_DEPTH, _OMAP, _ORDER, _APPROX = (_F[n] for n in ("tiles_y", "tiles_x", "out_depth",
                                                                          "omap_base", "order_base", "approx_base"))
_REDUCED, _TILES_N, _LOW, _LOW_BIAS, _THRESHOLD, _LOW_SHIFT = (
    _F[n] for n in ("reduced", "tiles_n", "low_base", "low_bias_base", "threshold", "low_shift"))
_LIMITS = _F["limit_0"]
#: Fields of a piece of approximations, and the mask of a code.
_FIELDS, _CODE = 4, 15


class SpeculatorState(NamedTuple):
    """States of the units, and room for what goes from one to the next."""

    fetch: spec_fetch.FetchState
    reducer: reducer.ReducerState
    approximator: approximator.ApproximatorState
    store: spec_store.SpecStoreState
    vector: np.ndarray      # [trees]
    piece: np.ndarray       # [4]
    sensitive: np.ndarray   # [columns]
    codes: np.ndarray       # [columns]
    pixels: np.ndarray      # [1]


def state(cfg: DuetConfig) -> SpeculatorState:
    """State after reset."""
    return SpeculatorState(spec_fetch.state(cfg, 1), reducer.state(cfg, 1), approximator.state(cfg, 1),
                           spec_store.state(cfg, 1), np.zeros(cfg.trees, np.int64), np.zeros(_FIELDS, np.int64),
                           np.zeros(cfg.columns, np.int64), np.zeros(cfg.columns, np.int64),
                           np.full(1, cfg.pixels, np.int64))


@jit
def busy_of(s):
    """A job runs."""
    return spec_fetch.busy_of(s.fetch, 0) or reducer.busy_of(s.reducer, 0) or spec_store.busy_of(s.store, 0)


@jit
def _show(s):
    """What the units offer to the next ones, before any of them moves."""
    if reducer.valid_of(s.reducer, 0):
        for tree in range(s.vector.shape[0]):
            s.vector[tree] = reducer.o_value(s.reducer, 0, tree)
    if approximator.valid_of(s.approximator, 0):
        for field in range(_FIELDS):
            s.piece[field] = approximator.field_of(s.approximator, 0, field)
        for lane in range(s.codes.shape[0]):
            s.sensitive[lane] = approximator.sensitive_of(s.approximator, 0, lane)
            s.codes[lane] = approximator.code_of(s.approximator, 0, lane) & _CODE


@jit
def clock(s, job, start, tiles_done, all_done, request_ready, data, projection_en, projection_addr, projection,
          write_ready):
    """One clock.

    Parameters
    ----------
    job : int array, [len(SPECULATE_FIELDS)]
        ``threshold`` signed.
    data : array, [values]
        Answer of the global buffer.
    projection_en, projection_addr, projection
        The host writes a word of the projection, [trees, values].
    """
    _show(s)
    store_ready, low_ready = spec_store.ready_of(s.store, 0), approximator.ready_of(s.approximator, 0)
    word_ready = reducer.ready_of(s.reducer, 0)
    vector_valid, piece_valid = reducer.valid_of(s.reducer, 0), approximator.valid_of(s.approximator, 0)
    pixel = word = last = 0
    if vector_valid:
        pixel, word = reducer.o_field(s.reducer, 0, 0), reducer.o_field(s.reducer, 0, 1)
        last = reducer.o_field(s.reducer, 0, 2)
    spec_store.clock(s.store, 0, start, job[_KIND], job[_FUNCTION], job[_ORDERED] != 0, job[_CHANNELS], job[_SCALE],
                     job[_TILES_Y], job[_TILES_X], job[_OUT_DEPTH], job[_OMAP], job[_ORDER], job[_APPROX],
                     job[_LIMITS:_LIMITS + MOST_LIMITS], s.pixels[0], piece_valid, s.piece, s.sensitive, s.codes,
                     write_ready)
    approximator.clock(s.approximator, 0, vector_valid, pixel, word, last, s.vector, job[_REDUCED], job[_TILES_N],
                       job[_LOW], job[_LOW_BIAS], job[_CHANNELS], job[_FUNCTION], job[_THRESHOLD], job[_LOW_SHIFT],
                       store_ready)
    fetch = s.fetch
    block = fetch.block[0, 3]
    reducer.clock(s.reducer, 0, job, start, spec_fetch.valid_of(fetch, 0), block[0], block[1], block[2], block[3] != 0,
                  fetch.data[0], projection_en, projection_addr, projection, low_ready)
    spec_fetch.clock(fetch, 0, job, start, tiles_done, all_done, request_ready, data, word_ready)
