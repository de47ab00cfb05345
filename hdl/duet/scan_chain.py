"""Scan chain: the jobs of a stage."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import BEAT_BITS, chain_beats, chain_fields

from .layouts import cell_layout, check_cfg, execute_layout, speculate_layout

__all__ = ["ScanChain", "ids_layout"]


def ids_layout(count) -> data.ArrayLayout:
    """IDs that the multicast controllers of the NoC compare with the tags of a transfer."""
    return data.ArrayLayout(range(count), count)


class ScanChain(wiring.Component):
    """Configuration of a layer, generated offline and shifted in as a long chain [Thesis 5.2.1].

    A stage may run on what holds while the next configuration is shifted in. Latency: 1 cycle from ``update`` to the
    outputs. Throughput: 64 bits a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    shift : In(1)
        ``beat`` goes in; the first beat of a chain ends lowest.
    beat : In(BEAT_BITS)
    update : In(1)
        What is in the chain holds from the next cycle on. Not together with ``shift``.
    speculate, execute, cell_job : Out(their layouts)
    row_ids, column_ids : Out(ids_layout)
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "shift": In(1), "beat": In(BEAT_BITS), "update": In(1),
            "speculate": Out(speculate_layout()), "execute": Out(execute_layout()), "cell_job": Out(cell_layout()),
            "row_ids": Out(ids_layout(cfg.rows)), "column_ids": Out(ids_layout(cfg.columns)),
        })

    def elaborate(self, platform):
        m = Module()
        chain = Signal(chain_beats(self._cfg) * BEAT_BITS)
        held = Signal(sum(chain_fields(self._cfg).values()))
        with m.If(self.shift):
            m.d.sync += chain.eq(Cat(chain[BEAT_BITS:], self.beat))
        with m.If(self.update):
            m.d.sync += held.eq(chain)
        m.d.comb += Cat(self.speculate, self.execute, self.cell_job, self.row_ids, self.column_ids).eq(held)
        return m
