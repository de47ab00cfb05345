"""cocotb bench of hdl.dota.multiplier, run by test_multiplier.py inside the simulator."""

import itertools
import random
from typing import NamedTuple

import cocotb

from golden.dota import multiplier
from golden.dota.config import DotaConfig
from golden.dota.formats import ELEMENT_BITS, INPUTS, OUTPUTS, SUM_BITS, Precision
from golden.dota.multiplier import SLOTS, pack
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.dota.array_traffic import corner, word

CFG = config(DotaConfig)
PARTS = 4


class Inputs(NamedTuple):
    en: bool = False
    precision: int | None = None
    operand: int | None = None
    slots__0: int | None = None
    slots__1: int | None = None
    slots__2: int | None = None
    slots__3: int | None = None


def multiply(precision, operand, slots, en=True) -> Inputs:
    """One operand with its stationary ones."""
    return Inputs(en, precision, operand, *slots)


class Outputs(NamedTuple):
    parts: int | None  # their sum, 32 bits; None before the first product


class Model(LaneModel):
    """Its registers have no reset: nothing is known of them until they are written."""

    NAME, UNIT, INPUTS, OUTPUTS = "dota_multiplier", multiplier, Inputs, Outputs

    def reset(self):
        super().reset()
        self._known = False

    def unknown(self):
        return () if self._known else ("parts",)

    @property
    def precision(self) -> Precision:
        """That of the product which is there now."""
        return Precision(int(self.s.precision[0]))

    def step(self, x: Inputs) -> Outputs:
        y = Outputs(int(self.s.product[0]) if self._known else None)
        self._known |= x.en
        operand, *slots = [word or 0 for word in x[2:]]
        multiplier.clock(self.s, 0, x.en, operand, *slots, int(x.precision or 0))
        return y


class Bench(PinBench):
    MODEL = Model

    def sample(self, x):
        """The parts added, field by field; a sum must fit into as many bits as there are for it in a word of 32."""
        if self.model.unknown():
            return Outputs(None)
        precision = self.model.precision
        fields, width = OUTPUTS[precision], SUM_BITS // OUTPUTS[precision]
        word = 0
        for field in range(fields):
            parts = [self._value(f"parts__{part}") >> width * field & (1 << width) - 1 for part in range(PARTS)]
            total = sum(parts) & (1 << width) - 1
            value = total - (total >> width - 1 << width)
            bits = 32 // fields
            assert -(1 << bits - 1) <= value < 1 << bits - 1, f"{value} must fit into {bits} bits"
            word |= (value & (1 << bits) - 1) << bits * field
        return Outputs(word)

    async def multiply(self, precision, operand, slots):
        """One operand, with the slots that the precision uses; junk in the others."""
        others = [self._junk.getrandbits(32) for _ in range(SLOTS - len(slots))]
        await self.cycle(multiply(precision, operand, [*slots, *others]))


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["INT4", "INT2"])
async def every_pair_in_every_place(dut, name):
    """Each product of two elements, at each place of operand and slot, among zeros, among ones, among junk."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    precision = Precision[name]
    bits, inputs, outputs = ELEMENT_BITS[precision], INPUTS[precision], OUTPUTS[precision]
    values = range(-(1 << bits - 1), 1 << bits - 1)
    for place, slot, a, b in itertools.product(range(inputs), range(outputs), values, values):
        for background in range(3):
            operand, slots = backgrounds(rng, precision, background)
            operand[place], slots[slot][place] = a, b
            await bench.multiply(precision, pack(operand), [pack(elements) for elements in slots])
    await bench.finish(2)


def backgrounds(rng, precision, kind):
    """Elements of an operand and of its slots: zeros, all ones, or junk."""
    half = 1 << ELEMENT_BITS[precision] - 1

    def elements():
        return [rng.randrange(-half, half) if kind == 2 else -kind for _ in range(INPUTS[precision])]

    return elements(), [elements() for _ in range(OUTPUTS[precision])]


@cocotb.test(**LIMIT)
async def corners_of_fx16(dut):
    """Every pair of the ends of the range, 0, 1, -1 and the digits' borders; -32768 * -32768 too."""
    bench = await started(dut)
    values = sorted({sign * (1 << k) + d for k in range(16) for sign in (-1, 1) for d in (-1, 0, 1)} - {1 << 15, 32769})
    values = [value for value in values if -32768 <= value < 32768]
    for a, b in itertools.product(values, values):
        await bench.multiply(Precision.FX16, pack((a, b)), [])
    await bench.finish(2)


@cocotb.test(**LIMIT)
async def corners_of_int8(dut):
    """Corners at every place, among corners."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    values = (-128, -127, -65, -64, -17, -16, -5, -4, -1, 0, 1, 3, 4, 15, 16, 63, 64, 127)
    for place, a, b in itertools.product(range(4), values, values):
        operand, slot = [rng.choice(values) for _ in range(4)], [rng.choice(values) for _ in range(4)]
        operand[place], slot[place] = a, b
        await bench.multiply(Precision.INT8, pack(operand), [pack(slot)])
    for value in (-128, 127):
        await bench.multiply(Precision.INT8, pack([value] * 4), [pack([value] * 4)])
    await bench.finish(2)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_en=[0.3, 1.0])
async def random_precisions(dut, p_en):
    """Random operands and slots, each with a precision of its own; without ``en`` the product stays."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(6000):
        precision = rng.choice(list(Precision))
        make = corner if rng.random() < 0.3 else word
        slots = [make(rng, precision) for _ in range(SLOTS)]
        await bench.cycle(multiply(precision, make(rng, precision), slots, en=rng.random() < p_en))
    await bench.finish(2)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(multiplier.EVENTS, seen(Model.NAME), f"cfg={CFG}")
