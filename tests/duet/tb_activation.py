"""cocotb bench of hdl.duet.activation, run by test_activation.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import activation
from golden.duet.config import DuetConfig
from golden.duet.formats import Function
from sim.common.bench import config, signed, to_raw, to_signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps

CFG = config(DuetConfig)
LATENCY = activation.LATENCY


class Inputs(NamedTuple):
    advance: bool = True
    i_valid: bool = False
    i: int | None = None
    curve: int | None = None
    i_tag: int | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None
    o_tag: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_activation", activation, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        valid = bool(activation.valid_of(s, 0))
        y = Outputs(valid, *((int(activation.value_of(s, 0)), int(activation.tag_of(s, 0))) if valid else (None, None)))
        value = to_signed(x.i, 16) if x.i_valid else 0
        activation.clock(s, 0, x.advance, x.i_valid, value, x.curve or 0, x.i_tag or 0)
        return y


class Bench(PinBench):
    MODEL, FORMATS, GATES, QUIET = Model, {"o": signed(16)}, {"o": "o_valid", "o_tag": "o_valid"}, ("o_valid",)

    async def send(self, value, function, tag=0, advance=True):
        """One cycle with a value."""
        return await self.cycle(Inputs(advance, True, to_raw(value, 16), int(function), tag))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(curve=["sigmoid", "tanh"])
async def every_operand(dut, curve):
    """All 65,536, one a cycle: that is the full throughput, too."""
    bench = await ready(dut)
    for value in range(-32768, 32768):
        y = await bench.send(value, Function[curve.upper()], value & 0xFFFF)
        assert y.o_valid == (value >= -32768 + LATENCY)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], p_advance=[0.3, 0.8, 1.0])
async def random_values(dut, p_valid, p_advance):
    """Every cycle of random values, functions, gaps and stalls equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, offers, moves = await ready(dut), gaps(p_valid, rng), gaps(p_advance, rng)
    for _ in range(1500):
        value = rng.randrange(-1 << 15, 1 << 15) >> rng.randrange(12)
        value = rng.choice([value, value, value, 0, -32768, 32767])
        if next(offers):
            await bench.send(value, rng.choice(list(Function)), rng.getrandbits(16), next(moves))
        else:
            await bench.cycle(Inputs(next(moves)))
    await bench.finish(LATENCY + 2)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets what is inside."""
    bench = await ready(dut)
    for cycles in range(LATENCY + 1):
        for _ in range(cycles):
            await bench.send(100, Function.TANH)
        await bench.start()
        for _ in range(LATENCY + 1):
            assert not (await bench.cycle(Inputs())).o_valid
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(activation.EVENTS, seen(Model.NAME), f"cfg={CFG}")
