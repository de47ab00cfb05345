"""cocotb bench of hdl.enmc.fp32_add, run by test_fp32_add.py inside the simulator."""

import cocotb
import numpy as np

from golden.enmc import formats, fp32
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT
from tests.enmc.fp32_cases import corner_pairs, pairs
from tests.enmc.fp32_pipeline import EVENTS, Inputs, PipelineBench, PipelineModel, send_all

LATENCY = formats.ADD_LATENCY


class Model(PipelineModel):
    NAME, OPERATION, LATENCY = "enmc_fp32_add", "+", LATENCY


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
async def cancellation(dut):
    """x - y of neighbours, across a power of two as well: 0 or 24 leading zeros, and subnormal results."""
    bench = await ready(dut)
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    a = rng.integers(0, 256, 1500) << 23 | rng.choice([0, 1, 2, 0x7F_FFFE, 0x7F_FFFF, 0x55_5555], 1500)
    b = np.maximum(a + rng.integers(-3, 4, 1500), 0) ^ 1 << 31
    await send_all(bench, a, b)


@cocotb.test(**LIMIT)
async def distances(dut):
    """Every distance of exponents, sums and differences, with bits that are lost, that round, and that tie."""
    bench = await ready(dut)
    large = [127 << 23 | fraction for fraction in (0, 1, 0x7F_FFFF)]
    small = [fraction | sign for fraction in (0, 1, 0x40_0000, 0x40_0001, 0x7F_FFFF) for sign in (0, 1 << 31)]
    cases = [(x, y | 127 - distance << 23) for distance in range(40) for x in large for y in small]
    await send_all(bench, *zip(*cases, strict=True))


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One sum a cycle, each exactly LATENCY cycles after its operands."""
    bench = await ready(dut)
    numbers = fp32.bits_of(np.arange(1, 40)).tolist()
    results = [(await bench.cycle(Inputs(number, fp32.ONE))).o for number in numbers]
    assert results == [0] * LATENCY + fp32.add(numbers, fp32.ONE).tolist()[:-LATENCY]
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
