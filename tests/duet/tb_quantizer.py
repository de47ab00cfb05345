"""cocotb bench of hdl.duet.quantizer, run by test_quantizer.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import quantizer
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, VALUE_BITS
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.duet.front import pack, unpack, values

CFG = config(DuetConfig)


class Inputs(NamedTuple):
    i_valid: bool = False
    i: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_quantizer", quantizer, Inputs, Outputs

    def step(self, x):
        s = self.s
        valid = bool(quantizer.valid_of(s, 0))
        low = [int(quantizer.value_of(s, 0, k)) for k in range(CFG.values)]
        quantizer.clock(s, 0, x.i_valid, unpack(x.i or 0, CFG.values, VALUE_BITS))
        return Outputs(valid, pack(low, LOW_BITS) if valid else None)


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o": "o_valid"}, ("o_valid",)


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED), np.random.default_rng(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0])
async def random_words(dut, p_valid):
    """Every cycle of values of all sizes equals the golden model."""
    bench, rng, numbers = await ready(dut)
    offers = gaps(p_valid, rng)
    for _ in range(300):
        x = Inputs(True, pack(values(numbers, CFG.values), VALUE_BITS)) if next(offers) else Inputs()
        await bench.cycle(x)
    await bench.finish()


@cocotb.test(**LIMIT)
async def ends_of_every_code(dut):
    """The first and the last value of each of the 16 codes, in a word every cycle, one cycle later."""
    bench, _rng, _numbers = await ready(dut)
    marks = sorted(mark + near for mark in range(-1 << 15, 1 << 15, 1 << 12) for near in (0, 1, (1 << 12) - 1))
    for first in range(len(marks)):
        word = np.array([marks[(first + k) % len(marks)] for k in range(CFG.values)])
        await bench.cycle(Inputs(True, pack(word, VALUE_BITS)))
        y = await bench.cycle(Inputs())
        assert y.o == pack(quantizer.quantize_array(word), LOW_BITS)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A word in every cycle comes out in every cycle, LATENCY cycles later."""
    bench, _rng, numbers = await ready(dut)
    words = [values(numbers, CFG.values) for _ in range(50)]
    results = [await bench.cycle(Inputs(True, pack(word, VALUE_BITS))) for word in words]
    results.append(await bench.cycle(Inputs()))
    assert [y.o for y in results[quantizer.LATENCY:]] == [pack(quantizer.quantize_array(w), LOW_BITS) for w in words]
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the word."""
    bench, _rng, _numbers = await ready(dut)
    await bench.cycle(Inputs(True, 1 << 15))
    await bench.start()
    assert not (await bench.cycle(Inputs())).o_valid
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(quantizer.EVENTS, seen(Model.NAME), f"cfg={CFG}")
