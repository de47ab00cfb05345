"""Golden model of the store of the Speculator [Thesis 5.1.1, steps 3 and 4]: switching maps, order, approximations.

Convolutions: a map word for every ``columns`` channels of a tile, and order words if channels are sorted. Vectors: map
and dequantised approximations, ``columns`` elements at a time. The parts are stepped from the last to the first.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit
from golden.common.skid import SkidState, skid_field, skid_ready, skid_state, skid_step, skid_valid

from . import map_words, order_words, vector_words
from . import reorder as reorder_unit
from .config import DuetConfig
from .formats import Kind
from .quantizer import dequantize_array
from .reorder import reorder

__all__ = ["EVENTS", "Memories", "SpecStoreState", "busy_of", "clock", "order_words_of", "ready_of", "state", "store",
           "valid_of"]

#: Situations that the tests must reach, besides those of the parts.
EVENTS = ("conv", "ordered", "vector", "write_waits", "order_waits", "map_before_order", "order_before_map", "tile_row",
          "job_done")
CONV, ORDERED, VECTOR, WRITE_WAITS, ORDER_WAITS, MAP_FIRST, ORDER_FIRST, TILE_ROW, JOB_DONE = range(len(EVENTS))

_VECTOR = Kind.VECTOR.value
#: Fields of approximations; then ``columns`` bits, then ``columns`` codes.
PIXEL, FIRST, PART_END, LAST = range(4)
FIELDS = 4


class Memories(NamedTuple):
    """What a job has written: address to {value or bit: content}."""

    data: dict
    maps: dict


def order_words_of(cfg: DuetConfig, channels: int) -> int:
    """Order words of a tile."""
    return -(-channels // cfg.values)


def store(cfg: DuetConfig, job: dict, maps, codes=None) -> Memories:
    """The definition.

    Parameters
    ----------
    job : dict
        Fields of ``SPECULATE_FIELDS``.
    maps : list of dict of int to bool array, shape (channels,)
        Sensitive outputs of the pixels of every tile; VECTOR: of one tile with pixel 0.
    codes : int array, shape (channels,)
        VECTOR: codes of the approximations.
    """
    found = Memories({}, {})
    if job["kind"] == Kind.VECTOR:
        values = dequantize_array(codes, job["function"], job["scale"])
        for element in range(job["channels"]):
            word, place = _place(cfg, element)
            found.data.setdefault(job["approx_base"] + word, {})[place] = int(values[element])
        for word in range(order_words_of(cfg, job["channels"])):
            found.maps[job["omap_base"] + word] = dict.fromkeys(range(cfg.values), False)
        for element, bit in enumerate(maps[0][0]):
            word, place = _place(cfg, element)
            found.maps[job["omap_base"] + word][place] = bool(bit)
        return found
    limits = [job[f"limit_{k}"] for k in range(cfg.buckets - 1)]
    for tile, pixels in enumerate(maps):
        for word in range(job["out_depth"]):
            found.maps[job["omap_base"] + tile * job["out_depth"] + word] = {
                column * cfg.pixels + pixel: bool(channel < job["channels"] and pixel in pixels
                                                  and pixels[pixel][channel])
                for column, channel in enumerate(range(word * cfg.columns, (word + 1) * cfg.columns))
                for pixel in range(cfg.pixels)}
        if job["ordered"]:
            counts = np.sum([np.asarray(bits, np.int64) for bits in pixels.values()], axis=0)
            base = job["order_base"] + tile * order_words_of(cfg, job["channels"])
            for number, channel in enumerate(reorder(counts, limits)):
                word, place = _place(cfg, number)
                found.data.setdefault(base + word, {})[place] = int(channel)
    return found


def _place(cfg, element):
    """Word and value of an element of a vector."""
    word, rest = divmod(element, cfg.values)
    return word, rest % cfg.columns * cfg.pixels + rest // cfg.columns


class SpecStoreState(NamedTuple):
    """States of the parts; then registers [lanes], or as said: the write that is offered."""

    skid: SkidState
    map_words: map_words.MapWordsState
    reorder: reorder_unit.ReorderState
    order_words: order_words.OrderWordsState
    vector_words: vector_words.VectorWordsState
    item: np.ndarray        # [lanes, columns] and
    item_codes: np.ndarray  # [lanes, columns]: approximations that go into the parts
    busy: np.ndarray
    map_written: np.ndarray     # of the map word in front: it was written,
    map_sorted: np.ndarray      # it is in the reorder unit
    tile_y: np.ndarray
    tile_x: np.ndarray
    valid: np.ndarray
    addr: np.ndarray
    map_addr: np.ndarray
    values: np.ndarray      # [lanes, columns]
    lanes: np.ndarray       # [lanes], bit mask: columns whose value is written
    pixels: np.ndarray      # bit mask: pixels whose values are written
    bits: np.ndarray        # [lanes, columns], bit masks over pixels
    map_pixels: np.ndarray  # bit mask: pixels whose bits are written
    final: np.ndarray       # the last write of the job
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> SpecStoreState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    wide = ("item", "item_codes", "values", "bits")
    names = SpecStoreState._fields[5:-1]
    parts = (part.state(cfg, lanes) for part in (map_words, reorder_unit, order_words, vector_words))
    return SpecStoreState(skid_state(lanes, FIELDS + 2 * cfg.columns), *parts,
                          *(zeros(cfg.columns) if name in wide else zeros() for name in names),
                          np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """Approximations are taken in this cycle."""
    return skid_ready(s.skid, k)


@jit
def busy_of(s, k):
    """The job is not over."""
    return s.busy[k] != 0


@jit
def valid_of(s, k):
    """A write is offered: ``addr``, ``map_addr``, and the values and bits of the masks."""
    return s.valid[k] != 0


@jit
def end_of_tile(s, k, tiles_y, tiles_x):
    """The last write of a tile goes to the output: it may be the last one of the job."""
    row_ends = s.tile_x[k] + 1 == tiles_x
    s.final[k] = row_ends and s.tile_y[k] + 1 == tiles_y
    s.tile_x[k] = 0 if row_ends else s.tile_x[k] + 1
    s.seen[TILE_ROW] += row_ends
    if row_ends:
        s.tile_y[k] = 0 if s.final[k] else s.tile_y[k] + 1


@jit
def put_map(s, k):
    """A map word goes to the output."""
    maps = s.map_words
    s.valid[k], s.pixels[k], s.lanes[k], s.map_pixels[k] = 1, 0, 0, -1
    s.map_addr[k] = map_words.addr_of(maps, k)
    for column in range(s.bits.shape[1]):
        s.bits[k, column] = map_words.bits_of(maps, k, column)


@jit
def put_order(s, k):
    """Order words go to the output."""
    order = s.order_words
    s.valid[k], s.map_pixels[k], s.addr[k] = 1, 0, order_words.field_of(order, k, order_words.ADDR)
    s.pixels[k] = 1 << order_words.field_of(order, k, order_words.PIXEL)
    s.lanes[k] = (1 << order_words.field_of(order, k, order_words.COUNT)) - 1
    for lane in range(s.values.shape[1]):
        s.values[k, lane] = order_words.id_of(order, k, lane)


@jit
def put_vector(s, k, omap_base, approx_base):
    """Elements of a vector go to the output. They clear the bits of the pixels after them: those of elements that do
    not exist stay 0, and the others are still to come."""
    vector = s.vector_words
    word, pixel = (vector_words.field_of(vector, k, vector_words.WORD),
                   vector_words.field_of(vector, k, vector_words.PIXEL))
    s.valid[k], s.addr[k], s.map_addr[k] = 1, approx_base + word & 0xFFFF, omap_base + word & 0xFFFF
    s.pixels[k], s.map_pixels[k] = 1 << pixel, -1 << pixel
    s.lanes[k] = (1 << vector_words.field_of(vector, k, vector_words.COUNT)) - 1
    for lane in range(s.values.shape[1]):
        s.values[k, lane] = vector_words.value_of(vector, k, lane)
        s.bits[k, lane] = vector_words.sensitive_of(vector, k, lane) << pixel


@jit
def clock(s, k, start, kind, function, ordered, channels, scale, tiles_y, tiles_x, out_depth, omap_base, order_base,
          approx_base, limits, pixels, i_valid, i_fields, i_sensitive, i_codes, write_ready):
    """One clock of lane ``k``: a job begins, with its fields; approximations are offered; a write is taken.

    Parameters
    ----------
    limits : int array, shape (buckets - 1 or more,)
    pixels : int
        ``cfg.pixels``.
    i_fields : int array, shape (4,)
    i_sensitive, i_codes : int array, shape (columns,)
    """
    maps, sorter, order, vector = s.map_words, s.reorder, s.order_words, s.vector_words
    columns, is_vector = s.bits.shape[1], kind == _VECTOR
    free = write_ready or not s.valid[k]
    s.seen[WRITE_WAITS] += not free

    # What was offered before this edge.
    map_valid, order_valid = map_words.valid_of(maps, k), order_words.valid_of(order, k)
    map_waits = map_valid and not s.map_written[k]
    sort_valid = map_valid and ordered and not s.map_sorted[k]
    sort_takes = sort_valid and reorder_unit.ready_of(sorter, k)
    writes_map, writes_order = free and map_waits, free and order_valid and not map_waits
    advance = free and not map_waits and not order_valid
    map_done = (s.map_written[k] or writes_map) and (not ordered or s.map_sorted[k] or sort_takes)
    id_valid, id_, id_last = (reorder_unit.valid_of(sorter, k), reorder_unit.id_of(sorter, k),
                              reorder_unit.last_of(sorter, k))
    id_taken = order_words.ready_of(order, k)
    valid = skid_valid(s.skid, k, i_valid)
    takes = advance if is_vector else map_words.ready_of(maps, k)
    s.seen[ORDER_WAITS] += order_valid and not writes_order
    s.seen[MAP_FIRST] += writes_map and order_valid
    s.seen[ORDER_FIRST] += writes_order and s.map_written[k] and map_valid

    # The output.
    if s.valid[k] and write_ready and s.final[k]:
        s.busy[k] = 0
        s.seen[JOB_DONE] += 1
    if free:
        s.valid[k], s.final[k] = 0, 0
        if writes_map:
            put_map(s, k)
            if map_words.last_of(maps, k) and not ordered:
                end_of_tile(s, k, tiles_y, tiles_x)
        elif writes_order:
            put_order(s, k)
            if order_words.field_of(order, k, order_words.LAST):
                end_of_tile(s, k, tiles_y, tiles_x)
        elif vector_words.valid_of(vector, k):
            put_vector(s, k, omap_base, approx_base)
            if vector_words.field_of(vector, k, vector_words.LAST):
                end_of_tile(s, k, tiles_y, tiles_x)
    s.map_written[k] = map_valid and not map_done and (s.map_written[k] or writes_map)

    # The parts.
    order_words.clock(order, k, start, order_base, pixels, id_valid, id_, id_last, writes_order)
    reorder_valid = sort_valid
    reorder_unit.clock(sorter, k, reorder_valid, maps.out[k], channels, limits, id_taken)
    s.map_sorted[k] = map_valid and not map_done and (s.map_sorted[k] or sort_takes)
    for column in range(columns):
        s.item[k, column] = skid_field(s.skid, k, FIELDS + column, i_sensitive[column])
        s.item_codes[k, column] = skid_field(s.skid, k, FIELDS + columns + column, i_codes[column])
    pixel, first = skid_field(s.skid, k, PIXEL, i_fields[PIXEL]), skid_field(s.skid, k, FIRST, i_fields[FIRST])
    part_end, last = (skid_field(s.skid, k, PART_END, i_fields[PART_END]) != 0,
                      skid_field(s.skid, k, LAST, i_fields[LAST]) != 0)
    if valid and takes:
        s.seen[VECTOR if is_vector else ORDERED if ordered else CONV] += 1
    map_words.clock(maps, k, start, omap_base, out_depth, valid and not is_vector, pixel, first, part_end, last,
                    s.item[k], map_done)
    vector_words.clock(vector, k, advance, valid and is_vector, first, last, s.item[k], s.item_codes[k], channels,
                       pixels, function, scale)
    if skid_step(s.skid, k, i_valid, takes):
        for field in range(FIELDS):
            s.skid.item[k, field] = i_fields[field]
        for column in range(columns):
            s.skid.item[k, FIELDS + column], s.skid.item[k, FIELDS + columns + column] = (i_sensitive[column],
                                                                                          i_codes[column])
    if start:
        s.busy[k] = 1
