"""Arithmetic unit: b_x = b_x + S[v] * a_j, one entry a cycle, saturating."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import CODEBOOK_SIZE, Mem
from hdl.common.fixed import round_shift, saturate
from hdl.common.sram import Sram1rw

from .layouts import check_cfg, entry_layout, memory_signature

__all__ = ["Arithmetic"]


class Arithmetic(wiring.Component):
    """Arithmetic unit [EIE IV, VI].

    Four stages, as in the paper: (1) codebook lookup and address accumulation, (2) destination read and multiply,
    (3) shift and add, (4) write. What was written one or two entries ago is bypassed, so the same accumulator may be
    hit in every cycle.

    An accumulator is ``saturate(b + round_shift(S[v] * a, shift))``; rounding is half up. An entry whose row lies
    outside the register file is dropped and sets ``row_error``.

    Latency: 3 cycles from ``i`` to the write. Throughput: one entry a cycle.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i : In(stream of entry_layout(cfg))
        Always ready.
    codebook, shift : In
        Table and right shift; stable while entries are in flight.
    r_en, r_row : Out
        Read of an accumulator, never of the one that is being written.
    r_live, r_value : In
        Its answer one cycle later: written since the last clear, and its value.
    w_en, w_row, w_value : Out
        The architectural write.
    padding : Out(1)
        It belongs to a padding entry (v = 0).
    busy : Out(1)
        An entry is in stage 2; those behind it are written before anybody can act on it.
    clear : In(1)
        Reset the sticky flags.
    saturated, row_error : Out(1)
        Sticky: an accumulator was clipped; a row was out of range.
    io : In(memory_signature(cfg, Mem.CODEBOOK))
        Only while nothing is in flight.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        row, value = range(cfg.regfile_words), signed(cfg.data_bits)
        super().__init__({
            "i": In(stream.Signature(entry_layout(cfg), always_ready=True)),
            "codebook": In(range(cfg.codebooks)),
            "shift": In(range(2 * cfg.data_bits)),
            "r_en": Out(1), "r_row": Out(row), "r_live": In(1), "r_value": In(value),
            "w_en": Out(1), "w_row": Out(row), "w_value": Out(value),
            "padding": Out(1),
            "busy": Out(1),
            "clear": In(1),
            "saturated": Out(1),
            "row_error": Out(1),
            "io": In(memory_signature(cfg, Mem.CODEBOOK)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        bits, words = cfg.data_bits, cfg.regfile_words
        m = Module()

        # Stage 1: codebook lookup and address accumulation.
        m.submodules.table = table = Sram1rw(cfg.codebooks * CODEBOOK_SIZE, bits)
        m.d.comb += [
            table.en.eq(self.i.valid | self.io.en),
            table.write.eq(self.io.en & self.io.write),
            table.addr.eq(Mux(self.io.en, self.io.addr, Cat(self.i.p.v, self.codebook))),
            table.wdata.eq(self.io.wdata),
            self.io.rdata.eq(table.rdata),
        ]
        before = Signal(range(words + 1))
        row = Signal(range(words + CODEBOOK_SIZE + 1))
        bad = Signal()
        m.d.comb += [
            row.eq(Mux(self.i.p.first, 0, before + 1) + self.i.p.z),
            bad.eq(row >= words),
        ]
        with m.If(self.i.valid):
            m.d.sync += before.eq(Mux(bad, words, row))

        # Stage 2: destination read and multiply.
        valid_s2 = Signal()
        row_s2 = Signal(range(words))
        padding_s2 = Signal()
        value_s2 = Signal(signed(bits))
        m.d.sync += [
            valid_s2.eq(self.i.valid & ~bad), row_s2.eq(row), value_s2.eq(self.i.p.value),
            padding_s2.eq(self.i.p.v == 0),
        ]
        m.d.comb += [
            self.busy.eq(valid_s2),
            self.r_en.eq(valid_s2 & ~(self.w_en & (self.w_row == row_s2))),
            self.r_row.eq(row_s2),
        ]

        # Stage 3: shift and add.
        valid_s3 = Signal()
        row_s3 = Signal(range(words))
        padding_s3 = Signal()
        product_s3 = Signal(signed(2 * bits))
        m.d.sync += [
            valid_s3.eq(valid_s2), row_s3.eq(row_s2), padding_s3.eq(padding_s2),
            product_s3.eq(table.rdata.as_signed() * value_s2),
        ]
        valid_s5 = Signal()
        row_s5 = Signal(range(words))
        value_s5 = Signal(signed(bits))
        operand = Signal(signed(bits))
        with m.If(self.w_en & (self.w_row == row_s3)):
            m.d.comb += operand.eq(self.w_value)
        with m.Elif(valid_s5 & (row_s5 == row_s3)):
            m.d.comb += operand.eq(value_s5)
        with m.Elif(self.r_live):
            m.d.comb += operand.eq(self.r_value)
        scaled = Signal(signed(2 * bits))
        total = Signal(signed(2 * bits + 1))
        m.d.comb += [scaled.eq(round_shift(product_s3, self.shift)), total.eq(operand + scaled)]
        kept, clipped = saturate(total, bits)

        # Stage 4: write. The write before it stays for the bypass.
        m.d.sync += [
            self.w_en.eq(valid_s3), self.w_row.eq(row_s3), self.w_value.eq(kept), self.padding.eq(padding_s3),
            valid_s5.eq(self.w_en), row_s5.eq(self.w_row), value_s5.eq(self.w_value),
            self.saturated.eq((self.saturated & ~self.clear) | (valid_s3 & clipped)),
            self.row_error.eq((self.row_error & ~self.clear) | (self.i.valid & bad)),
        ]
        return m
