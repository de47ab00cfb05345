"""DOTA: lanes and accumulator behind AXI ports, wired."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect

from golden.common.axi import addr_bits_of
from golden.dota.formats import BEAT_BITS, EVENT_FIELDS, TRACE_INPUTS, TRACE_LANE_BITS, TRACE_OUTPUTS
from golden.dota.registers import COUNTERS, ID, registers
from hdl.common.axi import AxiLiteRegisters, axi_lite_members, axi_stream_members, connect_axi_lite, connect_axi_stream
from hdl.common.emit import unit
from hdl.common.primitives import or_tree

from .accumulator import Accumulator
from .counters import Counters
from .io_port import IoPort
from .lane import Lane
from .layouts import check_cfg
from .output import Output

__all__ = ["Dota"]

#: Counters, and the events of the lanes that they add.
_SUMS = {"exact_fires": "fires", "macs": "macs", "low_macs": "low_macs", "rounds": "rounds", "key_loads": "key_loads",
         "value_loads": "value_loads", "detect_cycles": "detects", "softmax_cycles": "normalises"}
#: Counters of cycles in which any lane says so.
_CYCLES = {"attend": "attends", "linear": "multiplies", "low": "transforms"}


class Dota(wiring.Component):
    """The accelerator [Thesis Fig. 7.11].

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    s_axil_* : AXI4-Lite slave
        Registers, see ``golden.dota.registers``.
    s_axis_*, m_axis_* : AXI4-Stream slave and master, 64 bits
        Commands with their data, and replies, see ``golden.dota.formats``.
    probe : Out
        For lockstep checking: TRACE_INPUTS, TRACE_OUTPUTS, then TRACE_LANE of each lane. Leave it open otherwise.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        self._registers = registers(cfg)
        self._head = data.StructLayout(TRACE_INPUTS | TRACE_OUTPUTS)
        super().__init__({
            **axi_lite_members("s_axil", addr_bits_of(self._registers)),
            **axi_stream_members("s_axis", BEAT_BITS, In),
            **axi_stream_members("m_axis", BEAT_BITS, Out),
            "probe": Out(self._head.size + cfg.lanes * TRACE_LANE_BITS),
        })

    @property
    def cfg(self):
        return self._cfg

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.registers = regs = unit(platform, AxiLiteRegisters(self._registers), name="dota_registers")
        m.submodules.io_port = io = unit(platform, IoPort(cfg), name="dota_io_port")
        m.submodules.counters = counters = unit(platform, Counters(cfg), name="dota_counters")
        m.submodules.accumulator = accumulator = unit(platform, Accumulator(cfg), name="dota_accumulator")
        m.submodules.output = output = unit(platform, Output(cfg), name="dota_output")
        lanes = [unit(platform, Lane(cfg), name="dota_lane") for _ in range(cfg.lanes)]
        for k, lane in enumerate(lanes):
            m.submodules[f"lane_{k}"] = lane

        # Edge.
        connect_axi_lite(m, self, "s_axil", regs.bus)
        connect_axi_stream(m, self, "s_axis", io.i)
        connect_axi_stream(m, self, "m_axis", io.o)

        # Lanes.
        busy = Signal(cfg.lanes)
        answer = Signal(cfg.word_bits)
        reading = Signal(range(max(2, cfg.lanes)))
        reduction = io.reduction
        with m.If(io.access.valid):
            m.d.sync += reading.eq(sum(Mux(io.access.lanes[k], k, 0) for k in range(cfg.lanes)))
        m.d.sync += [
            busy.eq(Cat(lane.busy for lane in lanes) | Mux(accumulator.busy | output.busy, reduction.lanes, 0)),
            answer.eq(Array(lane.rdata for lane in lanes)[reading]),
        ]
        for k, lane in enumerate(lanes):
            m.d.comb += [
                lane.start.eq(io.start[k]), lane.step.eq(io.step),
                lane.access.valid.eq(io.access.valid & io.access.lanes[k]), lane.access.write.eq(io.access.write),
                lane.access.addr.eq(io.access.addr), lane.wdata.eq(io.wdata),
            ]
            connect(m, lane.o, getattr(accumulator, f"i{k}"))
        m.d.comb += [
            io.busy.eq(busy), io.answer.eq(answer), accumulator.lanes_on.eq(reduction.lanes),
            output.wide.eq(reduction.wide), output.shift.eq(reduction.shift), output.relu.eq(reduction.relu),
        ]
        connect(m, accumulator.o, output.i)
        connect(m, output.o, io.results)
        self._count(m, regs, io, counters, lanes, output, busy)
        return m

    def _count(self, m, regs, io, counters, lanes, output, busy):
        cfg = self._cfg
        clear = regs.control
        saturated = Signal()
        clipped = or_tree([lane.events.clipped for lane in lanes])
        m.d.sync += saturated.eq((saturated & ~clear) | output.saturated | clipped)
        cycles = {name: or_tree([getattr(lane.events, event) for lane in lanes]) for name, event in _CYCLES.items()}
        m.d.comb += [
            io.clear.eq(clear), counters.clear.eq(clear),
            counters.amounts.cycles.eq(or_tree(list(cycles.values()))),
            *(getattr(counters.amounts, name).eq(value) for name, value in cycles.items()),
            *(getattr(counters.amounts, name).eq(sum(getattr(lane.events, event) for lane in lanes))
              for name, event in _SUMS.items()),
            regs.id.eq(ID), regs.size.eq(Cat(C(cfg.lanes, 8), C(cfg.rows, 8), C(cfg.columns, 8))),
            regs.status.eq(Cat(io.active | busy.any(), io.error, saturated)),
            *(Cat(getattr(regs, f"{name}_low"), getattr(regs, f"{name}_high")).eq(getattr(counters, name))
              for name in COUNTERS),
        ]
        head = Signal(self._head)
        m.d.comb += [
            head.s_valid.eq(self.s_axis_tvalid), head.s_last.eq(self.s_axis_tlast), head.s_data.eq(self.s_axis_tdata),
            head.m_ready.eq(self.m_axis_tready), head.clear.eq(clear),
            head.m_data.eq(self.m_axis_tdata), head.m_valid.eq(self.m_axis_tvalid), head.m_last.eq(self.m_axis_tlast),
            head.s_ready.eq(self.s_axis_tready), head.active.eq(io.active), head.io_error.eq(io.error),
            head.saturated.eq(saturated), head.busy.eq(busy),
            self.probe.eq(Cat(head, *(lane.probe for lane in lanes))),
        ]


assert len(_SUMS) + len(_CYCLES) + 1 == len(COUNTERS) and set(_SUMS.values()) <= set(EVENT_FIELDS)
