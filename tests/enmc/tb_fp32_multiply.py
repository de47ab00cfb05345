"""cocotb bench of hdl.enmc.fp32_multiply, run by test_fp32_multiply.py inside the simulator."""

import cocotb
import numpy as np

from golden.enmc import formats
from tests.common.units import LIMIT
from tests.enmc.fp32_pipeline import PipelineBench, PipelineModel, send_all, tests_of


class Model(PipelineModel):
    NAME, OPERATION, LATENCY = "enmc_fp32_multiply", "*", formats.MULTIPLY_LATENCY


class Bench(PipelineBench):
    MODEL = Model


corners, random_operands, full_throughput, reset_mid_flight, coverage = tests_of(Bench)


@cocotb.test(**LIMIT)
async def limits(dut):
    """Products about the largest number, the smallest one, the smallest normal one, and half of these."""
    bench = await Bench.ready(dut)
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    count = 2000
    a = rng.integers(1, 1 << 31, count) & ~0xFF_8000 | rng.integers(1, 255, count) << 23
    goal = rng.choice([127 - 25, 127 - 24, 127 - 1, 127, 127 + 254, 127 + 255], count)
    fraction = rng.choice([0, 1, 0x40_0000, 0x7F_FFFF], count)
    b = np.clip(goal - (a >> 23 & 255), 0, 254) << 23 | fraction
    await send_all(bench, a, b)
