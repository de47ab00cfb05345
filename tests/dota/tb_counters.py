"""cocotb bench of hdl.dota.counters, run by test_counters.py inside the simulator."""

import random

import cocotb

from golden.dota import counters
from golden.dota.config import DotaConfig
from golden.dota.registers import COUNTERS
from hdl.dota.counters import amounts_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of
from tests.dota.counters_traffic import LARGEST, Inputs, Model, Outputs, expected, random_cycle

CFG = config(DotaConfig)
AMOUNTS = fields_of(amounts_layout())
IDLE = Inputs()


class Bench(PinBench):
    MODEL = Model

    def drive(self, x):
        packed = AMOUNTS.pack(**dict(zip(COUNTERS, x.amounts, strict=True)))
        super().drive(x._replace(amounts=packed))

    async def rest(self, cycles):
        for _ in range(cycles):
            y = await self.cycle(IDLE)
        return y


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(density=[0.0, 0.2, 1.0])
async def exact_sums(dut, density):
    """Every cycle equals the golden model, and the sums are those of all amounts."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    history = [random_cycle(rng, density) for _ in range(200)]
    for x in history:
        await bench.cycle(x)
    assert await bench.rest(counters.LATENCY + 1) == await bench.rest(5) == expected(history)
    bench.collect()


@cocotb.test(**LIMIT)
async def one_amount_alone(dut):
    """Each amount appears in its counter, and in no other one, 2 cycles later; all of its bits."""
    bench = await started(dut)
    zero = Outputs(*[0] * len(COUNTERS))
    for k, name in enumerate(COUNTERS):
        for amount in 1, 0x5A5A5A, LARGEST:
            await bench.cycle(Inputs(clear=True))
            x = Inputs(amounts=tuple(amount if i == k else 0 for i in range(len(COUNTERS))))
            assert await bench.cycle(x) == zero
            assert await bench.rest(counters.LATENCY - 1) == zero
            assert await bench.rest(1) == zero._replace(**{name: amount})
    await bench.cycle(Inputs(clear=True))
    bench.collect()


@cocotb.test(**LIMIT)
async def clear_in_any_cycle(dut):
    """Counting starts with the cycle of the clear: what came before it is gone, also what was on its way."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(20):
        for _ in range(rng.randrange(1, 6)):
            await bench.cycle(random_cycle(rng, 0.7))
        history = [random_cycle(rng, 0.7, clear=k == 0) for k in range(rng.randrange(1, 6))]
        for x in history:
            await bench.cycle(x)
        assert await bench.rest(counters.LATENCY + 1) == expected(history)
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_drops_all(dut):
    """A reset clears counters and what is on its way to them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for cycles in range(1, 5):
        for _ in range(cycles):
            await bench.cycle(random_cycle(rng, 1.0))
        await bench.start()
        assert await bench.rest(4) == Outputs(*[0] * len(COUNTERS))


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Every counter grows by the most that it can in every cycle."""
    bench = await started(dut)
    for _ in range(100):
        await bench.cycle(Inputs(amounts=(LARGEST,) * len(COUNTERS)))
    assert set(await bench.rest(counters.LATENCY + 1)) == {100 * LARGEST}
    bench.collect()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(counters.EVENTS, seen(Model.NAME), f"cfg={CFG}")
