"""cocotb bench of the forbidden access to hdl.common.sram.Sram1r1w; test_sram.py expects it to be stopped."""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles


@cocotb.test()
async def collision(dut):
    """Reads and writes one address in the same cycle."""
    for name, value in {"r_en": 0, "r_addr": 5, "w_en": 0, "w_addr": 5, "w_data": 0}.items():
        getattr(dut, name).value = value
    Clock(dut.clk, 10, unit="ns").start()
    await ClockCycles(dut.clk, 2)
    dut.r_en.value, dut.w_en.value = 1, 1
    await ClockCycles(dut.clk, 3)
