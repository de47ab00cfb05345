"""Payloads that travel between the units of DUET: one function a format, used by producer, consumer and bench."""

from amaranth import *
from amaranth.lib import data, enum

from golden.duet.config import DuetConfig
from golden.duet.formats import (
    ADDR_BITS,
    CELL_FIELDS,
    EXECUTE_FIELDS,
    LOW_BITS,
    SPECULATE_FIELDS,
    SUM_BITS,
    TERNARY_BITS,
    VALUE_BITS,
)

__all__ = ["Load", "approximation_layout", "block_layout", "build_layout", "cell_layout", "check_cfg", "drain_layout",
           "execute_layout", "glb_read_layout", "glb_write_layout", "group_layout", "imap_layout", "omap_layout",
           "reduced_layout", "speculate_layout", "step_layout", "sums_layout", "tag_layout", "tags_layout",
           "ternary_layout", "transfer_layout", "window_layout"]


def check_cfg(cfg):
    """Refuse anything but a configuration of DUET."""
    if not isinstance(cfg, DuetConfig):
        raise TypeError(f"cfg must be a DuetConfig, not {cfg!r}")
    return cfg


class Load(enum.Enum, shape=2):
    """Which memory of the PEs a transfer goes to."""

    INPUT = 0
    WEIGHT = 1
    LUT = 2


def execute_layout() -> data.StructLayout:
    """A job of the Executor; fields as in ``golden.duet.formats.EXECUTE_FIELDS``."""
    return data.StructLayout(EXECUTE_FIELDS)


def speculate_layout() -> data.StructLayout:
    """A job of the Speculator; fields as in ``golden.duet.formats.SPECULATE_FIELDS``, ``threshold`` signed."""
    return data.StructLayout({**SPECULATE_FIELDS, "threshold": signed(SPECULATE_FIELDS["threshold"])})


def cell_layout() -> data.StructLayout:
    """A job of the cell unit; fields as in ``golden.duet.formats.CELL_FIELDS``."""
    return data.StructLayout(CELL_FIELDS)


def transfer_layout(cfg) -> data.StructLayout:
    """What the Y-bus carries in a cycle: a word for the X-buses and columns whose IDs equal the tags.

    A tag of ``rows`` or ``columns`` means all. Lane ``c`` of ``data`` is for column ``c``; ``index`` is the word of the
    PE's buffer (LUT: the micro-instruction, which stands in the low bits of every lane), ``bank`` the half of it.
    """
    return data.StructLayout({"kind": Load, "row": range(cfg.rows + 1), "column": range(cfg.columns + 1), "bank": 1,
                              "index": cfg.lut_bits, "data": data.ArrayLayout(cfg.lane_bits, cfg.columns)})


def build_layout(cfg) -> data.StructLayout:
    """Tags to work out for a step: ``words`` words of the program from word ``base`` on, of which the last instruction
    that counts is number ``length - 1`` of it; the banks of the maps; whether the two kinds of map are used; pixels of
    the tile that are in the output map."""
    return data.StructLayout({"base": range(cfg.tag_words), "words": range(cfg.tag_words + 1),
                              "length": range(cfg.lut + 1), "bank": 1, "omap_bank": 1, "use_imap": 1, "use_omap": 1,
                              "inside": cfg.pixels})


def imap_layout(cfg) -> data.StructLayout:
    """A word of an input map: ``word`` of the input buffers, ``bank`` the half of them; bit for bit as the values."""
    return data.StructLayout({"bank": 1, "word": range(cfg.input_words), "bits": cfg.values})


def omap_layout(cfg) -> data.StructLayout:
    """Output map of a row: sensitive pixels of its channel in the tile."""
    return data.StructLayout({"bank": 1, "row": range(cfg.rows), "bits": cfg.pixels})


def tags_layout(cfg) -> data.StructLayout:
    """Tags of word ``word`` of the program, one bit an instruction, for the columns and for the rows of PEs.

    ``phase`` counts the steps, modulo 4: the first one has 1. ``last``: the step has no more words.
    """
    return data.StructLayout({"word": range(cfg.tag_words), "phase": 2, "last": 1,
                              "itags": data.ArrayLayout(cfg.tags, cfg.columns),
                              "otags": data.ArrayLayout(cfg.tags, cfg.rows)})


def drain_layout(cfg) -> data.StructLayout:
    """Command to the PEs of a column: hand the sum of a pixel on; ``last``: no more of this bank of sums."""
    return data.StructLayout({"valid": 1, "bank": 1, "last": 1, "pixel": range(cfg.pixels)})


def step_layout() -> data.StructLayout:
    """A step of the Executor: the halves of the buffers that it reads, and whether it is the last of its group."""
    return data.StructLayout({"input_bank": 1, "weight_bank": 1, "last": 1})


def sums_layout(cfg) -> data.StructLayout:
    """Partial sums of all rows for a pixel of the tile, after the last step of a group."""
    return data.StructLayout({"pixel": range(cfg.pixels), "sums": data.ArrayLayout(signed(SUM_BITS), cfg.rows)})


def group_layout(cfg) -> data.StructLayout:
    """What the store must know of a group: of every row whether it works, its channel, bias and sensitive pixels.

    ``word`` is the word of the output block, ``channel // columns`` not yet added (VECTOR: of the output), ``map_word``
    that of its map; ``tile_done``: it is the last group of its tile; ``empty``: no pixel is sensitive, no sums come.
    """
    row = data.StructLayout({"on": 1, "channel": 16, "bias": signed(SUM_BITS), "sensitive": cfg.pixels})
    return data.StructLayout({"rows": data.ArrayLayout(row, cfg.rows), "word": ADDR_BITS, "map_word": ADDR_BITS,
                              "tile_done": 1, "empty": 1})


def glb_read_layout() -> data.StructLayout:
    """A word of the global buffer and one of the map buffer."""
    return data.StructLayout({"addr": ADDR_BITS, "map_addr": ADDR_BITS})


def glb_write_layout(cfg) -> data.StructLayout:
    """Values and map bits to write: those whose mask bits are set."""
    return data.StructLayout({"addr": ADDR_BITS, "map_addr": ADDR_BITS,
                              "mask": cfg.values, "map_mask": cfg.values,
                              "data": data.ArrayLayout(16, cfg.values), "map": cfg.values})


def reduced_layout(cfg) -> data.StructLayout:
    """A vector of the reduced input: word ``word`` of pixel ``pixel``; the last one of its tile."""
    return data.StructLayout({"pixel": range(cfg.pixels), "word": range(cfg.reduced_words), "last": 1,
                              "values": data.ArrayLayout(signed(LOW_BITS), cfg.trees)})


def product_layout(cfg) -> data.StructLayout:
    """What goes along with an INT4 vector through the systolic array: its pixel, and whether it is the first, the last
    one of the pixel, which is the last one of a group of outputs, which is the last one of the tile.

    | pixel | final | end | last | first |
    """
    return data.StructLayout({"first": 1, "last": 1, "end": 1, "final": 1, "pixel": range(cfg.pixels)})


def approximation_layout(cfg) -> data.StructLayout:
    """Approximations of ``columns`` outputs of a pixel, ``first`` and on: sensitive or not, and their INT4 codes.

    ``part_end``: the last pixel of these outputs; ``last``: and the last outputs of the tile.
    """
    return data.StructLayout({"pixel": range(cfg.pixels), "first": 16, "part_end": 1, "last": 1,
                              "sensitive": cfg.columns, "codes": data.ArrayLayout(LOW_BITS, cfg.columns)})


def block_layout(cfg) -> data.StructLayout:
    """A word of the input map or vector on its way into the Speculator: word ``word`` of its block; ``last`` of those
    that a tile needs."""
    return data.StructLayout({"block_y": signed(9), "block_x": signed(9), "word": range(cfg.activation_words),
                              "last": 1, "data": data.ArrayLayout(signed(VALUE_BITS), cfg.values)})


def ternary_layout(cfg) -> data.StructLayout:
    """A word of the projection buffer to write: of every tree two bits for every value, -1, 0 or 1."""
    return data.StructLayout({"addr": range(cfg.projection_words),
                              "data": data.ArrayLayout(TERNARY_BITS * cfg.values, cfg.trees)})


def tag_layout(cfg) -> data.StructLayout:
    """What goes along with a window: the word of the projection that it meets; whether it is the first, the last one of
    its vector; pixel and word of that, and whether it is the last of its tile."""
    return data.StructLayout({"address": range(cfg.projection_words), "first": 1, "last": 1,
                              "pixel": range(cfg.pixels), "word": range(cfg.reduced_words), "end": 1})


def window_layout(cfg) -> data.StructLayout:
    """A window to read: its upper left pixel, the word of its blocks, and what goes along with it."""
    return data.StructLayout({"y": signed(16), "x": signed(16), "word": range(cfg.activation_words),
                              "tag": tag_layout(cfg)})
