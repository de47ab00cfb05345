"""cocotb bench of hdl.common.sram, run by test_sram.py inside the simulator."""

import random

import cocotb

from sim.common.bench import UnitBench, config
from tests.common.configs import SramConfig
from tests.common.sram_traffic import accesses, idle, model_of

CFG = config(SramConfig)


class Bench(UnitBench):
    def __init__(self, dut):
        super().__init__(dut, model_of(CFG), name="sram", cfg=CFG)

    def drive(self, x):
        for name, value in x._asdict().items():
            getattr(self.dut, name).value = value

    def sample(self, x):
        y = self.model.outputs()
        # Undefined data is not compared.
        return type(y)(*(None if value is None else int(getattr(self.dut, name).value)
                         for name, value in y._asdict().items()))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_accesses(dut):
    """Every cycle of random accesses equals the golden model."""
    bench = Bench(dut)
    await bench.reset(idle(CFG))
    for x in accesses(CFG, random.Random(cocotb.RANDOM_SEED), 1500):
        await bench.cycle(x)
    await bench.cycle(idle(CFG))
