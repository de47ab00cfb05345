"""Activation register file with the flags that make it sparse."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.sram import Sram1r1w

from .layouts import check_cfg

__all__ = ["RegFile"]


class RegFile(wiring.Component):
    """One register file of the activation read/write unit [EIE IV].

    Beside each value stand two flags: ``live``, written since the last flush, so that a flush takes one cycle; and
    ``nonzero``, what the leading non-zero detection looks at.

    Latency: 1 cycle from ``r_en`` to ``r_value r_live r_nonzero``, which then hold. Throughput: one read and one write
    a cycle, not of the same register.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    flush : In(1)
        No register is live or non-zero any more; a write in the same cycle is kept.
    w_en, w_row, w_value : In
        Write.
    w_relu : In(1)
        The value counts as non-zero only when it is positive.
    r_en, r_row : In
    s_en, s_row : In
        Read of the scan, in other cycles: for ``r_value`` alone.
    r_value, r_live, r_nonzero : Out
        Answer. ``r_value`` is as it was written; it counts as zero unless ``r_nonzero``.
    nonzero : Out(regfile_words)
        The flags, register 0 in bit 0.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        row, value = range(cfg.regfile_words), signed(cfg.data_bits)
        super().__init__({
            "flush": In(1),
            "w_en": In(1), "w_row": In(row), "w_value": In(value), "w_relu": In(1),
            "r_en": In(1), "r_row": In(row), "s_en": In(1), "s_row": In(row),
            "r_value": Out(value), "r_live": Out(1), "r_nonzero": Out(1),
            "nonzero": Out(cfg.regfile_words),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Sram1r1w(self._cfg.regfile_words, self._cfg.data_bits)
        m.d.comb += [
            words.w_en.eq(self.w_en), words.w_addr.eq(self.w_row), words.w_data.eq(self.w_value),
            words.r_en.eq(self.r_en | self.s_en), words.r_addr.eq(Mux(self.s_en, self.s_row, self.r_row)),
            self.r_value.eq(words.r_data),
        ]
        live = Signal(self._cfg.regfile_words)
        counts = Signal()
        m.d.comb += counts.eq((self.w_value != 0) & ~(self.w_relu & self.w_value[-1]))
        with m.If(self.flush):
            m.d.sync += [live.eq(0), self.nonzero.eq(0)]
        with m.If(self.w_en):
            m.d.sync += [live.bit_select(self.w_row, 1).eq(1), self.nonzero.bit_select(self.w_row, 1).eq(counts)]
        with m.If(self.r_en):
            m.d.sync += [
                self.r_live.eq(live.bit_select(self.r_row, 1)),
                self.r_nonzero.eq(self.nonzero.bit_select(self.r_row, 1)),
            ]
        return m
