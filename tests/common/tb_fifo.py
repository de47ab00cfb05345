"""cocotb bench of hdl.common.fifo, run by test_fifo.py inside the simulator."""

import random

import cocotb

from golden.common.fifo import FifoInputs, FifoModel, FifoOutputs
from sim.common.bench import Gaps, Source, UnitBench, config
from sim.common.coverage import assert_all, seen
from tests.common.configs import FifoConfig

CFG = config(FifoConfig)
MASK = (1 << CFG.width) - 1
IDLE = FifoInputs(False, 0, False)


class Bench(UnitBench):
    def __init__(self, dut):
        super().__init__(dut, FifoModel(CFG.depth), name="fifo", cfg=CFG, streams=("o",))

    def drive(self, x):
        self.dut.i__valid.value = x.i_valid
        self.dut.i__payload.value = x.i_payload
        self.dut.o__ready.value = x.o_ready

    def sample(self, x):
        valid = bool(self.dut.o__valid.value)
        payload = int(self.dut.o__payload.value) if valid else None
        return FifoOutputs(bool(self.dut.i__ready.value), valid, payload, int(self.dut.level.value))


async def transfer(bench, items, i_gaps, o_gaps):
    """Send the items; checks that all of them arrive in order, and returns the cycles it took."""
    source, received, start = Source(items, i_gaps), [], bench.cycle_number
    while len(received) < len(items):
        x = FifoInputs(*source.offer(), next(o_gaps))
        y = await bench.cycle(x)
        source.taken(y.i_ready)
        if y.o_valid and x.o_ready:
            received.append(y.o_payload)
    assert received == items
    y = await bench.cycle(IDLE)
    assert (y.level, y.o_valid) == (0, False), "nothing may be left over"
    return bench.cycle_number - start - 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(p_valid=[0.2, 0.7, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut)
    await bench.reset(IDLE)
    items = [rng.getrandbits(CFG.width) for _ in range(200)]
    await transfer(bench, items, Gaps(p_valid, random.Random(rng.random())),
                   Gaps(p_ready, random.Random(rng.random())))
    bench.collect()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_throughput(dut):
    """One item a cycle, one in two cycles at depth 1; latency 1 cycle."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    always = Gaps(1, random.Random(0))
    interval = 1 if CFG.depth > 1 else 2
    for n in (1, 2, 100):
        assert await transfer(bench, [k & MASK for k in range(1, n + 1)], always, always) == (n - 1) * interval + 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fill_and_drain(dut):
    """Exactly depth items fit, and all of them come out."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    for _ in range(3):
        taken = 0
        for k in range(CFG.depth + 3):
            taken += (await bench.cycle(FifoInputs(True, taken & MASK, False))).i_ready
            assert taken == min(k + 1, CFG.depth)
        for k in range(CFG.depth):
            y = await bench.cycle(FifoInputs(False, 0, True))
            assert y.o_payload == k & MASK
    bench.collect()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_while_full(dut):
    """A reset empties the FIFO."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    for _ in range(CFG.depth):
        await bench.cycle(FifoInputs(True, 1, False))
    await bench.reset(IDLE)
    await transfer(bench, [2 & MASK, 3 & MASK], Gaps(1, random.Random(0)), Gaps(1, random.Random(0)))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    plan = FifoModel.EVENTS if CFG.depth > 1 else FifoModel.EVENTS - {"take_and_give"}
    assert_all(plan, seen("fifo"), f"cfg={CFG}")
