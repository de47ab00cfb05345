"""cocotb bench of hdl.duet.reorder, run by test_reorder.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import reorder
from golden.duet.config import DuetConfig
from hdl.duet.reorder import LIMIT_BITS, Reorder, order_layout
from sim.common.bench import Fields, Source, config, unsigned
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack

CFG = config(DuetConfig)
WORD, ORDER = Fields(maps=unsigned(CFG.values)), fields_of(order_layout(CFG))
COLUMNS, PIXELS = CFG.columns, CFG.pixels


class Inputs(NamedTuple):
    channels: int = 1
    limits: int = 0
    i: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_reorder", reorder, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, o = self.s, None
        if reorder.valid_of(s, 0):
            o = make(ORDER, id=int(reorder.id_of(s, 0)), last=bool(reorder.last_of(s, 0)))
        y = Outputs(bool(reorder.ready_of(s, 0)), o)
        maps = np.array(unpack(x.i.maps if x.i else 0, COLUMNS, PIXELS), np.int64)
        limits = np.array(unpack(x.limits, CFG.buckets - 1, LIMIT_BITS), np.int64)
        reorder.clock(s, 0, x.i is not None, maps, x.channels, limits, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": WORD, "o": ORDER}, ("o",), ("o",)

    async def run(self, tiles, limits, rng, p_valid=1, p_ready=1):
        """Send the maps of tiles, [channels] each; the order is the definition. Returns the cycles of the channels."""
        channels = len(tiles[0])
        self.idle = Inputs(channels, pack(limits, LIMIT_BITS))
        expected, words = [], []
        for maps in tiles:
            ids = reorder.reorder([bin(bits).count("1") for bits in maps], limits).tolist()
            expected += [make(ORDER, id=id_, last=number == channels - 1) for number, id_ in enumerate(ids)]
            rest = [rng.getrandbits(PIXELS) for _ in range(-channels % COLUMNS)]
            words += [make(WORD, maps=pack((maps + rest)[at:at + COLUMNS], PIXELS))
                      for at in range(0, channels, COLUMNS)]
        source, ready = Source(words, gaps(p_valid, rng), idle=None), gaps(p_ready, rng)
        found, cycles, start = [], [], self.cycle_number
        while len(found) < len(expected) or not source.done:
            x = self.idle._replace(i=source.offer()[1], o_ready=next(ready))
            y = await self.cycle(x)
            source.taken(y.i_ready)
            if y.o is not None and x.o_ready:
                found.append(y.o)
                cycles.append(self.cycle_number - start)
        assert found == expected
        return cycles


def some_limits(rng):
    """Limits that fall; several may be equal."""
    return sorted((rng.randint(0, PIXELS) for _ in range(CFG.buckets - 1)), reverse=True)


def some_maps(rng, channels):
    """Maps of a tile: few, all, or any number of sensitive pixels."""
    density = rng.choice([0, 0.2, 0.5, 0.9, 1, None])
    return [sum((rng.random() < (rng.random() if density is None else density)) << pixel for pixel in range(PIXELS))
            for _ in range(channels)]


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.1, 1.0], p_ready=[0.3, 1.0])
async def random_tiles(dut, p_valid, p_ready):
    """Every cycle of tiles with any distribution of counts equals the golden model; channels that do not exist are
    never sent."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for channels in [1, COLUMNS - 1 or 1, COLUMNS, COLUMNS + 1, rng.randint(1, 5 * COLUMNS)]:
        tiles = [some_maps(rng, channels) for _ in range(rng.randint(1, 5))]
        await bench.run(tiles, some_limits(rng), rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def fig_5_4(dut):
    """The worked example: channels with sums 4, 1, 2, 4 and threshold 2 come in the order 0, 3, 1, 2."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    counts, limits, buckets = reorder.fig_5_4()
    assert buckets == [[0, 3], [1, 2]]
    await bench.run([[(1 << count) - 1 for count in counts]], limits + [0] * (CFG.buckets - 2), rng)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(bucket=["first", "last", "each"])
async def all_channels(dut, bucket):
    """As many channels as there can be, all in one bucket, or spread over all: none is lost."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    limits = [PIXELS * k // CFG.buckets for k in range(CFG.buckets - 1, 0, -1)]
    counts = {"first": [PIXELS], "last": [0], "each": range(PIXELS + 1)}[bucket]
    maps = [(1 << counts[channel % len(counts)]) - 1 for channel in range(CFG.channels)]
    await bench.run([maps, maps], limits, rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A channel a cycle, 2 cycles more a tile; the first channel comes LATENCY and a word's channels after the last
    word."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for channels, count in (COLUMNS, 4), (3 * COLUMNS, 3), (1, 3):
        cycles = await bench.run([some_maps(rng, channels) for _ in range(count)], some_limits(rng), rng)
        last_word = (channels - 1) // COLUMNS * COLUMNS + 1
        first = last_word + min(channels, COLUMNS) + Reorder.LATENCY
        assert cycles == [first + tile * (channels + 2) + channel for tile in range(count)
                          for channel in range(channels)]
        await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_tile(dut):
    """A reset forgets words, lists and channels."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in range(1, 4 * COLUMNS, 3):
        bench.idle = Inputs(2 * COLUMNS, pack(some_limits(rng), LIMIT_BITS))
        for _ in range(cycles):
            await bench.cycle(bench.idle._replace(i=make(WORD, maps=rng.getrandbits(CFG.values)), o_ready=cycles % 2))
        await bench.start()
        await bench.run([some_maps(rng, COLUMNS + 1)] * 2, some_limits(rng), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(reorder.EVENTS, seen(Model.NAME), f"cfg={CFG}")
