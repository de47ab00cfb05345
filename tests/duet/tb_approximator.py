"""cocotb bench of hdl.duet.approximator, run by test_approximator.py inside the simulator."""

import functools
import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import approximator, low_input, low_output, mfu, switching_map, systolic
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, SUM_BITS, Function
from hdl.duet.layouts import approximation_layout, reduced_layout, speculate_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack
from tests.duet import low_work
from tests.duet.low_work import tile_vectors, vectors_of

CFG = config(DuetConfig)
VECTOR, RESULT, JOB = (fields_of(layout) for layout in (reduced_layout(CFG), approximation_layout(CFG),
                                                        speculate_layout()))
PARTS = {"low_input": low_input, "systolic": systolic, "low_output": low_output, "mfu": mfu,
         "switching_map": switching_map}
TREES, WIDE, PIXELS = CFG.trees, CFG.systolic_columns, CFG.pixels
NO_VALUES = np.zeros(TREES, np.int64)


class Inputs(NamedTuple):
    i: tuple | None = None
    job: int = 0
    o_ready: bool = False
    weight_en: bool = False
    weight_addr: int | None = None
    weight_data: int | None = None
    bias_en: bool = False
    bias_addr: int | None = None
    bias_data: int | None = None


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_approximator", approximator, Inputs, Outputs

    def reset(self):
        weights, biases = self.s.systolic.weights.copy(), self.s.low_output.bias.copy()
        super().reset()
        self.s.systolic.weights[:], self.s.low_output.bias[:] = weights, biases

    @property
    def seen(self):
        parts = {f"{name}.{event}" for name, part in PARTS.items()
                 for event, count in zip(part.EVENTS, getattr(self.s, name).seen, strict=True) if count}
        return super().seen | parts

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(bool(approximator.ready_of(s, 0)), approximation(s) if approximator.valid_of(s, 0) else None)
        i = x.i or VECTOR.unpack(0)
        values = np.array(unpack(i.values, TREES, LOW_BITS, signed=True), np.int64) if x.i else NO_VALUES
        approximator.clock(s, 0, x.i is not None, i.pixel, i.word, bool(i.last), values, *fields_of_job(x.job),
                           x.o_ready)
        if x.weight_en:
            tile = np.array(unpack(x.weight_data, TREES * WIDE, LOW_BITS, signed=True), np.int8)
            systolic.write_tile(s.systolic, 0, x.weight_addr, tile.reshape(TREES, WIDE))
        if x.bias_en:
            low_output.write_bias(s.low_output, 0, x.bias_addr, unpack(x.bias_data, WIDE, SUM_BITS, signed=True))
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": VECTOR, "o": RESULT}, ("o",), ("o",)

    async def load(self, job, rng):
        """Write weights and biases of a job. Returns both whole buffers, of which no other words are written."""
        weights, biases = low_work.weights(CFG, rng), low_work.biases(CFG, rng)
        for tile in range(job.low_base, job.low_base + job.tiles_n * job.reduced):
            data = pack(weights[tile].ravel(), LOW_BITS)
            await self.cycle(self.idle._replace(weight_en=True, weight_addr=tile, weight_data=data))
        for word in range(job.low_bias_base, job.low_bias_base + job.tiles_n):
            data = pack(biases[word], SUM_BITS)
            await self.cycle(self.idle._replace(bias_en=True, bias_addr=word, bias_data=data))
        return weights, biases

    async def run(self, job, tiles, rng, p_valid=1, p_ready=1):
        """Send the reduced inputs of tiles; what leaves is the definition. Returns the cycles in which it did."""
        self.idle = Inputs(job=JOB.pack(**dict.fromkeys(JOB.unpack(0)._fields, 0) | job._asdict()))
        weights, biases = await self.load(job, rng)
        vectors = [make(VECTOR, pixel=pixel, word=word, last=last, values=pack(values, LOW_BITS))
                   for tile in tiles for pixel, word, last, values in vectors_of(tile)]
        expected = [result(*item) for tile in tiles
                    for item in approximator.approximations(CFG, job, tile, weights, biases)]
        source, ready = Source(vectors, gaps(p_valid, rng), idle=None), gaps(p_ready, rng)
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


@functools.lru_cache(4)
def fields_of_job(raw):
    """Fields that count here, of the pins."""
    job = JOB.unpack(raw)
    return tuple(getattr(job, name) for name in approximator.Job._fields)


def approximation(s):
    """What the model offers."""
    pixel, first, part_end, last = (int(approximator.field_of(s, 0, field)) for field in range(4))
    bits = [bool(approximator.sensitive_of(s, 0, index)) for index in range(CFG.columns)]
    codes = [int(approximator.code_of(s, 0, index)) & 15 for index in range(CFG.columns)]
    return result(low_output.Piece(pixel, first, part_end, last), bits, codes)


def result(piece, bits, codes):
    return make(RESULT, **piece._asdict(), sensitive=pack(bits, 1), codes=pack(codes, LOW_BITS))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function), p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_jobs(dut, function, p_valid, p_ready):
    """Every cycle of random jobs of one to three tiles equals the golden model, and what leaves is the definition."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for reduced in 1, None, min(3, CFG.reduced_words):
        job = low_work.job(CFG, rng, function=function, reduced=reduced)
        tiles = [tile_vectors(CFG, rng, job.reduced) for _ in range(rng.randint(1, 3))]
        await bench.run(job, tiles, rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(pixels=[1, PIXELS])
async def full_throughput(dut, pixels):
    """All multipliers work in every cycle, for vectors (one pixel) and for maps: the last approximation leaves when
    the last product, and as many cycles as the unit is long, are over."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    parts = WIDE // CFG.columns
    reduced = min(CFG.reduced_words, 4 * parts)
    for groups, count in (5, 1), (2, 3):
        job = low_work.job(CFG, rng, reduced=reduced, channels=groups * WIDE)
        tiles = [tile_vectors(CFG, rng, reduced, range(pixels)) for _ in range(count)]
        cycles = await bench.run(job, tiles, rng)
        vectors, products = pixels * reduced, count * groups * pixels * reduced
        # The first part of the last pixel leaves first, then the other parts of all pixels of its group. With few words
        # approximations, not products, take all the time: a part a cycle, but for the very first ones.
        rest = pixels * (parts - 1)
        if reduced < parts:
            products, rest = pixels * reduced, rest + (count * groups - 1) * parts * pixels
        assert cycles[-1] == vectors + products - 1 + approximator.latency(CFG) + rest
    await bench.finish()


@cocotb.test(**LIMIT)
async def one_vector(dut):
    """The latency."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(3):
        job = low_work.job(CFG, rng, reduced=1, channels=1)
        assert await bench.run(job, [tile_vectors(CFG, rng, 1, [0])], rng) == [1 + approximator.latency(CFG)]
    await bench.finish()


@cocotb.test(**LIMIT)
async def output_stalls(dut):
    """Nothing is lost while nothing is taken: all buffers fill up, then the input waits."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    job = low_work.job(CFG, rng, reduced=1, channels=3 * WIDE)
    tiles = [tile_vectors(CFG, rng, 1, range(PIXELS)) for _ in range(4)]
    await bench.run(job, tiles, rng, p_ready=0.02)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_tile(dut):
    """A reset forgets tiles, products and approximations; weights stay."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in 1, 4, approximator.latency(CFG) // 2, approximator.latency(CFG) + 5:
        job = low_work.job(CFG, rng, reduced=2, channels=2 * WIDE)
        await bench.run(job, [tile_vectors(CFG, rng, 2)], rng)
        vectors = vectors_of(tile_vectors(CFG, rng, 2, range(PIXELS)))
        offers = [make(VECTOR, pixel=pixel, word=word, last=last, values=pack(values, LOW_BITS))
                  for pixel, word, last, values in vectors] + [None] * cycles
        for i in offers[:cycles]:
            await bench.cycle(bench.idle._replace(i=i))
        await bench.start()
        await bench.finish()
        await bench.run(job, [tile_vectors(CFG, rng, 2)], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan, also those of the parts."""
    plan = set(approximator.EVENTS) | {f"{name}.{event}" for name, part in PARTS.items() for event in part.EVENTS}
    # These need sums of a certain value: the benches of the parts make them.
    rare = {"systolic.largest", "systolic.smallest", "switching_map.at_the_threshold", "switching_map.too_small"}
    assert_all(plan - rare, seen(Model.NAME) - rare, f"cfg={CFG}")
