"""cocotb bench of hdl.common.fixed, run by test_fixed.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.common import fixed
from sim.common.bench import UnitBench, config, to_signed
from tests.common.configs import Widths

WIDTHS = config(Widths).widths


class FixedInputs(NamedTuple):
    shift: int
    values: tuple[int, ...]  # one for each width


class FixedOutputs(NamedTuple):
    rounded: tuple[int, ...]
    natural: tuple[int, ...]
    clipped: tuple[int, ...]
    overflowed: tuple[bool, ...]
    widened: tuple[int, ...]


def expected(x):
    """From the definition, with Python's unbounded integers."""
    def divided(value):
        return (value + (1 << x.shift) // 2) >> x.shift

    halves = [(w + 1) // 2 for w in WIDTHS]
    clipped = tuple(min(max(v, -(1 << h - 1)), (1 << h - 1) - 1)
                    for v, h in zip(x.values, halves, strict=True))
    return FixedOutputs(
        rounded=tuple(map(divided, x.values)),
        natural=tuple(divided(v & (1 << w) - 1) for v, w in zip(x.values, WIDTHS, strict=True)),
        clipped=clipped,
        overflowed=tuple(c != v for c, v in zip(clipped, x.values, strict=True)),
        widened=x.values)


class FixedModel:
    """The probe: its outputs are those of the inputs before."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._next = expected(FixedInputs(0, (0,) * len(WIDTHS)))

    def step(self, x):
        y, self._next = self._next, expected(x)
        # The golden functions are compared here, beside the hardware. Rounding 2**63 - 1 needs 65 bits.
        for value, want in zip(x.values, self._next.rounded, strict=True):
            if value < 2**63 - 1:
                assert fixed.round_shift(value, x.shift) == want
        return y


class Bench(UnitBench):
    def drive(self, x):
        self.dut.shift.value = x.shift
        for width, value in zip(WIDTHS, x.values, strict=True):
            getattr(self.dut, f"value_{width}").value = value & ((1 << width) - 1)

    def sample(self, x):
        def read(name):
            return [int(getattr(self.dut, f"{name}_{w}").value) for w in WIDTHS]

        def signed(name, widths):
            return tuple(to_signed(raw, bits) for raw, bits in zip(read(name), widths, strict=True))

        return FixedOutputs(signed("rounded", WIDTHS), tuple(read("natural")),
                            signed("clipped", [(w + 1) // 2 for w in WIDTHS]),
                            tuple(map(bool, read("overflowed"))), signed("widened", [w + 3 for w in WIDTHS]))


async def check_all(dut, inputs):
    bench = Bench(dut, FixedModel(), name="fixed")
    idle = FixedInputs(0, (0,) * len(WIDTHS))
    await bench.reset(idle)
    for x in [*inputs, idle]:
        await bench.cycle(x)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def exhaustive(dut):
    """Every value of 6 bits with every shift of 0..8; the other widths get the same small values."""
    await check_all(dut, [FixedInputs(shift, tuple(to_signed(v & (1 << w) - 1, w) for w in WIDTHS))
                          for shift in range(9) for v in range(-32, 32)])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def corners(dut):
    """Ends of the ranges, halves and their neighbours, with every shift."""
    def near(width):
        marks = {0, -1 << width - 1, (1 << width - 1) - 1}
        marks |= {sign << max(bit, 0) for bit in (width // 2 - 1, width // 2, width - 2) for sign in (1, -1)}
        return sorted({to_signed((mark + d) & (1 << width) - 1, width) for mark in marks for d in (-1, 0, 1)})

    columns = [near(w) for w in WIDTHS]
    await check_all(dut, [FixedInputs(shift, tuple(column[i % len(column)] for column in columns))
                          for shift in range(64) for i in range(max(map(len, columns)))])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_values(dut):
    """Random values with random shifts."""
    rng = random.Random(cocotb.RANDOM_SEED)
    def values():
        return tuple(to_signed(rng.getrandbits(w), w) for w in WIDTHS)

    await check_all(dut, [FixedInputs(rng.randrange(64), values()) for _ in range(2000)])
