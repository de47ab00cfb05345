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
    after it.

    Latency: 3 cycles from ``start`` to the first pass. Throughput: one pass in 2 cycles.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    start : In(1)
        Begin a program of ``length`` passes.
    length : In(32)
    o : Out(stream of fetched_layout())
    io_en, io_write, io_addr, io_wdata, io_rdata : In, Out
        Host access, in words of 192 bits; only while no program runs. ``io_rdata`` follows a read by 1 cycle.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1),
            "length": In(32),
            "o": Out(stream.Signature(fetched_layout())),
            "io_en": In(1), "io_write": In(1), "io_addr": In(range(cfg.program_words)),
            "io_wdata": In(PASS_BITS), "io_rdata": Out(PASS_BITS),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.sram = sram = Sram1rw(cfg.program_words, PASS_BITS)

        running = Signal()
        fetching = Signal()
        at = Signal(range(cfg.program_words + 1))
        left = Signal(range(cfg.program_words + 1))
        fetch = Signal()
        bad_length = Signal()
        m.d.comb += [
            fetch.eq(running & ~fetching & (~self.o.valid | self.o.ready)),
            bad_length.eq((self.length == 0) | (self.length > cfg.program_words)),
            sram.en.eq(fetch | self.io_en),
            sram.write.eq(self.io_en & self.io_write),
            sram.addr.eq(Mux(self.io_en, self.io_addr, at)),
            sram.wdata.eq(self.io_wdata),
            self.io_rdata.eq(sram.rdata),
        ]

        fields = Signal(fetched_layout()["fields"].shape)
        last = Signal()
        illegal = Signal()
        m.d.comb += [
            fields.as_value().eq(sram.rdata),
            last.eq(left == 0),
            illegal.eq(self._is_illegal(fields, last)),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.sync += fetching.eq(fetch)
        with m.If(fetch):
            m.d.sync += left.eq(left - 1)
        with m.If(fetching):
            m.d.sync += [
                at.eq(at + 1),
                self.o.valid.eq(1),
                self.o.p.fields.eq(fields),
                self.o.p.last.eq(last),
                self.o.p.illegal.eq(illegal),
                running.eq(~last & ~illegal),
            ]
        with m.If(self.start):
            m.d.sync += [
                running.eq(~bad_length), at.eq(0), left.eq(self.length),
                self.o.valid.eq(bad_length), self.o.p.illegal.eq(bad_length),
            ]
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
