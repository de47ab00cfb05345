"""cocotb bench of hdl.duet.switching_map, run by test_switching_map.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import switching_map
from golden.duet.config import DuetConfig
from golden.duet.formats import SUM_BITS, Function
from sim.common.bench import config
from sim.common.bench import signed as signed_field
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.dota.packed import pack, unpack

CFG = config(DuetConfig)
LANES = CFG.columns
LOW, HIGH = -1 << SUM_BITS - 1, (1 << SUM_BITS - 1) - 1
NO_SUMS = np.zeros(LANES, np.int64)
THRESHOLDS = [0, 1, -1, 1000, -1000, HIGH, LOW]


class Inputs(NamedTuple):
    advance: bool = True
    two_sided: bool = False
    threshold: int = 0
    channels: int = 1
    i_valid: bool = False
    i: int | None = None
    first: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_switching_map", switching_map, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, valid = self.s, bool(switching_map.valid_of(self.s, 0))
        bits = [int(switching_map.sensitive_of(s, 0, index)) for index in range(LANES)]
        sums = np.array(unpack(x.i, LANES, SUM_BITS, signed=True), np.int64) if x.i_valid else NO_SUMS
        switching_map.clock(s, 0, x.advance, x.i_valid, sums, x.first or 0, x.channels,
                            Function.SIGMOID.value if x.two_sided else Function.RELU.value, x.threshold)
        return Outputs(valid, pack(bits, 1) if valid else None)


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"o": "o_valid"}, ("o_valid",)
    FORMATS = {"threshold": signed_field(SUM_BITS)}

    def drive(self, x):
        super().drive(x._replace(threshold=x.threshold & (1 << SUM_BITS) - 1))

    async def begin(self, function, threshold, channels=LANES):
        """A job, when nothing is inside; two cycles before it counts."""
        await self.finish(switching_map.LATENCY + 1)
        self.idle = Inputs(two_sided=function in (Function.SIGMOID, Function.TANH), threshold=threshold,
                           channels=channels)
        await self.finish(2)

    async def send(self, sums, first=0, advance=True):
        """One cycle with sums."""
        return await self.cycle(self.idle._replace(i_valid=True, i=pack(sums, SUM_BITS), first=first, advance=advance))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


def near(rng, threshold):
    """A sum at the threshold, beside it, at its opposite, or anywhere."""
    marks = [threshold, -threshold, rng.randint(LOW, HIGH), rng.choice([LOW, HIGH, 0])]
    return min(max(rng.choice(marks) + rng.randint(-1, 1), LOW), HIGH)


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function), p_valid=[0.4, 1.0], p_advance=[0.4, 1.0])
async def random_sums(dut, function, p_valid, p_advance):
    """Every cycle of sums near the threshold equals the golden model; parts of the last outputs are cut off."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, offers, moves = await ready(dut), gaps(p_valid, rng), gaps(p_advance, rng)
    for threshold in THRESHOLDS:
        channels = rng.randint(1, 5 * LANES)
        await bench.begin(function, threshold, channels)
        for _ in range(20):
            first = rng.randrange(-(-channels // LANES)) * LANES
            if next(offers):
                await bench.send([near(rng, threshold) for _ in range(LANES)], first, next(moves))
            else:
                await bench.cycle(bench.idle._replace(advance=next(moves)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Sums in every cycle; each bit exactly LATENCY cycles later."""
    bench = await ready(dut)
    await bench.begin(Function.RELU, 7)
    for cycle in range(40):
        y = await bench.send([cycle % 14] * LANES)
        assert y.o_valid == (cycle >= switching_map.LATENCY)
        assert not y.o_valid or bool(y.o) == ((cycle - switching_map.LATENCY) % 14 >= 7)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside."""
    bench = await ready(dut)
    for cycles in range(switching_map.LATENCY + 1):
        await bench.begin(Function.TANH, 5)
        await bench.send([1] * LANES)
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        await bench.start()
        await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(switching_map.EVENTS, seen(Model.NAME), f"cfg={CFG}")
