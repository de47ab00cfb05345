"""cocotb bench of hdl.duet.systolic, run by test_systolic.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import systolic
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.dota.packed import pack, unpack
from tests.duet import low_work

CFG = config(DuetConfig)
TREES, WIDE = CFG.trees, CFG.systolic_columns
#: Tiles that the tests write: the first, the last, and some between.
TILES = [0, 1, CFG.low_tiles // 2, CFG.low_tiles - 1]
NO_VALUES = np.zeros(TREES, np.int64)


class Inputs(NamedTuple):
    i_valid: bool = False
    i_values: int | None = None
    i_tile: int | None = None
    i_tag: int | None = None
    write_en: bool = False
    write_addr: int | None = None
    write_data: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o_sums: int | None
    o_tag: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "duet_systolic", systolic, Inputs, Outputs, ("weights",)

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(False, None, None)
        if systolic.valid_of(s, 0):
            sums = [int(systolic.sum_of(s, 0, column)) for column in range(WIDE)]
            y = Outputs(True, pack(sums, 16), int(systolic.tag_of(s, 0)))
        if x.i_valid:
            values = np.array(unpack(x.i_values, TREES, LOW_BITS, signed=True), np.int64)
            systolic.clock(s, 0, True, values, x.i_tile, x.i_tag)
        else:
            systolic.clock(s, 0, False, NO_VALUES, 0, 0)
        if x.write_en:
            tile = np.array(unpack(x.write_data, TREES * WIDE, LOW_BITS, signed=True), np.int8)
            systolic.write_tile(s, 0, x.write_addr, tile.reshape(TREES, WIDE))
        return y


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o_sums": "o_valid", "o_tag": "o_valid"}, ("o_valid",)

    async def write(self, addr, tile):
        """A tile of weights."""
        await self.cycle(Inputs(write_en=True, write_addr=addr, write_data=pack(tile.ravel(), LOW_BITS)))

    async def send(self, values, tile, tag=0):
        """A vector."""
        return await self.cycle(Inputs(True, pack(values, LOW_BITS), tile, tag))


async def ready(dut, rng):
    """A bench with weights in TILES, and these by number."""
    bench = Bench(dut, CFG)
    await bench.start()
    weights = low_work.weights(CFG, rng)
    for addr in TILES:
        await bench.write(addr, weights[addr])
    return bench, weights


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], p_tile=[0.1, 1.0])
async def random_vectors(dut, p_valid, p_tile):
    """Every cycle of random vectors against changing tiles equals the golden model, tags included."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, _weights = await ready(dut, rng)
    offers, changes, tile = gaps(p_valid, rng), gaps(p_tile, rng), TILES[0]
    for _ in range(300):
        tile = rng.choice(TILES) if next(changes) else tile
        if next(offers):
            await bench.send([rng.randint(-8, 7) for _ in range(TREES)], tile, rng.getrandbits(4 + CFG.pixel_bits))
        else:
            await bench.cycle(Inputs())
    await bench.finish(systolic.latency(CFG) + 1)


@cocotb.test(**LIMIT)
async def extremes(dut):
    """The largest and the smallest sum, and one element alone in every row and column."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, _weights = await ready(dut, rng)
    for low, weight in (-8, -8), (7, -8), (-8, 7), (7, 7):
        await bench.finish(systolic.latency(CFG) + 1)
        await bench.write(0, np.full((TREES, WIDE), weight))
        await bench.send([low] * TREES, 0)
    for row in range(TREES):
        await bench.send([1 if index == row else 0 for index in range(TREES)], rng.choice(TILES[1:]))
    await bench.finish(systolic.latency(CFG) + 1)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A vector and another tile in every cycle: the sums of each leave exactly ``latency`` cycles later, so that all
    multipliers have worked in every cycle."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, weights = await ready(dut, rng)
    draw, latency = low_work.rng_of(rng), systolic.latency(CFG)
    vectors = draw.integers(-8, 8, (100, TREES))
    tiles = [TILES[number % len(TILES)] for number in range(100)]
    expected = systolic.products(vectors, weights[tiles])
    for cycle in range(100 + latency):
        if cycle < 100:
            y = await bench.send(vectors[cycle], tiles[cycle], cycle % 16)
        else:
            y = await bench.cycle(Inputs())
        assert y.o_valid == (cycle >= latency)
        assert not y.o_valid or unpack(y.o_sums, WIDE, 16, signed=True) == expected[cycle - latency].tolist()
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets vectors; weights stay."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, _weights = await ready(dut, rng)
    for cycles in range(systolic.latency(CFG) + 2):
        await bench.send([rng.randint(-8, 7) for _ in range(TREES)], rng.choice(TILES))
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        for tile in TILES:
            assert not (await bench.send([rng.randint(-8, 7) for _ in range(TREES)], tile)).o_valid
        await bench.start()
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(systolic.EVENTS, seen(Model.NAME), f"cfg={CFG}")
