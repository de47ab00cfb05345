"""cocotb bench of hdl.enmc.fp32_multiply, run by test_fp32_multiply.py inside the simulator."""

import cocotb
import numpy as np

from golden.enmc import formats, fp32
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT
from tests.enmc.fp32_cases import corner_pairs, pairs
from tests.enmc.fp32_pipeline import EVENTS, Inputs, PipelineBench, PipelineModel, send_all

LATENCY = formats.MULTIPLY_LATENCY


class Model(PipelineModel):
    NAME, OPERATION, LATENCY = "enmc_fp32_multiply", "*", LATENCY


class Bench(PipelineBench):
    MODEL = Model


async def ready(dut):
    bench = Bench(dut, None)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def corners(dut):
    """Every pair of zeros, subnormal numbers, limits, infinities, NaNs."""
    await send_all(await ready(dut), *corner_pairs())


@cocotb.test(**LIMIT)
async def random_operands(dut):
    """Every cycle of random operands equals the golden model."""
    await send_all(await ready(dut), *pairs(np.random.default_rng(cocotb.RANDOM_SEED), 4000))


@cocotb.test(**LIMIT)
async def limits(dut):
    """Products about the largest number, the smallest one, the smallest normal one, and half of these."""
    bench = await ready(dut)
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    count = 2000
    a = rng.integers(1, 1 << 31, count) & ~0xFF_8000 | rng.integers(1, 255, count) << 23
    goal = rng.choice([127 - 25, 127 - 24, 127 - 1, 127, 127 + 254, 127 + 255], count)
    fraction = rng.choice([0, 1, 0x40_0000, 0x7F_FFFF], count)
    b = np.clip(goal - (a >> 23 & 255), 0, 254) << 23 | fraction
    await send_all(bench, a, b)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One product a cycle, each exactly LATENCY cycles after its operands."""
    bench = await ready(dut)
    numbers = fp32.bits_of(np.arange(1, 40)).tolist()
    results = [(await bench.cycle(Inputs(number, fp32.ONE))).o for number in numbers]
    assert results == [0] * LATENCY + numbers[:-LATENCY]
    await bench.finish(LATENCY)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """After a reset zeros come out until the first operands do."""
    bench = await ready(dut)
    for cycles in range(1, LATENCY + 3):
        for _ in range(cycles):
            await bench.cycle(Inputs(fp32.NAN, fp32.ONE))
        await bench.start()
        for _ in range(LATENCY):
            assert not (await bench.cycle(Inputs(fp32.ONE, fp32.ONE))).o
    await bench.finish(LATENCY)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(EVENTS, seen(Model.NAME))
