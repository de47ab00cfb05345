"""What the benches of the floating-point pipelines share: model, bench, tests, situations that must be reached."""

from collections import deque
from fractions import Fraction
from typing import NamedTuple

import cocotb
import numpy as np

from golden.enmc import fp32
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.enmc.fp32_cases import corner_pairs, pairs

__all__ = ["EVENTS", "Inputs", "PipelineBench", "PipelineModel", "send_all", "situations", "tests_of"]

#: Situations that the tests of every pipeline must reach.
EVENTS = frozenset({"no_number", "infinite", "overflow", "zero", "subnormal_operand", "subnormal_result", "exact",
                    "rounded_up", "rounded_down", "tie_up", "tie_down"})


class Inputs(NamedTuple):
    a: int = 0
    b: int = 0


class Outputs(NamedTuple):
    o: int


class PipelineModel:
    """Results, ``LATENCY`` cycles after their operands; 0 until the first one."""

    INPUTS, OUTPUTS, io = Inputs, Outputs, {}
    NAME, OPERATION, LATENCY = "", "", 0

    def __init__(self, _cfg):
        self.reset()

    def reset(self):
        self._results, self.seen = deque([0] * self.LATENCY), set()

    def unknown(self):
        return set()

    def step(self, x: Inputs) -> Outputs:
        function = fp32.add_bits if self.OPERATION == "+" else fp32.multiply_bits
        self._results.append(int(function(x.a, x.b)))
        self.seen |= situations(self.OPERATION, x.a, x.b, self._results[-1])
        return Outputs(self._results.popleft())


class PipelineBench(PinBench):
    MODEL = PipelineModel

    @classmethod
    async def ready(cls, dut):
        """A bench after reset."""
        bench = cls(dut, None)
        await bench.start()
        return bench


def situations(operation, a, b, result):
    """Events of one operation; the result is rounded away from zero (up) or towards it."""
    x, y, z = (fp32.value_of(bits) for bits in (a, b, result))
    subnormal = [0 < bits & 0x7FFF_FFFF < 1 << 23 for bits in (a, b, result)]
    reached = {"subnormal_operand": any(subnormal[:2]), "subnormal_result": subnormal[2],
               "no_number": z != z and x == x and y == y, "zero": z == 0}
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        exact = abs(x + y if operation == "+" else x * y)
        reached["overflow"] = not isinstance(z, Fraction)
        if isinstance(z, Fraction):
            last_place = Fraction(2)**(max(result >> 23 & 255, 1) - 150)
            error = abs(z) - exact
            kind = "tie" if abs(error) * 2 == last_place else "rounded"
            reached |= {"exact": not error, f"{kind}_up": error > 0, f"{kind}_down": error < 0}
    else:
        reached["infinite"] = x == x and y == y
    return {event for event, happened in reached.items() if happened}


async def send_all(bench, a, b):
    """Operands in every cycle, then none until all results are out."""
    for x, y in zip(a, b, strict=True):
        await bench.cycle(Inputs(int(x), int(y)))
    await bench.finish(bench.MODEL.LATENCY)


def tests_of(make):
    """Tests of every pipeline, for the namespace of its bench; ``make`` is its subclass of :class:`PipelineBench`."""
    latency = make.MODEL.LATENCY

    @cocotb.test(name="corners", **LIMIT)
    async def corners(dut):
        """Every pair of zeros, subnormal numbers, limits, infinities, NaNs."""
        await send_all(await make.ready(dut), *corner_pairs())

    @cocotb.test(name="random_operands", **LIMIT)
    async def random_operands(dut):
        """Every cycle of random operands equals the golden model."""
        await send_all(await make.ready(dut), *pairs(np.random.default_rng(cocotb.RANDOM_SEED), 4000))

    @cocotb.test(name="full_throughput", **LIMIT)
    async def full_throughput(dut):
        """One result a cycle, each exactly ``latency`` cycles after its operands."""
        bench = await make.ready(dut)
        numbers = fp32.bits_of(np.arange(1, 40))
        results = [(await bench.cycle(Inputs(number, fp32.ONE))).o for number in numbers.tolist()]
        function = fp32.add if make.MODEL.OPERATION == "+" else fp32.multiply
        assert results == [0] * latency + function(numbers, fp32.ONE).tolist()[:-latency]
        await bench.finish(latency)

    @cocotb.test(name="reset_mid_flight", **LIMIT)
    async def reset_mid_flight(dut):
        """After a reset zeros come out until the first operands do."""
        bench = await make.ready(dut)
        for cycles in range(1, latency + 3):
            for _ in range(cycles):
                await bench.cycle(Inputs(fp32.NAN, fp32.ONE))
            await bench.start()
            for _ in range(latency):
                assert not (await bench.cycle(Inputs(fp32.ONE, fp32.ONE))).o
        await bench.finish(latency)

    @cocotb.test(name="coverage", stage=1)
    async def coverage(dut):
        """The tests reached every event of the plan."""
        assert_all(EVENTS, seen(make.MODEL.NAME))

    return corners, random_operands, full_throughput, reset_mid_flight, coverage
