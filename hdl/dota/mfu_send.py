"""Last part of the multi-function unit: sends the weights of a group, as often as they are needed."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.primitives import or_tree

from .layouts import check_cfg, weight_layout
from .mfu_receive import ROUNDS, group_layout, slot_words, word_layout

__all__ = ["Send"]


class Send(wiring.Component):
    """Sends the rounds of a group in order, ``passes`` times, group after group.

    A word is read as the last round of the one before goes to the output, so that no cycle is lost within a group.

    Latency: 2 cycles from ``start`` to the first weights. Throughput: a round a cycle, one cycle between groups.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(2)
        Strobe, one bit a slot: a group of weights is complete. ``groups`` of this slot holds until ``finished``.
    groups : In(group_layout(cfg)[2])
    passes : In(range(17))
        As of :class:`hdl.dota.mfu.Mfu`.
    slot : Out(1)
        The slot that ``r_data`` comes from.
    r_en, r_addr, r_data
        Read of a slot, one enable each.
    o : Out(stream of weight_layout(cfg))
    finished : Out(2)
        Strobe: the slot is free.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(2),
            "groups": In(data.ArrayLayout(group_layout(cfg), 2)),
            "passes": In(range(17)),
            "slot": Out(1),
            "r_en": Out(2), "r_addr": Out(range(slot_words(cfg))), "r_data": In(word_layout()),
            "o": Out(stream.Signature(weight_layout(cfg))),
            "finished": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        here = Cat(~self.slot, self.slot)
        waiting = Signal(2)
        m.d.sync += waiting.eq((waiting | self.start) & ~self.finished)

        # While active, the word of the next round stands at the output of the slot.
        active = Signal()
        place = Signal(range(ROUNDS))
        address = Signal.like(self.r_addr)
        number = Signal.like(self.passes, init=1)
        starts = Signal()
        moves = Signal()
        is_last = Signal()
        is_end = Signal()
        last = Mux(self.slot, self.groups[1].last, self.groups[0].last)
        m.d.comb += [
            starts.eq(~active & (waiting & here).any()),
            moves.eq(active & (~self.o.valid | self.o.ready)),
            is_last.eq(Cat(place, address) == last),
            is_end.eq(is_last & (number == self.passes)),
            self.finished.eq(Mux(moves & is_end, here, 0)),
            self.r_addr.eq(Mux(active & ~is_last, address + 1, 0)),
            self.r_en.eq(Mux(starts | (moves & ~is_end & (is_last | (place == ROUNDS - 1))), here, 0)),
        ]
        with m.If(starts):
            m.d.sync += active.eq(1)
        with m.If(moves):
            m.d.sync += place.eq(place + 1)
            with m.If(is_last):
                m.d.sync += [place.eq(0), address.eq(0), number.eq(number + 1)]
            with m.Elif(place == ROUNDS - 1):
                m.d.sync += address.eq(address + 1)
            with m.If(is_end):
                m.d.sync += [active.eq(0), number.eq(1), self.slot.eq(~self.slot)]
        m.d.sync += Assert(~active | (self.passes != 0), "passes must be an integer in 1..16, not 0")

        # Output.
        with m.If(moves):
            m.d.sync += [self.o.valid.eq(1), self.o.p.last.eq(is_last)]
            for query in range(QUERIES):
                rounds = [Mux(place == k, self.r_data[k * QUERIES + query].value[:15], 0) for k in range(ROUNDS)]
                m.d.sync += self.o.p.weights[query].eq(or_tree(rounds))
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
