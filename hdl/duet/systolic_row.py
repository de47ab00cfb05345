"""A row of the systolic array: a bank of weights, and a multiplier and an adder a column."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import COLUMN_BITS, LOW_BITS
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg

__all__ = ["SystolicRow", "sums_of_columns"]


def sums_of_columns(cfg) -> data.ArrayLayout:
    """Partial sums on their way down."""
    return data.ArrayLayout(signed(COLUMN_BITS), cfg.systolic_columns)


class SystolicRow(wiring.Component):
    """One element of a vector times a row of weights, added to the sums of the rows above [Thesis 5.1.1, step 3].

    The element meets all columns in the same cycle: it is broadcast along the row, so sums need no skew by column.
    Cycle 0: weights are read. Cycle 1: products. Cycle 2: sums.

    Latency: 3 cycles from ``i_value`` to ``o_sums``; ``i_sums`` comes 2 cycles after ``i_value``. Throughput: an
    element a cycle, each against any row of weights.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i_valid, i_value, i_tile : In
        Element, and the tile of weights that it meets.
    o_valid, o_tile : Out
        The same for the row below, a cycle later.
    i_sums, o_sums : In, Out
        From the row above, to the row below.
    write_en, write_addr, write_data : In
        Row of a tile, column 0 lowest; not of a tile that is read.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        tile = range(cfg.low_tiles)
        super().__init__({
            "i_valid": In(1), "i_value": In(signed(LOW_BITS)), "i_tile": In(tile),
            "o_valid": Out(1), "o_tile": Out(tile),
            "i_sums": In(sums_of_columns(cfg)), "o_sums": Out(sums_of_columns(cfg)),
            "write_en": In(1), "write_addr": In(tile), "write_data": In(LOW_BITS * cfg.systolic_columns),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.bank = bank = Sram1r1w(cfg.low_tiles, LOW_BITS * cfg.systolic_columns)
        weights = data.View(data.ArrayLayout(signed(LOW_BITS), cfg.systolic_columns), bank.r_data)
        value_s1 = Signal(signed(LOW_BITS))
        m.d.comb += [
            bank.r_en.eq(self.i_valid), bank.r_addr.eq(self.i_tile),
            bank.w_en.eq(self.write_en), bank.w_addr.eq(self.write_addr), bank.w_data.eq(self.write_data),
        ]
        m.d.sync += [self.o_valid.eq(self.i_valid), self.o_tile.eq(self.i_tile), value_s1.eq(self.i_value)]
        for column in range(cfg.systolic_columns):
            product = Signal(signed(2 * LOW_BITS), name=f"product_{column}")
            m.d.sync += [product.eq(value_s1 * weights[column]),
                         self.o_sums[column].eq(self.i_sums[column] + product)]
        return m
