"""Program reader: fetches passes ahead of the sequencer and checks each one."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import PASS_BITS
from hdl.common.sram import Sram1rw

from .layouts import check_cfg, fetched_layout

__all__ = ["Program"]


class Program(wiring.Component):
    """Program memory of the central control unit and its reader.

    An illegal pass, or the first one of a program of illegal length, is handed on with its mark, and nothing is fetched
    after it. While nobody uses the memory, its first word is read, so that it is there when a program starts.

    Latency: 1 cycle from ``start`` to the first pass. Throughput: one pass in 2 cycles.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    start : In(1)
        Begin a program of ``length`` passes. Must not come while ``io_active`` or in the cycle after.
    length : In(32)
    o : Out(stream of fetched_layout())
    io_active : In(1)
        The host may use the memory; 1 with ``io_en`` and in the cycle after.
    io_en, io_write, io_addr, io_wdata, io_rdata : In, Out
        Host access, in words of 192 bits; only while no program runs. ``io_addr`` and ``io_wdata`` follow the others by
        1 cycle, ``io_rdata`` these by another; it stays while ``io_active``.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1),
            "length": In(32),
            "o": Out(stream.Signature(fetched_layout())),
            "io_active": In(1), "io_en": In(1), "io_write": In(1), "io_addr": In(range(cfg.program_words)),
            "io_wdata": In(PASS_BITS), "io_rdata": Out(PASS_BITS),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.sram = sram = Sram1rw(cfg.program_words, PASS_BITS)

        access = Signal()
        write = Signal()
        m.d.sync += [access.eq(self.io_en), write.eq(self.io_en & self.io_write)]

        # The first word is read as soon as nothing else is going on.
        running = Signal()
        fetching = Signal()
        first_read = Signal()
        read_first = Signal()
        fetch = Signal()
        at = Signal(range(cfg.program_words + 1))
        left = Signal(32)
        m.d.comb += [
            read_first.eq(~running & ~first_read & ~self.io_active),
            fetch.eq(running & ~fetching & (~self.o.valid | self.o.ready)),
            sram.en.eq(fetch | read_first | access),
            sram.write.eq(write),
            sram.addr.eq(Mux(access, self.io_addr, Mux(running, at, 0))),
            sram.wdata.eq(self.io_wdata),
            self.io_rdata.eq(sram.rdata),
        ]
        with m.If(read_first):
            m.d.sync += first_read.eq(1)
        with m.If(self.start | self.io_active):
            m.d.sync += first_read.eq(0)

        # A word stands at the output of the memory.
        fields = Signal(fetched_layout()["fields"].shape)
        to_do = Signal(32)
        last = Signal()
        illegal = Signal()
        m.d.comb += [
            fields.as_value().eq(sram.rdata),
            to_do.eq(Mux(self.start, self.length, left)),
            last.eq(to_do == 1),
            illegal.eq((to_do == 0) | (to_do > cfg.program_words) | self._is_illegal(fields, last)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.sync += fetching.eq(fetch & ~self.start)
        with m.If(self.start | fetching):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.p.fields.eq(fields), self.o.p.last.eq(last), self.o.p.illegal.eq(illegal),
                running.eq(~last & ~illegal),
                at.eq(Mux(self.start, 1, at + 1)), left.eq(to_do - 1),
            ]
        m.d.sync += Assert(~self.start | first_read, "start before the first word was read")
        return m

    def _is_illegal(self, p, last):
        """Ranges inside the memories, results kept only by a finished pass, the last pass finished."""
        cfg = self._cfg

        def outside(rows, base):
            return (rows == 0) | (rows > cfg.regfile_words) | (base + rows > cfg.act_words)

        last_column = cfg.ptr_words - 2
        return ((p.load & outside(p.in_rows, p.in_base)) | (p.store & outside(p.out_rows, p.out_base))
                | (~p.finish & (p.store | p.swap | last))
                | (p.column_base > last_column) | (p.bias & (p.bias_column > last_column))
                | (p.zero != 0) | (p.codebook >= cfg.codebooks) | (p.shift >= 2 * cfg.data_bits))
