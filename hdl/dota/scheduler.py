"""Scheduler: the order in which the connections of a group of four queries are computed."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.emit import unit
from hdl.common.primitives import find_first, or_tree

from .choice import ALL, FIFOS, PAIRS, Choice, bit_of
from .key_fifo import KeyFifo
from .layouts import check_cfg, mask_layout, round_layout

__all__ = ["Scheduler"]


class Scheduler(wiring.Component):
    """Locality-aware scheduler [Thesis 7.6.3, Fig. 7.16, Algorithm 4].

    Fill: the keys of the mask go into 15 FIFOs, named after the queries that need them; in each cycle every FIFO takes
    the lowest key that is left for it in the word. Drain: rounds, exactly those of
    ``golden.dota.scheduler.schedule(mask, cfg.balance)``. A key that is loaded for some of the queries that need it
    goes back to the FIFO of the others.

    Cycles: a word takes as many as the largest number of its keys with equal owners, at least 1, and the next one
    follows without a gap. From the last of these to the first round at ``o``: 3. Then a round a cycle, and one more
    cycle after a round in which two keys go back; that never happens with equal rows
    (:class:`hdl.dota.choice.Choice`). The next group is taken from the cycle on in which the last round is offered.

    Parameters
    ----------
    cfg : DotaConfig
        With ``balance``: of pairs that have to be split, take the more frequent ones first.

    Members
    -------
    i : In(stream of mask_layout(cfg))
        The masks of the groups. ``ready`` is a register. At least one connection in a group, at most ``cfg.queue`` of
        any query, at most ``cfg.keys / cfg.block`` words; assertions stop the simulation otherwise.
    o : Out(stream of round_layout(cfg))
        As many rounds as the query with the most connections has. Keys of idle queries are 0.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({"i": In(stream.Signature(mask_layout(cfg))), "o": Out(stream.Signature(round_layout(cfg)))})

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        fifos = {}
        for owners in ALL:
            fifos[owners] = unit(platform, KeyFifo(cfg), name="dota_key_fifo")
            m.submodules[f"b{owners:04b}"] = fifos[owners]
        some = Signal(FIFOS)
        m.d.comb += [some[owners].eq(fifo.some) for owners, fifo in fifos.items()]

        # Filling and draining alternate. The last keys of a word are written in the first cycle of draining.
        draining = Signal()
        drained = Signal()
        fill, fill_key, filled = self._fill(m, drained)
        push, back_key = self._drain(m, platform, fifos, some, draining, drained)
        filling = Signal()
        m.d.sync += filling.eq(~draining)
        with m.If(filled):
            m.d.sync += draining.eq(1)
        with m.Elif(drained):
            m.d.sync += draining.eq(0)
        for owners, fifo in fifos.items():
            m.d.comb += [fifo.push.eq(fill[owners] | push[owners]),
                         fifo.key.eq(Mux(filling, fill_key[owners], back_key))]
        return m

    def _fill(self, m, drained):
        """Words of the mask: pushes, their keys a cycle later, and when the group's last ones are pushed."""
        cfg = self._cfg
        words = cfg.keys // cfg.block
        fill = Signal(FIFOS)
        few_arriving = Signal(FIFOS, init=1)
        few_resting = Signal(FIFOS, init=1)
        take = Signal()
        m.d.comb += [take.eq(self.i.valid & self.i.ready), few_arriving[0].eq(1), few_resting[0].eq(1)]

        number = Signal(range(words))   # of the word inside, a cycle later
        number_s1 = Signal(range(words))
        m.d.sync += number_s1.eq(number)
        fill_key = {}
        for owners in ALL:
            left = Signal(cfg.block, name=f"left_{owners:04b}")
            rest = Signal(cfg.block, name=f"rest_{owners:04b}")
            arriving = Signal(cfg.block, name=f"arriving_{owners:04b}")
            index = Signal(range(cfg.block), name=f"index_{owners:04b}")
            m.d.comb += [
                rest.eq(_without_first(left)),
                arriving.eq(Cat(self.i.p.owners[j] == owners for j in range(cfg.block))),
                fill[owners].eq(left.any()),
                few_arriving[owners].eq(~_without_first(arriving).any()),
                few_resting[owners].eq(~_without_first(rest).any()),
            ]
            m.d.sync += [left.eq(Mux(take, arriving, rest)), index.eq(find_first(left)[1])]
            fill_key[owners] = Cat(index, number_s1)

        # A word is in its last cycle when no FIFO is left with more than one key of it: known a cycle before.
        ready = Signal(init=1)
        has_word = Signal()
        word_last = Signal()
        ending = Signal()
        filled = Signal()
        next_number = Signal(range(words + 1))
        m.d.comb += [self.i.ready.eq(ready), filled.eq(has_word & word_last & ending)]
        with m.If(take):
            m.d.sync += [
                has_word.eq(1), word_last.eq(self.i.p.last), ending.eq(few_arriving.all()),
                ready.eq(few_arriving.all() & ~self.i.p.last),
                number.eq(next_number), next_number.eq(Mux(self.i.p.last, 0, next_number + 1)),
            ]
        with m.Elif(has_word):
            m.d.sync += [has_word.eq(~ending), ending.eq(few_resting.all()),
                         ready.eq(few_resting.all() & ~word_last)]
        with m.Elif(drained):
            m.d.sync += ready.eq(1)
        m.d.sync += Assert(~take | (next_number != words), Format("a mask must have at most {} words", C(words)))
        return fill, fill_key, filled

    def _drain(self, m, platform, fifos, some, draining, drained):
        """Rounds: pushes of what goes back, and the key of such a push a cycle later."""
        m.submodules.choice = choice = unit(platform, Choice(self._cfg), name="dota_choice")
        m.d.comb += choice.some.eq(some)
        if self._cfg.balance:
            m.d.comb += [choice.longer[owners].eq(fifos[owners].level > fifos[FIFOS - 1 - owners].level)
                         for owners in PAIRS]

        # Cycle 0: decide. A second key that goes back does so a cycle later, before the next decision.
        step = Signal()
        waits = Signal()
        decide = Signal()
        again = Signal()
        into_next = Signal(FIFOS)
        back = Signal(QUERIES)
        back_next = Signal(QUERIES)
        sources = [Signal(FIFOS, name=f"from_{query}") for query in range(QUERIES)]
        m.d.comb += [
            step.eq(~self.o.valid | self.o.ready),
            decide.eq(draining & some.any() & ~again & (~waits | step)),
        ]
        push = Signal(FIFOS)
        m.d.comb += push.eq(Mux(again, into_next, Mux(decide, choice.into, 0)))
        m.d.comb += [fifo.pop.eq(choice.pop[owners] & decide) for owners, fifo in fifos.items()]
        goes_back = Cat(getattr(choice, f"back_{query}") for query in range(QUERIES))
        m.d.sync += [again.eq(decide & choice.back_next.any()), back.eq(Mux(again, back_next, goes_back))]
        with m.If(decide):
            m.d.sync += [into_next.eq(choice.into_next), back_next.eq(choice.back_next)]
            m.d.sync += [source.eq(getattr(choice, f"source_{query}")) for query, source in enumerate(sources)]

        # Cycle 1: the keys are there. They stay until the next decision, so that the second one can go back in cycle 2.
        keys = [Signal(self._cfg.key_bits, name=f"key_{query}") for query in range(QUERIES)]
        for query, key in enumerate(keys):
            m.d.comb += key.eq(or_tree([Mux(sources[query][owners], fifo.front, 0)
                                        for owners, fifo in fifos.items() if owners & bit_of(query)]))
        back_key = or_tree([Mux(back[query], key, 0) for query, key in enumerate(keys)])
        with m.If(step):
            m.d.sync += self.o.valid.eq(waits)
            m.d.sync += [self.o.p.keys[query].eq(key) for query, key in enumerate(keys)]
            m.d.sync += [self.o.p.live.eq(Cat(source.any() for source in sources)), self.o.p.last.eq(~some.any())]
        m.d.comb += drained.eq(waits & step & ~some.any())
        with m.If(decide | step):
            m.d.sync += waits.eq(decide)
        m.d.sync += Assert(~draining | waits | some.any(), "a group must have at least one connection")
        return push, back_key


def _without_first(bits):
    """The set bits but the lowest one."""
    return Cat(bits[k] & bits[:k].any() if k else C(0, 1) for k in range(len(bits)))
