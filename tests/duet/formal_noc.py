"""Network on chip: every word, once, to those that are meant."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.layouts import Load
from hdl.duet.noc import Noc
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=4, systolic_columns=4)
SIZE = "2 x 4 PEs"


def chosen(h):
    """The network, and one PE that the solver chooses: whether the transfer of the cycle before was meant for it."""
    unit = h.place("unit", Noc(CFG))
    row, column = h.constant("row", range(CFG.rows)), h.constant("column", range(CFG.columns))
    tags = unit.i.p
    meant = ((tags.row == CFG.rows) | (tags.row == unit.row_ids[row])) & \
        ((tags.column == CFG.columns) | (tags.column == unit.column_ids[column]))
    take = unit.rows.bit_select(row, 1) & unit.columns.bit_select(column, 1)
    return unit, take, h.past(unit.i.valid & meant, "meant")


@proof("a PE takes a word exactly if the tags are its IDs or mean all, and it is the word that was sent", size=SIZE)
def deliveries(h):
    unit, take, meant = chosen(h)
    sent = unit.i.p
    h.prove(unit.i.ready, "always ready")
    h.prove(take == meant, "exactly what is meant")
    for name, value, given in (("word", unit.word, sent.data), ("kind", unit.kind, sent.kind),
                               ("bank", unit.bank, sent.bank), ("index", unit.index, sent.index)):
        h.prove(~take | (Value.cast(value) == h.past(given, name)), f"{name} as it was sent")
    is_lut = h.past(unit.i.valid & (sent.kind == Load.LUT), "is_lut")
    h.prove(unit.lut_valid == is_lut, "instructions are instructions")
    h.reach(take & (unit.word[-16:] != 0), "a word")
    h.reach(unit.lut_valid & ~unit.rows.any(), "an instruction that no PE takes")


@proof("wrong: a word that no row is meant for goes to none of the columns", size=SIZE, fails="no columns without rows")
def columns_alone(h):
    unit, _take, _meant = chosen(h)
    h.prove(unit.rows.any() | ~unit.columns.any(), "no columns without rows")
