"""Queue of rounds: what the scheduler decided, kept until scores and outputs are computed."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUEUE_SLOTS
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, round_layout

__all__ = ["RoundQueue"]


class RoundQueue(wiring.Component):
    """Queue of connection numbers [Thesis 7.6.3, Fig. 7.12]: the rounds of up to four groups.

    A group's rounds are read as often as wanted until it is released; groups are released in order.

    Latency: a round can be read from the cycle after it was taken, its data follow a read by 1 cycle and hold until the
    next. Throughput: one round in and one out a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i : In(stream of round_layout(cfg))
        ``ready`` is low while four groups are complete.
    complete : Out(range(5))
        Groups that are complete and not released.
    r_en : In(1)
    r_slot : In(2)
        Group modulo 4.
    r_round : In(range(cfg.queue))
    r_data : Out(round_layout(cfg))
    release : In(1)
        Forget the oldest group.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(round_layout(cfg))),
            "complete": Out(range(QUEUE_SLOTS + 1)),
            "r_en": In(1), "r_slot": In(range(QUEUE_SLOTS)), "r_round": In(range(cfg.queue)),
            "r_data": Out(round_layout(cfg)),
            "release": In(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.rounds = rounds = Sram1r1w(QUEUE_SLOTS * cfg.queue, round_layout(cfg).size)
        slot = Signal(range(QUEUE_SLOTS))
        level = Signal(range(cfg.queue))
        has_room = Signal(init=1)
        take = Signal()
        ends = Signal()
        m.d.comb += [
            self.i.ready.eq(has_room),
            take.eq(self.i.valid & has_room),
            ends.eq(take & self.i.p.last),
            rounds.w_en.eq(take), rounds.w_addr.eq(Cat(level, slot)), rounds.w_data.eq(self.i.payload),
            rounds.r_en.eq(self.r_en), rounds.r_addr.eq(Cat(self.r_round, self.r_slot)),
            self.r_data.eq(rounds.r_data),
        ]
        with m.If(take):
            m.d.sync += [level.eq(Mux(self.i.p.last, 0, level + 1)), slot.eq(slot + self.i.p.last)]
        with m.If(ends & ~self.release):
            m.d.sync += [self.complete.eq(self.complete + 1), has_room.eq(self.complete != QUEUE_SLOTS - 1)]
        with m.Elif(self.release & ~ends):
            m.d.sync += [self.complete.eq(self.complete - 1), has_room.eq(1)]
        m.d.sync += Assert(~self.release | (self.complete != 0), Format("a group must be there to be released"))
        return m
