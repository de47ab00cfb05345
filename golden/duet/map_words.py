"""Golden model of the collector of map words [Thesis 5.1.1]: sensitive bits of a tile's pixels, channel by channel."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "MapWordsState", "addr_of", "bits_of", "clock", "last_of", "ready_of", "state", "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("kept", "input_waits", "passed_on", "one_pixel", "next_tile")
KEPT, INPUT_WAITS, PASSED_ON, ONE_PIXEL, NEXT_TILE = range(len(EVENTS))


class MapWordsState(NamedTuple):
    """Registers [lanes]; ``bits`` [lanes, columns] have one bit a pixel."""

    bits: np.ndarray        # of the word that is collected
    begun: np.ndarray       # some of it
    full: np.ndarray        # all of it, and ``out`` has not gone yet
    base: np.ndarray        # address of the tile's first word
    addr: np.ndarray        # of ``bits``
    last: np.ndarray
    valid: np.ndarray
    out_addr: np.ndarray
    out_last: np.ndarray
    out: np.ndarray         # [lanes, columns]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> MapWordsState:
    """State after reset."""
    shapes = dict.fromkeys(MapWordsState._fields, ()) | dict.fromkeys(("bits", "out"), (cfg.columns,))
    s = MapWordsState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """Approximations are taken in this cycle."""
    return s.full[k] == 0


@jit
def valid_of(s, k):
    """A word is offered."""
    return s.valid[k] != 0


@jit
def addr_of(s, k):
    """Its address in the map buffer; only while :func:`valid_of`."""
    return s.out_addr[k]


@jit
def last_of(s, k):
    """It is the last one of its tile."""
    return s.out_last[k] != 0


@jit
def bits_of(s, k, column):
    """Its bits of a column, one a pixel."""
    return s.out[k, column]


@jit
def give(s, k):
    """The word that was collected goes to the output."""
    s.valid[k], s.out_addr[k], s.out_last[k] = 1, s.addr[k], s.last[k]
    for column in range(s.out.shape[1]):
        s.out[k, column] = s.bits[k, column]


@jit
def clock(s, k, start, omap_base, out_depth, i_valid, i_pixel, i_first, i_part_end, i_last, i_sensitive, o_ready):
    """One clock of lane ``k``: a job begins, approximations are offered (their bits, [columns]), a word is taken."""
    columns = s.out.shape[1]
    was_full, take, free = s.full[k] != 0, i_valid and ready_of(s, k), o_ready or not s.valid[k]
    s.seen[INPUT_WAITS] += i_valid and not take
    if free:
        s.valid[k] = 0
    if was_full and free:
        give(s, k)
        s.full[k] = 0
    if take:
        for column in range(columns):
            s.bits[k, column] = (s.bits[k, column] if s.begun[k] else 0) | (i_sensitive[column] != 0) << i_pixel
        s.addr[k], s.last[k] = (s.base[k] + i_first // columns) & 0xFFFF, i_last
        s.seen[ONE_PIXEL] += i_part_end and not s.begun[k]
        s.begun[k] = not i_part_end
        if i_part_end:
            s.seen[PASSED_ON] += free
            s.seen[KEPT] += not free
            s.full[k] = not free
            if free:
                give(s, k)
            if i_last:
                s.base[k] = (s.base[k] + out_depth) & 0xFFFF
                s.seen[NEXT_TILE] += 1
    if start:
        s.base[k] = omap_base
