"""cocotb bench of hdl.common.skid, run by test_skid.py inside the simulator."""

import random

import cocotb

from golden.common.skid import SkidInputs, SkidModel, SkidOutputs
from sim.common.bench import Gaps, Source, UnitBench, config
from sim.common.coverage import assert_all, seen
from tests.common.configs import SkidConfig

CFG = config(SkidConfig)
IDLE = SkidInputs(False, 0, False)


class Bench(UnitBench):
    def __init__(self, dut):
        super().__init__(dut, SkidModel(), name="skid", cfg=CFG, streams=("o",))

    def drive(self, x):
        self.dut.i__valid.value = x.i_valid
        self.dut.i__payload.value = x.i_payload
        self.dut.o__ready.value = x.o_ready

    def sample(self, x):
        valid = bool(self.dut.o__valid.value)
        return SkidOutputs(bool(self.dut.i__ready.value), valid, int(self.dut.o__payload.value) if valid else None)


async def transfer(bench, items, i_gaps, o_gaps):
    """Send the items; checks that all of them arrive in order, and returns the cycles it took."""
    source, received, start = Source(items, i_gaps), [], bench.cycle_number
    while len(received) < len(items):
        x = SkidInputs(*source.offer(), next(o_gaps))
        y = await bench.cycle(x)
        source.taken(y.i_ready)
        if y.o_valid and x.o_ready:
            received.append(y.o_payload)
    assert received == items
    cycles = bench.cycle_number - start
    y = await bench.cycle(IDLE)
    assert (y.i_ready, y.o_valid) == (True, False), "nothing may be left over"
    return cycles


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
    """One item a cycle, none of them later than it came."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    always = Gaps(1, random.Random(0))
    for n in (1, 2, 100):
        assert await transfer(bench, [k % 2 ** CFG.width for k in range(n)], always, always) == n


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_while_full(dut):
    """A reset drops what was kept."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    await bench.cycle(SkidInputs(True, 1, False))
    assert not (await bench.cycle(IDLE)).i_ready
    await bench.reset(IDLE)
    await transfer(bench, [0, 1], Gaps(1, random.Random(0)), Gaps(1, random.Random(0)))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(SkidModel.EVENTS, seen("skid"), f"cfg={CFG}")
