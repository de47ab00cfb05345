"""Intake of the detector: how many connections a group has, found while its scores arrive."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.emit import unit

from .count_row import CountRow
from .digit_count import DIGIT_BITS
from .layouts import check_cfg

__all__ = ["Intake"]


class Intake(wiring.Component):
    """First pass of the detector over the scores of a group: as they arrive [Thesis 7.6.3].

    Cycles: 6 from the last block to ``found``; with ``go`` in that cycle or later the next group may come in the cycle
    after. Throughput: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    ready : Out(1)
        A block may come; a register.
    take : In(1)
        One comes; only with ``ready``.
    scores : In(cfg.block * 4 * cfg.estimate_bits)
        See estimate_layout.
    last : In(1)
        It is the last of its group.
    rows : In(4)
        Queries that exist; of interest with ``take``.
    tail : In(cfg.block)
        Keys of the last block that exist, from the cycle after the first block on.
    most : In(range(cfg.queue + 1))
        Most connections of a query, from the cycle after the first block on.
    threshold : In(signed(cfg.estimate_bits))
    busy : Out(1)
        A group is inside; a register.
    found : Out(1)
        ``digit_*`` and ``rest_*`` are those of a complete group.
    go : In(1)
        It leaves; only with ``found``.
    digit_0 .. digit_3, rest_0 .. rest_3 : Out
        Of each query: leading digit of the smallest score to be chosen, in the order of
        :func:`hdl.dota.digit_count.unsigned_order`, and scores to be chosen among those that begin with it. Of one that
        does not exist: 15 and 0.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "ready": Out(1, init=1), "take": In(1), "scores": In(cfg.block * QUERIES * cfg.estimate_bits),
            "last": In(1), "rows": In(QUERIES), "tail": In(cfg.block), "most": In(range(cfg.queue + 1)),
            "threshold": In(signed(cfg.estimate_bits)), "busy": Out(1), "found": Out(1), "go": In(1),
            **{f"digit_{query}": Out(DIGIT_BITS) for query in range(QUERIES)},
            **{f"rest_{query}": Out(range(cfg.keys + 1)) for query in range(QUERIES)},
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rows = []
        for query in range(QUERIES):
            m.submodules[f"row_{query}"] = row = unit(platform, CountRow(cfg), name="dota_count_row")
            rows.append(row)

        # Compare (c), number (d), count.
        c_valid = Signal()
        c_last = Signal()
        d_valid = Signal()
        d_last = Signal()
        exists = Signal(cfg.block)
        exist = Signal(QUERIES)
        m.d.comb += exists.eq(Mux(c_last, self.tail, (1 << cfg.block) - 1))
        m.d.sync += [c_valid.eq(self.take), c_last.eq(self.last), d_valid.eq(c_valid), d_last.eq(c_last)]
        with m.If(self.take):
            m.d.sync += [exist.eq(self.rows), self.busy.eq(1), self.ready.eq(~self.last)]

        # What follows from the counters: the largest number of strong scores, then the digits.
        set_want = Signal()
        want = Signal(range(cfg.keys + 1))
        largest = Signal(range(cfg.keys + 1))
        pairs = [Signal(range(cfg.keys + 1), name=f"strong_{a}{a + 1}") for a in (0, 2)]
        strong = [Mux(exist[query], row.strong_count, 0) for query, row in enumerate(rows)]
        m.d.comb += [
            largest.eq(Mux(pairs[0] > pairs[1], pairs[0], pairs[1])),
            want.eq(Mux(largest == 0, 1, Mux(largest > self.most, self.most, largest))),
        ]
        with m.FSM(name="phase"):
            with m.State("COUNT"):
                with m.If(d_valid & d_last):
                    m.next = "LARGER"
            with m.State("LARGER"):
                m.d.sync += [pair.eq(Mux(strong[a] > strong[a + 1], strong[a], strong[a + 1]))
                             for a, pair in zip((0, 2), pairs, strict=True)]
                m.next = "LARGEST"
            with m.State("LARGEST"):
                m.d.comb += set_want.eq(1)
                m.next = "RANK"
            with m.State("RANK"):
                m.next = "FOUND"
            with m.State("FOUND"):
                m.d.comb += self.found.eq(1)
                with m.If(self.go):
                    m.d.sync += [self.busy.eq(0), self.ready.eq(1)]
                    m.next = "COUNT"

        for query, row in enumerate(rows):
            mine = [self.scores.word_select(j * QUERIES + query, cfg.estimate_bits) for j in range(cfg.block)]
            m.d.comb += [
                row.scores.eq(Cat(mine)), row.threshold.eq(self.threshold), row.exists.eq(exists),
                row.d_valid.eq(d_valid), row.clear.eq(self.go), row.set_want.eq(set_want),
                row.want.eq(Mux(exist[query], want, 0)),
                getattr(self, f"digit_{query}").eq(row.digit), getattr(self, f"rest_{query}").eq(row.rest),
            ]
        m.d.sync += Assert(~self.take | self.ready, "a block must not come before there is room")
        return m
