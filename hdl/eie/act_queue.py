"""Activation queue: broadcast activations wait here for their PE."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.fifo import Fifo

from .layouts import broadcast_layout, check_cfg

__all__ = ["ActQueue"]


class ActQueue(wiring.Component):
    """Activation queue [EIE IV, "Activation Queue and Load Balancing"].

    Latency: 1 cycle. Throughput: one activation a cycle (one in two cycles when ``fifo_depth`` is 1).

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    i : In(stream of broadcast_layout(cfg))
        ``ready`` while fewer than ``fifo_depth`` activations wait; a register.
    o : Out(stream of broadcast_layout(cfg))
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(broadcast_layout(cfg))),
            "o": Out(stream.Signature(broadcast_layout(cfg))),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.fifo = fifo = Fifo(broadcast_layout(self._cfg), self._cfg.fifo_depth)
        connect(m, flipped(self.i), fifo.i)
        connect(m, fifo.o, flipped(self.o))
        return m
