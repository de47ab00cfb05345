"""cocotb bench of hdl.duet.mfu, run by test_mfu.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import mfu
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, SUM_BITS, Function
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.dota.packed import pack, unpack

CFG = config(DuetConfig)
LANES = CFG.columns
LOW, HIGH = -1 << SUM_BITS - 1, (1 << SUM_BITS - 1) - 1
NO_SUMS = np.zeros(LANES, np.int64)


class Inputs(NamedTuple):
    advance: bool = True
    activation: int = 0
    low_shift: int = 0
    i_valid: bool = False
    i: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_mfu", mfu, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, valid = self.s, bool(mfu.valid_of(self.s, 0))
        codes = [int(mfu.code_of(s, 0, index)) & 15 for index in range(LANES)]
        sums = np.array(unpack(x.i, LANES, SUM_BITS, signed=True), np.int64) if x.i_valid else NO_SUMS
        mfu.clock(s, 0, x.advance, x.i_valid, sums, x.activation, x.low_shift)
        return Outputs(valid, pack(codes, LOW_BITS) if valid else None)


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o": "o_valid"}, ("o_valid",)

    async def send(self, sums, advance=True):
        """One cycle with sums."""
        return await self.cycle(self.idle._replace(i_valid=True, i=pack(sums, SUM_BITS), advance=advance))

    async def begin(self, function, low_shift):
        """A job, when nothing is inside."""
        await self.finish(mfu.LATENCY + 1)
        self.idle = Inputs(activation=int(function), low_shift=low_shift)


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function), p_valid=[0.4, 1.0], p_advance=[0.4, 1.0])
async def random_sums(dut, function, p_valid, p_advance):
    """Every cycle of sums of all sizes, with every shift, equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, offers, moves = await ready(dut), gaps(p_valid, rng), gaps(p_advance, rng)
    for low_shift in range(32):
        await bench.begin(function, low_shift)
        for _ in range(12):
            bits = rng.choice([min(32, 8 + low_shift), rng.randint(1, 32)])
            if next(offers):
                await bench.send([rng.randint(-1 << bits - 1, (1 << bits - 1) - 1) for _ in range(LANES)], next(moves))
            else:
                await bench.cycle(bench.idle._replace(advance=next(moves)))
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function))
async def whole_table(dut, function):
    """Every input of the function, by halves that are rounded up, and what is beyond the table."""
    bench = await ready(dut)
    await bench.begin(function, 1)
    inputs = [2 * x - half for x in range(-130, 131) for half in (0, 1)] + [LOW, HIGH]
    inputs += [0] * (-len(inputs) % LANES)
    for start in range(0, len(inputs), LANES):
        await bench.send(inputs[start:start + LANES])
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Sums in every cycle; each result exactly LATENCY cycles later."""
    bench = await ready(dut)
    for cycle in range(40):
        y = await bench.send([cycle % 16] * LANES)
        assert y.o_valid == (cycle >= mfu.LATENCY)
        assert not y.o_valid or y.o == pack([(cycle - mfu.LATENCY) % 16] * LANES, LOW_BITS)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside."""
    bench = await ready(dut)
    for cycles in range(mfu.LATENCY + 1):
        await bench.send([HIGH] * LANES)
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(mfu.EVENTS, seen(Model.NAME), f"cfg={CFG}")
