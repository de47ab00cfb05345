"""A DIMM: ranks on one bus of the host."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import PHASES, PIN_FIELDS, trace_of
from hdl.common.emit import unit
from hdl.common.primitives import or_tree

from .layouts import check_cfg, phases_layout, pins_layout
from .rank import Rank

__all__ = ["Dimm"]


class Dimm(wiring.Component):
    """Ranks that share the command, address and data pins of the host [Thesis Fig. 6.6].

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    cs_n : In(array of PHASES, a bit a rank)
        Chip selects in the clocks of a cycle.
    ca : In(array of PHASES)
        Command and address pins: PIN_FIELDS without ``cs_n``.
    dq_i, dq_o, dq_oe : In, Out, Out
        Data pins of the host.
    alert_n : Out(1)
        Low if a rank left out an ordinary command.
    dram_<r>_pins, dram_<r>_dq_o, dram_<r>_dq_oe, dram_<r>_dq_i : Out, Out, Out, In
        The DRAM of rank r.
    probe : Out
        For lockstep checking: ``golden.enmc.formats.trace_of`` for each rank. Leave it open otherwise.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        self._ca = data.StructLayout({name: bits for name, bits in PIN_FIELDS.items() if name != "cs_n"})
        record = sum(trace_of(cfg).values())
        ranks = {}
        for r in range(cfg.ranks):
            ranks |= {f"dram_{r}_pins": Out(pins_layout()), f"dram_{r}_dq_o": Out(phases_layout(cfg)),
                      f"dram_{r}_dq_oe": Out(PHASES), f"dram_{r}_dq_i": In(phases_layout(cfg))}
        super().__init__({
            "cs_n": In(data.ArrayLayout(cfg.ranks, PHASES)), "ca": In(data.ArrayLayout(self._ca, PHASES)),
            "dq_i": In(phases_layout(cfg)), "dq_o": Out(phases_layout(cfg)), "dq_oe": Out(PHASES), "alert_n": Out(1),
            **ranks, "probe": Out(cfg.ranks * record),
        })

    @property
    def cfg(self):
        return self._cfg

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        ranks = []
        for r in range(cfg.ranks):
            m.submodules[f"rank_{r}"] = rank = unit(platform, Rank(cfg), name="enmc_rank")
            ranks.append(rank)
            for slot in range(PHASES):
                m.d.comb += Value.cast(rank.pins[slot]).eq(Cat(self.cs_n[slot][r], self.ca[slot]))
            m.d.comb += rank.dq_i.eq(self.dq_i)
            for name in "dram_pins", "dram_dq_o", "dram_dq_oe":
                m.d.comb += getattr(self, name.replace("dram", f"dram_{r}")).eq(getattr(rank, name))
            m.d.comb += rank.dram_dq_i.eq(getattr(self, f"dram_{r}_dq_i"))
        # Only the rank that was asked drives.
        for slot in range(PHASES):
            m.d.comb += [
                self.dq_o[slot].eq(or_tree([Mux(rank.dq_oe[slot], rank.dq_o[slot], 0) for rank in ranks])),
                self.dq_oe[slot].eq(or_tree([rank.dq_oe[slot] for rank in ranks])),
            ]
        m.d.comb += self.alert_n.eq(Cat(rank.alert_n for rank in ranks).all())
        m.d.comb += self.probe.eq(Cat(*(rank.probe for rank in ranks)))
        return m
