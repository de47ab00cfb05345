"""QDR input buffer of the Speculator, and the order in which its vectors go into the systolic array."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, SPECULATE_FIELDS
from hdl.common.primitives import find_first
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, product_layout, reduced_layout

__all__ = ["LowInput"]


class LowInput(wiring.Component):
    """Holds the reduced inputs of two tiles and multiplies one while the other comes in [Thesis 5.1.1, step 3].

    For each of ``tiles_n`` groups of outputs n, each pixel that has come (ascending) and each of its ``reduced`` words
    w, a vector goes into the array, against tile ``low_base + n * reduced + w`` of weights. So all products of a
    pixel's sums come one after the other, and a sum grows in a register; the array takes another tile of weights in
    every cycle.

    Latency: 3 cycles from the last vector of a tile to the first one into the array. Throughput: a vector a cycle in
    and out, without a gap between tiles. A pixel begins only when a row of the output buffer is free for its sums.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    reduced, tiles_n, low_base : In
        Of the job, at least 1; they stay from the first vector of a tile until its last one has gone into the array.
    i : In(stream of reduced_layout(cfg))
        Vectors of a tile, in any order: of the same pixels in every one of the ``reduced`` words, at least one pixel.
        ``ready``: a register.
    freed : In(1)
        A row of the output buffer has become free; there are ``2 * pixels`` of them.
    o_valid, o_values, o_tile, o_tag : Out
        Vector into the array.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            **{name: In(SPECULATE_FIELDS[name]) for name in ("reduced", "tiles_n", "low_base")},
            "i": In(stream.Signature(reduced_layout(cfg))),
            "freed": In(1),
            "o_valid": Out(1), "o_values": Out(data.ArrayLayout(signed(LOW_BITS), cfg.trees)),
            "o_tile": Out(range(cfg.low_tiles)), "o_tag": Out(product_layout(cfg)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.vectors = vectors = Sram1r1w(2 * cfg.vectors, LOW_BITS * cfg.trees)
        full = Signal(2)
        mask = [Signal(cfg.pixels, name=f"mask_{half}") for half in range(2)]
        ends = Signal()     # the last product of a tile goes into the array
        self._fill(m, vectors, full, mask, ends)

        half = Signal()
        run = Signal()
        left = Signal(cfg.pixels)               # pixels of the group that are to come, with the present one
        word = Signal(range(cfg.reduced_words))
        n = Signal(SPECULATE_FIELDS["tiles_n"])
        tile = Signal(range(cfg.low_tiles))
        base = Signal(range(cfg.low_tiles))     # tile of the first product of a pixel
        credit = Signal(range(2 * cfg.pixels + 1), init=2 * cfg.pixels)

        pixel = Signal(range(cfg.pixels))
        rest = Signal(cfg.pixels)
        begins = Signal()
        last = Signal()
        end = Signal()
        final = Signal()
        issue = Signal()
        m.d.comb += [
            pixel.eq(find_first(left)[1]),
            rest.eq(left & (left - 1)),
            begins.eq(word == 0), last.eq(word + 1 == self.reduced), end.eq(rest == 0), final.eq(n + 1 == self.tiles_n),
            issue.eq(run & (~begins | (credit != 0))),
            vectors.r_en.eq(issue), vectors.r_addr.eq(Cat(word, pixel, half)), self.o_values.eq(vectors.r_data),
        ]
        m.d.sync += [self.o_valid.eq(issue), credit.eq(credit + self.freed - (issue & begins))]
        with m.If(issue):
            m.d.sync += [
                self.o_tile.eq(tile),
                self.o_tag.first.eq(begins), self.o_tag.last.eq(last), self.o_tag.end.eq(end),
                self.o_tag.final.eq(final), self.o_tag.pixel.eq(pixel),
                word.eq(Mux(last, 0, word + 1)), tile.eq(Mux(last & ~end, base, tile + 1)),
            ]
            with m.If(last):
                m.d.sync += left.eq(Mux(end, Mux(half, mask[1], mask[0]), rest))
                with m.If(end):
                    m.d.sync += [base.eq(tile + 1), n.eq(n + 1)]

        # At the end of a tile the other half is next, if it is complete.
        other = Signal()
        load = Signal()
        m.d.comb += [ends.eq(issue & last & end & final), other.eq(half ^ ends),
                     load.eq((~run | ends) & full.bit_select(other, 1))]
        with m.If(ends):
            m.d.sync += [full.bit_select(half, 1).eq(0), half.eq(~half), run.eq(0)]
        with m.If(load):
            m.d.sync += [run.eq(1), left.eq(Mux(other, mask[1], mask[0])), word.eq(0), n.eq(0),
                         tile.eq(self.low_base), base.eq(self.low_base)]
        m.d.sync += Assert(credit <= 2 * cfg.pixels, Format("rows must be freed once, not {} of them", credit))
        return m

    def _fill(self, m, vectors, full, mask, ends):
        """Write vectors into the half that is not complete; if both are, the one that is multiplied is next."""
        fill = Signal()
        begun = Signal()        # a vector of the tile has come
        room = Signal(init=1)
        take = Signal()
        i = self.i.p
        m.d.comb += [
            self.i.ready.eq(room), take.eq(self.i.valid & room),
            vectors.w_en.eq(take), vectors.w_addr.eq(Cat(i.word, i.pixel, fill)), vectors.w_data.eq(i.values),
        ]
        with m.If(take):
            m.d.sync += begun.eq(~i.last)
            with m.If(i.last):
                m.d.sync += [full.bit_select(fill, 1).eq(1), fill.eq(~fill)]
        with m.If(take & i.last):
            m.d.sync += room.eq(~full.bit_select(~fill, 1) | ends)
        with m.Elif(ends):
            m.d.sync += room.eq(1)
        for half in range(2):
            with m.If(take & (fill == half)):
                m.d.sync += mask[half].eq(Mux(begun, mask[half], 0) | (1 << i.pixel))
