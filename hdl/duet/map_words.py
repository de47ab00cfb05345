"""Collects the sensitive bits of a tile's pixels into words of the map buffer."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS

from .layouts import approximation_layout, check_cfg

__all__ = ["MapWords", "map_word_layout"]


def map_word_layout(cfg) -> data.StructLayout:
    """Bits of ``columns`` channels, ``column * pixels + pixel``; the last word of its tile."""
    return data.StructLayout({"addr": ADDR_BITS, "last": 1, "bits": cfg.values})


class MapWords(wiring.Component):
    """Words of the output map, from approximations that come pixel by pixel [Thesis 5.1.1].

    The word of channels ``first`` and on of tile t is ``omap_base + t * out_depth + first // columns``. Bits of pixels
    that did not come are 0.

    Latency: 1 cycle from the last pixel to the word. Throughput: approximations of a pixel in every cycle, as long as a
    word is taken before the next one is complete.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start, omap_base, out_depth : In
        A job begins; its fields, which stay. Approximations come from the next cycle on.
    i : In(stream of approximation_layout(cfg))
        ``ready``: a register.
    o : Out(stream of map_word_layout(cfg))
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "omap_base": In(ADDR_BITS), "out_depth": In(ADDR_BITS),
            "i": In(stream.Signature(approximation_layout(cfg))), "o": Out(stream.Signature(map_word_layout(cfg))),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        kept = Signal(map_word_layout(cfg))     # what is collected; what waits for the output, if full
        begun = Signal()
        full = Signal()
        base = Signal(ADDR_BITS)
        word = Signal(map_word_layout(cfg))     # with the pixel that comes
        pixel = Signal(cfg.pixels)
        take = Signal()
        complete = Signal()
        free = Signal()
        i = self.i.p
        placed = Cat(Mux(i.sensitive[column], pixel, 0) for column in range(cfg.columns))
        m.d.comb += [
            self.i.ready.eq(~full), take.eq(self.i.valid & ~full), complete.eq(take & i.part_end),
            free.eq(~self.o.valid | self.o.ready), pixel.eq(1 << i.pixel),
            word.addr.eq(base + i.first[(cfg.columns - 1).bit_length():]), word.last.eq(i.last),
            word.bits.eq(Mux(begun, kept.bits, 0) | placed),
        ]
        with m.If(free):
            m.d.sync += [self.o.valid.eq(full | complete), self.o.payload.eq(Mux(full, kept, word)), full.eq(0)]
        with m.Elif(complete):
            m.d.sync += full.eq(1)
        with m.If(take):
            m.d.sync += [kept.eq(word), begun.eq(~i.part_end)]
        with m.If(self.start):
            m.d.sync += base.eq(self.omap_base)
        with m.Elif(complete & i.last):
            m.d.sync += base.eq(base + self.out_depth)
        return m
