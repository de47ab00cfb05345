"""cocotb bench of hdl.enmc.decoder, run by test_decoder.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.common.fields import unpack_fields
from golden.enmc import decoder
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import INSTRUCTION_BITS, Op
from hdl.enmc.layouts import instruction_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench, fields_of
from tests.enmc.controller_traffic import static_wrongs, word_of

CFG = config(EnmcConfig)
INSTRUCTION = fields_of(instruction_layout())
PLAN = {f"{op.name}_{legal}" for op in Op for legal in ("legal", "illegal") if (op, legal) != (Op.RETURN, "legal")}
LEGAL_WORDS = [word for word in range(1 << INSTRUCTION_BITS) if decoder.controls_of(word)]


class Inputs(NamedTuple):
    i: int = 0


class Outputs(NamedTuple):
    o: int


class Model:
    NAME, INPUTS, OUTPUTS = "enmc_decoder", Inputs, Outputs

    def __init__(self, cfg):
        self.io, self.seen, self.tables = {}, set(), decoder.tables(cfg)

    def reset(self):
        pass

    def unknown(self):
        return set()

    def step(self, x):
        word, data = x.i & 0x1FFF, x.i >> INSTRUCTION_BITS
        control = int(decoder.control_of(self.tables, word, data & 0xFFFFFFFF, data >> 32))
        if word >> 8 in set(Op):
            legal = unpack_fields(decoder.CONTROL_FIELDS, control)["legal"]
            self.seen.add(f"{Op(word >> 8).name}_{'legal' if legal else 'illegal'}")
        return Outputs(control | data << sum(decoder.CONTROL_FIELDS.values()))


class Bench(PinBench):
    MODEL = Model

    async def decode(self, word, data):
        """Controls of an instruction."""
        y = await self.cycle(Inputs(word | (data or 0) << INSTRUCTION_BITS))
        return unpack_fields(decoder.CONTROL_FIELDS, y.o)


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


def some_data(rng):
    """Random data, often small fields, often at the limits."""
    low = rng.choice([rng.getrandbits(32), rng.randrange(9), CFG.bursts - rng.randrange(6), (1 << 32) - 1])
    features = np.array(decoder.feature_bursts(CFG))
    count = rng.choice([0, 1, 3, 4, 5, 0xFFFF, rng.getrandbits(16), int(rng.choice(features)) + rng.randrange(2)])
    return low & 0xFFFFFFFF | count << 32 | (0 if rng.random() < 0.8 else rng.getrandbits(16) << 48)


@cocotb.test(**LIMIT)
async def every_word(dut):
    """All 13 bits of an instruction, with some data."""
    bench, rng = await started(dut)
    for word in range(1 << INSTRUCTION_BITS):
        await bench.decode(word, some_data(rng))
    bench.collect()


@cocotb.test(**LIMIT)
async def every_instruction(dut):
    """Instructions with a meaning, all kinds of data."""
    bench, rng = await started(dut)
    for _ in range(100):
        for word in LEGAL_WORDS:
            await bench.decode(word, some_data(rng))
    bench.collect()


@cocotb.test(**LIMIT)
async def corners(dut):
    """The last burst of a rank, the largest features; every illegal form."""
    bench, _ = await started(dut)
    largest = dict(zip(("FEATURE_INT4", "FEATURE_FP32"), decoder.feature_bursts(CFG), strict=True))
    for buffer, count in {**largest, "PSUM_INT4": 4, "WEIGHT_INT4": 1, "WEIGHT_FP32": min(CFG.bursts, 0xFFFF)}.items():
        for past in 0, 1:
            data = word_of("LDR", buffer=buffer, addr=CFG.bursts - count + past, count=count)
            assert (await bench.decode(*data))["legal"] == 1 - past
    for wrong in static_wrongs(CFG):
        assert not (await bench.decode(*wrong))["legal"], wrong
    bench.collect()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every opcode, legal and not; none is legal in RETURN."""
    assert_all(PLAN, seen(Model.NAME), f"cfg={CFG}")
