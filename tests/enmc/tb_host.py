"""cocotb bench of hdl.enmc.dimm, run by test_host.py inside the simulator: ordinary traffic of the host before, between
and after programs.

Every cycle is compared with the golden model, and DRAMs that police the rules of DDR4 answer.
"""

import cocotb
import numpy as np

from golden.enmc.config import EnmcConfig
from sim.common.bench import config, seed
from sim.enmc.lockstep import Bench
from tests.enmc.runs import check, random_plan

CFG = config(EnmcConfig)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def ordinary_traffic(dut):
    """What is written is read, from the pins and in the DRAM, and programs do not disturb it."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    what = random_plan(CFG, classes=60, elements=9, size=6, inputs=5, candidates=6, scores=True)
    dimm = Bench(dut, CFG, context=f"cfg={CFG}, seed={seed()}")
    await dimm.reset()
    free, answers = what.layout.bursts + 5, []
    held = [np.zeros((40, CFG.burst_words), np.uint32) for _ in range(CFG.ranks)]
    for n in range(what.batches):
        for rank, image in enumerate(held):
            first, count = rng.integers(0, 20), rng.integers(1, 20)
            image[first:first + count] = rng.integers(0, 1 << 32, (count, CFG.burst_words))
            await dimm.carry_out(dimm.host.write(rank, free + first, image[first:first + count]))
        jobs = what.jobs(n)
        for rank, job in enumerate(jobs):
            for segment in job.memory:
                dimm.memory.load(segment.addr, segment.words, rank)
        answers.append(await dimm.carry_out(dimm.host.batch(jobs)))
        for rank, image in enumerate(held):
            bursts = rng.integers(0, 40, 12)
            read = await dimm.carry_out(dimm.host.read(rank, (free + bursts).tolist()))
            np.testing.assert_array_equal(read, image[bursts])
            np.testing.assert_array_equal(dimm.memory.dump(free, 40, rank), image)
    check(what, answers)
    assert dimm.close() == 0
