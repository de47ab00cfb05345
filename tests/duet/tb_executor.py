"""cocotb bench of hdl.duet.executor, run by test_executor.py inside the simulator."""

import random

import cocotb
import numpy as np

from golden.duet import executor
from golden.duet.config import DuetConfig
from golden.duet.executor import sums_latency
from golden.duet.formats import SUM_BITS
from golden.duet.mac_lut import fig_5_3, valid
from golden.duet.step_control import STEP_OVERHEAD
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.duet.executor_model import Model, bits_of, fields
from tests.duet.executor_traffic import Feeder, Group, Step, operands, random_work, resolve

CFG = config(DuetConfig)


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, fields(CFG), ("step_done", "drain_start", "sums", "macs", "busy")

    async def work(self, work, rng, **more):
        """All of a work: the sums are those of the definition. The feeder, and the MACs that were counted."""
        feeder, macs = Feeder(CFG, work, rng, **more), 0
        expected = len(work.sums) * feeder.pixels
        while not feeder.done or len(feeder.sums) < expected:
            x = feeder.offer()
            y = await self.cycle(x)
            feeder.taken(x, y)
            macs += y.macs
        self.check(work, feeder)
        assert feeder.starts == len(work.sums)
        self.idle = x._replace(i=None, imap=None, omap=None, build=None, step=None)
        return feeder, macs

    def check(self, work, feeder):
        """Sums of the groups, in order, pixel by pixel."""
        found = np.array([bits_of(sums.sums, CFG.rows, SUM_BITS) for sums in feeder.sums])
        assert [sums.pixel for sums in feeder.sums] == list(range(feeder.pixels)) * len(work.sums)
        expected = np.concatenate([sums[:, :feeder.pixels].T for sums in work.sums]) & (1 << SUM_BITS) - 1
        assert (found == expected).all()


def generator(rng):
    """A generator of arrays, from one of numbers."""
    return np.random.default_rng(rng.getrandbits(32))


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.3, 1.0], p_drain=[0.1, 1.0], density=[(0.0, 0.1), (0.5, 1.0)])
async def random_groups(dut, p, p_drain, density):
    """Every cycle of groups of steps equals the golden model, for maps of all densities; the sums are right."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.work(random_work(CFG, generator(rng), 4, density=density), rng, p=p, p_drain=p_drain)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Long steps: one follows the other, each takes the MACs of its busiest PE and the overhead, exactly."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    length = CFG.lut
    work = random_work(CFG, generator(rng), 4, density=(0.8, 1.0), length=length)
    for group in work.groups:       # so that loading never takes longer than computing
        group.omap[0] = True
    work = resolve(CFG, work.program, work.groups)
    feeder, macs = await bench.work(work, rng)
    cycles = np.diff(feeder.done_at)
    slow = CFG.rows * CFG.weight_words + CFG.input_words + CFG.tag_words + 20
    checked = [n for n, taken in enumerate(work.cycles) if n and taken > slow and work.cycles[n - 1] > slow]
    assert [cycles[n - 1] for n in checked] == [work.cycles[n] for n in checked]
    assert checked
    assert macs == total_macs(work)
    await bench.finish()


def total_macs(work) -> int:
    """Valid MACs of all PEs in all steps."""
    total = 0
    for group in work.groups:
        for step in group.steps:
            _inputs, _weights, program, imaps, omaps = operands(CFG, work.program, group, step)
            total += sum(int(valid(program, imap, omap).sum()) for omap in omaps for imap in imaps)
    return total


@cocotb.test(**LIMIT)
async def skipped_macs_cost_nothing(dut):
    """Fig. 5.3 in every PE: a step takes 27, 9 and 3 cycles and the overhead, without maps, with one, with both."""
    rng = random.Random(cocotb.RANDOM_SEED)
    example = fig_5_3()
    if CFG.weight_words * CFG.pixels < 9 or CFG.input_words * CFG.pixels < 15:
        return
    program = np.zeros((CFG.lut, 3), np.int64)
    program[:27] = example.program
    bench = await started(dut)
    shape = -(-15 // CFG.pixels), CFG.columns, CFG.pixels
    imap = np.zeros((CFG.columns, shape[0] * CFG.pixels), bool)
    imap[:, :15] = example.imap
    imap = np.moveaxis(imap.reshape(CFG.columns, shape[0], CFG.pixels), 0, 1)
    omap = np.zeros((CFG.rows, CFG.pixels), bool)
    omap[:, :3] = example.omap
    values = generator(rng)
    groups = []
    for use_omap, use_imap in ((0, 0), (1, 0), (1, 1)):
        build = {"base": 0, "words": -(-27 // CFG.tags), "length": 27, "use_imap": use_imap, "use_omap": use_omap,
                 "inside": (1 << CFG.pixels) - 1}
        weights = values.integers(-99, 99, (CFG.rows, -(-9 // CFG.pixels), CFG.columns, CFG.pixels))
        groups.append(Group([Step(values.integers(-99, 99, shape), weights, imap, build)], omap))
    work = resolve(CFG, program, groups)
    assert work.cycles == [macs + STEP_OVERHEAD for macs in example.macs]
    _feeder, macs = await bench.work(work, rng)
    assert macs == CFG.rows * CFG.columns * sum(example.macs)
    await bench.finish()


@cocotb.test(**LIMIT)
async def one_sum_a_row(dut):
    """The product of a matrix and a vector: one pixel, one sum a row."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    numbers = generator(rng)
    work = random_work(CFG, numbers, 5, density=(0.3, 1.0))
    work.program[:, 2] = 0
    await bench.work(resolve(CFG, work.program, work.groups), rng, pixels=1)
    await bench.finish()


@cocotb.test(**LIMIT)
async def latency_of_sums(dut):
    """Sums come columns + 1 cycles after ``drain_start``, in consecutive cycles."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    feeder, at, sums = Feeder(CFG, random_work(CFG, generator(rng), 1), rng), [], []
    for cycle in range(2000):
        x = feeder.offer()
        y = await bench.cycle(x)
        feeder.taken(x, y)
        at += [cycle] * y.drain_start
        sums += [cycle] * (y.sums is not None)
        if len(sums) == CFG.pixels:
            break
    assert sums == [at[0] + sums_latency(CFG) + k for k in range(CFG.pixels)]
    bench.idle = x._replace(i=None, imap=None, omap=None, build=None, step=None)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset in the middle of a group forgets everything but the memories."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    work = random_work(CFG, generator(rng), 3, density=(0.5,))
    for steps in (1, 2):
        feeder = Feeder(CFG, work, rng)
        while len(feeder.done_at) < steps:
            x = feeder.offer()
            feeder.taken(x, await bench.cycle(x))
        await bench.start()
    await bench.work(work, rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(executor.EVENTS, seen(Model.NAME), f"cfg={CFG}")
