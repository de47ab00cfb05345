"""Accumulator: sums what the lanes give, over lanes and over beats."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.dota.formats import QUERIES, SUM_BITS
from hdl.common.emit import unit
from hdl.common.primitives import or_tree
from hdl.common.skid import Skid

from .layouts import check_cfg

__all__ = ["Accumulator", "partial_layout", "sum_layout"]

#: Width of a token's number in a group [bits].
TOKEN_BITS = (QUERIES - 1).bit_length()


def partial_layout(cfg) -> data.StructLayout:
    """Partial sums of one token from one lane: ``first`` of this token, and ``emit``: the last, whose sum goes on.

    .. code-block::

        MSB                                                            LSB
        +--------+--------+---------+---------+--------------------------+
        | last 1 | emit 1 | first 1 | token 2 | values  2 * vector * 48  |
        +--------+--------+---------+---------+--------------------------+
    """
    return data.StructLayout({"values": _values(cfg), "token": TOKEN_BITS, "first": 1, "emit": 1, "last": 1})


def sum_layout(cfg) -> data.StructLayout:
    """Sums of one token; ``last`` is that of the beat that gave them.

    .. code-block::

        MSB                                        LSB
        +--------+---------+-------------------------+
        | last 1 | token 2 | values  2 * vector * 48 |
        +--------+---------+-------------------------+
    """
    return data.StructLayout({"values": _values(cfg), "token": TOKEN_BITS, "last": 1})


def _values(cfg):
    return data.ArrayLayout(signed(SUM_BITS), 2 * cfg.vector)


class Accumulator(wiring.Component):
    """Accumulator of all lanes [Thesis 7.6.1, Fig. 7.11, table C.1, "512 accu/cycle": 4 lanes of 128 values].

    A beat is taken from all lanes that take part at once. Sums are exact up to 2**17 - 1 products of two elements over
    all lanes and beats, and wrap beyond.

    Latency: log2(lanes) + 1 cycles from a beat to its sum, at least 2. Throughput: one beat a cycle. While a sum waits,
    beats are taken until the next one that has to emit.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i0, i1, ... : In(stream of partial_layout(cfg))
        One a lane. All but ``values`` must be the same in the lanes that take part. ``ready`` depends on the ``valid``
        of all of them, and on registers.
    lanes_on : In(cfg.lanes)
        Lanes that take part, lane 0 lowest; stable while a beat is offered. The others' ``ready`` is 0.
    o : Out(stream of sum_layout(cfg))
    busy : Out(1)
        A beat is inside, or a sum waits.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            **{f"i{lane}": In(stream.Signature(partial_layout(cfg))) for lane in range(cfg.lanes)},
            "lanes_on": In(cfg.lanes),
            "o": Out(stream.Signature(sum_layout(cfg))),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        lanes = [getattr(self, f"i{lane}") for lane in range(cfg.lanes)]
        m.submodules.skid = skid = unit(platform, Skid(sum_layout(cfg)), name="dota_accumulator_skid")
        connect(m, skid.o, flipped(self.o))

        # All lanes that take part, or none.
        offers = Signal(cfg.lanes)
        moves = Signal()
        take = Signal()
        m.d.comb += [
            offers.eq(Cat(lane.valid for lane in lanes)),
            take.eq(moves & self.lanes_on.any() & ~(self.lanes_on & ~offers).any()),
            *(lane.ready.eq(take & self.lanes_on[k]) for k, lane in enumerate(lanes)),
        ]

        # Levels of the tree, then the addition; it waits for the output only if it emits.
        beat, valids = self._beat(m, lanes, take), []
        for level in range(_Element.levels(cfg.lanes)):
            valid_next = Signal(name=f"valid_s{level + 1}")
            beat_next = Signal.like(beat, name=f"beat_s{level + 1}")
            with m.If(moves):
                m.d.sync += [valid_next.eq(valids[-1] if valids else take), beat_next.eq(beat)]
            valids.append(valid_next)
            beat = beat_next
        adds = Signal()
        emits = Signal()
        m.d.comb += [
            moves.eq(~(skid.i.valid & ~skid.i.ready & valids[-1] & beat.emit)),
            adds.eq(moves & valids[-1]), emits.eq(adds & beat.emit),
            self.busy.eq(Cat(valids).any() | self.o.valid),
        ]
        with m.If(emits):
            m.d.sync += [skid.i.valid.eq(1), skid.i.p.token.eq(beat.token), skid.i.p.last.eq(beat.last)]
        with m.Elif(skid.i.ready):
            m.d.sync += skid.i.valid.eq(0)
        for index in range(2 * cfg.vector):
            m.submodules[f"element_{index}"] = element = unit(platform, _Element(cfg.lanes),
                                                              name="dota_accumulator_element")
            m.d.comb += [
                *(element.i[k].eq(lane.p.values[index]) for k, lane in enumerate(lanes)),
                element.lanes_on.eq(self.lanes_on), element.moves.eq(moves), element.adds.eq(adds),
                element.emits.eq(emits), element.token.eq(beat.token), element.first.eq(beat.first),
                skid.i.p.values[index].eq(element.o),
            ]
        return m

    def _beat(self, m, lanes, take):
        """What travels with the sums: that of the lowest lane that takes part."""
        beat = Signal(data.StructLayout({"token": TOKEN_BITS, "first": 1, "emit": 1, "last": 1}))
        names = [name for name, _field in beat.shape()]
        leads = self.lanes_on & (~self.lanes_on + 1)
        for name in names:
            ways = [Mux(leads[k], getattr(lane.p, name), 0) for k, lane in enumerate(lanes)]
            m.d.comb += getattr(beat, name).eq(or_tree(ways))
        for k, lane in enumerate(lanes):
            same = Cat(getattr(lane.p, name) == getattr(beat, name) for name in names).all()
            m.d.sync += Assert(~(take & self.lanes_on[k]) | same,
                               Format("lane {} must offer the same kind of beat as the others", C(k, 4)))
        return beat


class _Element(wiring.Component):
    """One value: its tree over the lanes, what is kept of four tokens, and the sum that goes on."""

    def __init__(self, lanes):
        self._lanes = lanes
        super().__init__({
            "i": In(data.ArrayLayout(signed(SUM_BITS), lanes)), "lanes_on": In(lanes), "moves": In(1),
            "adds": In(1), "emits": In(1), "token": In(TOKEN_BITS), "first": In(1),
            "o": Out(signed(SUM_BITS)),
        })

    @staticmethod
    def levels(lanes):
        """Registers from ``i`` to the addition."""
        return max(1, (lanes - 1).bit_length())

    def elaborate(self, platform):
        m = Module()
        terms = [Mux(self.lanes_on[k], self.i[k], 0) for k in range(self._lanes)]
        for level in range(self.levels(self._lanes)):
            sums = [Signal(signed(SUM_BITS), name=f"sum_{k}_s{level + 1}") for k in range((len(terms) + 1) // 2)]
            with m.If(self.moves):
                m.d.sync += [total.eq(sum(terms[2 * k + 1:2 * k + 2], terms[2 * k])) for k, total in enumerate(sums)]
            terms = sums
        kept = Array(Signal(signed(SUM_BITS), name=f"kept_{token}") for token in range(QUERIES))
        total = Signal(signed(SUM_BITS))
        m.d.comb += total.eq(Mux(self.first, 0, kept[self.token]) + terms[0])
        with m.If(self.adds):
            m.d.sync += kept[self.token].eq(total)
        with m.If(self.emits):
            m.d.sync += self.o.eq(total)
        return m
