"""Arithmetic unit: b_x = b_x + S[v] * a_j, one entry a cycle, saturating."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import CODEBOOK_SIZE, Mem
from hdl.common.fixed import saturate, shift_and_half
from hdl.common.sram import Sram1rw

from .layouts import check_cfg, entry_layout, memory_signature

__all__ = ["Arithmetic"]


class Arithmetic(wiring.Component):
    """Arithmetic unit [EIE IV, VI].

    Six stages: (1) codebook lookup and address accumulation, (2) weight, (3) destination read and multiply, (4) shift,
    (5) add, (6) write. The sums of the entries one, two and three ahead, which the read does not see, are bypassed, so
    the same accumulator may be hit in every cycle. The paper has four stages; (2) and (4) let the clock be faster.

    An accumulator is ``saturate(b + round_shift(S[v] * a, shift))``; rounding is half up. An entry whose row lies
    outside the register file is dropped and sets ``row_error``.

    Latency: 5 cycles from ``i`` to the write. Throughput: one entry a cycle.

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
        A write that belongs to a padding entry (v = 0).
    busy : Out(1)
        An entry is in stages 2 to 4; those behind them are written before anybody can act on it.
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
        last_row = Signal(range(words + 1))
        row = Signal(range(words + CODEBOOK_SIZE + 1))
        bad = Signal()
        m.d.comb += [
            row.eq(Mux(self.i.p.first, 0, last_row + 1) + self.i.p.z),
            bad.eq(row >= words),
        ]
        with m.If(self.i.valid):
            m.d.sync += last_row.eq(Mux(bad, words, row))

        # Stage 2: weight.
        valid_s2 = Signal()
        row_s2 = Signal(range(words))
        padding_s2 = Signal()
        value_s2 = Signal(signed(bits))
        m.d.sync += [
            valid_s2.eq(self.i.valid & ~bad), row_s2.eq(row), padding_s2.eq(self.i.p.v == 0),
            value_s2.eq(self.i.p.value),
        ]

        # Stage 3: destination read and multiply. A row that is being written is not read.
        valid_s3 = Signal()
        padding_s3 = Signal()
        weight_s3 = Signal(signed(bits))
        value_s3 = Signal(signed(bits))
        valid_s5 = Signal()
        row_s5 = Signal(range(words))
        m.d.sync += [
            valid_s3.eq(valid_s2), padding_s3.eq(padding_s2), weight_s3.eq(table.rdata.as_signed()),
            value_s3.eq(value_s2),
            self.r_row.eq(row_s2), self.r_en.eq(valid_s2 & ~(valid_s5 & (row_s5 == row_s2))),
        ]

        # Stage 4: shift, and the best that is known of the sum: written two or three entries ago, or in the file.
        valid_s4 = Signal()
        row_s4 = Signal(range(words))
        padding_s4 = Signal()
        product_s4 = Signal(signed(2 * bits))
        two_ahead = Signal()
        three_ahead = Signal()
        m.d.sync += [
            valid_s4.eq(valid_s3), row_s4.eq(self.r_row), padding_s4.eq(padding_s3),
            product_s4.eq(weight_s3 * value_s3),
            two_ahead.eq(valid_s5 & (row_s5 == self.r_row)),
            three_ahead.eq(self.w_en & (self.w_row == self.r_row)),
        ]
        sum_before = Signal(signed(bits))
        known = Signal(signed(bits))
        with m.If(two_ahead):
            m.d.comb += known.eq(self.w_value)
        with m.Elif(three_ahead):
            m.d.comb += known.eq(sum_before)
        with m.Elif(self.r_live):
            m.d.comb += known.eq(self.r_value)
        shifted = Signal(signed(2 * bits))
        half = Signal()
        m.d.comb += [
            Cat(shifted, half).eq(Cat(*shift_and_half(product_s4, self.shift))),
            self.busy.eq(valid_s2 | valid_s3 | valid_s4),
        ]

        # Stage 5: add. A product beyond two more bits than the accumulator saturates it with any sum.
        padding_s5 = Signal()
        scaled_s5 = Signal(signed(bits + 2))
        half_s5 = Signal()
        known_s5 = Signal(signed(bits))
        one_ahead = Signal()
        operand = Signal(signed(bits))
        total = Signal(signed(bits + 3))
        m.d.sync += [
            valid_s5.eq(valid_s4), row_s5.eq(row_s4), padding_s5.eq(padding_s4),
            scaled_s5.eq(saturate(shifted, bits + 2)[0]), half_s5.eq(half),
            known_s5.eq(known), one_ahead.eq(valid_s5 & (row_s5 == row_s4)),
        ]
        m.d.comb += [
            operand.eq(Mux(one_ahead, self.w_value, known_s5)),
            # One adder: the rounding bit is its carry.
            total.eq((Cat(1, operand).as_signed() + Cat(half_s5, scaled_s5).as_signed()) >> 1),
        ]
        kept, clipped = saturate(total, bits)
        clips = Signal()
        m.d.comb += clips.eq(valid_s5 & clipped)

        # Stage 6: write. The sum before it stays for the bypass.
        m.d.sync += [
            self.w_en.eq(valid_s5), self.w_row.eq(row_s5), self.w_value.eq(kept),
            self.padding.eq(valid_s5 & padding_s5), sum_before.eq(self.w_value),
            self.saturated.eq((self.saturated & ~self.clear) | clips),
            self.row_error.eq((self.row_error & ~self.clear) | (self.i.valid & bad)),
        ]
        return m
