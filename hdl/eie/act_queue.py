"""Activation queue: broadcast activations wait here for their PE."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.fifo import Fifo

from .layouts import broadcast_layout, check_cfg

__all__ = ["ActQueue"]


class ActQueue(wiring.Component):
    """Activation queue [EIE IV, "Activation Queue and Load Balancing"].

    Holds ``fifo_depth`` activations. The central unit sees ``room`` and decides a cycle before a broadcast arrives.

    Latency: 1 cycle. Throughput: one activation a cycle; so controlled, two in three cycles at ``fifo_depth`` 2, one in
    three at 1.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i : In(stream of broadcast_layout(cfg))
        Always taken. Must not come without room for it.
    o : Out(stream of broadcast_layout(cfg))
    room : Out(2)
        Room for one activation more, and for two. A register.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(broadcast_layout(cfg), always_ready=True)),
            "o": Out(stream.Signature(broadcast_layout(cfg))),
            "room": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        depth = self._cfg.fifo_depth
        m.submodules.fifo = fifo = Fifo(broadcast_layout(self._cfg), depth)
        connect(m, fifo.o, flipped(self.o))
        m.d.comb += [fifo.i.payload.eq(self.i.payload), fifo.i.valid.eq(self.i.valid)]

        room_2 = Signal(init=depth > 1)
        give = Signal()
        m.d.comb += [self.room.eq(Cat(fifo.i.ready, room_2)), give.eq(self.o.valid & self.o.ready)]
        with m.If(self.i.valid & ~give):
            m.d.sync += room_2.eq(fifo.level + 2 < depth)
        with m.Elif(give & ~self.i.valid):
            m.d.sync += room_2.eq(fifo.level != depth)
        m.d.sync += Assert(~self.i.valid | fifo.i.ready, "activation without room")
        return m
