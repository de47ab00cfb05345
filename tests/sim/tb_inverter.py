"""cocotb bench of a unit without a clock, run by test_unit.py inside the simulator."""

from typing import NamedTuple

import cocotb

from sim.common import bench


class Outputs(NamedTuple):
    o: int


class InverterModel:
    def reset(self):
        pass

    def step(self, x):
        return Outputs(2 ** bench.environment_json("DUT_CONFIG")["bits"] - 1 - x)


class InverterBench(bench.UnitBench):
    def drive(self, x):
        self.dut.i.value = x

    def sample(self, x):
        return Outputs(self.dut.o.value.to_unsigned())


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_value(dut):
    """Every input once."""
    inverter = InverterBench(dut, InverterModel(), name="inverter")
    await inverter.reset(0)
    for value in range(256):
        await inverter.cycle(value)
    assert inverter.cycle_number == 256
