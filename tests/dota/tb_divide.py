"""cocotb bench of hdl.dota.divide, run by test_divide.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.dota import divide
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench

ONE, MOST = 1 << 15, (1 << divide.DIVISOR_BITS) - 1


class Inputs(NamedTuple):
    dividend: int = 0
    divisor: int = 1


class Outputs(NamedTuple):
    o: int


class Model(divide.DivideModel):
    NAME, INPUTS, OUTPUTS, io = "dota_divide", Inputs, Outputs, {}

    def __init__(self, _cfg):
        super().__init__()

    def unknown(self):
        return set()

    def step(self, x):
        return Outputs(super().step(x.dividend, x.divisor))


class Bench(PinBench):
    MODEL = Model


async def ready(dut):
    bench = Bench(dut, None)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def random_operands(dut):
    """Every cycle of operands of all sizes equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(8000):
        divisor = max(rng.getrandbits(24) >> rng.randrange(24), 1)
        await bench.cycle(Inputs(rng.randint(0, min(ONE, divisor)), divisor))
    await bench.finish(divide.LATENCY)


@cocotb.test(**LIMIT)
async def small_operands(dut):
    """Every pair up to 40."""
    bench = await ready(dut)
    for divisor in range(1, 41):
        for dividend in range(divisor + 1):
            await bench.cycle(Inputs(dividend, divisor))
    await bench.finish(divide.LATENCY)


@cocotb.test(**LIMIT)
async def limits(dut):
    """Largest and smallest operands, equal ones, and quotients at and beside a half."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for divisor in 1, 2, ONE - 1, ONE, ONE + 1, 2 * ONE, 256 * ONE, MOST - 1, MOST:
        for dividend in {0, 1, divisor // 2, divisor - 1, divisor, ONE - 1, ONE}:
            if dividend <= min(divisor, ONE):
                await bench.cycle(Inputs(dividend, divisor))
    for _ in range(2000):
        # The quotient is an odd number of halves if the divisor is a power of two above 2**15.
        divisor = (1 << rng.randint(16, 23)) + rng.randint(-1, 1)
        await bench.cycle(Inputs(rng.randint(0, ONE), divisor))
    await bench.finish(divide.LATENCY)


@cocotb.test(**LIMIT)
async def latency(dut):
    """A quotient exactly LATENCY cycles later, one a cycle."""
    bench = await ready(dut)
    results = [(await bench.cycle(Inputs(cycle, ONE))).o for cycle in range(60)]
    assert results == [0] * divide.LATENCY + list(range(60 - divide.LATENCY))
    await bench.finish(divide.LATENCY)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """After a reset zeros come out until the first operands do."""
    bench = await ready(dut)
    for cycles in range(1, divide.LATENCY + 3):
        for _ in range(cycles):
            await bench.cycle(Inputs(ONE, ONE))
        await bench.start()
        for _ in range(divide.LATENCY):
            assert not (await bench.cycle(Inputs(1, 2))).o
    await bench.finish(divide.LATENCY)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(divide.EVENTS, seen(Model.NAME))
