"""First part of the multi-function unit: from dot products to words of scores, and the largest of each query."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import FX_BITS, QUERIES, SUM_BITS
from hdl.common.emit import unit

from .layouts import check_cfg, score_layout
from .quantize import Quantize

__all__ = ["ROUNDS", "Receive", "group_layout", "slot_words", "word_layout"]

#: Rounds of a word.
ROUNDS = 4


def word_layout() -> data.ArrayLayout:
    """A word of a slot: 4 rounds of 4 queries, the first round and query 1 lowest.

    ``value`` is a score, then a power of 2 in units of 2**-15 (0..2**15), then a weight. ``live`` counts in the first
    case: the query has a connection in this round.

    .. code-block::

        MSB              LSB
        +--------+----------+
        | live 1 | value 16 |
        +--------+----------+
    """
    return data.ArrayLayout(data.StructLayout({"value": signed(FX_BITS), "live": 1}), ROUNDS * QUERIES)


def group_layout(cfg) -> data.StructLayout:
    """What is known of a group: largest score of each query, whether there is one, number of the last round."""
    return data.StructLayout({"top": data.ArrayLayout(signed(FX_BITS), QUERIES), "live": QUERIES,
                              "last": range(cfg.queue)})


def slot_words(cfg) -> int:
    """Words of a slot; an SRAM has at least two."""
    return max(cfg.queue // ROUNDS, 2)


class Receive(wiring.Component):
    """Rounds dot products to scores, collects words, and finds the largest score of each query.

    Latency: 3 cycles from a round to the write of the word that it completes. Throughput: a round a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i, score_shift : In
        As of :class:`hdl.dota.mfu.Mfu`.
    free : In(2)
        Strobe, one bit a slot: its weights have left.
    w_en, w_addr, w_data : Out
        Write to a slot, one enable each.
    stored : Out(2)
        Strobe: this write completes the group in this slot.
    groups : Out(group_layout(cfg)[2])
        From the cycle after ``stored`` on.
    busy : Out(1)
        A group has begun to come in, or is in a slot.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(score_layout(cfg))), "score_shift": In(6),
            "free": In(2),
            "w_en": Out(2), "w_addr": Out(range(slot_words(cfg))), "w_data": Out(word_layout()),
            "stored": Out(2),
            "groups": Out(data.ArrayLayout(group_layout(cfg), 2)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        take = self._take(m)

        # Stages 1 and 2: scores.
        m.submodules.quantize = scores = unit(platform, Quantize(QUERIES, SUM_BITS, FX_BITS), name="dota_mfu_quantize")
        live_s1 = Signal(QUERIES)
        live_s2 = Signal(QUERIES)
        last_s1 = Signal()
        last_s2 = Signal()
        m.d.comb += [scores.i_valid.eq(take), scores.i.eq(self.i.p.dots), scores.shift.eq(self.score_shift)]
        m.d.sync += [live_s1.eq(self.i.p.live), last_s1.eq(self.i.p.last), live_s2.eq(live_s1), last_s2.eq(last_s1)]

        # Stage 3: words and largest scores.
        store = Signal()
        place = Signal(range(ROUNDS))
        address = Signal.like(self.w_addr)
        completes = scores.o_valid & (last_s2 | (place == ROUNDS - 1))
        here = Cat(~store, store)
        m.d.sync += [
            self.w_en.eq(Mux(completes, here, 0)), self.w_addr.eq(address),
            self.stored.eq(Mux(scores.o_valid & last_s2, here, 0)),
        ]
        with m.If(scores.o_valid):
            m.d.sync += [place.eq(Mux(last_s2, 0, place + 1)), store.eq(store ^ last_s2)]
            with m.If(last_s2):
                m.d.sync += address.eq(0)
            with m.Elif(place == ROUNDS - 1):
                m.d.sync += address.eq(address + 1)
        self._collect(m, scores, place, live_s2)
        number = Cat(place, address)
        self._find_largest(m, scores, number == 0, live_s2, number)
        m.d.sync += Assert(~scores.o_valid | last_s2 | (number != self._cfg.queue - 1),
                           Format("a group must have at most {} rounds, not more", C(self._cfg.queue, 10)))
        return m

    def _take(self, m):
        """Whether a round is taken. A slot is full from the last round of its group until the weights have left."""
        take = Signal()
        ends = Signal()
        fill = Signal()
        fill_next = Signal()
        full = Signal(2)
        full_next = Signal(2)
        begun = Signal()
        begun_next = Signal()
        room = Signal(init=1)
        m.d.comb += [
            self.i.ready.eq(room),
            take.eq(self.i.valid & room), ends.eq(take & self.i.p.last),
            begun_next.eq(Mux(take, ~self.i.p.last, begun)), fill_next.eq(fill ^ ends),
            full_next.eq((full & ~self.free) | Mux(ends, Cat(~fill, fill), 0)),
        ]
        m.d.sync += [
            begun.eq(begun_next), fill.eq(fill_next), full.eq(full_next),
            room.eq(~Mux(fill_next, full_next[1], full_next[0])), self.busy.eq(begun_next | full_next.any()),
        ]
        return take

    def _collect(self, m, scores, place, live):
        """The word so far; the rounds behind the last one are not live."""
        with m.If(scores.o_valid):
            for number in range(ROUNDS):
                entries = [self.w_data[number * QUERIES + query] for query in range(QUERIES)]
                with m.If(place == number):
                    m.d.sync += [[entry.value.eq(scores.o[query]), entry.live.eq(live[query])]
                                 for query, entry in enumerate(entries)]
                with m.Elif(place == 0):
                    m.d.sync += [entry.live.eq(0) for entry in entries]

    def _find_largest(self, m, scores, is_first, live, number):
        """Of the group that comes in. Copied as its last word is written: the next group may follow at once."""
        group = Signal(group_layout(self._cfg))
        m.d.sync += group.last.eq(number)
        for query in range(QUERIES):
            beats = is_first | ~group.live[query] | (scores.o[query] > group.top[query])
            with m.If(scores.o_valid & live[query] & beats):
                m.d.sync += group.top[query].eq(scores.o[query])
        with m.If(scores.o_valid):
            m.d.sync += group.live.eq(Mux(is_first, 0, group.live) | live)
        for slot in range(2):
            with m.If(self.stored[slot]):
                m.d.sync += self.groups[slot].eq(group)
