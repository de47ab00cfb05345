"""cocotb bench of hdl.enmc.fp32_divide, run by test_fp32_divide.py inside the simulator."""

import random

import cocotb
import numpy as np

from golden.enmc import fp32, fp32_divide
from golden.enmc.fp32_divide import INTERVAL, LATENCY, DivideInputs, DivideOutputs
from hdl.enmc.fp32_divide import operands_layout
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of, gaps, make, transfer
from tests.enmc.fp32_cases import CORNERS, pairs

OPERANDS = fields_of(operands_layout())


class Model(fp32_divide.DivideModel):
    NAME, INPUTS, OUTPUTS, io = "enmc_fp32_divide", DivideInputs, DivideOutputs, {}

    def __init__(self, _cfg):
        super().__init__()

    def unknown(self):
        return set()


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": OPERANDS}, ("o",), ("o",)

    def sample(self, x):
        return DivideOutputs(bool(self.dut.i__ready.value),
                             int(self.dut.o__payload.value) if self.dut.o__valid.value else None)


def operands(a, b):
    return [make(OPERANDS, a=int(x), b=int(y)) for x, y in zip(a, b, strict=True)]


def quotients(items):
    """Untimed."""
    return fp32.divide([item.a for item in items], [item.b for item in items]).tolist()


async def ready(dut):
    bench = Bench(dut, None)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.02, 1.0], p_ready=[0.05, 1.0])
async def random_operands(dut, p_valid, p_ready):
    """Every cycle of random operands equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    items = operands(*pairs(np.random.default_rng(rng.getrandbits(32)), 120))
    await transfer(bench, items, quotients(items), i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng))
    await bench.finish(LATENCY)


@cocotb.test(**LIMIT)
async def corners(dut):
    """Pairs of zeros, subnormal numbers, limits, infinities, NaNs: every corner with others and with itself."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    items = operands(CORNERS, CORNERS)
    for _ in range(8):
        items += operands(CORNERS, rng.sample(CORNERS, len(CORNERS)))
    await transfer(bench, items, quotients(items), i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.finish(LATENCY)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """The latency, then a quotient in each interval, whatever the operands."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    await bench.cycle(DivideInputs())
    for count in 1, 2, 20:
        items = operands(*pairs(np.random.default_rng(count), count))
        cycles = await transfer(bench, items, quotients(items), i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
        assert cycles == LATENCY + (count - 1) * INTERVAL + 1
        await bench.finish(LATENCY)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the operands, wherever they are."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    items = operands([fp32.ONE], [0x4040_0000])
    for cycles in range(LATENCY + 3):
        for _ in range(cycles):
            await bench.cycle(DivideInputs(items[0]))
        await bench.start()
        await transfer(bench, items, quotients(items), i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.finish(LATENCY)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(fp32_divide.EVENTS, seen(Model.NAME))
