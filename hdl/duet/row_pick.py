"""Choice of rows: those that work, the lowest first, with the place of their weights."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import find_first, or_tree

from .layouts import check_cfg

__all__ = ["RowPick"]


class RowPick(wiring.Component):
    """Keeps a group's rows and names those with a sensitive pixel, one after the other, as often as it is told.

    Latency: 2 cycles from ``again`` to the first row. Throughput: a row a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    load : In(1)
        A group comes: ``sensitive`` and ``place``.
    again : In(1)
        Begin with the lowest row, of the group that comes if one does. Only when no row is left.
    take : In(1)
        The row that is offered is taken.
    valid, row, place, last : Out
        A row, registered.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "load": In(1), "sensitive": In(data.ArrayLayout(cfg.pixels, cfg.rows)),
            "place": In(data.ArrayLayout(32, cfg.rows)), "again": In(1), "take": In(1),
            "valid": Out(1), "row": Out(range(cfg.rows)), "o_place": Out(32), "last": Out(1),
        })

    def elaborate(self, platform):
        rows = self._cfg.rows
        m = Module()
        works = Signal(rows)
        works_next = Signal(rows)
        places = Signal(data.ArrayLayout(32, rows))
        rest = Signal(rows)
        others = Signal(rows)
        turn = Signal(rows)
        free = Signal()
        m.d.comb += [
            works_next.eq(Mux(self.load, Cat(self.sensitive[r].any() for r in range(rows)), works)),
            free.eq(~self.valid | self.take), others.eq(rest & (rest - 1)), turn.eq(rest & ~others),
        ]
        m.d.sync += works.eq(works_next)
        with m.If(self.load):
            m.d.sync += places.eq(self.place)
        with m.If(free):
            m.d.sync += self.valid.eq(rest.any())
            with m.If(rest.any()):
                m.d.sync += [self.row.eq(find_first(rest)[1]), self.last.eq(others == 0), rest.eq(others),
                             self.o_place.eq(or_tree(Mux(turn[r], places[r], 0) for r in range(rows)))]
        with m.If(self.again):
            m.d.sync += rest.eq(works_next)
        m.d.sync += Assert(~self.again | (rest == 0), "rows must be through before they come again")
        return m
