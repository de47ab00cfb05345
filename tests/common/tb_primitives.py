"""cocotb bench of hdl.common.primitives, run by test_primitives.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.common import primitives
from sim.common.bench import UnitBench, config
from tests.common.configs import Widths

WIDTHS = config(Widths).widths


class PrimitivesOutputs(NamedTuple):
    """Each with one element for each width."""

    found: tuple[bool, ...]
    index: tuple[int, ...]
    count: tuple[int, ...]
    union: tuple[bool, ...]


class PrimitivesModel:
    """The probe: its outputs are those of the inputs before."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.step(0)

    def step(self, bits):
        y = getattr(self, "_next", None)
        array = np.array([bits >> k & 1 for k in range(max(WIDTHS))])
        found, index = zip(*(primitives.find_first(array[:n]) for n in WIDTHS), strict=True)
        self._next = PrimitivesOutputs(tuple(map(bool, found)), tuple(map(int, index)),
                                       tuple(int(primitives.popcount(array[:n])) for n in WIDTHS),
                                       tuple(bool(primitives.or_tree(array[:n])) for n in WIDTHS))
        return y


class Bench(UnitBench):
    def drive(self, x):
        self.dut.bits.value = x

    def sample(self, x):
        def read(name, kind):
            # The index of one bit has no bits and no port.
            pins = [getattr(self.dut, f"{name}_{n}", None) for n in WIDTHS]
            return tuple(kind(int(pin.value)) if pin is not None else kind(0) for pin in pins)

        return PrimitivesOutputs(read("found", bool), read("index", int), read("count", int),
                                 read("union", bool))


async def check_all(dut, inputs):
    bench = Bench(dut, PrimitivesModel(), name="primitives")
    await bench.reset(0)
    for x in [*inputs, 0]:
        await bench.cycle(x)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def one_and_two_bits(dut):
    """Every single bit, alone and with another one above; all values of the low eight bits."""
    rng = random.Random(cocotb.RANDOM_SEED)
    ones = [1 << k for k in range(256)]
    twos = [1 << k | 1 << rng.randrange(k, 256) for k in range(256)]
    await check_all(dut, ones + twos + list(range(256)))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_densities(dut):
    """Random bits, from nearly none to all."""
    rng = random.Random(cocotb.RANDOM_SEED)

    def word(density):
        return sum((rng.random() < density) << k for k in range(256))

    await check_all(dut, [word([0.002, 0.02, 0.3, 0.9, 1.0][i % 5]) for i in range(500)])
