"""Pointer read unit: where a column begins and ends in the sparse matrix of this PE."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import Mem
from hdl.common.fifo import Fifo
from hdl.common.sram import Sram1rw

from .layouts import broadcast_layout, check_cfg, column_layout, memory_signature

__all__ = ["PointerRead"]


class PointerRead(wiring.Component):
    """Pointer read unit [EIE IV].

    p_j and p_j+1 come in one cycle from two single-ported banks, selected by the least significant bit of the
    pointer's address.

    Latency: 1 cycle from ``i`` to ``o``; 2 with ``run_ahead``. Throughput: one column a cycle. With ``run_ahead`` an
    empty column is dropped, and up to ``run_ahead_columns`` others wait in a queue; if that is 1, a column that is not
    empty takes 2 cycles.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i : In(stream of broadcast_layout(cfg))
    o : Out(stream of column_layout(cfg))
        A pointer pair that does not ascend is an empty column.
    io : In(memory_signature(cfg, Mem.PTR))
        Only while nothing is in flight.
    busy : Out(1)
        A column is inside.
    reads : Out(1)
        A pair of pointers is read in this cycle.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(broadcast_layout(cfg))),
            "o": Out(stream.Signature(column_layout(cfg))),
            "io": In(memory_signature(cfg, Mem.PTR)),
            "busy": Out(1),
            "reads": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.even = even = Sram1rw(cfg.ptr_words // 2, cfg.pointer_bits)
        m.submodules.odd = odd = Sram1rw(cfg.ptr_words // 2, cfg.pointer_bits)

        found = stream.Signature(column_layout(cfg)).create(path=("found",))
        take = Signal()
        slot_free = Signal()
        m.d.comb += [
            take.eq(self.i.valid & slot_free),
            self.i.ready.eq(slot_free),
            self.reads.eq(take),
        ]

        # Banks: both pointers of a column, or one for the host.
        column = self.i.p.column
        for bank, addr, mine in (even, (column + 1) >> 1, ~self.io.addr[0]), (odd, column >> 1, self.io.addr[0]):
            m.d.comb += [
                bank.en.eq(take | (self.io.en & mine)),
                bank.write.eq(self.io.en & self.io.write),
                bank.addr.eq(Mux(self.io.en, self.io.addr >> 1, addr)),
                bank.wdata.eq(self.io.wdata),
            ]
        io_odd = Signal()
        m.d.sync += io_odd.eq(self.io.addr[0])
        m.d.comb += self.io.rdata.eq(Mux(io_odd, odd.rdata, even.rdata))

        # The column whose pointers stand at the outputs of the banks.
        valid = Signal()
        is_odd = Signal()
        value = Signal(signed(cfg.data_bits))
        with m.If(slot_free):
            m.d.sync += [valid.eq(take), is_odd.eq(column[0]), value.eq(self.i.p.value)]
        start = Signal(cfg.pointer_bits)
        end = Signal(cfg.pointer_bits)
        any_entry = Signal()
        m.d.comb += [
            start.eq(Mux(is_odd, odd.rdata, even.rdata)),
            end.eq(Mux(is_odd, even.rdata, odd.rdata)),
            any_entry.eq(end > start),
            found.p.start.eq(start), found.p.end.eq(end), found.p.value.eq(value), found.p.any.eq(any_entry),
        ]

        if cfg.run_ahead:
            m.submodules.columns = columns = Fifo(column_layout(cfg), cfg.run_ahead_columns)
            connect(m, found, columns.i)
            connect(m, columns.o, flipped(self.o))
            m.d.comb += [
                found.valid.eq(valid & any_entry),
                slot_free.eq(~valid | ~any_entry | found.ready),
                self.busy.eq(valid | columns.o.valid),
            ]
        else:
            connect(m, found, flipped(self.o))
            m.d.comb += [
                found.valid.eq(valid),
                slot_free.eq(~valid | found.ready),
                self.busy.eq(valid),
            ]
        return m
