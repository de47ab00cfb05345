"""cocotb bench of hdl.enmc.special, run by test_special.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.enmc import fp32, special
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import Function
from hdl.enmc.layouts import record_layout
from hdl.enmc.special import special_layout
from sim.common.bench import Source, config, to_raw, to_signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make, transfer
from tests.enmc.fp32_cases import CORNERS, operands

CFG = config(EnmcConfig)
RESULT, RECORD = fields_of(special_layout()), fields_of(record_layout())
NONE, SIGMOID, SOFTMAX = Function


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False
    new_batch: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool
    largest: int
    sums: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_special", special, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        o = None
        if special.valid_of(s, 0):
            exact, score, tag = (int(special.field_of(s, 0, field)) for field in range(3))
            o = record(make(RESULT, exact=exact, score=to_signed(score, 32), label=tag & 0xFF_FFFF,
                            batch=tag >> 24 & 15, function=tag >> 28), int(special.value_of(s, 0)))
        y = Outputs(bool(special.ready_of(s, 0)), o, bool(special.busy_of(s, 0)), packed(s.largest[0]),
                    packed(s.sums[0]))
        i = x.i or RESULT.unpack(0)
        special.clock(s, 0, x.i is not None, i.exact, to_raw(i.score, 32),
                      special.tag_of(i.label, i.batch, i.function), x.new_batch, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": RESULT, "o": RECORD}, ("o",), ("o", "busy")

    async def run(self, results, rng, p_valid=1, p_ready=1):
        """Send results of a new batch; their records are those of the untimed functions. Returns the cycles."""
        await self.cycle(Inputs(new_batch=True))
        return await transfer(self, results, records(results), i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng))


def packed(words):
    """Registers as one number, the first lowest."""
    return sum(int(word) << 32 * k for k, word in enumerate(words))


def record(result, value):
    return make(RECORD, score=to_raw(result.score, 32), label=result.label, batch=result.batch, exacts=1, valid=1,
                function=result.function, exact=result.exact, value=value)


def records(results):
    """Untimed: the record of each result of a new batch."""
    largest, sums, out = [special.LOWEST] * CFG.batch, [0] * CFG.batch, []
    for r in results:
        value = special.sigmoid(r.exact) if r.function == SIGMOID else 0
        if r.function == SOFTMAX:
            value, largest[r.batch], sums[r.batch] = special.softmax_step(r.exact, largest[r.batch], sums[r.batch])
        out.append(record(r, int(value)))
    return out


def result(exact, function, rng, batch=None):
    return make(RESULT, exact=int(exact), score=rng.randint(-1 << 31, (1 << 31) - 1), label=rng.getrandbits(24),
                batch=rng.randrange(CFG.batch) if batch is None else batch, function=int(function))


def bits(values):
    """Bit patterns of numbers, as a list."""
    return fp32.bits_of(values).tolist()


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(functions=[(NONE,), (SIGMOID,), (SOFTMAX,), (NONE, 3, SIGMOID, SOFTMAX)], p_valid=[0.03, 1.0],
                    p_ready=[0.03, 1.0])
async def random_results(dut, functions, p_valid, p_ready):
    """Every cycle of random results of all inputs of the batch equals the golden model, registers included."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, draw = await ready(dut), np.random.default_rng(rng.getrandbits(32))
    exact = draw.permutation(np.concatenate([fp32.bits_of(draw.normal(0, 3, 12)), fp32.bits_of(draw.normal(0, 40, 8)),
                                             operands(draw, 8)]))
    await bench.run([result(z, rng.choice(functions), rng) for z in exact], rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def corners_of_sigmoid(dut):
    """Zeros, subnormal numbers, infinities, NaNs, and where the exponential becomes 0."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    edge = [special.DEEPEST + k for k in (-1, 0, 1)]
    exact = CORNERS + edge + [z ^ fp32.SIGN for z in edge]
    await bench.run([result(z, SIGMOID, rng) for z in exact], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(order=["as they are", "reversed", "shuffled"])
async def corners_of_softmax(dut, order):
    """Infinities, NaNs and zeros as largest and as others; a NaN last, because nothing is a number after it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    inf, nan = float("inf"), float("nan")
    rows = [[-inf, -inf, 1, 2, -inf, inf, 5, inf, -inf], [0.0, -0.0, 0.0, -87, -87.00001, 87, 0],
            [3e38, -3e38, 1e-45, -1e-45], [-inf, nan, 1, 2], [inf, nan, inf]]
    for row in rows:
        row = {"as they are": row, "reversed": row[::-1], "shuffled": rng.sample(row, len(row))}[order]
        await bench.run([result(z, SOFTMAX, rng, batch=0) for z in bits(row)], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=[NONE, SIGMOID, SOFTMAX])
async def full_throughput(dut, function):
    """The latency, then one result in each interval; one a cycle without function."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    latency, interval = (special.LATENCY, special.INTERVAL) if function else (special.PASS_LATENCY, 1)
    for count in 1, 2, 12:
        exact = bits(np.random.default_rng(count).normal(0, 5, count))
        cycles = await bench.run([result(z, function, rng) for z in exact], rng)
        assert cycles == latency + (count - 1) * interval + 1
        await bench.finish(special.INTERVAL)


@cocotb.test(**LIMIT)
async def functions_in_turn(dut):
    """A result without function waits for those before it, and what follows it is not held up for longer."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for function in SIGMOID, SOFTMAX:
        kinds = [NONE, function, NONE, NONE, function]
        await bench.run([result(z, kind, rng) for z, kind in zip(bits([1, 2, 3, 4, 5]), kinds, strict=True)], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def output_stalls(dut):
    """As many results as there is room for go in while nothing is taken, and none of them is lost."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    results = [result(z, SOFTMAX, rng) for z in bits(range(special.ROOM + 4))]
    await bench.cycle(Inputs(new_batch=True))
    source = Source(results, gaps(1, rng), idle=None)
    for _ in range(2 * special.LATENCY + special.ROOM * special.INTERVAL):
        source.taken((await bench.cycle(Inputs(source.offer()[1]))).i_ready)
    found = []
    while len(found) < len(results):
        y = await bench.cycle(Inputs(source.offer()[1], o_ready=True))
        source.taken(y.i_ready)
        found += [y.o] if y.o else []
    assert found == records(results)
    await bench.finish()


@cocotb.test(**LIMIT)
async def registers(dut):
    """``largest`` after 3 cycles, ``sums`` after 85; a new batch begins from nothing, the other inputs too."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for batch in range(CFG.batch):
        ys = [await bench.cycle(Inputs(result(bits(2.5), SOFTMAX, rng, batch=batch), True))]
        ys += [await bench.cycle(Inputs(o_ready=True)) for _ in range(special.LATENCY)]
        where = 32 * batch
        assert [y.largest >> where & 0xFFFF_FFFF for y in ys[2:4]] == [special.LOWEST, bits(2.5)]
        assert [y.sums >> where & 0xFFFF_FFFF for y in ys[84:86]] == [0, fp32.ONE]
        await bench.finish()
    await bench.cycle(Inputs(new_batch=True))
    y = await bench.cycle(Inputs())
    assert (y.largest, y.sums) == (packed([special.LOWEST] * CFG.batch), 0)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside, the largest results and the sums."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in 1, 2, 3, 40, 90, 114, 115, 116, 117:
        for cycle in range(cycles):
            await bench.cycle(Inputs(result(bits(cycle), [SIGMOID, SOFTMAX][cycles % 2], rng)))
        await bench.start()
        await bench.run([result(bits(1), SOFTMAX, rng)], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(special.EVENTS, seen(Model.NAME), f"cfg={CFG}")
