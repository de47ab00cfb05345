"""cocotb bench of hdl.duet.mac_lut, run by test_mac_lut.py inside the simulator."""

import random
from collections import deque
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import mac_lut
from golden.duet.config import DuetConfig
from hdl.duet.layouts import build_layout, imap_layout, omap_layout, tags_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.duet.executor_model import bits_of
from tests.duet.executor_traffic import random_build, random_program

CFG = config(DuetConfig)
FORMATS = {"imap": fields_of(imap_layout(CFG)), "omap": fields_of(omap_layout(CFG)),
           "build": fields_of(build_layout(CFG)), "tags": fields_of(tags_layout(CFG))}


class Inputs(NamedTuple):
    lut_valid: bool = False
    index: int | None = None
    instruction: int | None = None
    imap: tuple | None = None
    omap: tuple | None = None
    build: tuple | None = None
    step_done: bool = False


class Outputs(NamedTuple):
    build_ready: bool
    tags: tuple | None
    busy: bool


def packed(words, bits) -> int:
    """Numbers side by side, the first lowest."""
    return sum(int(word) << bits * k for k, word in enumerate(words))


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_mac_lut", mac_lut, Inputs, Outputs
    KEPT = ("lut_input", "lut_pixel")

    def step(self, x: Inputs) -> Outputs:
        s, tags = self.s, None
        if mac_lut.tags_valid_of(s, 0):
            tags = make(FORMATS["tags"], word=int(s.word[0]), phase=int(s.o_phase[0]), last=int(s.last[0]),
                        itags=packed(s.itags[0], CFG.tags), otags=packed(s.otags[0], CFG.tags))
        y = Outputs(bool(mac_lut.build_ready_of(s, 0)), tags, bool(mac_lut.busy_of(s, 0)))
        if x.lut_valid:
            mac_lut.write_lut(s, 0, x.index, x.instruction)
        mac_lut.clock(s, 0, x.build is not None, *(x.build or (0,) * 8), x.step_done)
        if x.imap is not None:
            mac_lut.write_imap(s, 0, x.imap.bank, x.imap.word, bits_of(x.imap.bits, CFG.columns, CFG.pixels))
        if x.omap is not None:
            mac_lut.write_omap(s, 0, *x.omap)
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, FORMATS, ("tags", "busy")

    def __init__(self, dut, rng, density=0.5):
        super().__init__(dut, CFG)
        self.rng, self.density = rng, density
        self.program = random_program(CFG, np.random.default_rng(rng.getrandbits(32)), CFG.input_words,
                                      CFG.weight_words)
        self.imaps = np.zeros((2, CFG.input_words, CFG.columns), np.int64)
        self.omaps = np.zeros((2, CFG.rows), np.int64)
        self.expected, self.received = deque(), 0

    async def start(self):
        """Reset, then fill the program and all maps."""
        await super().start()
        for index, (source, weight, pixel) in enumerate(self.program.tolist()):
            word = source | weight << CFG.input_bits | pixel << CFG.input_bits + CFG.weight_bits
            await self.cycle(Inputs(True, index, word))
        for bank in range(2):
            for number in range(max(CFG.input_words, CFG.rows)):
                await self.cycle(Inputs(imap=self.imap(bank, number % CFG.input_words),
                                        omap=self.omap(bank, number % CFG.rows)))

    def bits(self, count):
        """Bits of a map."""
        return sum(1 << k for k in range(count) if self.rng.random() < self.density)

    def imap(self, bank, word):
        """A new word of an input map."""
        self.imaps[bank, word] = [self.bits(CFG.pixels) for _ in range(CFG.columns)]
        return make(FORMATS["imap"], bank=bank, word=word, bits=packed(self.imaps[bank, word], CFG.pixels))

    def omap(self, bank, row):
        """A new output map of a row."""
        self.omaps[bank, row] = self.bits(CFG.pixels)
        return make(FORMATS["omap"], bank=bank, row=row, bits=int(self.omaps[bank, row]))

    def job(self, **fields):
        """A build of random fields, but for those that are given."""
        build = random_build(CFG, np.random.default_rng(self.rng.getrandbits(32)))
        return make(FORMATS["build"], **build | {"bank": self.rng.randrange(2), "omap_bank": self.rng.randrange(2)}
                    | fields)

    def taken(self, build):
        """A build has been taken: its tags follow from the maps of this cycle."""
        itags, otags = mac_lut.tags_spec(CFG, self.program, self.imaps, self.omaps, build._asdict())
        self.expected += [(build.base + k, k == build.words - 1, packed(i, CFG.tags), packed(o, CFG.tags))
                          for k, (i, o) in enumerate(zip(itags, otags, strict=True))]

    async def cycle(self, x):
        y = await super().cycle(x)
        if x.build is not None and y.build_ready:
            self.taken(x.build)
        if y.tags is not None:
            word, last, itags, otags = self.expected.popleft()
            assert (y.tags.word, y.tags.last, y.tags.itags, y.tags.otags) == (word, last, itags, otags)
            self.received += 1
        return y


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.3, 1.0], density=[0.0, 0.5, 1.0])
async def random_builds(dut, p, density):
    """Builds of all sizes, with maps that change between them; steps that are over early or late."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, rng, density)
    await bench.start()
    left, build, ahead, quiet = 12, None, 0, 0
    while left or ahead:
        if build is None and left and rng.random() < p:
            build = bench.job()
        x = Inputs(build=build)
        # Maps stand still from a build on until its tags are out. A step that is over has had its tags.
        if not bench.expected and rng.random() < 0.7:
            x = x._replace(imap=bench.imap(rng.randrange(2), rng.randrange(CFG.input_words)),
                           omap=bench.omap(rng.randrange(2), rng.randrange(CFG.rows)))
        quiet = quiet + 1 if not bench.expected else 0
        over = ahead > 0 and (quiet > 2 or ahead == 2 and bench.expected) and rng.random() < p / 2
        if over and (ahead > 1 or not bench.expected):
            x, ahead = x._replace(step_done=True), ahead - 1
        y = await bench.cycle(x)
        if build is not None and y.build_ready:
            build, left, ahead = None, left - 1, ahead + 1
    await bench.finish()
    assert not bench.expected


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A word a cycle, the first one LATENCY cycles after the build; the next build words + 1 cycles after it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, rng)
    await bench.start()
    words = CFG.tag_words
    jobs = [bench.job(base=0, words=words, length=CFG.lut) for _ in range(2)]
    outs, takes = [], []
    for cycle in range(2 * (words + 1) + mac_lut.LATENCY):
        y = await bench.cycle(Inputs(build=jobs[0] if jobs else None))
        if jobs and y.build_ready:
            jobs.pop(0)
            takes.append(cycle)
        if y.tags is not None:
            outs.append(cycle)
    assert takes == [0, words + 1]
    assert outs == [take + mac_lut.LATENCY + k for take in takes for k in range(words)]
    for _ in range(2):
        await bench.cycle(Inputs(step_done=True))
    await bench.finish()


@cocotb.test(**LIMIT)
async def maps_of_the_same_cycle(dut):
    """Maps that come in the cycle of the build count."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, rng)
    await bench.start()
    for _ in range(6):
        build = bench.job(use_imap=1, use_omap=1)
        x = Inputs(build=build, imap=bench.imap(build.bank, rng.randrange(CFG.input_words)),
                   omap=bench.omap(build.omap_bank, rng.randrange(CFG.rows)))
        assert (await bench.cycle(x)).build_ready
        for _ in range(build.words + mac_lut.LATENCY):
            await bench.cycle(bench.idle)
        await bench.cycle(Inputs(step_done=True))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the build at every stage; the program stays."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, rng)
    await bench.start()
    for cycles in range(mac_lut.LATENCY + 3):
        await bench.cycle(Inputs(build=bench.job()))
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        bench.expected.clear()
        await PinBench.start(bench)
        bench.imaps[:], bench.omaps[:] = 0, 0
        for _ in range(4):
            y = await bench.cycle(bench.idle)
            assert not y.busy
            assert y.tags is None
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(mac_lut.EVENTS, seen(Model.NAME), f"cfg={CFG}")
