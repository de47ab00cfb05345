"""cocotb bench of hdl.enmc.fp32_add, run by test_fp32_add.py inside the simulator."""

import cocotb
import numpy as np

from golden.enmc import formats
from tests.common.units import LIMIT
from tests.enmc.fp32_pipeline import PipelineBench, PipelineModel, send_all, tests_of


class Model(PipelineModel):
    NAME, OPERATION, LATENCY = "enmc_fp32_add", "+", formats.ADD_LATENCY


class Bench(PipelineBench):
    MODEL = Model


corners, random_operands, full_throughput, reset_mid_flight, coverage = tests_of(Bench)


@cocotb.test(**LIMIT)
async def cancellation(dut):
    """x - y of neighbours, across a power of two as well: 0 or 24 leading zeros, and subnormal results."""
    bench = await Bench.ready(dut)
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    a = rng.integers(0, 256, 1500) << 23 | rng.choice([0, 1, 2, 0x7F_FFFE, 0x7F_FFFF, 0x55_5555], 1500)
    b = np.maximum(a + rng.integers(-3, 4, 1500), 0) ^ 1 << 31
    await send_all(bench, a, b)


@cocotb.test(**LIMIT)
async def distances(dut):
    """Every distance of exponents, sums and differences, with bits that are lost, that round, and that tie."""
    bench = await Bench.ready(dut)
    large = [127 << 23 | fraction for fraction in (0, 1, 0x7F_FFFF)]
    small = [fraction | sign for fraction in (0, 1, 0x40_0000, 0x40_0001, 0x7F_FFFF) for sign in (0, 1 << 31)]
    cases = [(x, y | 127 - distance << 23) for distance in range(40) for x in large for y in small]
    await send_all(bench, *zip(*cases, strict=True))
