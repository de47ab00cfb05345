"""Sparse-matrix read unit: walks the entries of a column, one a cycle."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import ENTRY_BITS, Mem
from hdl.common.sram import Sram1rw

from .layouts import check_cfg, column_layout, entry_layout, memory_signature

__all__ = ["SpmatRead"]


class SpmatRead(wiring.Component):
    """Sparse-matrix read unit [EIE IV].

    Address stage: one entry a cycle; a row of the SRAM is read only when it is not the one read last. Entry stage:
    picks (v, z) out of the row. Output register. The address stage runs ahead, so neither a new row nor a new
    column costs a bubble.

    Latency: 3 cycles from ``i`` to the first ``o``. Throughput: one entry a cycle; an empty column takes 1 cycle.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i : In(stream of column_layout(cfg))
        ``ready``, a register, in the cycle of a column's last entry, and while idle.
    o : Out(stream of entry_layout(cfg))
        Always ready: the arithmetic unit takes an entry every cycle.
    io : In(memory_signature(cfg, Mem.SPMAT))
        Only while nothing is in flight.
    busy : Out(1)
        An entry is inside or at ``o``.
    reads : Out(1)
        A row was read in the cycle before.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(column_layout(cfg))),
            "o": Out(stream.Signature(entry_layout(cfg), always_ready=True)),
            "io": In(memory_signature(cfg, Mem.SPMAT)),
            "busy": Out(1),
            "reads": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.sram = sram = Sram1rw(cfg.spmat_words, cfg.spmat_width)
        select_bits = (cfg.entries_per_row - 1).bit_length()

        # Address stage. That an entry is the last one of its column is known a cycle before.
        ready = Signal(init=1)
        walking = Signal()
        step = Signal()
        at = Signal(cfg.pointer_bits)
        stop = Signal(cfg.pointer_bits)
        first = Signal()
        value = Signal(signed(cfg.data_bits))
        column = self.i.p
        m.d.comb += self.i.ready.eq(ready)
        with m.If(ready):
            has_entry = Signal()
            m.d.comb += has_entry.eq(self.i.valid & (column.end > column.start))
            m.d.sync += [
                walking.eq(self.i.valid), step.eq(has_entry), ready.eq(~has_entry | (column.start + 1 == column.end)),
                at.eq(column.start), stop.eq(column.end), first.eq(1), value.eq(column.value),
            ]
        with m.Else():
            m.d.sync += [at.eq(at + 1), first.eq(0), ready.eq(at + 2 == stop)]

        # SRAM: its output register keeps the row that was read last, the tag says which.
        row = Signal(range(cfg.spmat_words))
        tag_valid = Signal()
        tag = Signal.like(row)
        read = Signal()
        m.d.comb += [
            row.eq(at >> select_bits),
            read.eq(step & ~(tag_valid & (tag == row))),
            sram.en.eq(read | self.io.en),
            sram.write.eq(self.io.en & self.io.write),
            sram.addr.eq(Mux(self.io.en, self.io.addr, row)),
            sram.wdata.eq(self.io.wdata),
            self.io.rdata.eq(sram.rdata),
        ]
        with m.If(self.io.en):
            m.d.sync += tag_valid.eq(0)
        with m.Elif(step):
            m.d.sync += [tag_valid.eq(1), tag.eq(row)]

        # Entry stage and output register.
        e_valid = Signal()
        e_first = Signal()
        e_value = Signal(signed(cfg.data_bits))
        e_select = Signal(select_bits)
        m.d.sync += [
            self.reads.eq(read),
            e_valid.eq(step), e_first.eq(first), e_value.eq(value), e_select.eq(at),
            self.o.valid.eq(e_valid), self.o.p.first.eq(e_first), self.o.p.value.eq(e_value),
            Cat(self.o.p.z, self.o.p.v).eq(sram.rdata.word_select(e_select, ENTRY_BITS)),
        ]
        m.d.comb += self.busy.eq(walking | e_valid | self.o.valid)
        return m
