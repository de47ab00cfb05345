"""Tap of the I/O bus: gives one PE's memories their accesses and collects what they answer."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import Mem, Op

from .layouts import access_layout, check_cfg, memory_signature

__all__ = ["IoTap", "PORTS"]

#: Port of the tap for each memory of a PE.
PORTS = {Mem.SPMAT: "spmat", Mem.PTR: "ptr", Mem.CODEBOOK: "codebook", Mem.ACT0: "act0", Mem.ACT1: "act1",
         Mem.ACT_SRAM: "sram"}


class IoTap(wiring.Component):
    """I/O mode inside a PE [EIE IV, "Central Control Unit"].

    Latency: 1 cycle from the bus to a memory, 3 from a read on the bus to ``rdata``.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    pe_id : In(pe_bits)
    access : In(access_layout(cfg))
    rdata : Out
        Answer to the read that stood on the bus three cycles ago, if it was for this PE, else zero.
    spmat, ptr, codebook, act0, act1, sram : Out(memory_signature)
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "pe_id": In(cfg.pe_bits),
            "access": In(access_layout(cfg)),
            "rdata": Out(access_layout(cfg)["wdata"].shape),
            **{port: Out(memory_signature(cfg, mem)) for mem, port in PORTS.items()},
        })

    def elaborate(self, platform):
        m = Module()
        access = self.access
        mine = Signal()
        m.d.comb += mine.eq(access.valid & (access.every | (access.pe == self.pe_id)))
        op = Signal(Op)
        m.d.sync += op.eq(access.op)
        answered = Signal(len(Mem))
        answer = 0
        for mem, port in PORTS.items():
            memory = getattr(self, port)
            m.d.comb += [
                memory.write.eq(op == Op.WRITE), memory.clear.eq(op == Op.CLEAR),
                memory.addr.eq(access.addr), memory.wdata.eq(access.wdata),
            ]
            m.d.sync += [
                memory.en.eq(mine & (access.mem == mem)),
                answered[mem].eq(memory.en & (op == Op.READ)),
            ]
            answer |= Mux(answered[mem], memory.rdata.as_unsigned(), 0)
        m.d.sync += self.rdata.eq(answer)
        return m
