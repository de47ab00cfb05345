"""cocotb bench of many floating-point units side by side: results are compared as arrays with numpy's."""

import os

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from golden.enmc import fp32
from sim.common.bench import PERIOD_NS, environment_json, seed
from tests.enmc.fp32_cases import corner_pairs, pairs

#: ``operation`` +, * or /; ``lanes``; ``pairs`` of single precision, or all of a small ``format``.
CFG = environment_json("DUT_CONFIG")
LANES = CFG["lanes"]
#: What a failure shows.
SHOWN = 5


def single_precision():
    """Operands and numpy's results, uint32 arrays: every pair of corners, then random ones."""
    rng = np.random.default_rng(seed())
    a, b = (np.concatenate(both) for both in zip(corner_pairs(), pairs(rng, CFG["pairs"]), strict=True))
    return a, b, {"+": fp32.add, "*": fp32.multiply, "/": fp32.divide}[CFG["operation"]](a, b)


def small_format():
    """Every pair of numbers of a format, and the results by definition."""
    form = fp32.Format(*CFG["format"])
    a, b = (array.ravel() for array in np.meshgrid(*[np.arange(1 << form.bits, dtype=np.uint32)] * 2))
    results = [fp32.exact(CFG["operation"], x, y, form) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    return a, b, np.array(results, np.uint32)


def words(array, bits):
    """Rows of ``LANES`` numbers as integers, the first number lowest."""
    rows = np.zeros((-(-len(array) // LANES), LANES), "<u4")
    rows.ravel()[:len(array)] = array
    if bits == 32:
        return [int.from_bytes(row.tobytes(), "little") for row in rows]
    return [sum(int(number) << bits * lane for lane, number in enumerate(row)) for row in rows]


def numbers(values, bits):
    """The inverse of :func:`words`."""
    if bits == 32:
        return np.frombuffer(b"".join(value.to_bytes(4 * LANES, "little") for value in values), "<u4")
    return np.array([value >> bits * lane & (1 << bits) - 1 for value in values for lane in range(LANES)], np.uint32)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def blocks(dut):
    """Every result equals the golden one; a block of operands goes in whenever the units are ready."""
    a, b, expected = small_format() if "format" in CFG else single_precision()
    bits = len(dut.o) // LANES
    rows = list(zip(words(a, bits), words(b, bits), strict=True))
    rising, falling = RisingEdge(dut.clk), FallingEdge(dut.clk)
    Clock(dut.clk, PERIOD_NS, unit="ns").start()
    dut.rst.value = 1
    dut.a.value, dut.b.value = rows[0]
    await rising
    dut.rst.value = 0
    results, sent = [], 0
    while len(results) < len(rows):
        await falling
        if dut.valid.value:
            results.append(int(dut.o.value))
        takes = bool(dut.ready.value)
        await rising
        if takes and sent < len(rows) - 1:
            sent += 1
            dut.a.value, dut.b.value = rows[sent]
    compare(a, b, numbers(results, bits)[:len(expected)], expected)
    dut._log.info("%d pairs compared", len(expected))


def compare(a, b, found, expected):
    """AssertionError with the first results that differ."""
    wrong = np.flatnonzero(found != expected)
    lines = [f"  {a[k]:08x} {CFG['operation']} {b[k]:08x}: {found[k]:08x}, golden {expected[k]:08x}"
             for k in wrong[:SHOWN]]
    assert not len(wrong), "\n".join([f"{len(wrong)} of {len(expected)} results differ (seed={seed()})", *lines,
                                      f"repeat: {os.environ.get('ELISION_REPEAT')}"])
