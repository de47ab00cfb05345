"""Collects the channels of the reorder unit into pieces of words of the global buffer."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS

from .layouts import check_cfg
from .reorder import order_layout

__all__ = ["OrderWords", "order_piece_layout"]


def order_piece_layout(cfg) -> data.StructLayout:
    """Channels of pixel ``pixel`` of a word, in those columns whose bit in ``lanes`` is 1; the last ones of a tile."""
    return data.StructLayout({"addr": ADDR_BITS, "pixel": range(cfg.pixels), "last": 1, "lanes": cfg.columns,
                              "ids": data.ArrayLayout(range(cfg.channels), cfg.columns)})


class OrderWords(wiring.Component):
    """Order words, from channels that come one by one [Thesis 5.2.1].

    Channel number j of a tile is element j of its words, in the layout of a vector: column ``j % columns``, pixel
    ``j // columns % pixels``. Every tile begins a word: those of tile t are ``order_base + t * words`` and on, where
    ``words`` is channels / (columns * pixels), rounded up. A piece is a pixel of all columns.

    Latency: 1 cycle from the last channel of a piece to the piece. Throughput: a channel a cycle, as long as a piece is
    taken before the next one is complete.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start, order_base : In
        A job begins; its field. Channels come from the next cycle on.
    i : In(stream of order_layout(cfg))
        ``ready``: a register.
    o : Out(stream of order_piece_layout(cfg))
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "order_base": In(ADDR_BITS),
            "i": In(stream.Signature(order_layout(cfg))), "o": Out(stream.Signature(order_piece_layout(cfg))),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        kept = Signal(order_piece_layout(cfg))      # what is collected; what waits for the output, if full
        full = Signal()
        addr = Signal(ADDR_BITS)
        pixel = Signal(range(cfg.pixels))
        lane = Signal(cfg.columns, init=1)          # of the next channel, one bit
        piece = Signal(order_piece_layout(cfg))     # with the channel that comes
        take = Signal()
        complete = Signal()
        free = Signal()
        i = self.i.p
        m.d.comb += [
            self.i.ready.eq(~full), take.eq(self.i.valid & ~full), complete.eq(take & (lane[-1] | i.last)),
            free.eq(~self.o.valid | self.o.ready),
            piece.addr.eq(addr), piece.pixel.eq(pixel), piece.last.eq(i.last),
            piece.lanes.eq(lane | (lane - 1)),      # it, and all before it
            *(piece.ids[k].eq(Mux(lane[k], i.id, kept.ids[k])) for k in range(cfg.columns)),
        ]
        with m.If(free):
            m.d.sync += [self.o.valid.eq(full | complete), self.o.payload.eq(Mux(full, kept, piece)), full.eq(0)]
        with m.Elif(complete):
            m.d.sync += full.eq(1)
        with m.If(take):
            m.d.sync += [kept.eq(piece), lane.eq(lane.rotate_left(1))]
        with m.If(complete):
            m.d.sync += [lane.eq(1), pixel.eq(pixel + 1)]
            with m.If(i.last | (pixel == cfg.pixels - 1)):
                m.d.sync += [pixel.eq(0), addr.eq(addr + 1)]
        with m.If(self.start):
            m.d.sync += addr.eq(self.order_base)
        return m
