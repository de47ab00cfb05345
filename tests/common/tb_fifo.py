"""cocotb bench of hdl.common.fifo, run by test_fifo.py inside the simulator."""

import random

import cocotb

from golden.common.fifo import FifoInputs, FifoModel, FifoOutputs
from sim.common.bench import Gaps, config
from sim.common.coverage import assert_all, seen
from tests.common.configs import FifoConfig
from tests.common.stream_units import StreamUnitBench

CFG = config(FifoConfig)
MASK = (1 << CFG.width) - 1
ALWAYS = Gaps(1, random.Random(0))


class Bench(StreamUnitBench):
    INPUTS = FifoInputs

    def __init__(self, dut):
        super().__init__(dut, FifoModel(CFG.depth), name="fifo", cfg=CFG, streams=("o",))

    def sample(self, x):
        return FifoOutputs(*self.offered(), int(self.dut.level.value))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(p_valid=[0.2, 0.7, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model."""
    await Bench(dut).random_transfer(CFG.width, p_valid, p_ready)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_throughput(dut):
    """One item a cycle, one in two cycles at depth 1; latency 1 cycle."""
    bench = Bench(dut)
    await bench.reset(bench.idle)
    interval = 1 if CFG.depth > 1 else 2
    for n in (1, 2, 100):
        assert await bench.transfer([k & MASK for k in range(1, n + 1)], ALWAYS, ALWAYS) == (n - 1) * interval + 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def fill_and_drain(dut):
    """Exactly depth items fit, and all of them come out."""
    bench = Bench(dut)
    await bench.reset(bench.idle)
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
    await bench.reset(bench.idle)
    for _ in range(CFG.depth):
        await bench.cycle(FifoInputs(True, 1, False))
    await bench.reset(bench.idle)
    await bench.transfer([2 & MASK, 3 & MASK], ALWAYS, ALWAYS)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    plan = FifoModel.EVENTS if CFG.depth > 1 else FifoModel.EVENTS - {"take_and_give"}
    assert_all(plan, seen("fifo"), f"cfg={CFG}")
