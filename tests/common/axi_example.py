"""A top component with an AXI4-Lite slave and a pair of AXI4-Streams, for the bench of hdl.common.axi."""

from dataclasses import dataclass

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.common.axi import Field, Register, check_table
from hdl.common.axi import (
    AxiLiteRegisters,
    axi_lite_members,
    axi_stream_layout,
    axi_stream_members,
    connect_axi_lite,
    connect_axi_stream,
)
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

#: One register of each kind, with holes between the offsets and between the bits.
REGISTERS = check_table((
    Register("id", 0x00, "ro", "Constant."),
    Register("control", 0x04, "pulse", "Commands.", (Field("start", 0, 1), Field("select", 8, 3),
                                                     Field("high", 31, 1))),
    Register("size", 0x08, "rw", "Work to do.", (Field("rows", 0, 12), Field("columns", 16, 16)), reset=0x0007_0003),
    Register("scratch", 0x14, "rw", "All bits.", reset=0xDEAD_BEEF),
    Register("status", 0x20, "ro", "State.", (Field("busy", 0, 1), Field("level", 4, 20))),
    Register("doorbell", 0x24, "pulse", "All bits."),
))
ID = 0x454C4953


@dataclass(frozen=True)
class AxiConfig:
    addr_bits: int = 8
    stream_bits: int = 24


class AxiExample(wiring.Component):
    """The registers on ports of their own, and a FIFO from one stream to the other."""

    def __init__(self, cfg):
        self.cfg = cfg
        super().__init__({
            **axi_lite_members("s_axil", cfg.addr_bits),
            **axi_stream_members("s_axis", cfg.stream_bits, In),
            **axi_stream_members("m_axis", cfg.stream_bits, Out),
            "control": Out(32), "size": Out(32), "scratch": Out(32), "doorbell": Out(32), "status": In(32),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.registers = registers = unit(platform, AxiLiteRegisters(REGISTERS, self.cfg.addr_bits),
                                                  name="example_registers")
        m.submodules.queue = queue = unit(platform, Fifo(axi_stream_layout(self.cfg.stream_bits), 4))
        connect_axi_lite(m, self, "s_axil", registers.bus)
        connect_axi_stream(m, self, "s_axis", queue.i)
        connect_axi_stream(m, self, "m_axis", queue.o)
        m.d.comb += [
            registers.id.eq(ID),
            registers.status.eq(self.status),
            self.control.eq(registers.control),
            self.size.eq(registers.size),
            self.scratch.eq(registers.scratch),
            self.doorbell.eq(registers.doorbell),
        ]
        return m
