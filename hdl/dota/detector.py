"""Detector: which keys the queries of a group are connected to."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.emit import unit
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg, estimate_layout, mask_layout
from .select_row import DIGIT_BITS, SelectRow

__all__ = ["Detector"]


class Detector(wiring.Component):
    """Selection of the strong connections of four queries, equally many of each [Thesis 7.6.3, Fig. 7.12].

    The number of connections is the largest number of scores at or above ``threshold`` in any row that exists, at
    least 1, at most ``keep``, at most ``n_keys``. Each row that exists takes so many keys with the largest scores, of
    equal ones those with the lower numbers.

    Scores are kept in an SRAM. The smallest score to be chosen is found four bits in a pass over them
    (:class:`hdl.dota.select_row.SelectRow`); the first pass runs while the scores arrive. The last one gives the mask.

    Cycles, N being the blocks of a group and P = estimate_bits / 4: from the last block to the first word of the mask
    10 + (P - 1) * (N + 4), then a word a cycle. The next group is taken in the cycle after the last word was. So a
    group takes (P + 1) * N + 4 * P + 5 cycles altogether. Throughput while scores arrive: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i : In(stream of estimate_layout(cfg))
        Scores; those of keys that do not exist, and of queries, may be anything. ``ready`` is a register.
    n_keys : In(range(cfg.keys + 1))
        Keys that exist, at least 1. This and the following are stable from the group's first block on until its last
        word is taken; assertions stop the simulation when they are out of range.
    keep : In(range(cfg.queue + 1))
        Most connections of a query, at least 1.
    threshold : In(signed(cfg.estimate_bits))
    rows : In(4)
        Queries that exist, query 1 lowest; at least one.
    o : Out(stream of mask_layout(cfg))
        A word for each block.
    busy : Out(1)
        A group is inside.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(estimate_layout(cfg))),
            "n_keys": In(range(cfg.keys + 1)),
            "keep": In(range(cfg.queue + 1)),
            "threshold": In(signed(cfg.estimate_bits)),
            "rows": In(QUERIES),
            "o": Out(stream.Signature(mask_layout(cfg))),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rows = []
        for query in range(QUERIES):
            m.submodules[f"row_{query}"] = row = unit(platform, SelectRow(cfg), name="dota_select_row")
            rows.append(row)

        # Facts about the group that nothing needs before the cycle after its first block.
        place_bits = (cfg.block - 1).bit_length()
        highest = Signal(range(cfg.keys))       # the last key
        last_word = Signal(range(max(2, cfg.keys // cfg.block)))
        tail = Signal(cfg.block)                # keys of the last block that exist
        most = Signal(range(cfg.queue + 1))
        m.d.comb += highest.eq(self.n_keys - 1)
        m.d.sync += [
            last_word.eq(highest >> place_bits),
            tail.eq(Cat(highest[:place_bits] >= j for j in range(cfg.block))),
            most.eq(Mux(self.keep < self.n_keys, self.keep, self.n_keys)),
        ]

        step = Signal()
        arriving = Signal(init=1)
        giving = Signal()
        read = Signal()
        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        valid, last, scores = self._block(m, step, arriving, read, highest >> place_bits, last_word)

        # The stages behind: compare, then number, then count or choose.
        c_valid = Signal()
        c_last = Signal()
        d_valid = Signal()
        d_last = Signal()
        g_valid = Signal()
        g_last = Signal()
        exists = Signal(cfg.block)
        m.d.comb += exists.eq(Mux(c_last, tail, (1 << cfg.block) - 1))
        m.d.sync += [d_valid.eq(c_valid), d_last.eq(c_last)]
        with m.If(step):
            m.d.sync += [c_valid.eq(valid), c_last.eq(last), g_valid.eq(c_valid & giving), g_last.eq(c_last),
                         self.o.valid.eq(g_valid), self.o.p.last.eq(g_last)]
        for query, row in enumerate(rows):
            mine = [scores.word_select(j * QUERIES + query, cfg.estimate_bits) for j in range(cfg.block)]
            m.d.comb += [
                row.live.eq(self.rows[query]), row.step.eq(step), row.scores.eq(Cat(mine)), row.arriving.eq(arriving),
                row.exists.eq(exists), row.threshold.eq(self.threshold), row.d_valid.eq(d_valid),
                row.g_valid.eq(g_valid),
            ]
            m.d.comb += [self.o.p.owners[j][QUERIES - 1 - query].eq(row.chosen[j]) for j in range(cfg.block)]
        self._control(m, rows, arriving, giving, read, d_valid & d_last, most)
        return m

    def _block(self, m, step, arriving, read, expected, last_word):
        """The memory, and the block that arrives or was read: valid, last, scores."""
        cfg = self._cfg
        arrived = self.i.p.scores.as_value()
        m.submodules.sram = sram = Sram1r1w(max(2, cfg.keys // cfg.block), len(arrived))
        take = Signal()
        address = Signal.like(last_word)
        reading = Signal()
        is_last = Signal()
        r_valid = Signal()
        r_last = Signal()
        m.d.comb += [
            take.eq(self.i.valid & self.i.ready),
            sram.w_en.eq(take), sram.w_addr.eq(address), sram.w_data.eq(arrived),
            sram.r_en.eq((read | reading) & step), sram.r_addr.eq(address),
            is_last.eq(Mux(arriving, self.i.p.last, address == last_word)),
        ]
        with m.If(take | sram.r_en):
            m.d.sync += address.eq(Mux(is_last, 0, address + 1))
        with m.If(sram.r_en):
            m.d.sync += reading.eq(~is_last)
        with m.If(step):
            m.d.sync += [r_valid.eq(sram.r_en), r_last.eq(is_last)]
        m.d.sync += [
            Assert(~take | ((self.n_keys != 0) & (self.n_keys <= cfg.keys)),
                   Format("n_keys must be in 1..{}, not {}", C(cfg.keys), self.n_keys)),
            Assert(~take | ((self.keep != 0) & (self.keep <= cfg.queue)),
                   Format("keep must be in 1..{}, not {}", C(cfg.queue), self.keep)),
            Assert(~take | self.rows.any(), "a group must have a query"),
            Assert(~take | (self.i.p.last == (address == expected)),
                   Format("last must be 1 exactly in block {}", expected)),
        ]
        scores = Signal(len(arrived))
        m.d.comb += scores.eq(Mux(arriving, arrived, sram.r_data))
        return Mux(arriving, take, r_valid), Mux(arriving, self.i.p.last, r_last), scores

    def _control(self, m, rows, arriving, giving, read, counted, most):
        """Passes over the scores, and what follows from the counters after each."""
        cfg = self._cfg
        known = Signal(cfg.estimate_bits // DIGIT_BITS)
        ready = Signal(init=1)
        clear = Signal()
        set_want = Signal()
        want = Signal(range(cfg.keys + 1))
        pairs = [Signal(range(cfg.keys + 1), name=f"strong_{a}{a + 1}") for a in (0, 2)]
        strong = [Mux(self.rows[query], row.strong, 0) for query, row in enumerate(rows)]
        largest = Signal(range(cfg.keys + 1))
        m.d.comb += [
            self.i.ready.eq(ready),
            largest.eq(Mux(pairs[0] > pairs[1], pairs[0], pairs[1])),
            want.eq(Mux(largest == 0, 1, Mux(largest > most, most, largest))),
        ]
        for row in rows:
            m.d.comb += [row.known.eq(known), row.clear.eq(clear), row.set_want.eq(set_want), row.want.eq(want),
                         row.narrow.eq(read)]
        with m.FSM(name="phase"):
            with m.State("COUNT"):
                # The first pass waits for scores, the others for the memory.
                with m.If(self.i.valid & ready):
                    m.d.sync += self.busy.eq(1)
                    with m.If(self.i.p.last):
                        m.d.sync += [ready.eq(0), arriving.eq(0)]
                with m.If(counted):
                    m.next = "RANK"
                    with m.If(~known[0]):
                        m.next = "LARGER"
            with m.State("LARGER"):
                m.d.sync += [pair.eq(Mux(strong[a] > strong[a + 1], strong[a], strong[a + 1]))
                             for a, pair in zip((0, 2), pairs, strict=True)]
                m.next = "LARGEST"
            with m.State("LARGEST"):
                m.d.comb += set_want.eq(1)
                m.next = "RANK"
            with m.State("RANK"):
                m.next = "NARROW"
            with m.State("NARROW"):
                # The next pass reads its first block.
                m.d.comb += [read.eq(1), clear.eq(1)]
                m.d.sync += known.eq(Cat(1, known[:-1]))
                m.next = "COUNT"
                with m.If(known[:-1].all()):
                    m.d.sync += giving.eq(1)
                    m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += clear.eq(1)     # the words pass the counters, too
                with m.If(self.o.valid & self.o.ready & self.o.p.last):
                    m.d.sync += [ready.eq(1), arriving.eq(1), giving.eq(0), known.eq(0), self.busy.eq(0)]
                    m.next = "COUNT"
