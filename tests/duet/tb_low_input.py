"""cocotb bench of hdl.duet.low_input, run by test_low_input.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import low_input
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS
from hdl.duet.layouts import reduced_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack
from tests.duet.low_work import tile_vectors, vectors_of

CFG = config(DuetConfig)
VECTOR = fields_of(reduced_layout(CFG))
TREES, PIXELS = CFG.trees, CFG.pixels
NO_VALUES = np.zeros(TREES, np.int64)


class Inputs(NamedTuple):
    i: tuple | None = None
    reduced: int = 1
    tiles_n: int = 1
    low_base: int = 0
    freed: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o_valid: bool
    o_values: int | None
    o_tile: int | None
    o_tag: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_low_input", low_input, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, y = self.s, Outputs(bool(low_input.ready_of(self.s, 0)), False, None, None, None)
        if low_input.valid_of(s, 0):
            y = Outputs(y.i_ready, True, pack(s.values[0].tolist(), LOW_BITS), int(low_input.tile_of(s, 0)),
                        int(low_input.tag_of(s, 0)))
        i = x.i or VECTOR.unpack(0)
        values = np.array(unpack(i.values, TREES, LOW_BITS, signed=True), np.int64) if x.i else NO_VALUES
        low_input.clock(s, 0, x.i is not None, i.pixel, i.word, bool(i.last), values, x.reduced, x.tiles_n, x.low_base,
                        x.freed)
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"i": VECTOR}, ("o_valid",)
    GATES = dict.fromkeys(("o_values", "o_tile", "o_tag"), "o_valid")

    async def run(self, tiles, rng, *, tiles_n=1, low_base=0, p_valid=1, p_freed=1):
        """Send tiles, and free the rows of pixels whose last product has come, now and then. What goes into the array
        is the definition. Returns the cycles in which it did."""
        reduced = len(next(iter(tiles[0].values())))
        self.idle = Inputs(reduced=reduced, tiles_n=tiles_n, low_base=low_base)
        expected = []
        for tile in tiles:
            mask = sum(1 << pixel for pixel in tile)
            expected += [(pack(tile[pixel][word], LOW_BITS), low_base + above, tag)
                         for pixel, word, above, tag in low_input.order(mask, reduced, tiles_n)]
        items = [make(VECTOR, pixel=pixel, word=word, last=last, values=pack(values, LOW_BITS))
                 for tile in tiles for pixel, word, last, values in vectors_of(tile)]
        source, frees = Source(items, gaps(p_valid, rng), idle=None), gaps(p_freed, rng)
        found, cycles, used, start = [], [], 0, self.cycle_number
        while len(found) < len(expected) or used or not source.done:
            freed = used > 0 and next(frees)
            y = await self.cycle(self.idle._replace(i=source.offer()[1], freed=freed))
            source.taken(y.i_ready)
            used -= freed
            if y.o_valid:
                found.append((y.o_values, y.o_tile, y.o_tag))
                cycles.append(self.cycle_number - start)
                used += bool(y.o_tag & low_input.LAST)
        assert found == expected
        return cycles


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


def some_tiles(rng, reduced, count=None):
    return [tile_vectors(CFG, rng, reduced) for _ in range(count or rng.randint(1, 4))]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_freed=[0.1, 1.0])
async def random_tiles(dut, p_valid, p_freed):
    """Every cycle of tiles with any pixels, words and groups equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for reduced in [1, 1, 2, min(CFG.reduced_words, 7)]:
        tiles_n = rng.randint(1, 4)
        await bench.run(some_tiles(rng, reduced), rng, tiles_n=tiles_n,
                        low_base=rng.randint(0, CFG.low_tiles - tiles_n * reduced), p_valid=p_valid, p_freed=p_freed)
    await bench.finish()


@cocotb.test(**LIMIT)
async def whole_buffer(dut):
    """All words of all pixels, and the last tile of weights."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    tiles = [tile_vectors(CFG, rng, CFG.reduced_words, range(PIXELS)) for _ in range(2)]
    await bench.run(tiles, rng, low_base=CFG.low_tiles - CFG.reduced_words)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(pixels=[1, PIXELS])
async def full_throughput(dut, pixels):
    """Products in every cycle, also from a tile to the next; the first one three cycles after the last vector."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    tiles = [tile_vectors(CFG, rng, 2, range(pixels)) for _ in range(4)]
    cycles = await bench.run(tiles, rng, tiles_n=3)
    first = 2 * pixels + 3
    assert cycles == list(range(first, first + 4 * 3 * 2 * pixels))
    await bench.finish()


@cocotb.test(**LIMIT)
async def rows_run_out(dut):
    """A pixel waits for a row; a pixel that has begun goes on."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    bench.idle = Inputs(reduced=2, tiles_n=8)
    for pixel, word, last, values in vectors_of(tile_vectors(CFG, rng, 2, range(PIXELS))):
        await bench.cycle(bench.idle._replace(i=make(VECTOR, pixel=pixel, word=word, last=last,
                                                     values=pack(values, LOW_BITS))))
    rows = low_input.rows(CFG)
    assert sum([(await bench.cycle(bench.idle)).o_valid for _ in range(3 * rows)]) == 2 * rows
    for _ in range(3):
        await bench.cycle(bench.idle._replace(freed=True))
        assert sum([(await bench.cycle(bench.idle)).o_valid for _ in range(6)]) == 2
    await bench.start()
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_tile(dut):
    """A reset forgets tiles, half of them or whole."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for count in 1, 3, 2 * PIXELS, 2 * PIXELS + 3:
        bench.idle = Inputs(reduced=2, tiles_n=2)
        items = [make(VECTOR, pixel=pixel, word=word, last=last, values=pack(values, LOW_BITS))
                 for pixel, word, last, values in vectors_of(tile_vectors(CFG, rng, 2, range(PIXELS)))]
        for i in (items + [None] * 4)[:count]:
            await bench.cycle(bench.idle._replace(i=i))
        await bench.start()
        await bench.run(some_tiles(rng, 2), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(low_input.EVENTS, seen(Model.NAME), f"cfg={CFG}")
