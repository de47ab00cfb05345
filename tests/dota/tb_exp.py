"""cocotb bench of hdl.dota.exp, run by test_exp.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.dota import exp
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench


class Inputs(NamedTuple):
    i: int = 0


class Outputs(NamedTuple):
    o: int


class Model(exp.ExpModel):
    NAME, INPUTS, OUTPUTS, io = "dota_exp", Inputs, Outputs, {}

    def __init__(self, _cfg):
        super().__init__()

    def unknown(self):
        return set()

    def step(self, x):
        return Outputs(super().step(x.i))


class Bench(PinBench):
    MODEL = Model


async def ready(dut):
    bench = Bench(dut, None)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def every_operand(dut):
    """All of them, one a cycle: that is the full throughput, too."""
    bench = await ready(dut)
    for y in range(1 << exp.Y_BITS):
        await bench.cycle(Inputs(y))
    await bench.finish()


@cocotb.test(**LIMIT)
async def latency(dut):
    """0 gives 32768, exactly LATENCY cycles later and only then."""
    bench = await ready(dut)
    most = (1 << exp.Y_BITS) - 1
    results = [(await bench.cycle(Inputs(0 if cycle == 10 else most))).o for cycle in range(20)]
    assert results == [0] * (10 + exp.LATENCY) + [32768] + [0] * (9 - exp.LATENCY)
    await bench.finish()


@cocotb.test(**LIMIT)
async def random_operands(dut):
    """In any order, with resets between."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycle in range(2000):
        await bench.cycle(Inputs(rng.getrandbits(exp.Y_BITS) >> rng.randrange(exp.Y_BITS)))
        if cycle % 100 == 99:
            await bench.start()
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(exp.EVENTS, seen(Model.NAME))
