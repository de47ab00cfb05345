"""Intake: exactly the pixels that a tile may reach are kept, for every job, tile and block."""

from amaranth import *

from golden.duet.config import PRESETS
from golden.duet.formats import Kind
from hdl.duet.block_intake import BlockIntake
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
SIZE = "2 columns, 2 x 2 pixels"


def environment(h):
    """A job that does not change. Returns the unit, and rows and columns that are needed of the block before."""
    unit = h.place("unit", BlockIntake(CFG))
    fields = {name: h.constant(name, Value.cast(getattr(unit.job, name)).shape())
              for name in ("kind", "stride", "windows_y", "windows_x")}
    for name, value in fields.items():
        h.assume(getattr(unit.job, name) == value)
    h.assume((fields["windows_y"] != 0) & (fields["windows_x"] != 0))
    h.assume(~unit.i_valid | h.past(1, "settled"))
    needed = []
    for axis, block, first in ("y", unit.i.block_y, unit.top), ("x", unit.i.block_x, unit.left):
        for k in range(CFG.side):
            place = Signal(signed(18), name=f"{axis}_{k}")
            end = Signal(signed(18), name=f"{axis}_{k}_end")
            h.m.d.comb += [place.eq(block * CFG.side + k),
                           end.eq(first + (CFG.side - 1) * fields["stride"] + fields[f"windows_{axis}"] * CFG.side)]
            inside = (place >= first) & (place < end)
            needed.append(h.past((fields["kind"] == Kind.VECTOR) | inside, f"{axis}_{k}_needed"))
    return unit, needed[:CFG.side], needed[CFG.side:]


@proof("a pixel is written exactly if a window of the tile may reach it", size=SIZE)
def kept(h):
    unit, rows, columns = environment(h)
    h.prove(unit.w_en == h.past(unit.i_valid, "valid"), "a write a cycle later")
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            h.prove(~unit.w_en | (unit.w_mask[i * CFG.side + j] == (row & column)), f"pixel {i}, {j}")
    h.reach(unit.w_en & (unit.w_mask == 0b1000), "a corner")


@proof("wrong: all pixels are written", size=SIZE, fails="nothing is dropped")
def all_of_them(h):
    unit, _rows, _columns = environment(h)
    h.prove(~unit.w_en | unit.w_mask.all(), "nothing is dropped")
