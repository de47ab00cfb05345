"""Request queue and address generator of the DRAM controller: requests become visits of open rows."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import Dest
from hdl.common.fifo import Fifo

from .layouts import check_cfg, request_layout

__all__ = ["DramVisits", "offset_bits", "visit_layout"]


def offset_bits(cfg) -> int:
    """Width of the number of a burst in the rows of a pair of banks."""
    return cfg.column_bits - 2


def visit_layout(cfg) -> data.StructLayout:
    """Bursts ``offset`` to ``last`` of row ``row`` of the two banks of ``pair``.

    ``pair`` is bit 1 of the bank group, then the bank; bit 0 of an offset is bit 0 of the bank group, the others are
    the column without its three lowest bits.
    """
    return data.StructLayout({"offset": offset_bits(cfg), "last": offset_bits(cfg), "pair": range(cfg.pairs),
                              "row": cfg.row_bits, "write": 1, "dest": Shape.cast(range(len(Dest)))})


class DramVisits(wiring.Component):
    """Queue of requests, cut into visits [Thesis 6.4.2, "request queue", "address generator"].

    A visit ends with its request or with the rows of a pair of banks (2 * page_bursts bursts). After the rank's last
    burst comes its first.

    Latency: 2 cycles from ``i`` to ``o``. Throughput: one visit a cycle.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of request_layout(cfg))
        ``count`` is not 0.
    o : Out(stream of visit_layout(cfg))
        In the order of the requests.
    busy : Out(1)
        A request is inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(request_layout(cfg))),
            "o": Out(stream.Signature(visit_layout(cfg))),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        bits = offset_bits(self._cfg)
        m = Module()
        m.submodules.queue = queue = Fifo(request_layout(self._cfg), self._cfg.queue)
        wiring.connect(m, wiring.flipped(self.i), queue.i)

        # What follows the visit that is offered: pages after this one, and the last offset in the last of them.
        visit, request = self.o.p, queue.o.p
        sum_bits = max(bits, len(request.count)) + 1
        more = Signal(sum_bits - bits)
        end = Signal(bits)
        final = Signal(sum_bits)
        load = Signal()
        next_page = Signal(len(visit.pair) + len(visit.row))
        m.d.comb += [
            final.eq(request.addr[:bits] + request.count - 1),
            load.eq(~self.o.valid | (self.o.ready & (more == 0))),
            queue.o.ready.eq(load),
            next_page.eq(Cat(visit.pair, visit.row) + 1),
            self.busy.eq(self.o.valid | queue.o.valid),
        ]
        with m.If(load):
            m.d.sync += [
                self.o.valid.eq(queue.o.valid),
                visit.offset.eq(request.addr[:bits]),
                visit.last.eq(Mux(final[bits:].any(), ~0, final[:bits])),
                Cat(visit.pair, visit.row).eq(request.addr[bits:]),
                visit.write.eq(request.write),
                visit.dest.eq(request.dest),
                more.eq(final[bits:]),
                end.eq(final[:bits]),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += [
                visit.offset.eq(0),
                visit.last.eq(Mux(more == 1, end, ~0)),
                Cat(visit.pair, visit.row).eq(next_page),
                more.eq(more - 1),
            ]
        m.d.sync += Assert(~(self.i.valid & (self.i.p.count == 0)), "a request must be for at least one burst")
        return m
