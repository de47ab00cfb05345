"""cocotb bench of hdl.duet.low_output, run by test_low_output.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import low_input, low_output
from golden.duet.config import DuetConfig
from golden.duet.formats import COLUMN_BITS, SUM_BITS
from hdl.duet.low_output import low_sums_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack
from tests.duet import low_work

CFG = config(DuetConfig)
SUMS = fields_of(low_sums_layout(CFG))
WIDE, PIXELS, ROWS = CFG.systolic_columns, CFG.pixels, low_input.rows(CFG)
#: Cycles from the last product of a pixel to its first part.
LATENCY = 5
NO_SUMS = np.zeros(WIDE, np.int64)


class Inputs(NamedTuple):
    channels: int = 1
    low_bias_base: int = 0
    i_valid: bool = False
    i_sums: int | None = None
    i_tag: int | None = None
    o_ready: bool = False
    write_en: bool = False
    write_addr: int | None = None
    write_data: int | None = None


class Outputs(NamedTuple):
    o: tuple | None
    freed: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "duet_low_output", low_output, Inputs, Outputs, ("bias",)

    def step(self, x: Inputs) -> Outputs:
        s, o = self.s, None
        if low_output.valid_of(s, 0):
            o = sums(low_output.Piece(*s.piece[0].tolist()),
                     [int(low_output.sum_of(s, 0, column)) for column in range(CFG.columns)])
        y = Outputs(o, bool(low_output.freed_of(s, 0)))
        products = np.array(unpack(x.i_sums, WIDE, COLUMN_BITS, signed=True), np.int64) if x.i_valid else NO_SUMS
        low_output.clock(s, 0, x.i_valid, x.i_tag or 0, products, x.channels, x.low_bias_base, x.o_ready)
        if x.write_en:
            low_output.write_bias(s, 0, x.write_addr, unpack(x.write_data, WIDE, SUM_BITS, signed=True))
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"o": SUMS}, ("o",), ("o", "freed")

    async def run(self, rng, *, channels, reduced, base=0, tiles=1, pixels=None, p_valid=1, p_ready=1):
        """Products of tiles, within the rows that are free; what leaves is the definition. Returns the cycles."""
        tiles_n = -(-channels // WIDE)
        self.idle = Inputs(channels=channels, low_bias_base=base)
        biases = low_work.biases(CFG, rng)
        for word in range(base, base + tiles_n):
            await self.cycle(self.idle._replace(write_en=True, write_addr=word,
                                                write_data=pack(biases[word], SUM_BITS)))
        products, expected = [], []
        for _ in range(tiles):
            mask = sum(1 << pixel for pixel in pixels or low_work.tile_vectors(CFG, rng, 1))
            sent, left = tile(rng, channels, mask, reduced, biases[base:base + tiles_n])
            products += sent
            expected += left
        offers, ready = gaps(p_valid, rng), gaps(p_ready, rng)
        found, cycles, rows, start, next_ = [], [], ROWS, self.cycle_number, 0
        while len(found) < len(expected) or rows < ROWS:
            x = self.idle._replace(o_ready=next(ready))
            begins = next_ < len(products) and products[next_][1] & low_input.FIRST
            if next_ < len(products) and (rows or not begins) and next(offers):
                values, tag = products[next_]
                x = x._replace(i_valid=True, i_sums=pack(values, COLUMN_BITS), i_tag=tag)
                next_ += 1
                rows -= bool(begins)
            y = await self.cycle(x)
            rows += y.freed
            if y.o is not None and x.o_ready:
                found.append(y.o)
                cycles.append(self.cycle_number - start)
        assert found == expected
        return cycles


def tile(rng, channels, mask, reduced, biases):
    """Random products of a tile, (values, tag) in order, and what leaves."""
    draw = low_work.rng_of(rng)
    order = low_input.order(mask, reduced, len(biases))
    most = 1 << COLUMN_BITS - 1
    products = [(draw.integers(-most, most, WIDE).tolist(), tag) for _pixel, _word, _tile, tag in order]
    y = {pixel: biases.astype(object) for pixel in range(mask.bit_length()) if mask >> pixel & 1}
    for (pixel, _word, above, _tag), (values, _) in zip(order, products, strict=True):
        y[pixel] = y[pixel].copy()
        y[pixel][above // reduced] += np.array(values, object)
    wrapped = {pixel: [(int(total) + (1 << 31)) % (1 << 32) - (1 << 31) for total in totals.ravel()]
               for pixel, totals in y.items()}
    left = [sums(piece, wrapped[piece.pixel][piece.first:piece.first + CFG.columns])
            for piece in low_output.pieces(CFG, sorted(y), channels)]
    return products, left


def sums(piece, values):
    return make(SUMS, **piece._asdict(), sums=pack(values, SUM_BITS))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.2, 1.0])
async def random_products(dut, p_valid, p_ready):
    """Every cycle of products of any numbers of words, pixels and outputs equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for reduced in 1, 1, 2, 5:
        channels = rng.randint(1, 3 * WIDE)
        base = rng.randint(0, CFG.low_bias_words - 3)
        await bench.run(rng, channels=channels, reduced=reduced, base=base, tiles=rng.randint(1, 3), p_valid=p_valid,
                        p_ready=p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(pixels=[1, PIXELS])
async def full_throughput(dut, pixels):
    """A product a cycle; the first part of each pixel comes LATENCY after its last product, a part a cycle after it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    parts = WIDE // CFG.columns
    cycles = await bench.run(rng, channels=WIDE, reduced=parts, pixels=range(pixels))
    firsts = [1 + (pixel + 1) * parts - 1 + LATENCY for pixel in range(pixels)]
    assert cycles == firsts + list(range(firsts[-1] + 1, firsts[-1] + 1 + pixels * (parts - 1)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def output_stalls(dut):
    """All rows fill up while nothing is taken; none is freed before its last part has gone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    await bench.run(rng, channels=2 * WIDE, reduced=1, tiles=3, pixels=range(PIXELS), p_ready=0.03)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets sums and rows; biases stay."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in range(0, 12, 3):
        await bench.run(rng, channels=WIDE, reduced=2)
        tag = low_input.FIRST | low_input.LAST
        for _ in range(min(cycles, ROWS)):
            await bench.cycle(bench.idle._replace(i_valid=True, i_sums=pack([1] * WIDE, COLUMN_BITS), i_tag=tag))
        await bench.start()
        await bench.finish()
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(low_output.EVENTS, seen(Model.NAME), f"cfg={CFG}")
