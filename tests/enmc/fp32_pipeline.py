"""What the benches of the floating-point pipelines share: model, bench, situations that must be reached."""

from collections import deque
from fractions import Fraction
from typing import NamedTuple

from golden.enmc import fp32
from tests.common.units import PinBench

__all__ = ["EVENTS", "Inputs", "PipelineBench", "PipelineModel", "send_all", "situations"]

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
