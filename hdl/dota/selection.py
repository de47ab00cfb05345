"""Selection of the detector: passes over the scores of a group, the last of which gives its mask."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import QUERIES
from hdl.common.emit import unit

from .digit_count import DIGIT_BITS
from .layouts import check_cfg, mask_layout
from .select_row import SelectRow

__all__ = ["Selection"]


class Selection(wiring.Component):
    """Passes of the detector over the scores of a group in its memory [Thesis 7.6.3].

    Cycles, N being the blocks of a group and P = estimate_bits / 4: from ``start`` to the first word of the mask
    (P - 1) * (N + 4) + 4, then a word a cycle; ``free`` in the cycle after the last one was taken.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    free : Out(1)
        No group is inside.
    start : In(1)
        One comes; only with ``free``. Its first scores are read in this cycle.
    digit_0 .. digit_3, rest_0 .. rest_3 : In
        What the :class:`hdl.dota.intake.Intake` found out about it.
    last_word : In(range(max(2, cfg.keys // cfg.block)))
        The last block of a group.
    tail : In(cfg.block)
        Keys of it that exist.
    r_en : Out(1)
    r_block : Out(range(max(2, cfg.keys // cfg.block)))
    r_half : Out(1)
        Half of the memory: groups take turns.
    r_data : In(cfg.block * 4 * cfg.estimate_bits)
        In the cycle after ``r_en``, until the next one.
    o : Out(stream of mask_layout(cfg))
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        block = range(max(2, cfg.keys // cfg.block))
        super().__init__({
            "free": Out(1), "start": In(1),
            **{f"digit_{query}": In(DIGIT_BITS) for query in range(QUERIES)},
            **{f"rest_{query}": In(range(cfg.keys + 1)) for query in range(QUERIES)},
            "last_word": In(block), "tail": In(cfg.block), "r_en": Out(1), "r_block": Out(block), "r_half": Out(1),
            "r_data": In(cfg.block * QUERIES * cfg.estimate_bits), "o": Out(stream.Signature(mask_layout(cfg))),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rows = []
        for query in range(QUERIES):
            m.submodules[f"row_{query}"] = row = unit(platform, SelectRow(cfg), name="dota_select_row")
            rows.append(row)
        step = Signal()
        read = Signal()
        giving = Signal()
        known = Signal(cfg.estimate_bits // DIGIT_BITS)
        m.d.comb += step.eq(~self.o.valid | self.o.ready)
        r_valid, r_last = self._read(m, step, read)

        # The stages behind: compare, then number, then count or choose.
        c_valid = Signal()
        c_last = Signal()
        d_valid = Signal()
        d_last = Signal()
        g_valid = Signal()
        g_last = Signal()
        exists = Signal(cfg.block)
        m.d.comb += exists.eq(Mux(c_last, self.tail, (1 << cfg.block) - 1))
        m.d.sync += [d_valid.eq(c_valid & ~giving), d_last.eq(c_last)]
        with m.If(step):
            m.d.sync += [c_valid.eq(r_valid), c_last.eq(r_last), g_valid.eq(c_valid & giving), g_last.eq(c_last),
                         self.o.valid.eq(g_valid), self.o.p.last.eq(g_last)]
        narrow = self._passes(m, read, giving, known, d_valid & d_last)
        for query, row in enumerate(rows):
            mine = [self.r_data.word_select(j * QUERIES + query, cfg.estimate_bits) for j in range(cfg.block)]
            m.d.comb += [
                row.start.eq(self.start), row.digit.eq(getattr(self, f"digit_{query}")),
                row.rest.eq(getattr(self, f"rest_{query}")), row.step.eq(step), row.scores.eq(Cat(mine)),
                row.known.eq(known), row.exists.eq(exists), row.d_valid.eq(d_valid), row.narrow.eq(narrow),
                row.g_valid.eq(g_valid),
                *(self.o.p.owners[j][QUERIES - 1 - query].eq(row.chosen[j]) for j in range(cfg.block)),
            ]
        return m

    def _read(self, m, step, read):
        """Blocks of the group, one after the other, from ``read`` on; what arrives: valid, last."""
        reading = Signal()
        is_last = Signal()
        r_valid = Signal()
        r_last = Signal()
        m.d.comb += [self.r_en.eq((read | reading) & step), is_last.eq(self.r_block == self.last_word)]
        with m.If(self.r_en):
            m.d.sync += [reading.eq(~is_last), self.r_block.eq(Mux(is_last, 0, self.r_block + 1))]
        with m.If(step):
            m.d.sync += [r_valid.eq(self.r_en), r_last.eq(is_last)]
        return r_valid, r_last

    def _passes(self, m, read, giving, known, counted):
        """Passes over the scores, and what follows from the counters after each: the strobe that takes a digit."""
        narrow = Signal()
        with m.FSM(name="phase") as phase:
            with m.State("FREE"):
                with m.If(self.start):
                    m.d.comb += read.eq(1)
                    m.d.sync += known.eq(1)
                    m.next = "COUNT"
            with m.State("COUNT"):
                with m.If(counted):
                    m.next = "RANK"
            with m.State("RANK"):
                m.next = "NARROW"
            with m.State("NARROW"):
                # The next pass reads its first block.
                m.d.comb += [read.eq(1), narrow.eq(1)]
                m.d.sync += known.eq(Cat(1, known[:-1]))
                m.next = "COUNT"
                with m.If(known[:-1].all()):
                    m.d.sync += giving.eq(1)
                    m.next = "GIVE"
            with m.State("GIVE"):
                with m.If(self.o.valid & self.o.ready & self.o.p.last):
                    m.d.sync += [giving.eq(0), self.r_half.eq(~self.r_half)]
                    m.next = "FREE"
        m.d.comb += self.free.eq(phase.ongoing("FREE"))
        m.d.sync += Assert(~self.start | self.free, "a group must not start before the one before has left")
        return narrow
