"""Golden model of the collector of order words [Thesis 5.2.1]: channels of the reorder unit, as elements of a vector.

Channel number j of a tile is element j of its words: column ``j % columns``, pixel ``j // columns % pixels``. A pixel
of all columns is written at a time.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "OrderWordsState", "clock", "field_of", "id_of", "ready_of", "state", "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("kept", "input_waits", "passed_on", "some_lanes", "next_word", "next_tile")
KEPT, INPUT_WAITS, PASSED_ON, SOME_LANES, NEXT_WORD, NEXT_TILE = range(len(EVENTS))

#: Fields of a piece: address of its word, pixel, number of channels in it, whether it is the last one of its tile.
ADDR, PIXEL, COUNT, LAST = range(4)


class OrderWordsState(NamedTuple):
    """Registers [lanes], or as said."""

    ids: np.ndarray         # [lanes, columns] of the piece that is collected
    piece: np.ndarray       # [lanes, 4]
    full: np.ndarray        # it is complete, and ``out`` has not gone yet
    addr: np.ndarray        # of the next channel
    pixel: np.ndarray
    lane: np.ndarray
    valid: np.ndarray
    out: np.ndarray         # [lanes, columns]
    out_piece: np.ndarray   # [lanes, 4]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> OrderWordsState:
    """State after reset."""
    shapes = dict.fromkeys(OrderWordsState._fields, ()) | dict.fromkeys(("ids", "out"), (cfg.columns,))
    shapes |= dict.fromkeys(("piece", "out_piece"), (4,))
    s = OrderWordsState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A channel is taken in this cycle."""
    return s.full[k] == 0


@jit
def valid_of(s, k):
    """A piece is offered."""
    return s.valid[k] != 0


@jit
def field_of(s, k, field):
    """Field of the piece; only while :func:`valid_of`."""
    return s.out_piece[k, field]


@jit
def id_of(s, k, lane):
    """Channel of a lane that is below the piece's number."""
    return s.out[k, lane]


@jit
def give(s, k):
    """The piece that was collected goes to the output."""
    s.valid[k] = 1
    for lane in range(s.out.shape[1]):
        s.out[k, lane] = s.ids[k, lane]
    for field in range(4):
        s.out_piece[k, field] = s.piece[k, field]


@jit
def clock(s, k, start, order_base, pixels, i_valid, i_id, i_last, o_ready):
    """One clock of lane ``k``: a job begins, a channel is offered, a piece is taken."""
    columns = s.out.shape[1]
    was_full, take, free = s.full[k] != 0, i_valid and ready_of(s, k), o_ready or not s.valid[k]
    s.seen[INPUT_WAITS] += i_valid and not take
    if free:
        s.valid[k] = 0
    if was_full and free:
        give(s, k)
        s.full[k] = 0
    if take:
        lane, pixel = s.lane[k], s.pixel[k]
        s.ids[k, lane] = i_id
        s.piece[k, ADDR], s.piece[k, PIXEL], s.piece[k, COUNT], s.piece[k, LAST] = s.addr[k], pixel, lane + 1, i_last
        s.lane[k] = lane + 1
        if lane + 1 == columns or i_last:
            s.lane[k], s.pixel[k] = 0, pixel + 1
            s.seen[SOME_LANES] += lane + 1 < columns
            if i_last or pixel + 1 == pixels:
                s.pixel[k], s.addr[k] = 0, (s.addr[k] + 1) & 0xFFFF
                s.seen[NEXT_WORD] += not i_last
                s.seen[NEXT_TILE] += i_last
            s.seen[PASSED_ON] += free
            s.seen[KEPT] += not free
            s.full[k] = not free
            if free:
                give(s, k)
    if start:
        s.addr[k] = order_base
