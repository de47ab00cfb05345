"""Output unit: sums of the accumulator become words of FX16 elements."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import FX_BITS, SUM_BITS
from hdl.common.beats import word_layout
from hdl.common.emit import unit

from .accumulator import sum_layout
from .layouts import check_cfg
from .quantize import Quantize

__all__ = ["Output"]


class Output(wiring.Component):
    """Quantises what the accumulator gives and sends it word by word [Thesis 7.6.1].

    Latency: 4 cycles from ``i`` to the first word. Throughput: one beat in 5 or 6 cycles.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i : In(stream of sum_layout(cfg))
    wide : In(1)
        A beat is two words instead of one; stable while something is inside, as ``shift`` and ``relu``.
    shift : In(6)
    relu : In(1)
    o : Out(stream of word_layout(cfg.word_bits))
    busy : Out(1)
    saturated : Out(1)
        An element of the beat that has just been quantised was clipped.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(sum_layout(cfg))),
            "wide": In(1), "shift": In(6), "relu": In(1),
            "o": Out(stream.Signature(word_layout(cfg.word_bits))),
            "busy": Out(1), "saturated": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        quantizer = Quantize(2 * cfg.vector, SUM_BITS, FX_BITS)
        m.submodules.results = results = unit(platform, quantizer, name="dota_outputs")
        values = Signal(data.ArrayLayout(signed(SUM_BITS), 2 * cfg.vector))
        words = Signal(range(3))
        fresh = Signal()
        last = Signal()
        half = Signal()
        m.d.comb += [
            self.i.ready.eq(words == 0), self.busy.eq(words != 0),
            results.i.eq(values), results.i_valid.eq(fresh), results.shift.eq(self.shift), results.relu.eq(self.relu),
            self.saturated.eq(results.saturated),
        ]
        elements = Signal(2 * cfg.word_bits)
        m.d.comb += [
            self.o.p.word.eq(Mux(half, elements[cfg.word_bits:], elements[:cfg.word_bits])),
            self.o.p.last.eq(last & (words == 1)),
        ]
        m.d.sync += fresh.eq(0)
        with m.If(self.i.valid & self.i.ready):
            # With one word the second half has nothing new, and what is there must not count as clipped.
            sums = self.i.p.values
            m.d.sync += [
                *(values[e].eq(sums[e]) for e in range(cfg.vector)),
                *(values[e].eq(Mux(self.wide, sums[e], 0)) for e in range(cfg.vector, 2 * cfg.vector)),
                last.eq(self.i.p.last), words.eq(Mux(self.wide, 2, 1)), half.eq(0), fresh.eq(1),
            ]
        with m.If(results.o_valid):
            m.d.sync += [elements.eq(results.o), self.o.valid.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [words.eq(words - 1), half.eq(1), self.o.valid.eq(words != 1)]
        return m
