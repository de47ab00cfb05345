"""cocotb bench of hdl.duet.block_intake, run by test_block_intake.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import block_intake
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, VALUE_BITS, Kind
from hdl.duet.layouts import block_layout
from sim.common.bench import config, signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.duet.front import job_array, job_bits, pack, unpack

CFG = config(DuetConfig)
BLOCK = fields_of(block_layout(CFG))
SIDE = CFG.side


class Inputs(NamedTuple):
    job: int = 0
    top: int = 0
    left: int = 0
    i_valid: bool = False
    i: tuple | None = None


class Outputs(NamedTuple):
    w_en: bool
    w_y: int | None
    w_x: int | None
    w_word: int | None
    w_mask: int | None
    w_values: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_block_intake", block_intake, Inputs, Outputs

    def step(self, x):
        s, y = self.s, Outputs(False, *[None] * 5)
        if block_intake.valid_of(s, 0):
            values = [int(block_intake.value_of(s, 0, k)) for k in range(CFG.values)]
            y = Outputs(True, int(s.y[0]) % 8, int(s.x[0]) % 8, int(s.word[0]), int(block_intake.mask_of(s, 0)),
                        pack(values, LOW_BITS))
        i = x.i or BLOCK.unpack(0)
        block_intake.clock(s, 0, job_array(x.job), x.top, x.left, x.i_valid, i.block_y, i.block_x, i.word,
                           unpack(i.data, CFG.values, VALUE_BITS))
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"i": BLOCK, "top": signed(16), "left": signed(16)}
    GATES = dict.fromkeys(Outputs._fields[1:], "w_en")
    QUIET = ("w_en",)

    def __init__(self, dut):
        super().__init__(dut, CFG)
        self.rng = random.Random(cocotb.RANDOM_SEED)

    async def set(self, top, left, **job):
        """A tile; its job holds from the cycle before the first word on."""
        self.idle = Inputs(job_bits(job), top, left)
        await self.cycle(self.idle)

    async def word(self, y, x):
        """One cycle with a word of this block."""
        block = make(BLOCK, block_y=y, block_x=x, word=self.rng.randrange(CFG.activation_words), last=0,
                     data=self.rng.getrandbits(CFG.values * VALUE_BITS))
        return await self.cycle(self.idle._replace(i_valid=True, i=block))


async def ready(dut):
    bench = Bench(dut)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0])
async def random_words(dut, p_valid):
    """Every cycle of random tiles and blocks, near and far, equals the golden model."""
    bench = await ready(dut)
    rng, offers = bench.rng, gaps(p_valid, bench.rng)
    for _ in range(60):
        top, left = rng.randint(-15, 300), rng.randint(-15, 300)
        await bench.set(top, left, kind=rng.random() < 0.2, stride=rng.randrange(8), windows_y=rng.randrange(1, 16),
                        windows_x=rng.randrange(1, 16))
        for _ in range(12):
            if next(offers):
                far = rng.random() < 0.2
                y, x = (rng.randrange(256) if far else min(max(first // SIDE + rng.randint(-1, 20), 0), 255)
                        for first in (top, left))
                await bench.word(y, x)
            else:
                await bench.cycle(bench.idle)
    await bench.finish()


@cocotb.test(**LIMIT)
async def edges_of_a_tile(dut):
    """A word a cycle: masks of the blocks around a tile whose inputs begin and end inside of blocks."""
    bench = await ready(dut)
    for top in range(-SIDE, SIDE + 1):
        left = -top
        await bench.set(top, left, kind=Kind.CONV, stride=1, windows_y=1, windows_x=1)
        blocks = [(y, x) for y in range(-2, 4) for x in range(-2, 4)]
        results = [await bench.word(*block) for block in blocks]
        results.append(await bench.cycle(bench.idle))
        size = 2 * SIDE - 1
        for (y, x), result in zip(blocks, results[block_intake.LATENCY:], strict=True):
            rows = [top <= y * SIDE + i < top + size for i in range(SIDE)]
            columns = [left <= x * SIDE + j < left + size for j in range(SIDE)]
            assert result.w_mask == sum((rows[i] and columns[j]) << i * SIDE + j for i in range(SIDE)
                                        for j in range(SIDE))
    await bench.finish()


@cocotb.test(**LIMIT)
async def ends_of_the_range(dut):
    """The farthest blocks, the largest windows and strides."""
    bench = await ready(dut)
    for top, left in ((-(1 << 15), (1 << 15) - 1), ((1 << 15) - 1, -(1 << 15)), (-15, 255 * 28)):
        for windows, stride in ((1, 1), (15, 7)):
            await bench.set(top, left, stride=stride, windows_y=windows, windows_x=windows)
            for y, x in ((0, 0), (255, 255), (-256, 0), (0, -256)):
                await bench.word(y, x)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the word."""
    bench = await ready(dut)
    await bench.set(0, 0, stride=1, windows_y=1, windows_x=1)
    await bench.word(0, 0)
    await bench.start()
    assert not (await bench.cycle(bench.idle)).w_en
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(block_intake.EVENTS, seen(Model.NAME), f"cfg={CFG}")
