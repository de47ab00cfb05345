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

    What was read waits for the entry reader in a FIFO of ``columns_ahead`` columns; with ``run_ahead`` an empty column
    is dropped in front of it.

    Latency: 2 cycles from ``i`` to ``o``. Throughput: one column a cycle, one in two if ``columns_ahead`` is 1.

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
        A pair of pointers was read in the cycle before.
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

        m.submodules.columns = columns = Fifo(column_layout(cfg), cfg.columns_ahead)
        connect(m, columns.o, flipped(self.o))

        # The column whose pointers stand at the outputs of the banks.
        valid = Signal()
        is_odd = Signal()
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(~valid | columns.i.ready),
            take.eq(self.i.valid & self.i.ready),
            self.busy.eq(valid | columns.o.valid),
        ]
        m.d.sync += self.reads.eq(take)

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

        found = columns.i.p
        with m.If(self.i.ready):
            m.d.sync += [valid.eq(self.i.valid), is_odd.eq(column[0])]
        value = Signal(signed(cfg.data_bits))
        with m.If(take):
            m.d.sync += value.eq(self.i.p.value)
        start = Signal(cfg.pointer_bits)
        end = Signal(cfg.pointer_bits)
        m.d.comb += [
            start.eq(Mux(is_odd, odd.rdata, even.rdata)),
            end.eq(Mux(is_odd, even.rdata, odd.rdata)),
            found.start.eq(start), found.end.eq(end), found.value.eq(value),
            columns.i.valid.eq(valid & (end > start) if cfg.run_ahead else valid),
        ]
        return m
