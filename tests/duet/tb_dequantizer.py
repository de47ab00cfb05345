"""cocotb bench of hdl.duet.dequantizer, run by test_dequantizer.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import dequantizer
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, VALUE_BITS, Function
from golden.duet.quantizer import dequantize_array
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.duet.front import pack

CFG = config(DuetConfig)
SCALES = (0, 1, 2185, 4096, 4681, 32767, 65535)


class Inputs(NamedTuple):
    advance: bool = True
    i_valid: bool = False
    i: int | None = None
    is_signed: bool | None = None
    scale: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_dequantizer", dequantizer, Inputs, Outputs

    def step(self, x):
        s = self.s
        valid = bool(dequantizer.valid_of(s, 0))
        values = [int(dequantizer.value_of(s, 0, k)) for k in range(CFG.columns)]
        codes = np.array([(x.i or 0) >> LOW_BITS * k & 15 for k in range(CFG.columns)])
        dequantizer.clock(s, 0, x.advance, x.i_valid, codes, bool(x.is_signed), x.scale or 0)
        return Outputs(valid, pack(values, VALUE_BITS) if valid else None)


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o": "o_valid"}, ("o_valid",)

    async def send(self, codes, function, scale, advance=True):
        return await self.cycle(Inputs(advance, True, pack(codes, LOW_BITS), function == Function.TANH, scale))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0], p_advance=[0.3, 1.0])
async def random_codes(dut, p_valid, p_advance):
    """Every cycle of random codes, scales and functions equals the golden model."""
    bench, rng = await ready(dut)
    offers, advances = gaps(p_valid, rng), gaps(p_advance, rng)
    for _ in range(400):
        scale = rng.choice(SCALES) if rng.random() < 0.3 else rng.randrange(1 << 16) >> rng.randrange(16)
        x = Inputs(next(advances))
        if next(offers):
            codes = pack([rng.randrange(16) for _ in range(CFG.columns)], LOW_BITS)
            x = Inputs(x.advance, True, codes, rng.random() < 0.5, scale)
        await bench.cycle(x)
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_code(dut):
    """Every code of every function, at full throughput, LATENCY cycles later."""
    bench, _rng = await ready(dut)
    expected, results = [], []
    for scale in SCALES:
        for function in Function:
            for first in range(16):
                codes = [(first + k) % 16 for k in range(CFG.columns)]
                results.append(await bench.send(codes, function, scale))
                expected.append(pack(dequantize_array(codes, function, scale), VALUE_BITS))
    results += [await bench.cycle(Inputs()) for _ in range(dequantizer.LATENCY)]
    assert [y.o for y in results[dequantizer.LATENCY:]] == expected
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside, also while it waits."""
    bench, _rng = await ready(dut)
    for advance in (True, False):
        for cycles in range(dequantizer.LATENCY + 1):
            for _ in range(cycles):
                await bench.send([1] * CFG.columns, Function.RELU, 5)
            await bench.send([2] * CFG.columns, Function.RELU, 5, advance)
            await bench.start()
            for _ in range(dequantizer.LATENCY + 1):
                assert not (await bench.cycle(Inputs())).o_valid
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(dequantizer.EVENTS, seen(Model.NAME), f"cfg={CFG}")
