"""Reconfigurable matrix multiplication unit: the array of PEs."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import INPUTS, OUTPUTS, QUERIES, SUM_BITS, UNIT_BITS, Precision
from hdl.common.emit import unit

from .layouts import check_cfg
from .multiplier import SLOTS
from .row import Row

__all__ = ["Rmmu", "row_control_layout"]


def row_control_layout() -> data.StructLayout:
    """Command of a row.

    .. code-block::

        MSB                                     LSB
        +--------+---------+--------+-------------+
        | slot 2 | first 1 | fire 1 | precision 2 |
        +--------+---------+--------+-------------+
    """
    return data.StructLayout({"precision": 2, "fire": 1, "first": 1, "slot": range(SLOTS)})


class Rmmu(wiring.Component):
    """Reconfigurable matrix multiplication unit [Thesis 7.6.2, Fig. 7.13 (a)].

    R x C PEs; every row has a precision of its own, fire by fire: at most R * C * 1, 4, 16 or 64 multiplications and
    additions a cycle.

    In FX16 query t of half h of the rows owns PEs ``vector * t .. vector * (t + 1) - 1`` of this half, counted row by
    row: several rows, or a part of one.

    Latency: 3 cycles from ``fire`` to the partial sums, 5 to ``sums``, 6 to ``dots``. Throughput: one fire a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    control : In(R x row_control_layout())
    operands : In(R * C x 32)
        Row by row, as all that follows.
    take, load : In(R * C)
        One bit a PE, as in :class:`hdl.dota.pe.Pe`.
    sums : Out(R x 96)
        As in :class:`hdl.dota.row.Row`.
    dots : Out(8 x signed(48))
        Dot products in FX16; that of query t of half h is number ``4 * h + t``. Sums of what the rows would have as
        ``sums`` in FX16: without meaning where a row has another precision.
    select : In(2)
        A query.
    elements : Out(2 * vector x 48)
        Partial sums of the PEs of the query that was selected in the cycle before: first half, then the other.
    macs : Out
        Multiplications with addition that were fired in the cycle before.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DotaConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "control": In(data.ArrayLayout(row_control_layout(), cfg.rows)),
            "operands": In(data.ArrayLayout(UNIT_BITS, cfg.pes)),
            "take": In(cfg.pes), "load": In(cfg.pes),
            "sums": Out(data.ArrayLayout(2 * SUM_BITS, cfg.rows)),
            "dots": Out(data.ArrayLayout(signed(SUM_BITS), 2 * QUERIES)),
            "select": In(range(QUERIES)),
            "elements": Out(data.ArrayLayout(SUM_BITS, 2 * cfg.vector)),
            "macs": Out(range(cfg.pes * 64 + 1)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rows = []
        for r in range(cfg.rows):
            m.submodules[f"row_{r}"] = row = unit(platform, Row(cfg), name="dota_row")
            control, own = self.control[r], slice(r * cfg.columns, (r + 1) * cfg.columns)
            m.d.comb += [
                row.operands.eq(self.operands.as_value()[own.start * UNIT_BITS:own.stop * UNIT_BITS]),
                row.take.eq(self.take[own]), row.load.eq(self.load[own]), row.slot.eq(control.slot),
                row.precision.eq(control.precision), row.fire.eq(control.fire), row.first.eq(control.first),
                self.sums[r].eq(row.sums),
            ]
            rows.append(row)

        # Dot products of the rows, or parts of one, that a query owns.
        parts = [row.sums[SUM_BITS * k:SUM_BITS * (k + 1)] for row in rows for k in range(cfg.dots_per_row)]
        share = len(parts) // (2 * QUERIES)
        for k in range(2 * QUERIES):
            m.d.sync += self.dots[k].eq(sum(parts[k * share:(k + 1) * share]))

        # Partial sums of a query.
        elements = [row.elements[c] for row in rows for c in range(cfg.columns)]
        halves = elements[:cfg.pes // 2], elements[cfg.pes // 2:]
        with m.Switch(self.select):
            for query in range(QUERIES):
                own = slice(query * cfg.vector, (query + 1) * cfg.vector)
                with m.Case(query):
                    m.d.sync += self.elements.eq(Cat(half[own] for half in halves))

        # Count of the work.
        macs = []
        for precision in Precision:
            fires = Signal(range(cfg.rows + 1), name=f"fires_{precision.name.lower()}")
            m.d.comb += fires.eq(sum(control.fire & (control.precision == precision)
                                     for control in (self.control[r] for r in range(cfg.rows))))
            macs.append(fires * (cfg.columns * INPUTS[precision] * OUTPUTS[precision]))
        m.d.sync += self.macs.eq(sum(macs))
        return m
