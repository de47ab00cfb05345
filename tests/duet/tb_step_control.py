"""cocotb bench of hdl.duet.step_control, run by test_step_control.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import step_control
from golden.duet.config import DuetConfig
from golden.duet.step_control import SETTLE, STEP_OVERHEAD
from hdl.duet.layouts import step_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.duet.step_traffic import Inputs, StepFeeder, StepPlan, random_plan

CFG = config(DuetConfig)
PES = CFG.rows * CFG.columns
STEP = fields_of(step_layout())


class Outputs(NamedTuple):
    step_ready: bool
    start: bool
    input_bank: int
    weight_bank: int
    sum_bank: int
    step_done: bool
    drain_start: bool
    drain: int
    active: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_step_control", step_control, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, busy = self.s, x.busy != 0
        drain = int(s.drain[0] | s.drain_bank[0] << 1 | s.drain_last[0] << 2 | s.drain_pixel[0] << 3)
        y = Outputs(bool(step_control.step_ready_of(s, 0)), bool(step_control.start_of(s, 0, busy)),
                    int(s.input_bank[0]), int(s.weight_bank[0]), int(s.sum_bank[0]), bool(s.step_done[0]),
                    bool(s.drain_start[0]), drain, bool(step_control.busy_of(s, 0)))
        step_control.clock(s, 0, x.step is not None, *(x.step or (0, 0, 0)), x.built, busy, x.drain_ready, x.pixels,
                           x.drained & 1 and x.drained >> 2 & 1, x.drained >> 1 & 1)
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"step": STEP}, ("active", "start", "step_done", "drain_start")

    async def feed(self, feeder):
        """One cycle of a feeder."""
        x = feeder.offer()
        if x.step is not None:
            x = x._replace(step=make(STEP, **dict(zip(STEP.unpack(0)._fields, x.step, strict=True))))
        feeder.taken(x, await self.cycle(x))

    async def work(self, plan, rng, **more):
        """Steps, until all sums have left. The feeder."""
        feeder = StepFeeder(CFG, plan, rng, **more)
        while not feeder.done:
            await self.feed(feeder)
        # Each step takes what its busiest PE needs, and the overhead; the cycle after it says that it is over.
        for step, start, end in zip(plan, feeder.starts, feeder.ends, strict=True):
            assert end - start == max(step.macs) + STEP_OVERHEAD + 1
        assert len(feeder.drains) == feeder.groups
        return feeder


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.2, 1.0], p_drain=[0.1, 1.0], most=[3, 30])
async def random_steps(dut, p, p_drain, most):
    """Every cycle of random steps equals the golden model, and each takes its cycles."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for pixels in (1, 2, CFG.pixels):
        await bench.start()
        await bench.work(random_plan(rng, PES, 20, most), rng, p=p, p_drain=p_drain, pixels=pixels)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Steps and tags are there: one step follows the other, whatever the PEs have to do; sums do not hold them up."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    most = CFG.columns + CFG.pixels + SETTLE + 8
    plan = [StepPlan([rng.randint(0, most) for _ in range(PES - 1)] + [most], n % 2, n % 2, 1) for n in range(8)]
    feeder = await bench.work(plan, rng)
    assert np.diff(feeder.starts).tolist() == [most + STEP_OVERHEAD] * 7
    # A drain begins when the sums have settled: SETTLE cycles after the end, and its command is a register.
    assert feeder.drains == [end - 1 + SETTLE + 1 for end in feeder.ends]
    await bench.finish()


@cocotb.test(**LIMIT)
async def empty_steps(dut):
    """A step without any MAC takes one cycle."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    feeder = await bench.work([StepPlan([0] * PES, n % 2, n % 2, int(n % 5 == 4)) for n in range(20)], rng)
    assert feeder.over == 20
    assert 1 in np.diff(feeder.starts).tolist()
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets steps, banks, and sums that are owed."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for cycles in (3, 7, 12, 20, 33):
        feeder = StepFeeder(CFG, random_plan(rng, PES, 10, 4), rng)
        for _ in range(cycles):
            await bench.feed(feeder)
        await bench.start()
    await bench.work(random_plan(rng, PES, 10, 4), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(step_control.EVENTS, seen(Model.NAME), f"cfg={CFG}")
