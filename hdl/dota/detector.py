"""Detector: which keys the queries of a group are connected to."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.dota.formats import QUERIES
from hdl.common.emit import unit
from hdl.common.sram import Sram1r1w

from .intake import Intake
from .layouts import check_cfg, estimate_layout, mask_layout
from .selection import Selection

__all__ = ["Detector"]


class Detector(wiring.Component):
    """Selection of the strong connections of four queries, equally many of each [Thesis 7.6.3, Fig. 7.12].

    The number of connections is the largest number of scores at or above ``threshold`` in any row that exists, at
    least 1, at most ``keep``, at most ``n_keys``. Each row that exists takes so many keys with the largest scores, of
    equal ones those with the lower numbers.

    The smallest score to be chosen is found four bits in a pass over the scores. The first pass runs while they arrive
    (:class:`hdl.dota.intake.Intake`). The others read them from an SRAM, and the last one gives the mask
    (:class:`hdl.dota.selection.Selection`). The SRAM has two halves: scores of a group arrive in one while the
    group before is selected in the other.

    Cycles, N being the blocks of a group and P = estimate_bits / 4: from the last block to the first word of the mask
    10 + (P - 1) * (N + 4), then a word a cycle. From the last word of a group to that of the next P * (N + 4), if the
    next one's last block came in time; its first is taken from 7 cycles after the last block of this one on, if no
    third one was inside. Throughput while scores arrive: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    i : In(stream of estimate_layout(cfg))
        Scores; those of keys that do not exist, and of queries, may be anything. ``ready`` is a register.
    n_keys : In(range(cfg.keys + 1))
        Keys that exist, at least 1. This, ``keep`` and ``threshold`` are stable from a group's first block on until no
        group is inside; assertions stop the simulation when they are out of range.
    keep : In(range(cfg.queue + 1))
        Most connections of a query, at least 1.
    threshold : In(signed(cfg.estimate_bits))
    rows : In(4)
        Queries of the group that is offered, query 1 lowest; at least one. Stable until its last block is taken.
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
        blocks = cfg.keys // cfg.block
        arrived = self.i.p.scores.as_value()
        m = Module()
        m.submodules.intake = intake = unit(platform, Intake(cfg), name="dota_intake")
        m.submodules.selection = selection = unit(platform, Selection(cfg), name="dota_selection")
        m.submodules.sram = sram = Sram1r1w(2 * blocks, len(arrived))
        connect(m, selection.o, flipped(self.o))

        # Facts about the groups that nothing needs before the cycle after the first block.
        place_bits = (cfg.block - 1).bit_length()
        block_bits = (blocks - 1).bit_length()
        highest = Signal(range(cfg.keys))       # the last key
        last_word = Signal.like(selection.last_word)
        tail = Signal(cfg.block)
        most = Signal(range(cfg.queue + 1))
        m.d.comb += highest.eq(self.n_keys - 1)
        m.d.sync += [
            last_word.eq(highest >> place_bits),
            tail.eq(Cat(highest[:place_bits] >= j for j in range(cfg.block))),
            most.eq(Mux(self.keep < self.n_keys, self.keep, self.n_keys)),
        ]

        # Blocks go into the half of their group.
        take = Signal()
        block = Signal.like(last_word)
        half = Signal()
        m.d.comb += [
            take.eq(self.i.valid & self.i.ready), self.i.ready.eq(intake.ready),
            sram.w_en.eq(take), sram.w_addr.eq(Cat(block[:block_bits], half)), sram.w_data.eq(arrived),
            sram.r_en.eq(selection.r_en), sram.r_addr.eq(Cat(selection.r_block[:block_bits], selection.r_half)),
            intake.take.eq(take), intake.scores.eq(arrived), intake.last.eq(self.i.p.last), intake.rows.eq(self.rows),
            intake.tail.eq(tail), intake.most.eq(most), intake.threshold.eq(self.threshold),
            selection.last_word.eq(last_word), selection.tail.eq(tail), selection.r_data.eq(sram.r_data),
        ]
        with m.If(take):
            m.d.sync += [block.eq(Mux(self.i.p.last, 0, block + 1)), half.eq(half ^ self.i.p.last)]

        # A group goes on as soon as there is none before it.
        go = Signal()
        m.d.comb += [go.eq(intake.found & selection.free), intake.go.eq(go), selection.start.eq(go)]
        for query in range(QUERIES):
            for name in (f"digit_{query}", f"rest_{query}"):
                m.d.comb += getattr(selection, name).eq(getattr(intake, name))
        with m.If(take):
            m.d.sync += self.busy.eq(1)
        with m.Elif(self.o.valid & self.o.ready & self.o.p.last):
            m.d.sync += self.busy.eq(intake.busy)

        m.d.sync += [
            Assert(~take | ((self.n_keys != 0) & (self.n_keys <= cfg.keys)),
                   Format("n_keys must be in 1..{}, not {}", C(cfg.keys), self.n_keys)),
            Assert(~take | ((self.keep != 0) & (self.keep <= cfg.queue)),
                   Format("keep must be in 1..{}, not {}", C(cfg.queue), self.keep)),
            Assert(~take | self.rows.any(), "a group must have a query"),
            Assert(~take | (self.i.p.last == (block == highest >> place_bits)),
                   Format("last must be 1 exactly in block {}", highest >> place_bits)),
        ]
        return m
