"""I/O port: the replies keep AXI4-Stream's rules, and no command reaches beyond a memory."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import Mem, Op, mem_words
from hdl.eie.io_port import IoPort
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = EieConfig(n_pe=2, data_bits=8, regfile_words=4, spmat_width=32, spmat_words=2, ptr_words=4, act_words=2,
                codebooks=1, program_words=2)
SIZE = "2 PEs, 2 to 16 words a memory"


@proof("an offered reply stays until it is taken, whatever commands come in", size=SIZE)
def handshakes(h):
    handshake(h, IoPort(CFG))


@proof("an access is known to name a memory, an operation and a PE that exist; the port is active meanwhile", size=SIZE)
def accesses(h):
    unit = h.place("unit", IoPort(CFG))
    access = unit.access
    h.prove(~access.valid | unit.active, "active during an access")
    h.prove(~access.valid | (access.mem <= Mem.PROGRAM), "the memory exists")
    h.prove(~access.valid | (access.op <= Op.CLEAR), "the operation exists")
    h.prove(~access.valid | (access.pe < CFG.n_pe), "the PE exists")
    h.prove(~access.valid | (access.op != Op.CLEAR) | (access.mem == Mem.ACT0) | (access.mem == Mem.ACT1),
            "only register files are cleared")
    h.prove(~access.valid | ~access.every | (access.op != Op.READ), "never reads from all PEs at once")
    h.reach(access.valid & (access.op == Op.READ) & (access.pe == 1), "a read of PE 1")
    h.reach(access.valid & (access.op == Op.WRITE) & (access.mem == Mem.SPMAT) & access.every, "a write to all PEs")


@proof("no word beyond the end of a memory is ever accessed", size=SIZE)
def in_range(h):
    unit = h.place("unit", IoPort(CFG))
    touched = h.past(unit.access.valid & (unit.access.op != Op.CLEAR), "touched")
    mem = h.past(unit.access.mem, "mem")
    for which, words in mem_words(CFG).items():
        h.prove(~(touched & (mem == which)) | (unit.access.addr < words), f"address inside of {which.name}")
    h.reach(touched & (mem == Mem.SPMAT) & (unit.access.addr == 1), "the last row")


@proof("wrong: every beat of a command is answered", size=SIZE, fails="never silent")
def silent(h):
    unit = h.place("unit", IoPort(CFG))
    h.assume(unit.idle)
    taken = Signal(range(8))
    h.m.d.sync += taken.eq(Mux(unit.o.valid, 0, taken + (unit.i.valid & unit.i.ready)))
    h.prove(taken < 6, "never silent")
