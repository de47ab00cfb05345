"""Intake of the Speculator: words of the input map are quantised and find their place in the activation buffer."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, Kind
from hdl.common.emit import unit

from .activation_buffer import MOST_SPAN
from .layouts import block_layout, check_cfg, speculate_layout
from .quantizer import Quantizer

__all__ = ["BlockIntake"]


class BlockIntake(wiring.Component):
    """Quantises a word and tells which of its pixels the tile needs [Thesis 5.1.1, step 1].

    Needed are the pixels that a window may reach: ``(side - 1) * stride + windows_y * side`` rows from ``top`` on,
    likewise columns. The others are not written: further blocks share their entries.

    Latency: ``LATENCY`` = 1 cycle. Throughput: a word a cycle; it never stalls.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(speculate_layout())
        Its ``kind``, ``stride``, ``windows_y``, ``windows_x``. From the cycle before the first word on.
    top, left : In(signed(16))
        First pixel that the tile needs.
    i_valid, i : In
        ``block_layout(cfg)``: a word that is taken.
    w_en, w_y, w_x, w_word, w_mask, w_values : Out
        See ``ActivationBuffer``.
    """

    LATENCY = 1

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(speculate_layout()), "top": In(signed(16)), "left": In(signed(16)),
            "i_valid": In(1), "i": In(block_layout(cfg)),
            "w_en": Out(1), "w_y": Out(MOST_SPAN), "w_x": Out(MOST_SPAN), "w_word": Out(range(cfg.activation_words)),
            "w_mask": Out(cfg.pixels), "w_values": Out(data.ArrayLayout(signed(LOW_BITS), cfg.values)),
        })

    def elaborate(self, platform):
        side = self._cfg.side
        m = Module()
        m.submodules.quantizer = quantizer = unit(platform, Quantizer(self._cfg), name="duet_quantizer")
        m.d.comb += [quantizer.i_valid.eq(self.i_valid), quantizer.i.eq(self.i.data),
                     self.w_en.eq(quantizer.o_valid), self.w_values.eq(quantizer.o)]
        with m.If(self.i_valid):
            m.d.sync += [self.w_y.eq(self.i.block_y), self.w_x.eq(self.i.block_x), self.w_word.eq(self.i.word)]
        rows = self._kept(m, "y", self.i.block_y, self.top, self.job.windows_y)
        columns = self._kept(m, "x", self.i.block_x, self.left, self.job.windows_x)
        m.d.comb += self.w_mask.eq(Cat(rows[i] & columns[j] for i in range(side) for j in range(side)))
        return m

    def _kept(self, m, axis, block, first, windows):
        """Which rows, or columns, of the block are needed; a cycle later."""
        side = self._cfg.side
        # One less than the number of rows that are needed; it does not change, so it costs no time.
        reach = Signal(8, name=f"{axis}_reach")
        distance = Signal(signed(17), name=f"{axis}_distance")
        kept = Signal(side, name=f"{axis}_kept")
        m.d.sync += reach.eq((side - 1) * self.job.stride + windows * side - 1)
        m.d.comb += distance.eq(block * side - first)
        with m.If(self.i_valid):
            for k in range(side):
                needed = (distance >= -k) & (distance <= reach - k)
                m.d.sync += kept[k].eq((self.job.kind == Kind.VECTOR) | needed)
        return kept
