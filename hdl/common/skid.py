"""Skid buffer: cuts the ready signal of a stream by a register, at no cost in latency."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Skid"]


class Skid(wiring.Component):
    """Stream buffer whose ``i.ready`` is a register and whose output is the input while it is empty.

    An item that arrives while ``o`` stalls is kept; nothing is accepted until it has left. Put behind the registered
    output of another unit, it lets that one see a register as ``ready``.

    Latency: 0 cycles from ``i`` to ``o``, 1 from ``o.ready`` to ``i.ready``. Throughput: one item a cycle.

    Parameters
    ----------
    shape : ShapeLike
        Shape of the payload.

    Members
    -------
    i : In(stream of shape)
        Must keep the contract of streams: an item that is offered stays until it is taken.
    o : Out(stream of shape)
    """

    def __init__(self, shape):
        self._shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        empty = Signal(init=1)
        kept = Signal(self._shape)
        m.d.comb += [
            self.i.ready.eq(empty),
            self.o.valid.eq(self.i.valid | ~empty),
            self.o.payload.eq(self.i.payload),
        ]
        with m.If(empty):
            # Whether it has to be kept is known late in the cycle, so what stands there is kept in any case.
            m.d.sync += [kept.eq(self.i.payload), empty.eq(~self.i.valid | self.o.ready)]
        with m.Else():
            m.d.comb += self.o.payload.eq(kept)
            m.d.sync += empty.eq(self.o.ready)
        return m
