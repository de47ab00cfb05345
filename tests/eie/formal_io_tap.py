"""Tap of the I/O bus: one memory at most, in the PE that is addressed only."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import Mem, Op
from hdl.eie.io_tap import PORTS, IoTap
from sim.common.formal import proof

CFG = EieConfig(n_pe=4, data_bits=8, regfile_words=4, spmat_width=32, spmat_words=4, ptr_words=8, act_words=4,
                codebooks=1)
SIZE = "4 PEs, 8 bits"
#: Cycles from an access on the bus to the memory, and from a read to its answer on the way back.
TO_MEMORY, TO_ANSWER = 1, 3


def delayed(h, value, cycles, name):
    for k in range(cycles):
        value = h.past(value, f"{name}_{k}")
    return value


@proof("an access selects its memory of the addressed PE, and nothing else anywhere", size=SIZE)
def selects(h):
    unit = h.place("unit", IoTap(CFG))
    mine = unit.access.valid & (unit.access.every | (unit.access.pe == unit.pe_id))
    for mem, port in PORTS.items():
        memory = getattr(unit, port)
        selected = delayed(h, mine & (unit.access.mem == mem), TO_MEMORY, f"selected_{port}")
        writes = delayed(h, unit.access.op == Op.WRITE, TO_MEMORY, f"writes_{port}")
        h.prove(memory.en == selected, f"{port} is selected exactly when addressed")
        h.prove(~memory.en | (memory.write == writes), f"{port} is written by writes only")
    h.reach(unit.act0.en & unit.act0.clear, "a register file is cleared")


@proof("a PE that was not asked answers zero, so that all answers can be joined", size=SIZE)
def answers(h):
    unit = h.place("unit", IoTap(CFG))
    mine = unit.access.valid & (unit.access.every | (unit.access.pe == unit.pe_id)) & (unit.access.mem < Mem.PROGRAM)
    asked = delayed(h, mine & (unit.access.op == Op.READ), TO_ANSWER, "asked")
    h.prove(asked | (unit.rdata == 0), "zero unless asked")
    h.reach(unit.rdata != 0, "an answer")


@proof("wrong: only one PE is written at a time", size=SIZE, fails="only the PE that is named")
def one_pe(h):
    unit = h.place("unit", IoTap(CFG))
    named = delayed(h, unit.access.pe == unit.pe_id, TO_MEMORY, "named")
    h.prove(~unit.ptr.en | named, "only the PE that is named")
