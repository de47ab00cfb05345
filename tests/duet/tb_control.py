"""cocotb bench of hdl.duet.control, run by test_control.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import control
from golden.duet.config import DuetConfig
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench

CFG = config(DuetConfig)


class Inputs(NamedTuple):
    update: bool = False
    execute: bool = False
    speculate: bool = False
    cell_job: bool = False
    execute_busy: bool = False
    speculate_busy: bool = False
    cell_busy: bool = False
    tile_done: bool = False


class Outputs(NamedTuple):
    execute_start: bool
    speculate_start: bool
    cell_start: bool
    busy: bool
    executed: bool
    tiles_done: int


class Model:
    NAME, INPUTS, OUTPUTS = "duet_control", Inputs, Outputs

    def __init__(self, cfg):
        self.io = {}
        self.reset()

    def reset(self):
        self.s = control.state(CFG)

    @property
    def seen(self):
        return {name for name, count in zip(control.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self):
        return set()

    def step(self, x):
        s = self.s
        y = Outputs(bool(s.execute[0]), bool(s.speculate[0]), bool(s.cell[0]), bool(control.busy_of(s)),
                    bool(s.executed[0]), int(s.tiles_done[0]))
        control.clock(s, *x)
        return y


class Bench(PinBench):
    MODEL, QUIET = Model, Outputs._fields[:4]

    async def stage(self, rng, jobs, cycles):
        """One stage whose jobs take ``cycles``; returns the cycles from ``update`` to its end."""
        left, taken, tiles, y = [0, 0, 0], 0, 0, await self.cycle(Inputs(True, *jobs))
        while taken == 0 or y.busy:
            # ``busy`` may come late, as long as it is there when it counts.
            tile = left[0] > 0 and rng.random() < 0.3
            y = await self.cycle(Inputs(False, *jobs, *(bool(n) for n in left), tile))
            tiles += tile
            left = [max(n - 1, 0) for n in left]
            for k, start in enumerate(y[:3]):
                if start:
                    assert jobs[k] and not left[k], "a unit starts once, and only with a job"
                    left[k] = cycles[k]
            taken += 1
            assert taken < 200
        assert not any(left) and y.tiles_done == tiles
        return taken


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
async def random_stages(dut):
    """All combinations of jobs, of all lengths."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for number in range(160):
        jobs = tuple(bool(number >> k & 1) for k in range(3))
        cycles = [rng.choice([2, 3, rng.randrange(4, 30)]) for _ in range(3)]
        taken = await bench.stage(rng, jobs, cycles)
        longest = max([cycles[k] for k in range(2) if jobs[k]], default=1)
        assert taken == 4 + longest + (3 + cycles[2] if jobs[2] else 0)
        for _ in range(rng.randrange(3)):
            await bench.cycle(Inputs())
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_in_a_stage(dut):
    """A reset ends a stage in every state."""
    bench = await started(dut)
    for cycles in range(1, 14):
        await bench.cycle(Inputs(True, True, True, True))
        for _ in range(cycles):
            await bench.cycle(Inputs(False, True, True, True))
        await bench.start()
        assert not any((await bench.cycle(Inputs()))[:4])


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(control.EVENTS, seen(Model.NAME), f"cfg={CFG}")
