"""Payloads that travel between the units of the loader."""

from amaranth.lib import data, enum

from golden.duet.formats import ADDR_BITS

__all__ = ["Answer", "Fill", "fetch_layout", "row_op_layout", "row_tag_layout", "step_op_layout", "step_tag_layout",
           "work_layout"]


class Fill(enum.Enum, shape=2):
    """What an operation of the row walk is for: a word of the tile's output map, channels in order, a word of a
    vector's map, the bias of a row."""

    FILL = 0
    ORDER = 1
    SCAN = 2
    ROW = 3


class Answer(enum.Enum, shape=2):
    """What an operation of the step loads is for; the first two as ``Load``."""

    INPUT = 0
    WEIGHT = 1
    STEP = 2


def row_tag_layout() -> data.StructLayout:
    """What comes back with an answer to the row walk: ``row`` of the PEs (ORDER: pixel of the word), ``channel`` (FILL:
    number of the word); whether the row works, is the last of its group, of its tile."""
    return data.StructLayout({"kind": Fill, "on": 1, "end": 1, "done": 1, "row": 5, "channel": 16})


def step_tag_layout() -> data.StructLayout:
    """What comes back with an answer to the step loads: where the word goes; the banks of the step, and whether it
    is the last of its group; whether its build may follow."""
    return data.StructLayout({"kind": Answer, "row": 6, "bank": 1, "index": 12, "input_bank": 1, "weight_bank": 1,
                              "omap_bank": 1, "last": 1, "build": 1})


def row_op_layout() -> data.StructLayout:
    """An operation of the row walk: a read, or none."""
    return data.StructLayout({"addr": ADDR_BITS, "map_addr": ADDR_BITS, "reads": 1, "tag": row_tag_layout()})


def step_op_layout() -> data.StructLayout:
    """An operation of the step loads: a read, or none."""
    return data.StructLayout({"addr": ADDR_BITS, "map_addr": ADDR_BITS, "reads": 1, "tag": step_tag_layout()})


def work_layout(cfg) -> data.StructLayout:
    """A group as the loads see it: sensitive pixels of its rows and where their weights begin."""
    return data.StructLayout({"sensitive": data.ArrayLayout(cfg.pixels, cfg.rows),
                              "place": data.ArrayLayout(32, cfg.rows), "empty": 1, "tile_done": 1})


def fetch_layout() -> data.StructLayout:
    """A request to the memory: ``count`` words, at least 1, from word ``addr`` on."""
    return data.StructLayout({"addr": 32, "count": 6})
