"""Golden model of the groups [Thesis 5.1.2]: what the store and the steps must know of the rows of a group."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import row_walk
from .config import DuetConfig
from .formats import EXECUTE_FIELDS, Kind

__all__ = ["EVENTS", "GROUP", "LATENCY", "WORK", "FETCH", "GroupsState", "busy_of", "clock", "freed_of", "state",
           "valid_of"]

#: Cycles from the answer to the last row of a group to the group, if those before are taken.
LATENCY = 4
#: Who takes a group: the store, the loads of its steps, the requests to the memory.
GROUP, WORK, FETCH = range(3)

#: Situations that the tests must reach.
EVENTS = ("empty", "no_row", "row_off", "insensitive_row", "tile_done", "cut", "filled", "store_waits", "steps_wait",
          "kept")
EMPTY, NO_ROW, ROW_OFF, INSENSITIVE_ROW, TILE_DONE, CUT, FILLED, STORE_WAITS, STEPS_WAIT, KEPT = range(len(EVENTS))

_JOB = list(EXECUTE_FIELDS)
(_KIND, _USE_OMAP, _TILES_X, _HEIGHT, _WIDTH, _DEPTH, _PASSES, _WEIGHT_WORDS, _OUT_DEPTH, _OUT_BASE, _OMAP_BASE,
 _WEIGHT_BASE) = (_JOB.index(name) for name in (
     "kind", "use_omap", "tiles_x", "height", "width", "depth", "passes", "weight_words", "out_depth", "out_base",
     "omap_base", "weight_base"))
_VECTOR = int(Kind.VECTOR)


class GroupsState(NamedTuple):
    """Registers [lanes], unless a shape is given; masks of pixels are integers."""

    maps: np.ndarray        # [lanes, words, columns], output map of the tile
    valid_s1: np.ndarray
    tag_s1: np.ndarray
    lane_s1: np.ndarray     # [lanes, pixels], values of the column in which the bias lies
    map_s1: np.ndarray      # [lanes, columns], a word of the output map
    place_s1: np.ndarray
    valid_s2: np.ndarray
    tag_s2: np.ndarray
    bias_s2: np.ndarray
    mask_s2: np.ndarray
    place_s2: np.ndarray
    tile_x: np.ndarray
    rows_left: np.ndarray   # rows of outputs from this tile on
    columns_left: np.ndarray
    next_on: np.ndarray     # [lanes, rows]: the group that is collected, as the one on offer below
    next_channel: np.ndarray
    next_bias: np.ndarray
    next_sensitive: np.ndarray
    next_place: np.ndarray
    next_word: np.ndarray
    next_map_word: np.ndarray
    next_tile_done: np.ndarray
    next_empty: np.ndarray
    full: np.ndarray        # it has all its rows
    on: np.ndarray          # [lanes, rows]: the group
    channel: np.ndarray
    bias: np.ndarray
    sensitive: np.ndarray
    place: np.ndarray       # first word of weights of the row
    word: np.ndarray
    map_word: np.ndarray
    tile_done: np.ndarray
    empty: np.ndarray
    valid: np.ndarray       # [lanes, 3], of whom it is still to be taken
    freed: np.ndarray
    side: np.ndarray        # a constant
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> GroupsState:
    """State after reset; what the buffer of the map holds at first does not matter."""
    by_row = dict.fromkeys((f"{when}{name}" for when in ("", "next_")
                            for name in ("on", "channel", "bias", "sensitive", "place")), (cfg.rows,))
    shapes = dict.fromkeys(GroupsState._fields, ()) | by_row | {
        "maps": (max(2, cfg.channels // cfg.columns), cfg.columns), "lane_s1": (cfg.pixels,), "map_s1": (cfg.columns,),
        "valid": (3,)}
    s = GroupsState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()})
    s.side[:] = cfg.side
    return s._replace(seen=np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k, who):
    """The group is offered to the store (GROUP), to the steps (WORK), to the requests (FETCH)."""
    return s.valid[k, who] != 0


@jit
def freed_of(s, k):
    """There is room for the rows of another group."""
    return s.freed[k] != 0


@jit
def busy_of(s, k):
    """A row is on its way, or a group was not taken."""
    return s.valid_s1[k] or s.valid_s2[k] or s.full[k] or s.valid[k, 0] or s.valid[k, 1] or s.valid[k, 2]


@jit
def inside_of(s, k):
    """Pixels of the tile that are in the output map."""
    mask, side = 0, s.side[k]
    for y in range(side):
        for x in range(side):
            if y < s.rows_left[k] and x < s.columns_left[k]:
                mask |= 1 << y * side + x
    return mask


@jit
def _record(s, k):
    """A row takes its place in the group that is collected."""
    tag = s.tag_s2[k]
    row, on = row_walk.tag_row(tag), row_walk.tag_flag(tag, row_walk.ON)
    if row == 0:
        s.next_empty[k] = 1
        for r in range(s.on.shape[1]):
            s.next_on[k, r] = s.next_sensitive[k, r] = 0
    s.next_on[k, row], s.next_channel[k, row], s.next_bias[k, row] = on, row_walk.tag_channel(tag), s.bias_s2[k]
    s.next_sensitive[k, row], s.next_place[k, row] = s.mask_s2[k], s.place_s2[k]
    if s.mask_s2[k]:
        s.next_empty[k] = 0
    s.next_tile_done[k] = row_walk.tag_flag(tag, row_walk.DONE)
    s.full[k] = row_walk.tag_flag(tag, row_walk.END)
    s.seen[INSENSITIVE_ROW] += on and s.mask_s2[k] == 0


@jit
def _give(s, k, job):
    """The group that was collected is offered."""
    for r in range(s.on.shape[1]):
        s.on[k, r], s.channel[k, r], s.bias[k, r] = s.next_on[k, r], s.next_channel[k, r], s.next_bias[k, r]
        s.sensitive[k, r], s.place[k, r] = s.next_sensitive[k, r], s.next_place[k, r]
    s.word[k], s.map_word[k] = s.next_word[k], s.next_map_word[k]
    s.tile_done[k], s.empty[k] = s.next_tile_done[k], s.next_empty[k]
    s.valid[k, GROUP] = s.valid[k, WORK] = s.valid[k, FETCH] = 1
    s.full[k] = 0
    if s.tile_done[k]:
        s.next_word[k] = s.next_word[k] + job[_OUT_DEPTH] & 0xFFFF
        s.next_map_word[k] = s.next_map_word[k] + job[_OUT_DEPTH] & 0xFFFF
    s.seen[EMPTY] += s.empty[k]
    s.seen[NO_ROW] += s.on[k, 0] == 0
    s.seen[ROW_OFF] += s.on[k, 0] != 0 and s.on[k, s.on.shape[1] - 1] == 0
    s.seen[TILE_DONE] += s.tile_done[k]


@jit
def _next_tile(s, k, job):
    """The last row of a tile has its mask."""
    row_ends = s.tile_x[k] + 1 == job[_TILES_X]
    s.tile_x[k] = 0 if row_ends else s.tile_x[k] + 1
    s.columns_left[k] = job[_WIDTH] if row_ends else s.columns_left[k] - s.side[k]
    s.rows_left[k] -= s.side[k] if row_ends else 0


@jit
def _second(s, k, job):
    """Bias, output map and first word of weights of a row."""
    tag, pixels = s.tag_s1[k], s.lane_s1.shape[1]
    channel = row_walk.tag_channel(tag)
    s.tag_s2[k] = tag
    place = 2 * channel % pixels
    s.bias_s2[k] = s.lane_s1[k, place + 1] * 65536 + (s.lane_s1[k, place] & 0xFFFF)
    inside, mask = inside_of(s, k), -1
    if job[_KIND] != _VECTOR and job[_USE_OMAP]:
        mask = s.map_s1[k, channel % s.map_s1.shape[1]]
    s.seen[CUT] += inside != (1 << pixels) - 1 and job[_KIND] != _VECTOR
    s.mask_s2[k] = inside & mask if row_walk.tag_flag(tag, row_walk.ON) else 0
    s.place_s2[k] = s.place_s1[k] + job[_WEIGHT_BASE] & 0xFFFFFFFF
    if row_walk.tag_flag(tag, row_walk.DONE):
        _next_tile(s, k, job)


@jit
def _first(s, k, job, tag, data, map_):
    """An answer: a word of the map for the buffer, or the lane of a bias; a word of the buffer is read for it."""
    pixels, columns = s.lane_s1.shape[1], s.map_s1.shape[1]
    channel = row_walk.tag_channel(tag)
    if row_walk.tag_kind(tag) == row_walk.FILL:
        s.seen[FILLED] += 1
        for c in range(columns):
            s.maps[k, channel, c] = 0
            for p in range(pixels):
                s.maps[k, channel, c] |= (1 if map_[c * pixels + p] else 0) << p
        return
    lane = 2 * channel // pixels % columns
    for p in range(pixels):
        s.lane_s1[k, p] = data[lane * pixels + p]
    word = channel // columns % s.maps.shape[1]
    for c in range(columns):
        s.map_s1[k, c] = s.maps[k, word, c]
    by_row = job[_DEPTH] if job[_KIND] == _VECTOR else job[_PASSES] * job[_WEIGHT_WORDS]
    s.place_s1[k] = channel * by_row & 0xFFFFFFFF
    s.valid_s1[k], s.tag_s1[k] = 1, tag


@jit
def clock(s, k, job, start, answer, tag, data, map_, group_ready, work_ready, fetch_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    job : int array, [len(EXECUTE_FIELDS)]
    start : bool
    answer, tag, data, map_
        Answer to an operation of the row walk; words are arrays [values].
    group_ready, work_ready, fetch_ready : bool
        Who takes the group that is offered.
    """
    s.seen[STORE_WAITS] += s.valid[k, GROUP] and not group_ready
    s.seen[STEPS_WAIT] += s.valid[k, WORK] and not work_ready
    s.valid[k, GROUP] = s.valid[k, GROUP] and not group_ready
    s.valid[k, WORK] = s.valid[k, WORK] and not work_ready
    s.valid[k, FETCH] = s.valid[k, FETCH] and not fetch_ready
    taken = not (s.valid[k, 0] or s.valid[k, 1] or s.valid[k, 2])
    s.seen[KEPT] += s.full[k] and not taken
    s.freed[k] = s.full[k] and taken
    if s.freed[k]:
        _give(s, k, job)
    if s.valid_s2[k]:
        _record(s, k)
    s.valid_s2[k] = s.valid_s1[k]
    if s.valid_s1[k]:
        _second(s, k, job)
    s.valid_s1[k] = 0
    kind = row_walk.tag_kind(tag)
    if answer and (kind == row_walk.FILL or kind == row_walk.ROW):
        _first(s, k, job, tag, data, map_)
    if start:
        s.tile_x[k] = 0
        s.rows_left[k], s.columns_left[k] = job[_HEIGHT], job[_WIDTH]
        s.next_word[k], s.next_map_word[k] = job[_OUT_BASE], job[_OMAP_BASE]
