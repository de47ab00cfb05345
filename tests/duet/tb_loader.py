"""cocotb bench of hdl.duet.loader, run by test_loader.py inside the simulator."""

import random

import cocotb
import numpy as np

from golden.duet import loader
from golden.duet.config import DuetConfig
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import PinBench
from tests.duet.load_work import conv_job, random_work, vector_job, work_of
from tests.duet.loader_model import Inputs, Model, Parties, fields

CFG = config(DuetConfig)
LONG = {"timeout_time": 20, "timeout_unit": "ms"}
#: With two rows the output maps are always sent before the last word.
ELSEWHERE = {"steps.omap_last"} if CFG.rows == 2 else set()


class Bench(PinBench):
    MODEL, FORMATS = Model, fields(CFG)
    STREAMS = ("request", "group", "build", "step", "fetch")
    QUIET = ("request", "group", "transfer", "imap", "omap", "build", "step", "fetch", "busy")

    async def run(self, work, rng, p=1.0, p_done=1.0):
        """A job; returns the cycles in which it was busy, and the sink."""
        parties, start, busy, cycles = Parties(CFG, work, rng, p, p_done), True, True, -1
        while busy:
            x = parties.offer(start)
            y = await self.cycle(x)
            parties.taken(x, y)
            busy, start, cycles = start or y.busy, False, cycles + 1
        assert parties.sink.done, work.job
        self.idle = Inputs(job=parties.job, data=x.data, map=x.map)
        return cycles, parties.sink


async def ready(dut):
    bench, rng = Bench(dut, CFG), random.Random(cocotb.RANDOM_SEED)
    await bench.start()
    return bench, rng, np.random.default_rng(rng.getrandbits(32))


@cocotb.test(**LONG)
@cocotb.parametrize(p=[0.2, 0.6, 1.0], p_done=[0.02, 0.3, 1.0])
async def random_jobs(dut, p, p_done):
    """Every cycle of random jobs equals the golden model, and what is sent the definition, at any pace."""
    bench, rng, numbers = await ready(dut)
    for _ in range(10 if CFG.values <= 64 else 2):
        await bench.run(random_work(CFG, numbers), rng, p, p_done)
    await bench.finish()


def dense(numbers, **fixed):
    """A vector that nothing holds up: all outputs sensitive, weights in the global buffer."""
    job = vector_job(CFG, numbers, **{"use_omap": 0, "off_chip": 0, "depth": 2, "chunk": 2, "passes": 1,
                                      "weight_words": 2, "channels": 4 * CFG.rows} | fixed)
    return work_of(CFG, numbers, job, 1.0)


@cocotb.test(**LONG)
async def full_throughput(dut):
    """A word a cycle: a group more costs its weights, a read for each row, and three cycles of its step."""
    bench, rng, numbers = await ready(dut)
    cycles = [(await bench.run(dense(numbers, channels=groups * CFG.rows), rng))[0] for groups in (4, 5, 8)]
    # With few rows the next group is not prepared in time.
    group = max(2 * CFG.rows + CFG.rows + 3, 10)
    cocotb.log.info(f"{cycles}, a group in {cycles[1] - cycles[0]} cycles")
    assert np.diff(cycles).tolist() == [group, 3 * group]
    await bench.finish()


@cocotb.test(**LONG)
async def corners(dut):
    """One output, one pixel, one word; nothing sensitive; all inputs outside; everything sorted; no row at all."""
    bench, rng, numbers = await ready(dut)
    one = dict.fromkeys(("tiles_y", "tiles_x", "height", "width", "near_y", "near_x", "blocks_y", "blocks_x", "depth",
                         "chunk", "passes", "weight_words", "channels", "out_depth"), 1)
    tiles = {"tiles_y": 2, "tiles_x": 2, "height": 2 * CFG.side, "width": 2 * CFG.side}
    most = {"channels": 3 * max(CFG.rows, CFG.columns), "out_depth": 3 * max(CFG.rows, CFG.columns)}
    # One channel more than a word of their order holds.
    small = one | {"tiles_x": 2, "width": 2 * CFG.side, "channels": CFG.values + 1, "out_depth": CFG.pixels + 1}
    works = [
        work_of(CFG, numbers, conv_job(CFG, numbers, **one), 1.0),
        work_of(CFG, numbers, vector_job(CFG, numbers, **one), 1.0),
        work_of(CFG, numbers, conv_job(CFG, numbers, **tiles, use_omap=1), 0.0),
        work_of(CFG, numbers, conv_job(CFG, numbers, **tiles, first_y=7, stride=1), 1.0),
        work_of(CFG, numbers, conv_job(CFG, numbers, **tiles, **most, use_omap=1, ordered=1), 0.3),
        work_of(CFG, numbers, conv_job(CFG, numbers, **small, use_omap=1, ordered=1), 0.1),
        work_of(CFG, numbers, vector_job(CFG, numbers, use_omap=1, off_chip=0), 0.0),
        work_of(CFG, numbers, vector_job(CFG, numbers, use_omap=1, off_chip=1), 0.0),
        work_of(CFG, numbers, vector_job(CFG, numbers, use_omap=1, channels=2 * CFG.values + 1, depth=1, chunk=1,
                                         passes=1, weight_words=1, out_depth=3, off_chip=1), 0.5),
    ]
    for work in works:
        for p, p_done in (1.0, 1.0), (0.5, 0.1):
            await bench.run(work, rng, p, p_done)
    await bench.finish()


@cocotb.test(**LONG)
async def only_what_is_wanted(dut):
    """Transfers are the inputs and the weights of rows with a sensitive pixel, and no word more."""
    bench, rng, numbers = await ready(dut)
    for make in (conv_job, vector_job):
        work = work_of(CFG, numbers, make(CFG, numbers, use_omap=1), 0.3)
        _cycles, sink = await bench.run(work, rng)
        words = [sum(len(words) for words in step.weights.values()) for step in work.steps]
        tiles = sum(group.tile_done and not group.empty for group in work.groups)
        assert sum(words) <= sink.transfers
        if work.job["passes"] > 1:
            assert sink.transfers == sum(words) + sum(len(step.inputs) for step in work.steps)
        elif tiles:
            assert sink.transfers > sum(words)
    await bench.finish()


@cocotb.test(**LONG)
async def reset_mid_flight(dut):
    """A reset forgets the job, whatever it is doing."""
    bench, rng, numbers = await ready(dut)
    for cycles in (1, 3, 6, 9, 14, 20, 30, 45, 70, 100):
        parties = Parties(CFG, random_work(CFG, numbers), rng, 0.7, 0.2)
        x = parties.offer(True)
        for _ in range(cycles):
            parties.taken(x, await bench.cycle(x))
            x = parties.offer()
        # Reads that are under way are answered: the global buffer is reset in the same cycle.
        for _ in range(3):
            x = x._replace(request_ready=False)
            parties.taken(x, await bench.cycle(x))
            x = parties.offer()
        await bench.start()
        await bench.run(random_work(CFG, numbers), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    plan = {*loader.EVENTS, *(f"{name}.{event}" for name, part in loader.PARTS.items() for event in part.EVENTS)}
    assert_all(plan - ELSEWHERE, seen(Model.NAME), f"cfg={CFG}")
