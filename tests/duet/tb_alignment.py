"""cocotb bench of hdl.duet.alignment, run by test_alignment.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import alignment
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, TERNARY_BITS
from golden.duet.projection import projection_bits
from hdl.duet.layouts import reduced_layout, tag_layout, ternary_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.duet.front import pack, ternary, unpack

CFG = config(DuetConfig)
TAG, REDUCED, TERNARY = fields_of(tag_layout(CFG)), fields_of(reduced_layout(CFG)), fields_of(ternary_layout(CFG))
NO_WORD = np.zeros((CFG.trees, CFG.values), np.int64)
#: Words of the projection that the tests use.
WORDS = min(16, CFG.projection_words)


class Inputs(NamedTuple):
    shift: int = 0
    i_valid: bool = False
    window: int | None = None
    tag: tuple | None = None
    write: tuple | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "duet_alignment", alignment, Inputs, Outputs, ("projection",)

    def step(self, x):
        s = self.s
        y = Outputs(False, None)
        if alignment.valid_of(s, 0):
            values = [int(alignment.result_of(s, 0, tree)) for tree in range(CFG.trees)]
            pixel, word, end = (int(alignment.tag_of(s, 0, field)) for field in
                                (alignment.PIXEL, alignment.WORD, alignment.END))
            y = Outputs(True, REDUCED.pack(pixel=pixel, word=word, last=end, values=pack(values, LOW_BITS)))
        w, tag = x.write, x.tag or TAG.unpack(0)
        word = unpack(w.data, NO_WORD.size, TERNARY_BITS).reshape(NO_WORD.shape) if w else NO_WORD
        alignment.clock(s, 0, x.shift, x.i_valid, unpack(x.window or 0, CFG.values, LOW_BITS),
                        np.array(tag, np.int64), w is not None, w.addr if w else 0, word)
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"tag": TAG, "write": TERNARY}
    GATES, QUIET = {"o": "o_valid"}, ("o_valid",)

    def __init__(self, dut):
        super().__init__(dut, CFG)
        self.rng, self.numbers = random.Random(cocotb.RANDOM_SEED), np.random.default_rng(cocotb.RANDOM_SEED)

    async def load(self, words):
        """Write words of the projection, from word 0 on."""
        self.words = words
        for addr, word in enumerate(words):
            await self.cycle(self.idle._replace(write=make(TERNARY, addr=addr, data=projection_bits(word))))

    async def window(self, values, address, first, last):
        """One cycle with a window."""
        tag = TAG.unpack(self.rng.getrandbits(TAG.bits))._replace(address=address, first=int(first), last=int(last))
        return await self.cycle(self.idle._replace(i_valid=True, window=pack(values, LOW_BITS), tag=tag))

    async def vector(self, windows, gap=0.0):
        """A vector; ``windows``: values and word of each. Returns its sums."""
        sums = np.zeros(CFG.trees, np.int64)
        for n, (values, address) in enumerate(windows):
            while self.rng.random() < gap:
                await self.cycle(self.idle)
            await self.window(values, address, n == 0, n == len(windows) - 1)
            sums += self.words[address] @ values
        return sums

    def windows(self, count):
        return [(self.numbers.integers(-8, 8, CFG.values), self.rng.randrange(WORDS)) for _ in range(count)]


async def ready(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.load([ternary(bench.numbers, NO_WORD.shape, density) for density in np.linspace(0.05, 1, WORDS)])
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(gap=[0.0, 0.4])
async def random_vectors(dut, gap):
    """Every cycle of vectors of one to six windows equals the golden model, for every shift."""
    bench = await ready(dut)
    for shift in range(32):
        bench.idle = Inputs(shift=shift)
        for _ in range(6):
            await bench.vector(bench.windows(bench.rng.randint(1, 6)), gap)
        await bench.finish(alignment.latency(CFG) + 2)


@cocotb.test(**LIMIT)
async def every_ternary_value(dut):
    """-1, 0 and 1 times every INT4 value at every input."""
    bench = await ready(dut)
    await bench.load([np.full(NO_WORD.shape, sign) for sign in (-1, 0, 1)])
    for sign in range(3):
        for value in range(-8, 8):
            await bench.window(np.full(CFG.values, value), sign, True, True)
    for tree in range(CFG.trees):
        one = np.zeros(NO_WORD.shape, np.int64)
        one[tree, bench.rng.randrange(CFG.values)] = -1
        await bench.load([one])
        await bench.window(np.full(CFG.values, -8), 0, True, True)
    await bench.finish(alignment.latency(CFG) + 2)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A window in every cycle, a vector every second one, each LATENCY cycles after its last window."""
    bench = await ready(dut)
    flags = [(await bench.window(*bench.windows(1)[0], n % 2 == 0, n % 2 == 1)).o_valid for n in range(60)]
    late = alignment.latency(CFG) + 1
    assert flags == [n >= late and (n - late) % 2 == 0 for n in range(60)]
    cocotb.log.info(f"{CFG.trees * CFG.values} inputs a cycle")
    await bench.finish(late + 2)


@cocotb.test(timeout_time=10, timeout_unit="ms", skip=CFG.values < 64)
async def sum_wraps(dut):
    """So many of the largest windows that the sum leaves its bits; of narrow trees that would be 2**17 of them."""
    bench = await ready(dut)
    bench.idle = Inputs(shift=20)
    await bench.load([np.where(np.arange(CFG.trees) % 2, 1, -1)[:, None] * np.ones(CFG.values, np.int64)])
    largest = np.full(CFG.values, -8)
    sums = await bench.vector([(largest, 0)] * ((1 << 23) // (8 * CFG.values) + 1))
    assert sums[0] >= 1 << 23
    await bench.finish(alignment.latency(CFG) + 2)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets windows and vectors at every stage; the projection stays."""
    bench = await ready(dut)
    for cycles in range(alignment.latency(CFG) + 2):
        await bench.vector(bench.windows(2))
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        await bench.start()
        for _ in range(alignment.latency(CFG) + 1):
            assert not (await bench.cycle(bench.idle)).o_valid
    await bench.vector(bench.windows(2))
    await bench.finish(alignment.latency(CFG) + 2)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; a sum wraps only where trees are wide."""
    assert_all(set(alignment.EVENTS) - ({"wrapped"} if CFG.values < 64 else set()), seen(Model.NAME), f"cfg={CFG}")
