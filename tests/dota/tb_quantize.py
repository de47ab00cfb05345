"""cocotb bench of hdl.dota.quantize, run by test_quantize.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import quantize
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.dota.packed import pack, unpack
from tests.dota.shapes import QuantizeShape

CFG = config(QuantizeShape)
N, IN_BITS, OUT_BITS = CFG.n, CFG.in_bits, CFG.out_bits
LOW, HIGH = -1 << IN_BITS - 1, (1 << IN_BITS - 1) - 1
#: Largest result.
TOP = (1 << OUT_BITS - 1) - 1


class Inputs(NamedTuple):
    i_valid: bool = False
    i: int | None = None
    shift: int | None = None
    relu: bool = False


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None
    saturated: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_quantize", quantize, Inputs, Outputs

    def __init__(self, _cfg):
        super().__init__(N)

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        valid = bool(quantize.valid_of(s, 0))
        values = [int(quantize.value_of(s, 0, index)) for index in range(N)]
        y = Outputs(valid, pack(values, OUT_BITS) if valid else None, bool(quantize.saturated_of(s, 0)))
        values = unpack(x.i, N, IN_BITS, signed=True) if x.i_valid else [0] * N
        quantize.clock(s, 0, x.i_valid, numbers(values), x.shift or 0, x.relu, OUT_BITS)
        return y


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o": "o_valid"}, ("o_valid", "saturated")

    async def send(self, values, shift, relu=False):
        """One cycle with numbers."""
        return await self.cycle(Inputs(True, pack(values, IN_BITS), shift, relu))


def numbers(values):
    """As the model wants them."""
    return np.array(values, np.int64)


def near_the_limits(rng, shift):
    """A number whose result is somewhere around 0, the largest or the smallest result, or a half."""
    mark = rng.choice([0, 0, TOP, TOP + 1, -TOP, -TOP - 1, LOW >> shift, HIGH >> shift])
    return min(max((mark << shift) + rng.choice([-1, 0, 1]) * (1 << shift >> 1) + rng.randint(-2, 2), LOW), HIGH)


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], relu=[False, True])
async def random_numbers(dut, p_valid, relu):
    """Every cycle of numbers of all sizes equals the golden model, with another shift in each."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, offers = await ready(dut), gaps(p_valid, rng)
    for _ in range(400):
        if next(offers):
            shift = rng.randrange(48)
            bits = rng.randint(1, IN_BITS)
            await bench.send([rng.randint(-1 << bits - 1, (1 << bits - 1) - 1) for _ in range(N)], shift, relu)
        else:
            await bench.cycle(Inputs(relu=relu))
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(relu=[False, True])
async def limits(dut, relu):
    """Every shift: halves and their neighbours, largest and smallest results and what is just beyond."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for shift in range(64):
        for _ in range(12):
            await bench.send([near_the_limits(rng, shift) for _ in range(N)], shift, relu)
        await bench.send([LOW, HIGH] * (N // 2) + [LOW] * (N % 2), shift, relu)
    await bench.finish()


@cocotb.test(**LIMIT)
async def one_is_clipped(dut):
    """One clipped number anywhere sets the flag, for the cycle after the results."""
    bench = await ready(dut)
    if OUT_BITS >= IN_BITS:
        return
    for index in range(N):
        await bench.send([HIGH if k == index else 0 for k in range(N)], 0)
        flags = [(await bench.cycle(Inputs())).saturated for _ in range(quantize.LATENCY + 2)]
        assert flags == [False] * quantize.LATENCY + [True, False]
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Numbers in every cycle; each result exactly LATENCY cycles later."""
    bench = await ready(dut)
    assert not (await bench.send([0] * N, 0)).o_valid
    for cycle in range(1, 50):
        y = await bench.send([cycle % 2] * N, 0)
        assert y.o_valid == (cycle >= quantize.LATENCY)
        assert not y.o_valid or y.o == pack([cycle % 2] * N, OUT_BITS)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside, the flag too."""
    bench = await ready(dut)
    for cycles in range(quantize.LATENCY + 2):
        await bench.send([HIGH] * N, 0)
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        assert not (await bench.cycle(Inputs())).o_valid
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    clips = {"clipped_high", "clipped_low"} if OUT_BITS >= IN_BITS else set()
    assert_all(set(quantize.EVENTS) - clips, seen(Model.NAME), f"cfg={CFG}")
