"""Tags of the MAC instruction LUT: which micro-instructions of a step are valid."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.sram import Sram1r1w

from .layouts import build_layout, check_cfg, imap_layout, omap_layout, tags_layout
from .map_pick import MapPick

__all__ = ["MacLut"]


class MacLut(wiring.Component):
    """Tags of the MAC instruction LUT [Thesis 5.1.2, Fig. 5.3]: tag = IMap[input] & OMap[output].

    All PEs execute the same program, those of a column have the same inputs, those of a row the same outputs. So the
    tags are worked out once: a bit an instruction for every column and one for every row; the PE takes the AND. For
    this the unit has a copy of the program (input and output indices, ``tags`` instructions a word) and the maps.

    A build is taken while fewer than ``MOST_AHEAD`` = 2 steps are built that are not over: so many fit into the PEs.

    Latency: ``LATENCY`` = 4 cycles from a build to its first word of tags: program, words of the input maps, their
    pixels. Throughput: a word a cycle; a build follows the one before by at least ``words`` + 1 cycles.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    lut_valid, index, instruction : In
        A micro-instruction for the copy; not in the cycle after a build has been taken, nor while it is read.
    imap : In(stream of imap_layout(cfg))
        A word of the input map of a bank, always ready. It counts for builds that are taken in this cycle or later;
        those before must have gone out.
    omap : In(stream of omap_layout(cfg))
        The output map of a row, likewise.
    build : In(stream of build_layout(cfg))
        Tags to work out; ``words`` is at least 1, and base + words at most ``tag_words``.
    step_done : In(1)
        A step is over.
    tags : Out(stream of tags_layout(cfg))
        Always ready.
    busy : Out(1)
        A build was taken whose step is not over.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    LATENCY = 4
    MOST_AHEAD = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "lut_valid": In(1), "index": In(cfg.lut_bits), "instruction": In(cfg.instruction_bits),
            "imap": In(stream.Signature(imap_layout(cfg), always_ready=True)),
            "omap": In(stream.Signature(omap_layout(cfg), always_ready=True)),
            "build": In(stream.Signature(build_layout(cfg))),
            "step_done": In(1),
            "tags": Out(stream.Signature(tags_layout(cfg), always_ready=True)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        job = Signal(build_layout(cfg))
        running = Signal()
        first = Signal()
        at = Signal(range(cfg.tag_words))
        phase = Signal(2)
        take = Signal()
        self._sequence(m, job, running, first, at, phase, take)

        # Cycle 1: the word of the program is read.
        word = Signal(range(cfg.tag_words))
        valid_s1 = Signal()
        last_s1 = Signal()
        phase_s1 = Signal(2)
        at_s1 = Signal.like(at)
        m.d.comb += word.eq(job.base + at)
        m.d.sync += [valid_s1.eq(running), last_s1.eq(at + 1 == job.words), phase_s1.eq(phase), at_s1.eq(at)]
        program = self._program(m, running, word)

        # Cycle 2: the words of the input maps that the instructions name.
        maps = self._imaps(m, job)
        valid_s2 = Signal()
        last_s2 = Signal()
        phase_s2 = Signal(2)
        word_s2 = Signal.like(word)
        m.d.sync += [valid_s2.eq(valid_s1), last_s2.eq(last_s1), phase_s2.eq(phase_s1), word_s2.eq(job.base + at_s1)]

        # Cycle 3: their pixels, and those of the outputs.
        masks = self._masks(m, job, first)
        payload = self.tags.payload
        m.d.sync += [self.tags.valid.eq(valid_s2), payload.last.eq(last_s2), payload.phase.eq(phase_s2),
                     payload.word.eq(word_s2)]
        picks = []
        for k, entry in enumerate(program):
            m.submodules[f"pick_{k}"] = pick = unit(platform, MapPick(cfg), name="duet_map_pick")
            picks.append(pick)
            m.d.comb += [
                pick.maps.eq(Cat(maps)), pick.masks.eq(Cat(masks)), pick.use_maps.eq(job.use_imap),
                pick.input.eq(entry.input), pick.pixel.eq(entry.pixel),
                pick.counts.eq(Cat(C(k, cfg.tags.bit_length() - 1), at_s1) < job.length),
            ]
        for c in range(cfg.columns):
            m.d.sync += payload.itags[c].eq(Cat(pick.columns[c] for pick in picks))
        for r in range(cfg.rows):
            m.d.sync += payload.otags[r].eq(Cat(pick.rows[r] for pick in picks))
        return m

    def _sequence(self, m, job, running, first, at, phase, take):
        """Takes builds, counts their words and the steps ahead."""
        ahead = Signal(range(self.MOST_AHEAD + 1))
        m.d.comb += [self.build.ready.eq(~running & (ahead != self.MOST_AHEAD)),
                     take.eq(self.build.valid & self.build.ready), self.busy.eq(ahead != 0)]
        m.d.sync += [first.eq(take), ahead.eq(ahead + take - self.step_done)]
        with m.If(running):
            m.d.sync += [at.eq(at + 1), running.eq(at + 1 != job.words)]
        with m.If(take):
            m.d.sync += [job.eq(self.build.payload), running.eq(1), at.eq(0), phase.eq(phase + 1)]
        offered = self.build.p
        m.d.sync += [
            Assert(~take | (offered.words != 0), "a build must have at least 1 word"),
            Assert(~take | (offered.base + offered.words <= self._cfg.tag_words), "a build must end in the program"),
            Assert(~self.step_done | (ahead != 0), "a step that is over must have been built"),
        ]

    def _program(self, m, running, word):
        """Copy of the program, a memory for each place in a word; the entries that were read."""
        cfg = self._cfg
        entry_layout = data.StructLayout({"input": cfg.input_bits, "pixel": cfg.pixel_bits})
        place_bits = cfg.tags.bit_length() - 1
        entries = []
        for k in range(cfg.tags):
            entry = Signal(entry_layout, name=f"entry_{k}")
            entries.append(entry)
            own = self.lut_valid & (self.index[:place_bits] == k)
            stored = Cat(self.instruction[:cfg.input_bits], self.instruction[cfg.input_bits + cfg.weight_bits:])
            if cfg.tag_words == 1:      # no memory is that small
                kept = Signal(entry_layout, name=f"kept_{k}")
                with m.If(own):
                    m.d.sync += kept.eq(stored)
                with m.If(running):
                    m.d.sync += entry.eq(kept)
                continue
            m.submodules[f"program_{k}"] = part = Sram1r1w(cfg.tag_words, cfg.input_bits + cfg.pixel_bits)
            m.d.comb += [part.r_en.eq(running), part.r_addr.eq(word), entry.eq(part.r_data),
                         part.w_en.eq(own), part.w_addr.eq(self.index[place_bits:]), part.w_data.eq(stored)]
        return entries

    def _imaps(self, m, job):
        """Registers of the input maps; the words of the bank of the build."""
        cfg, given = self._cfg, self.imap.p
        words = []
        for number in range(cfg.input_words):
            banks = [Signal(cfg.values, name=f"imap_{bank}_{number}") for bank in range(2)]
            for bank, bits in enumerate(banks):
                with m.If(self.imap.valid & (given.bank == bank) & (given.word == number)):
                    m.d.sync += bits.eq(given.bits)
            chosen = Signal(cfg.values, name=f"imap_{number}")
            m.d.comb += chosen.eq(Mux(job.bank, banks[1], banks[0]))
            words.append(chosen)
        return words

    def _masks(self, m, job, first):
        """Registers of the output maps; sensitive outputs of the rows that are inside of the map, for the build."""
        cfg, given = self._cfg, self.omap.p
        masks = []
        for r in range(cfg.rows):
            banks = [Signal(cfg.pixels, name=f"omap_{bank}_{r}") for bank in range(2)]
            for bank, bits in enumerate(banks):
                with m.If(self.omap.valid & (given.bank == bank) & (given.row == r)):
                    m.d.sync += bits.eq(given.bits)
            mask = Signal(cfg.pixels, name=f"mask_{r}")
            with m.If(first):
                m.d.sync += mask.eq((Mux(job.omap_bank, banks[1], banks[0]) | ~job.use_omap.replicate(cfg.pixels))
                                    & job.inside)
            masks.append(mask)
        return masks
