"""Golden model of the order of outputs [Thesis 5.1.2, 5.2.1]: which channel every row of every group works on."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import EXECUTE_FIELDS, Kind

__all__ = ["DONE", "END", "EVENTS", "FILL", "ON", "ORDER", "ROW", "SCAN", "RowWalkState", "busy_of", "clock", "state",
           "tag_channel", "tag_flag", "tag_kind", "tag_row", "valid_of"]

#: Kinds of operations: a word of the output map for the buffer of the groups; channels in order; map of a vector; the
#: bias of a row.
FILL, ORDER, SCAN, ROW = range(4)
#: Flags of a row: it works; last of its group; last of its tile. Where they, and channel and row, lie in a tag.
ON, END, DONE = 1, 2, 4
_FLAGS_AT, _ROW_AT, _CHANNEL_AT = 2, 5, 10

#: Situations that the tests must reach.
EVENTS = ("natural", "ordered", "scanned", "part_of_group", "whole_group", "one_group", "next_tile", "order_word",
          "order_ends_inside", "no_bit", "no_row", "beyond", "end_alone", "op_waits", "group_waits", "fill")
(NATURAL, ORDERED, SCANNED, PART, WHOLE, ONE_GROUP, NEXT_TILE, ORDER_WORD, ORDER_INSIDE, NO_BIT, NO_ROW, BEYOND,
 END_ALONE, OP_WAITS, GROUP_WAITS, FILLED) = range(len(EVENTS))

#: States.
IDLE, TILE, FILLS, ASK, WAIT, ROWS = range(6)

_JOB = list(EXECUTE_FIELDS)
(_KIND, _USE_OMAP, _ORDERED, _TILES_Y, _TILES_X, _CHANNELS, _OUT_DEPTH, _OMAP_BASE, _ORDER_BASE, _BIAS_BASE) = (
    _JOB.index(name) for name in ("kind", "use_omap", "ordered", "tiles_y", "tiles_x", "channels", "out_depth",
                                  "omap_base", "order_base", "bias_base"))
_VECTOR = int(Kind.VECTOR)
_MASK = 0xFFFF


class RowWalkState(NamedTuple):
    """Registers [lanes], unless a shape is given."""

    state: np.ndarray
    tile_y: np.ndarray
    tile_x: np.ndarray
    map_word: np.ndarray        # first word of the tile's output map
    fill: np.ndarray
    count: np.ndarray           # channels that are through; VECTOR: first element of the pixel
    row: np.ndarray
    outstanding: np.ndarray     # the group that was begun is not yet on offer
    order_addr: np.ndarray
    pixel: np.ndarray           # of the order word, of the map word
    ids_left: np.ndarray
    ids: np.ndarray             # [lanes, columns]
    bits: np.ndarray            # [lanes, pixels], masks of columns, those of the present pixel first
    valid: np.ndarray           # the operation that is offered
    reads: np.ndarray
    addr: np.ndarray
    map_addr: np.ndarray
    tag: np.ndarray
    rows: np.ndarray            # a constant
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> RowWalkState:
    """State after reset."""
    shapes = dict.fromkeys(RowWalkState._fields, ()) | {"ids": (cfg.columns,), "bits": (cfg.pixels,)}
    s = RowWalkState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    s.rows[:] = cfg.rows
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, k):
    """Rows of the job are to come."""
    return s.state[k] != IDLE or s.valid[k] != 0


@jit
def valid_of(s, k):
    """An operation is offered: ``reads``, ``addr``, ``map_addr``, ``tag``."""
    return s.valid[k] != 0


@jit
def tag_kind(tag):
    """Kind of an operation."""
    return tag & 3


@jit
def tag_flag(tag, flag):
    """A flag of a row, 0 or 1."""
    return 1 if tag >> _FLAGS_AT & flag else 0


@jit
def tag_row(tag):
    """Row of a ROW; pixel of an ORDER."""
    return tag >> _ROW_AT & 0x1F


@jit
def tag_channel(tag):
    """Channel of a ROW; number of the word of a FILL."""
    return tag >> _CHANNEL_AT & _MASK


@jit
def _offer(s, k, kind, flags, row, channel, reads, addr, map_addr):
    s.valid[k], s.reads[k] = 1, reads
    s.addr[k], s.map_addr[k] = addr & _MASK, map_addr & _MASK
    s.tag[k] = kind | flags << _FLAGS_AT | row << _ROW_AT | channel << _CHANNEL_AT


@jit
def _offer_row(s, k, job, channel, flags):
    """A row; the next one comes into the next row, or begins a group."""
    per_word = s.ids.shape[1] * s.bits.shape[1] // 2
    _offer(s, k, ROW, flags, s.row[k], channel, flags & ON, job[_BIAS_BASE] + channel // per_word, 0)
    s.outstanding[k] = 1
    s.seen[PART] += flags & END and s.row[k] + 1 < s.rows[k]
    s.seen[WHOLE] += flags & END and s.row[k] + 1 == s.rows[k]
    s.row[k] = 0 if flags & END else s.row[k] + 1


@jit
def _next_tile(s, k, job):
    row_ends = s.tile_x[k] + 1 == job[_TILES_X]
    done = row_ends and s.tile_y[k] + 1 == job[_TILES_Y]
    s.tile_x[k] = 0 if row_ends else s.tile_x[k] + 1
    s.tile_y[k] += row_ends
    s.map_word[k] = s.map_word[k] + job[_OUT_DEPTH] & _MASK
    s.seen[ORDER_INSIDE] += s.pixel[k] != 0 and job[_ORDERED] != 0
    s.order_addr[k] = s.order_addr[k] + (s.pixel[k] != 0) & _MASK
    s.pixel[k] = s.count[k] = s.ids_left[k] = 0
    s.state[k] = IDLE if done else TILE
    s.seen[NEXT_TILE] += not done


@jit
def _row(s, k, job):
    """Channels one after the other, or as the reorder unit has sorted them."""
    last = s.count[k] + 1 == job[_CHANNELS]
    end = last or s.row[k] + 1 == s.rows[k]
    channel = s.count[k]
    if job[_ORDERED]:
        if s.ids_left[k] == 0:
            s.state[k] = ASK
            return
        channel = s.ids[k, 0]
        for c in range(s.ids.shape[1] - 1):
            s.ids[k, c] = s.ids[k, c + 1]
        s.ids_left[k] -= 1
    s.seen[ORDERED if job[_ORDERED] else NATURAL] += 1
    s.seen[ONE_GROUP] += last and job[_CHANNELS] <= s.rows[k]
    _offer_row(s, k, job, channel, ON | END * end | DONE * last)
    s.count[k] += 1
    if last:
        _next_tile(s, k, job)


@jit
def _scan(s, k, job):
    """The next sensitive element of a vector, if this pixel has one."""
    columns, pixels = s.ids.shape[1], s.bits.shape[1]
    column, found = 0, s.bits[k, 0]
    while found and not found >> column & 1:
        column += 1
    if s.count[k] >= job[_CHANNELS]:
        s.seen[END_ALONE] += s.row[k] == 0
        _offer_row(s, k, job, 0, END | DONE)
        s.state[k] = IDLE
    elif s.ids_left[k] == 0:
        s.state[k] = ASK
    elif found and s.count[k] + column < job[_CHANNELS]:
        end = s.row[k] + 1 == s.rows[k]
        _offer_row(s, k, job, s.count[k] + column, ON | END * end)
        s.bits[k, 0] = found & found - 1
        s.seen[SCANNED] += 1
    else:
        s.seen[NO_BIT] += not found
        s.seen[BEYOND] += found != 0
        for pixel in range(pixels - 1):
            s.bits[k, pixel] = s.bits[k, pixel + 1]
        s.count[k] += columns
        s.ids_left[k] -= 1


@jit
def _ask(s, k, job, scans):
    """A word of the map of a vector, or the next channels in order."""
    if scans:
        _offer(s, k, SCAN, 0, 0, 0, 1, 0, s.map_word[k])
        s.map_word[k] = s.map_word[k] + 1 & _MASK
    else:
        _offer(s, k, ORDER, 0, s.pixel[k], 0, 1, s.order_addr[k], 0)
        whole = s.pixel[k] + 1 == s.bits.shape[1]
        s.seen[ORDER_WORD] += whole
        s.order_addr[k] = s.order_addr[k] + whole & _MASK
        s.pixel[k] = 0 if whole else s.pixel[k] + 1
    s.state[k] = WAIT


@jit
def _fill(s, k, job):
    _offer(s, k, FILL, 0, 0, s.fill[k], 1, 0, s.map_word[k] + s.fill[k])
    s.fill[k] += 1
    s.seen[FILLED] += 1
    if s.fill[k] * s.ids.shape[1] >= job[_CHANNELS]:
        s.state[k] = ROWS


@jit
def _answer(s, k, tag, data, map_):
    """Channels, or bits, have come."""
    columns, pixels, pixel = s.ids.shape[1], s.bits.shape[1], tag_row(tag)
    if tag_kind(tag) == ORDER:
        for c in range(columns):
            s.ids[k, c] = data[c * pixels + pixel] & _MASK
        s.ids_left[k] = columns
    else:
        found = 0
        for p in range(pixels):
            s.bits[k, p] = 0
            for c in range(columns):
                s.bits[k, p] |= (1 if map_[c * pixels + p] else 0) << c
            found |= s.bits[k, p]
        s.seen[NO_ROW] += found == 0
        s.ids_left[k] = pixels
    s.state[k] = ROWS


@jit
def clock(s, k, job, start, freed, answer, tag, data, map_, o_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    job : int array, [len(EXECUTE_FIELDS)]
    start : bool
    freed : bool
        The group that was begun last is complete, and on offer.
    answer, tag, data, map_
        Answer to an operation; words are arrays [values].
    o_ready : bool
        The operation that is offered is taken.
    """
    free = not s.valid[k] or o_ready
    scans = job[_KIND] == _VECTOR and job[_USE_OMAP] != 0
    here, waits = s.state[k], s.row[k] == 0 and s.outstanding[k] != 0
    s.seen[OP_WAITS] += not free
    s.seen[GROUP_WAITS] += here == ROWS and free and waits
    if freed:
        s.outstanding[k] = 0
    if free:
        s.valid[k] = 0
        if here == TILE:
            s.fill[k] = 0
            s.state[k] = FILLS if job[_KIND] != _VECTOR and job[_USE_OMAP] else ROWS
        elif here == FILLS:
            _fill(s, k, job)
        elif here == ASK:
            _ask(s, k, job, scans)
        elif here == ROWS and not waits:
            if scans:
                _scan(s, k, job)
            else:
                _row(s, k, job)
    if answer and (tag_kind(tag) == ORDER or tag_kind(tag) == SCAN):
        _answer(s, k, tag, data, map_)
    if start:
        s.state[k] = TILE
        s.tile_y[k] = s.tile_x[k] = s.count[k] = s.row[k] = s.outstanding[k] = s.pixel[k] = s.ids_left[k] = 0
        s.map_word[k], s.order_addr[k] = job[_OMAP_BASE], job[_ORDER_BASE]
