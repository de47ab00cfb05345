"""Quantizer: every value becomes its four most significant bits."""

from golden.duet.config import PRESETS
from hdl.duet.quantizer import Quantizer
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
SIZE = "8 values"


@proof("each value is divided by 4,096 and rounded down", size=SIZE)
def definition(h):
    unit = h.place("unit", Quantizer(CFG))
    h.prove(unit.o_valid == h.past(unit.i_valid, "valid"), "valid a cycle later")
    for k in range(CFG.values):
        h.prove(~unit.o_valid | (unit.o[k] == h.past(unit.i[k], f"before_{k}") >> 12), f"value {k}")
    h.reach(unit.o_valid & (unit.o[0] == -8) & (unit.o[1] == 7), "both ends")


@proof("wrong: values are rounded towards zero", size=SIZE, fails="small negative values become 0")
def towards_zero(h):
    unit = h.place("unit", Quantizer(CFG))
    h.prove(~unit.o_valid | (h.past(unit.i[0], "before") != -1) | (unit.o[0] == 0), "small negative values become 0")
