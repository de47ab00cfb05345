"""cocotb bench of hdl.eie.counters, run by test_counters.py inside the simulator."""

import random

import cocotb

from golden.eie import counters
from golden.eie.config import EieConfig
from golden.eie.formats import CAUSES, COUNTERS, WORK
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT
from tests.eie.central import CentralBench
from tests.eie.counters_traffic import CountersModel, CountersOutputs, expected, idle, random_cycle

CFG = config(EieConfig)
IDLE = idle(CFG)
RESET = IDLE._replace(reset=True)
#: Cycles from an event to its counter.
LATENCY = 2


class Bench(CentralBench):
    def __init__(self, dut):
        super().__init__(dut, CountersModel(CFG), name="counters", cfg=CFG, streams=(), idle=IDLE)

    def drive(self, x):
        self.write("reset", x.reset)
        self.write("running", x.running)
        self.write("cause", x.cause)
        self.write("events", sum(pe << len(WORK) * k for k, pe in enumerate(x.events)))

    def sample(self, x):
        return CountersOutputs(*(self.read(name) for name in COUNTERS))


@cocotb.test(**LIMIT)
@cocotb.parametrize(density=[0.0, 0.1, 0.5, 1.0])
async def exact_sums(dut, density):
    """Every cycle equals the golden model, and the sums are those of all events."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    history = [random_cycle(CFG, rng, density) for _ in range(200 if CFG.n_pe < 64 else 50)]
    for x in history:
        await bench.cycle(x)
    assert await bench.rest(LATENCY + 1) == await bench.rest(5) == expected(history)
    bench.collect()


@cocotb.test(**LIMIT)
async def one_event_alone(dut):
    """Each kind of work in the first and the last PE, and each cause, appears in its counter 2 cycles later."""
    bench = await Bench(dut).started()
    zero = CountersOutputs(*[0] * len(COUNTERS))
    single = [(IDLE._replace(running=True, cause=k), {"cycles": 1, cause: 1}) for k, cause in enumerate(CAUSES)]
    for bit, work in enumerate(WORK):
        for pe in {0, CFG.n_pe - 1}:
            events = tuple((k == pe) << bit for k in range(CFG.n_pe))
            single.append((IDLE._replace(events=events), {work: 1}))
    for x, counted in single:
        await bench.cycle(RESET)
        assert await bench.cycle(x) == zero
        assert await bench.rest(LATENCY - 1) == zero
        assert await bench.rest(1) == zero._replace(**counted)


@cocotb.test(**LIMIT)
async def reset_in_any_cycle(dut):
    """Counting starts with the cycle of the reset: what came before it is gone, also what was on its way."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for _ in range(20):
        for _ in range(rng.randrange(1, 6)):
            await bench.cycle(random_cycle(CFG, rng, 0.7))
        history = [random_cycle(CFG, rng, 0.7) for _ in range(rng.randrange(1, 6))]
        for k, x in enumerate(history):
            await bench.cycle(x._replace(reset=k == 0))
        assert await bench.rest(LATENCY + 1) == expected(history)
    bench.collect()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """All PEs do everything in every cycle."""
    bench = await Bench(dut).started()
    everything = (1 << len(WORK)) - 1
    for k in range(300):
        await bench.cycle(IDLE._replace(running=True, cause=k % len(CAUSES), events=(everything,) * CFG.n_pe))
    y = await bench.rest(LATENCY + 1)
    assert {getattr(y, name) for name in WORK} == {300 * CFG.n_pe}
    assert {getattr(y, name) for name in CAUSES} == {300 // len(CAUSES)}
    assert y.cycles == 300
    bench.collect()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(counters.EVENTS, seen("counters"), f"cfg={CFG}")
