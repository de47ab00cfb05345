"""Systolic array of the Speculator: INT4 vectors times tiles of INT4 weights."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS
from hdl.common.emit import unit

from .layouts import check_cfg, product_layout
from .systolic_row import SystolicRow, sums_of_columns

__all__ = ["Systolic"]


class Systolic(wiring.Component):
    """``trees`` x ``systolic_columns`` INT4 multipliers and adders [Thesis 5.1.1, step 3; table 5.1: 16 x 32].

    Sum ``c`` of a vector is the sum over rows ``r`` of ``i_values[r] * tile[r][c]``, without overflow. Element ``r``
    enters row ``r`` a cycle after its neighbour above, and the address of the tile goes down beside it, from bank to
    bank of the weights: a new tile of weights costs no cycle. Elements are broadcast along their row, so all sums of a
    vector leave in the same cycle.

    Latency: ``latency`` = trees + 2 cycles from ``i`` to ``o``. Throughput: a vector a cycle, that is all multipliers
    in every cycle; it never stalls.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i_valid, i_values, i_tile, i_tag : In
        A vector of ``trees`` elements, the number of its tile of weights, and what leaves with its sums.
    o_valid, o_sums, o_tag : Out
        Sums of the columns, whole and in time.
    write_en, write_addr, write_data : In
        Tile of weights to write: element ``row * systolic_columns + column``, the first lowest. It may be used from the
        next cycle on; not while a vector that meets it is inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        tile = range(cfg.low_tiles)
        super().__init__({
            "i_valid": In(1), "i_values": In(data.ArrayLayout(signed(LOW_BITS), cfg.trees)), "i_tile": In(tile),
            "i_tag": In(product_layout(cfg)),
            "o_valid": Out(1), "o_sums": Out(sums_of_columns(cfg)), "o_tag": Out(product_layout(cfg)),
            "write_en": In(1), "write_addr": In(tile),
            "write_data": In(LOW_BITS * cfg.systolic_columns * cfg.trees),
        })

    @property
    def latency(self):
        """Cycles from a vector to its sums."""
        return self._cfg.trees + 2

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        row_bits = LOW_BITS * cfg.systolic_columns
        valid, tile = self.i_valid, self.i_tile
        sums = C(0, Shape.cast(sums_of_columns(cfg)).width)
        for number in range(cfg.trees):
            m.submodules[f"row_{number}"] = row = unit(platform, SystolicRow(cfg), name="duet_systolic_row")
            value = self.i_values[number]
            for cycle in range(number):
                value, before = Signal(signed(LOW_BITS), name=f"value_{number}_s{cycle + 1}"), value
                m.d.sync += value.eq(before)
            m.d.comb += [
                row.i_valid.eq(valid), row.i_tile.eq(tile), row.i_value.eq(value), row.i_sums.eq(sums),
                row.write_en.eq(self.write_en), row.write_addr.eq(self.write_addr),
                row.write_data.eq(self.write_data.word_select(number, row_bits)),
            ]
            valid, tile, sums = row.o_valid, row.o_tile, row.o_sums
        m.d.comb += self.o_sums.eq(sums)

        # Validity has gone down with the elements: row ``trees - 1`` hands it on two cycles before the sums.
        valid_s1 = Signal()
        m.d.sync += [valid_s1.eq(valid), self.o_valid.eq(valid_s1)]
        tag = self.i_tag
        for cycle in range(self.latency - 1):
            tag, before = Signal(product_layout(cfg), name=f"tag_s{cycle + 1}"), tag
            m.d.sync += tag.eq(before)
        m.d.sync += self.o_tag.eq(tag)
        return m
