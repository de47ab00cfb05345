"""A sequencer and its PE: the whole pipeline, for any matrix, any codebook and any program."""

from amaranth import *
from amaranth.lib.wiring import connect

from golden.eie.config import EieConfig
from hdl.eie.pe import Pe
from hdl.eie.sequencer import Sequencer, State
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, stream_rules

CFG = EieConfig(n_pe=1, data_bits=8, fifo_depth=2, regfile_words=2, spmat_width=32, spmat_words=2, ptr_words=4,
                act_words=2, codebooks=1, program_words=2)
SIZE = "1 PE, 2 registers, 2 rows of entries, queue of 2"


def system(h):
    """Both units as the accelerator wires them, without the quadtree; memories hold anything, the host is away."""
    m = h.m
    sequencer, pe = h.place("sequencer", Sequencer(CFG)), h.place("pe", Pe(CFG))
    assume_stream_rules(h, sequencer.passes, "passes")
    connect(m, pe.o, sequencer.i)
    m.d.comb += [
        sequencer.io_active.eq(0), sequencer.any_busy.eq(pe.busy), sequencer.room.eq(pe.room),
        pe.i.payload.eq(sequencer.o.p), pe.i.valid.eq(sequencer.o.valid), pe.command.eq(sequencer.command),
        pe.access.eq(0),
    ]
    fields = sequencer.passes.p.fields
    for used, rows, base in ((fields.load, fields.in_rows, fields.in_base),
                             (fields.store, fields.out_rows, fields.out_base)):
        inside = (rows != 0) & (rows <= CFG.regfile_words) & (base + rows <= CFG.act_words)
        h.assume(sequencer.passes.p.illegal | ~used | inside)
    h.assume(sequencer.passes.p.illegal | fields.finish | ~(fields.store | fields.swap | sequencer.passes.p.last))
    return sequencer, pe


@proof("the handshake inside, and every assertion of every unit: the queue is not overrun, no SRAM row is read and "
       "written in one cycle", size=SIZE, method="bounded", depth=28)
def assertions(h):
    _sequencer, pe = system(h)
    stream_rules(h, pe.o, "o")
    h.reach(pe.events[0], "an entry is written")


@proof("when results are stored or exchanged, no write is on its way", size=SIZE, method="bounded", depth=28)
def drained(h):
    sequencer, pe = system(h)
    writes = pe.probe[0]
    h.prove(~writes | (sequencer.state == State.RUN) | (sequencer.state == State.BIAS)
            | (sequencer.state == State.DRAIN) | (sequencer.state == State.DISPATCH), "no write during a store or idle")
    changed = sequencer.command.role != h.past(sequencer.command.role, "role_before")
    h.prove(~(changed & writes), "no write as files are exchanged")
    h.reach(sequencer.state == State.STORE, "a store")
    h.reach(changed, "an exchange")


@proof("wrong: a PE is idle as soon as its queue is empty", size=SIZE, depth=20,
       fails="no write after the last broadcast")
def too_early(h):
    sequencer, pe = system(h)
    since = Signal(range(8))
    h.m.d.sync += since.eq(Mux(sequencer.o.valid, 0, since + (since != 7)))
    h.prove(~pe.probe[0] | (since < 6), "no write after the last broadcast")
