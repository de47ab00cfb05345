"""cocotb bench of hdl.duet.spec_fetch, run by test_spec_fetch.py inside the simulator."""

import random

import cocotb
import numpy as np

from golden.duet import spec_fetch
from golden.duet.config import DuetConfig
from golden.duet.formats import Kind
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.duet.fetch_model import Inputs, Model, Parties, fields, random_job

CFG = config(DuetConfig)


class Bench(PinBench):
    MODEL, FORMATS = Model, fields(CFG)
    STREAMS, QUIET = ("request", "o"), ("request", "o", "busy")

    async def run(self, job, rng, **pace):
        """A job; returns the cycles in which it was busy."""
        parties, start, busy, cycles = Parties(CFG, job, rng, **pace), True, True, -1
        while busy:
            x = parties.offer(start)
            y = await self.cycle(x)
            parties.taken(x, y)
            busy, start, cycles = start or y.busy, False, cycles + 1
        assert parties.done
        self.idle = Inputs(job=parties.job)
        return cycles


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    rng = random.Random(cocotb.RANDOM_SEED)
    return bench, rng, np.random.default_rng(rng.getrandbits(32))


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.3, 1.0], p_done=[0.02, 1.0], p_next=[0.1, 1.0])
async def random_jobs(dut, p, p_done, p_next):
    """Every cycle of random jobs equals the golden model, at any pace of the three around it."""
    bench, rng, numbers = await ready(dut)
    for _ in range(12):
        await bench.run(random_job(CFG, numbers), rng, p=p, p_done=p_done, p_next=p_next)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A word a cycle; a vector of n words takes n cycles and 9 more: where it lies, the wait, the way of a word."""
    bench, rng, numbers = await ready(dut)
    for depth in 1, 2, min(CFG.activation_words, 60):
        job = random_job(CFG, numbers, kind=int(Kind.VECTOR), depends=0, depth=depth, stride=0, first_y=0, first_x=0,
                         **dict.fromkeys(("tiles_y", "tiles_x", "near_y", "near_x", "blocks_y", "blocks_x"), 1))
        assert await bench.run(job, rng) == depth + 5 + spec_fetch.LATENCY
    await bench.finish()


@cocotb.test(**LIMIT)
async def corners(dut):
    """Tiles beside the map, on all sides; the last block of the map is the last one that is stored."""
    bench, rng, numbers = await ready(dut)
    conv = {"kind": int(Kind.CONV), "near_y": 1, "near_x": 1, "tiles_y": 3, "tiles_x": 3, "stride": 1, "depth": 2}
    for first, blocks in ((2, 1), (0, 1), (1, 1), (3, 5), (0, 3)):
        for depends in 0, 1:
            job = random_job(CFG, numbers, **conv, depends=depends, first_y=first, first_x=first, blocks_y=blocks,
                             blocks_x=blocks)
            await bench.run(job, rng, p_done=0.05)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the job."""
    bench, rng, numbers = await ready(dut)
    for cycles in (1, 2, 3, 4, 5, 8, 12):
        parties = Parties(CFG, random_job(CFG, numbers, depends=0), rng, p_next=0.5)
        x = parties.offer(True)
        for n in range(cycles + 3):
            # Reads that are under way are answered: the global buffer is reset in the same cycle.
            x = x._replace(request_ready=x.request_ready and n < cycles)
            parties.taken(x, await bench.cycle(x))
            x = parties.offer()
        await bench.start()
        await bench.run(random_job(CFG, numbers), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(spec_fetch.EVENTS, seen(Model.NAME), f"cfg={CFG}")
