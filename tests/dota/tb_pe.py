"""cocotb bench of hdl.dota.pe, run by test_pe.py inside the simulator."""

import itertools
import random
from typing import NamedTuple

import cocotb

from golden.dota import pe
from golden.dota.config import DotaConfig
from golden.dota.formats import (
    ELEMENT_BITS,
    INPUTS,
    OUTPUTS,
    PE_LATENCY,
    PE_SUM_BITS,
    SUM_BITS,
    Precision,
)
from golden.dota.multiplier import SLOTS, pack, unpack
from golden.dota.pe import accumulate
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.dota.array_traffic import corner, word

CFG = config(DotaConfig)
MASK = (1 << SUM_BITS) - 1


class Inputs(NamedTuple):
    operand: int | None = None
    take: bool = False
    load: bool = False
    slot: int | None = None
    precision: int | None = None
    fire: bool = False
    first: bool | None = None


class Outputs(NamedTuple):
    sum: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_pe", pe, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        y = Outputs(int(self.s.sum[0, 0, 0]) & MASK)
        pe.clock(self.s, 0, x.operand or 0, x.take, x.load, x.slot or 0, int(x.precision or 0), x.fire, bool(x.first))
        return y


class Bench(PinBench):
    MODEL = Model

    async def settled(self) -> int:
        """The sum when nothing is on its way any more."""
        for _ in range(PE_LATENCY):
            await self.cycle(self.idle)
        return (await self.cycle(self.idle)).sum


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_fire=[0.3, 1.0], p_take=[0.3, 1.0], p_switch=[0.0, 0.1, 1.0])
async def random_fires(dut, p_fire, p_take, p_switch):
    """Every cycle of random fires, operands and precisions equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    precision = Precision.FX16
    for step in range(600):
        if step % 150 == 0 or rng.random() < p_switch:
            precision = Precision(step // 150 if p_switch == 0 else rng.randrange(4))
        make = corner if rng.random() < 0.5 else word
        await bench.cycle(Inputs(make(rng, precision), rng.random() < p_take, rng.random() < 0.3, rng.randrange(SLOTS),
                                 precision, rng.random() < p_fire, rng.random() < 0.05))
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["FX16", "INT8", "INT4", "INT2"])
async def full_throughput(dut, name):
    """One fire a cycle, with an operand that comes with it; the sum is there three cycles after the last one."""
    rng, precision = random.Random(cocotb.RANDOM_SEED), Precision[name]
    bench = await started(dut)
    slots = [word(rng, precision) for _ in range(SLOTS)]
    for k, slot in enumerate(slots):
        await bench.cycle(Inputs(slot, load=True, slot=k))
    expected = 0
    start, fires = bench.cycle_number, 100
    for k in range(fires):
        operand = word(rng, precision)
        expected = accumulate(0 if k == 0 else expected, operand, slots, precision)
        await bench.cycle(Inputs(operand, take=True, precision=precision, fire=True, first=k == 0))
    sums = [(await bench.cycle(bench.idle)).sum for _ in range(PE_LATENCY)]
    assert sums.index(expected) == PE_LATENCY - 1
    assert bench.cycle_number - start == fires + PE_LATENCY
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["INT8", "INT4", "INT2"])
async def longest_sums(dut, name):
    """The largest products in one field: exact as long as they fit, then it wraps, and its neighbours do not notice."""
    precision = Precision[name]
    bench = await started(dut)
    bits, width = ELEMENT_BITS[precision], PE_SUM_BITS[precision]
    inputs, fields, lowest = INPUTS[precision], OUTPUTS[precision], -(1 << bits - 1)
    most = (1 << width - 1) - 1
    fires = min(most // (inputs * lowest * lowest) + 1, 60)
    for victim in range(fields):
        for k in range(SLOTS):
            elements = [lowest] * inputs if k == victim else [-1] + [0] * (inputs - 1)
            await bench.cycle(Inputs(pack(elements), load=True, slot=k))
        for k in range(fires):
            await bench.cycle(Inputs(pack([lowest] * inputs), take=True, precision=precision, fire=True, first=k == 0))
            if k < fires - 2:
                continue
            total = await bench.settled()
            exact = [(k + 1) * (inputs * lowest * lowest if field == victim else -lowest) for field in range(fields)]
            assert unpack(total, width, SUM_BITS) == [
                value if value <= most else value - (1 << width) for value in exact]
    await bench.finish()


@cocotb.test(**LIMIT)
async def captures(dut):
    """Take and load at once; each slot alone; a fire without operands uses those that are there."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for slot, precision in itertools.product(range(SLOTS), Precision):
        for take, load, fire in itertools.product((0, 1), repeat=3):
            await bench.cycle(Inputs(word(rng, precision), bool(take), bool(load), slot, precision, bool(fire), False))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset between fire and sum forgets the fire, the sum and the operands."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for cycles in range(1, 6):
        for k in range(cycles):
            await bench.cycle(Inputs(word(rng, 0), True, True, k % SLOTS, Precision.INT2, True, False))
        await bench.start()
        assert await bench.settled() == 0
        await bench.cycle(Inputs(word(rng, 0), precision=Precision.FX16, fire=True, first=False))
        assert await bench.settled() == 0
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(pe.EVENTS, seen(Model.NAME), f"cfg={CFG}")
