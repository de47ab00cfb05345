"""Golden model of the fetch of the Speculator [Thesis 5.1.1, 5.2]: the words that a tile needs, once they are there."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import SPECULATE_FIELDS, Kind

__all__ = ["EVENTS", "LATENCY", "FetchState", "WordSpec", "busy_of", "clock", "request_valid_of", "state", "valid_of",
           "words_spec"]

#: Cycles from the operation to its word: request, global buffer, register.
LATENCY = 4

#: Situations that the tests must reach.
EVENTS = ("all_inside", "cut", "nothing_inside", "vector", "waits_for_tiles", "waits_for_all", "waits_for_consumer",
          "glb_waits", "next_tile_row", "one_word")
(ALL_INSIDE, CUT, NOTHING_INSIDE, VECTOR, WAITS_FOR_TILES, WAITS_FOR_ALL, WAITS_FOR_CONSUMER, GLB_WAITS, NEXT_TILE_ROW,
 ONE_WORD) = range(len(EVENTS))

#: States; the first three after IDLE work out where a tile's words lie.
IDLE, CLIP, NUMBER, ADDRESS, WAIT, RUN = range(6)

_JOB = list(SPECULATE_FIELDS)
(_KIND, _DEPENDS, _STRIDE, _TILES_Y, _TILES_X, _FIRST_Y, _FIRST_X, _NEAR_Y, _NEAR_X, _BLOCKS_Y, _BLOCKS_X, _DEPTH,
 _IN_BASE) = (_JOB.index(name) for name in ("kind", "depends", "stride", "tiles_y", "tiles_x", "first_y", "first_x",
                                            "near_y", "near_x", "blocks_y", "blocks_x", "depth", "in_base"))
_VECTOR = int(Kind.VECTOR)
_MASK = 0xFFFF


class WordSpec(NamedTuple):
    """A word of a tile; ``addr`` of the global buffer."""

    block_y: int
    block_x: int
    word: int
    last: bool
    addr: int


def words_spec(job: dict) -> list[tuple[int, list[WordSpec]]]:
    """The definition: for every tile how many tiles of the producer must be done (VECTOR that depends: -1, all of
    them), and its words. A tile that has no block in the map takes any one word."""
    tiles = []
    for tile in range(job["tiles_y"] * job["tiles_x"]):
        ty, tx = divmod(tile, job["tiles_x"])
        top, left = ty * job["stride"] - job["first_y"], tx * job["stride"] - job["first_x"]
        blocks = [(y, x) for y in range(top, top + job["near_y"]) for x in range(left, left + job["near_x"])
                  if 0 <= y < job["blocks_y"] and 0 <= x < job["blocks_x"]]
        needed = max((y * job["blocks_x"] + x + 1 for y, x in blocks), default=0) if job["depends"] else 0
        if job["kind"] == Kind.VECTOR and job["depends"]:
            needed = -1
        words = [WordSpec(y, x, n, False, job["in_base"] + (y * job["blocks_x"] + x) * job["depth"] + n)
                 for y, x in blocks for n in range(job["depth"])] or [WordSpec(-1, -1, 0, False, job["in_base"])]
        words[-1] = words[-1]._replace(last=True)
        tiles.append((needed, words))
    return tiles


class FetchState(NamedTuple):
    """Registers [lanes], unless a shape is given."""

    state: np.ndarray
    tile_y: np.ndarray
    tile_x: np.ndarray
    block_y: np.ndarray     # first block of the tile
    block_x: np.ndarray
    from_y: np.ndarray      # blocks that are in the map
    to_y: np.ndarray
    from_x: np.ndarray
    to_x: np.ndarray
    nothing: np.ndarray     # there are none
    needs: np.ndarray       # the producer's tile that must be done
    y: np.ndarray           # next word
    x: np.ndarray
    word: np.ndarray
    at_line: np.ndarray     # address of the row of blocks, of the word
    at: np.ndarray
    open: np.ndarray        # the last word of a tile has not left
    valid: np.ndarray       # [lanes, 4]: request, under way, answer, word on offer
    block: np.ndarray       # [lanes, 4, 4]: its block's row and column, word, last
    addr: np.ndarray
    data: np.ndarray        # [lanes, values]
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> FetchState:
    """State after reset."""
    shapes = dict.fromkeys(FetchState._fields, ()) | {"valid": (LATENCY,), "block": (LATENCY, 4), "data": (cfg.values,)}
    return FetchState(**{name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()} | {
        "seen": np.zeros(len(EVENTS), np.int64)})


@jit
def request_valid_of(s, k):
    """A read of ``addr`` is requested."""
    return s.valid[k, 0] != 0


@jit
def valid_of(s, k):
    """A word is offered: ``block[k, 3]``, ``data``."""
    return s.valid[k, 3] != 0


@jit
def busy_of(s, k):
    """A job runs, or a word was not taken."""
    return s.state[k] != IDLE or s.open[k] != 0


@jit
def _clip(s, k, job):
    """Blocks near the tile that are in the map."""
    s.from_y[k], s.from_x[k] = max(s.block_y[k], 0), max(s.block_x[k], 0)
    s.to_y[k] = min(s.block_y[k] + job[_NEAR_Y], job[_BLOCKS_Y]) - 1
    s.to_x[k] = min(s.block_x[k] + job[_NEAR_X], job[_BLOCKS_X]) - 1
    s.nothing[k] = s.from_y[k] > s.to_y[k] or s.from_x[k] > s.to_x[k]
    s.seen[NOTHING_INSIDE] += s.nothing[k]
    whole = (s.to_y[k] - s.from_y[k] + 1) * (s.to_x[k] - s.from_x[k] + 1) == job[_NEAR_Y] * job[_NEAR_X]
    s.seen[ALL_INSIDE] += whole and not s.nothing[k]
    s.seen[CUT] += not whole and not s.nothing[k]
    s.state[k] = NUMBER


@jit
def _number(s, k, job):
    """Number of the first block, and of the last one; if there are none, one beside the map stands for them."""
    if s.nothing[k]:
        s.at_line[k] = s.needs[k] = 0
        s.from_y[k] = s.to_y[k] = s.y[k] = s.from_x[k] = s.to_x[k] = s.x[k] = -1
    else:
        s.at_line[k] = s.from_y[k] * job[_BLOCKS_X] + s.from_x[k] & _MASK
        s.needs[k] = s.to_y[k] * job[_BLOCKS_X] + s.to_x[k] & _MASK
        s.y[k], s.x[k] = s.from_y[k], s.from_x[k]
    s.word[k] = 0
    s.state[k] = ADDRESS


@jit
def _there(s, k, job, tiles_done, all_done):
    """What the tile needs is in the global buffer."""
    if not job[_DEPENDS]:
        return True
    if job[_KIND] == _VECTOR:
        s.seen[WAITS_FOR_ALL] += not all_done
        return all_done
    s.seen[WAITS_FOR_TILES] += not s.nothing[k] and tiles_done <= s.needs[k]
    return s.nothing[k] != 0 or tiles_done > s.needs[k]


@jit
def _next_tile(s, k, job):
    """All words of a tile are requested."""
    row_ends = s.tile_x[k] + 1 == job[_TILES_X]
    s.state[k] = CLIP
    s.tile_x[k] = 0 if row_ends else s.tile_x[k] + 1
    s.block_x[k] = -job[_FIRST_X] if row_ends else s.block_x[k] + job[_STRIDE]
    if row_ends:
        if s.tile_y[k] + 1 == job[_TILES_Y]:
            s.state[k] = IDLE
        s.seen[NEXT_TILE_ROW] += s.state[k] != IDLE
        s.tile_y[k] += 1
        s.block_y[k] += job[_STRIDE]


@jit
def _request(s, k, job):
    """A word: blocks of a row lie one after the other."""
    words_end = s.nothing[k] != 0 or s.word[k] + 1 == job[_DEPTH]
    line_ends = words_end and s.x[k] == s.to_x[k]
    last = line_ends and s.y[k] == s.to_y[k]
    s.valid[k, 0], s.addr[k] = 1, s.at[k] + job[_IN_BASE] & _MASK
    s.block[k, 0, 0], s.block[k, 0, 1], s.block[k, 0, 2], s.block[k, 0, 3] = s.y[k], s.x[k], s.word[k], last
    s.seen[VECTOR] += job[_KIND] == _VECTOR
    s.seen[ONE_WORD] += last and not s.open[k]
    s.open[k] = 1
    s.word[k] = 0 if words_end else s.word[k] + 1
    s.at[k] = s.at[k] + 1 & _MASK
    if words_end:
        s.x[k] += 1
    if line_ends:
        s.x[k] = s.from_x[k]
        s.y[k] += 1
        s.at_line[k] = s.at[k] = s.at_line[k] + job[_BLOCKS_X] * job[_DEPTH] & _MASK
    if last:
        _next_tile(s, k, job)


@jit
def _move(s, k, request_ready, data, o_ready):
    """Words on their way; returns whether the next one can be requested."""
    if s.valid[k, 3] and o_ready and s.block[k, 3, 3]:
        s.open[k] = 0
    free = not s.valid[k, 0] or request_ready
    s.seen[GLB_WAITS] += not free
    s.valid[k, 3] = s.valid[k, 2]
    if s.valid[k, 2]:
        for value in range(data.shape[0]):
            s.data[k, value] = data[value]
    for field in range(4):
        if s.valid[k, 2]:
            s.block[k, 3, field] = s.block[k, 2, field]
        s.block[k, 2, field], s.block[k, 1, field] = s.block[k, 1, field], s.block[k, 0, field]
    s.valid[k, 2] = s.valid[k, 1]
    s.valid[k, 1] = s.valid[k, 0] and request_ready
    if free:
        s.valid[k, 0] = 0
    return free


@jit
def clock(s, k, job, start, tiles_done, all_done, request_ready, data, o_ready):
    """One clock of lane ``k``.

    Parameters
    ----------
    job : int array, [len(SPECULATE_FIELDS)]
    start : bool
    tiles_done : int
        Tiles that the producer has stored in this stage.
    all_done : bool
        It has stored all of them.
    request_ready : bool
        Of the global buffer's port; its word ``data`` is an array [values].
    o_ready : bool
        Of the consumer: once it is ready it takes all words of a tile.
    """
    here, waits = s.state[k], s.open[k] != 0 or not o_ready
    free = _move(s, k, request_ready, data, o_ready)
    if here == CLIP:
        _clip(s, k, job)
    elif here == NUMBER:
        _number(s, k, job)
    elif here == ADDRESS:
        s.at[k] = s.at_line[k] = s.at_line[k] * job[_DEPTH] & _MASK
        s.state[k] = WAIT
    elif here == WAIT:
        s.seen[WAITS_FOR_CONSUMER] += waits
        if _there(s, k, job, tiles_done, all_done) and not waits:
            s.state[k] = RUN
    elif here == RUN and free:
        _request(s, k, job)
    if start:
        s.state[k] = CLIP
        s.tile_y[k] = s.tile_x[k] = 0
        s.block_y[k], s.block_x[k] = -job[_FIRST_Y], -job[_FIRST_X]
