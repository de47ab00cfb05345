"""FIFO of keys on an SRAM, whose items follow their strobes by a cycle."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.sram import Sram1r1w

from .layouts import check_cfg

__all__ = ["KeyFifo"]


class KeyFifo(wiring.Component):
    """One of the buffers B0001 .. B1111 of the scheduler [Thesis 7.6.3, Fig. 7.16].

    ``push`` and ``pop`` say that a key comes and goes, the key itself does so in the cycle after: one that is popped
    from a FIFO can be pushed into another at once, and be popped from that in the next cycle. So the decision about a
    round depends on the levels alone, not on the memories.

    Latency: what is pushed can be popped a cycle later, and stands at ``front`` a cycle after that. Throughput:
    a push and a pop a cycle. A read of what is being written goes past the SRAM.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    push : In(1)
        Only while ``level`` is below ``cfg.queue``; an assertion stops the simulation otherwise.
    key : In(cfg.key_bits)
        What was pushed in the cycle before.
    pop : In(1)
        Only while ``some``; an assertion stops the simulation otherwise.
    front : Out(cfg.key_bits)
        What was popped last, from the cycle after on.
    some : Out(1)
        An item is inside: ``level`` is not 0.
    level : Out(range(cfg.queue + 1))
        Items inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "push": In(1), "key": In(cfg.key_bits), "pop": In(1), "front": Out(cfg.key_bits), "some": Out(1),
            "level": Out(range(cfg.queue + 1)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.ring = ring = Sram1r1w(cfg.queue, cfg.key_bits)

        # Pushes and pops are known late in the cycle: what they make of the level is prepared.
        with m.If(self.push & ~self.pop):
            m.d.sync += [self.level.eq(self.level + 1), self.some.eq(1)]
        with m.Elif(self.pop & ~self.push):
            m.d.sync += [self.level.eq(self.level - 1), self.some.eq(self.level != 1)]
        head = Signal(range(cfg.queue))
        tail = Signal(range(cfg.queue))
        with m.If(self.pop):
            m.d.sync += head.eq(head + 1)
        with m.If(self.push):
            m.d.sync += tail.eq(tail + 1)

        # The key of a push is written in the cycle after it, and may be read in that same cycle.
        write = Signal()
        place = Signal(range(cfg.queue))
        passes = Signal()
        passed = Signal()
        kept = Signal(cfg.key_bits)
        m.d.sync += [write.eq(self.push), place.eq(tail)]
        m.d.comb += [
            passes.eq(write & (place == head)),
            ring.w_en.eq(write), ring.w_addr.eq(place), ring.w_data.eq(self.key),
            ring.r_en.eq(self.pop & ~passes), ring.r_addr.eq(head),
            self.front.eq(Mux(passed, kept, ring.r_data)),
        ]
        with m.If(self.pop):
            m.d.sync += [passed.eq(passes), kept.eq(self.key)]

        m.d.sync += [
            Assert(~self.push | (self.level != cfg.queue),
                   Format("no key must be pushed behind {} others", self.level)),
            Assert(~self.pop | self.some, "no key must be popped from an empty FIFO"),
        ]
        return m
