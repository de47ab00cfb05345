"""EIE: PEs, LNZD quadtree and central control unit behind AXI ports, wired."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from golden.common.axi import addr_bits_of
from golden.eie.formats import BEAT_BITS, CHILDREN, COUNTERS, trace_pe_bits
from golden.eie.registers import ID, registers
from hdl.common.axi import AxiLiteRegisters, axi_lite_members, axi_stream_members, connect_axi_lite, connect_axi_stream
from hdl.common.emit import unit

from .ccu import Ccu, trace_layout
from .layouts import check_cfg
from .lnzd import LnzdNode
from .pe import Pe

__all__ = ["Eie"]


class Eie(wiring.Component):
    """The accelerator [EIE Fig. 4].

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    s_axil_* : AXI4-Lite slave
        Registers, see ``golden.eie.registers``.
    s_axis_*, m_axis_* : AXI4-Stream slave and master, 64 bits
        Commands with their data, and replies, see ``golden.eie.formats``.
    probe : Out
        For lockstep checking: trace_layout(), then the record of each PE. Leave it open otherwise.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        self._registers = registers(cfg)
        self._probe_bits = trace_layout().size + cfg.n_pe * trace_pe_bits(cfg)
        super().__init__({
            **axi_lite_members("s_axil", addr_bits_of(self._registers)),
            **axi_stream_members("s_axis", BEAT_BITS, In),
            **axi_stream_members("m_axis", BEAT_BITS, Out),
            "probe": Out(self._probe_bits),
        })

    @property
    def cfg(self):
        return self._cfg

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.registers = regs = unit(platform, AxiLiteRegisters(self._registers), name="eie_registers")
        m.submodules.ccu = ccu = unit(platform, Ccu(cfg), name="eie_ccu")
        pes = [unit(platform, Pe(cfg), name="eie_pe") for _ in range(cfg.n_pe)]
        for k, pe in enumerate(pes):
            m.submodules[f"pe_{k}"] = pe

        # Edge.
        connect_axi_lite(m, self, "s_axil", regs.bus)
        connect_axi_stream(m, self, "s_axis", ccu.i)
        connect_axi_stream(m, self, "m_axis", ccu.o)
        m.d.comb += [
            regs.id.eq(ID), regs.size.eq(Cat(C(cfg.n_pe, 16), C(cfg.data_bits, 8), C(int(cfg.run_ahead), 1))),
            Cat(ccu.start, ccu.clear).eq(regs.control), ccu.length.eq(regs.length),
            regs.status.eq(ccu.status), regs.number.eq(ccu.number),
            *(Cat(getattr(regs, f"{name}_low"), getattr(regs, f"{name}_high")).eq(ccu.counters[k])
              for k, name in enumerate(COUNTERS)),
            Cat(getattr(regs, f"saturation_{k}") for k in range(-(-cfg.n_pe // 32))).eq(ccu.saturated),
        ]

        # Central unit to PEs and back.
        for k, pe in enumerate(pes):
            m.d.comb += [
                pe.pe_id.eq(k), pe.command.eq(ccu.command), pe.access.eq(ccu.access), pe.clear.eq(ccu.clear),
                pe.i.payload.eq(ccu.broadcast), pe.i.valid.eq(ccu.push),
                ccu.room[k].eq(pe.room[0]), ccu.room_2[k].eq(pe.room[1]), ccu.busy[k].eq(pe.busy),
                ccu.saturated[k].eq(pe.saturated), ccu.row_error[k].eq(pe.row_error),
                ccu.events[k].eq(pe.events), ccu.rdata[k].eq(pe.rdata),
            ]
        m.d.comb += self.probe.eq(Cat(ccu.probe, *(pe.probe for pe in pes)))

        # Quadtree: 16 + 4 + 1 nodes for 64 PEs.
        children = [pe.o for pe in pes]
        for level in range(cfg.tree_levels):
            parents = []
            for first in range(0, len(children), CHILDREN):
                node = unit(platform, LnzdNode(cfg), name="eie_lnzd")
                m.submodules[f"lnzd_{level}_{len(parents)}"] = node
                for c in range(CHILDREN):
                    port = getattr(node, f"i{c}")
                    if first + c < len(children):
                        connect(m, children[first + c], port)
                    else:  # nobody there: always the end
                        m.d.comb += [port.valid.eq(1), port.p.null.eq(1), port.p.last.eq(1)]
                parents.append(node.o)
            children = parents
        connect(m, children[0], ccu.element)
        return m
