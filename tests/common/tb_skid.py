"""cocotb bench of hdl.common.skid, run by test_skid.py inside the simulator."""

import random

import cocotb

from golden.common.skid import SkidInputs, SkidModel, SkidOutputs
from sim.common.bench import Gaps, config
from sim.common.coverage import assert_all, seen
from tests.common.configs import SkidConfig
from tests.common.stream_units import StreamUnitBench

CFG = config(SkidConfig)
ALWAYS = Gaps(1, random.Random(0))


class Bench(StreamUnitBench):
    INPUTS = SkidInputs

    def __init__(self, dut):
        super().__init__(dut, SkidModel(), name="skid", cfg=CFG, streams=("o",))

    def sample(self, x):
        return SkidOutputs(*self.offered())


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(p_valid=[0.2, 0.7, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model."""
    await Bench(dut).random_transfer(CFG.width, p_valid, p_ready)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def full_throughput(dut):
    """One item a cycle, none of them later than it came."""
    bench = Bench(dut)
    await bench.reset(bench.idle)
    for n in (1, 2, 100):
        assert await bench.transfer([k % 2 ** CFG.width for k in range(n)], ALWAYS, ALWAYS) == n


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_while_full(dut):
    """A reset drops what was kept."""
    bench = Bench(dut)
    await bench.reset(bench.idle)
    await bench.cycle(SkidInputs(True, 1, False))
    assert not (await bench.cycle(bench.idle)).i_ready
    await bench.reset(bench.idle)
    await bench.transfer([0, 1], ALWAYS, ALWAYS)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(SkidModel.EVENTS, seen("skid"), f"cfg={CFG}")
