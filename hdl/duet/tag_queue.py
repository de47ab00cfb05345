"""Tag queue of a PE: finds the next valid micro-instruction without losing a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import find_first
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg

__all__ = ["TagQueue"]


class TagQueue(wiring.Component):
    """Local control of a PE [Thesis 5.1.2]: locates the valid micro-instructions.

    Words of tags without any tag are dropped as they come. The others wait in a ring that holds those of two steps; the
    first two have left it already: ``front`` is what the memory has read last, ``head`` the word that issues, one
    instruction a cycle, the lowest first. So a word that has issued its last one is replaced in the same cycle. A word
    whose phase is not that of the step that was started last waits. Steps are counted modulo 4: tags may come of the
    step after the next one, while the next one cannot start yet.

    Latency: ``LATENCY`` = 3 cycles from a word of tags to its first instruction. Throughput: a word in and an
    instruction out in every cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    valid, word, phase, tags : In
        A word of tags: its number in the program; the number of its step modulo 4, from 1 on.
    start : In(1)
        The next cycle is the first of a step.
    issue : Out(1)
        An instruction is valid in this cycle.
    instruction : Out(lut_bits)
        Its number in the program.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    LATENCY = 3

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "valid": In(1), "word": In(range(cfg.tag_words)), "phase": In(2), "tags": In(cfg.tags),
            "start": In(1),
            "issue": Out(1), "instruction": Out(cfg.lut_bits),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        entry = data.StructLayout({"tags": cfg.tags, "word": range(cfg.tag_words), "phase": 2})
        depth = 2 * cfg.tag_words
        m = Module()
        m.submodules.ring = ring = Sram1r1w(depth, entry.size)
        head = Signal(entry)
        head_valid = Signal()
        front = Signal(entry)
        front_valid = Signal()
        step_phase = Signal(2)
        with m.If(self.start):
            m.d.sync += step_phase.eq(step_phase + 1)

        # The instruction of this cycle.
        _some, number = find_first(head.tags)
        rest = Signal(cfg.tags)
        gone = Signal()
        m.d.comb += [
            self.issue.eq(head_valid & (head.phase == step_phase)), self.instruction.eq(Cat(number, head.word)),
            rest.eq(head.tags & (head.tags - 1)), gone.eq(self.issue & (rest == 0)),
        ]

        # Words move up.
        room = Signal()
        moves = Signal()
        w_at = Signal(range(2 * depth))     # one bit more than an address: full is not empty
        r_at = Signal(range(2 * depth))
        m.d.comb += [room.eq(gone | ~head_valid), moves.eq(room & front_valid), front.eq(ring.r_data)]
        with m.If(moves):
            m.d.sync += head.eq(front)
        with m.Elif(self.issue):
            m.d.sync += head.tags.eq(rest)
        with m.If(room):
            m.d.sync += head_valid.eq(moves)
        m.d.comb += [ring.r_en.eq((~front_valid | moves) & (r_at != w_at)), ring.r_addr.eq(r_at[:-1])]
        with m.If(ring.r_en):
            m.d.sync += [front_valid.eq(1), r_at.eq(r_at + 1)]
        with m.Elif(moves):
            m.d.sync += front_valid.eq(0)

        m.d.comb += [ring.w_en.eq(self.valid & (self.tags != 0)), ring.w_addr.eq(w_at[:-1]),
                     ring.w_data.eq(Cat(self.tags, self.word, self.phase))]
        with m.If(ring.w_en):
            m.d.sync += w_at.eq(w_at + 1)
        level = Signal.like(w_at)
        m.d.comb += level.eq(w_at - r_at)
        m.d.sync += [
            Assert(level <= depth, "words of tags must be those of two steps at most"),
            Assert(~(self.start & self.issue & ~gone), "a step must be over before the next one starts"),
        ]
        return m
