"""cocotb bench of hdl.duet.activation_buffer, run by test_activation_buffer.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import activation_buffer
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS
from hdl.duet.layouts import tag_layout, window_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.duet.front import pack, unpack

CFG = config(DuetConfig)
SIDE, ENTRIES = CFG.side, CFG.activation_words
TAG, WINDOW = fields_of(tag_layout(CFG)), fields_of(window_layout(CFG))
ALL = (1 << CFG.pixels) - 1
LARGEST = min(4095, 8 * SIDE - 1)


class Inputs(NamedTuple):
    vector: bool = False
    span: int = 0
    in_height: int = 1
    in_width: int = 1
    w_en: bool = False
    w_y: int | None = None
    w_x: int | None = None
    w_word: int | None = None
    w_mask: int | None = None
    w_values: int | None = None
    r_en: bool = False
    read: tuple | None = None


class Outputs(NamedTuple):
    o_valid: bool
    o: int | None
    tag: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_activation_buffer", activation_buffer, Inputs, Outputs

    def step(self, x):
        s, buffer = self.s, activation_buffer
        y = Outputs(False, None, None)
        if buffer.valid_of(s, 0):
            tag = {name: int(buffer.tag_of(s, 0, k)) for k, name in enumerate(buffer.TAG)}
            values = [int(buffer.value_of(s, 0, k)) for k in range(CFG.values)]
            y = Outputs(True, pack(values, LOW_BITS), TAG.pack(**tag))
        read = x.read or WINDOW.unpack(0)
        buffer.clock(s, 0, x.vector, x.span, x.in_height, x.in_width, x.w_en, x.w_y or 0, x.w_x or 0, x.w_word or 0,
                     x.w_mask or 0, unpack(x.w_values or 0, CFG.values, LOW_BITS), x.r_en, read.y, read.x, read.word,
                     np.array(TAG.unpack(read.tag), np.int64))
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"read": WINDOW}
    GATES, QUIET = {"o": "o_valid", "tag": "o_valid"}, ("o_valid",)

    def __init__(self, dut):
        super().__init__(dut, CFG)
        self.rng = random.Random(cocotb.RANDOM_SEED)

    async def fill(self):
        """Every entry is written, as a vector."""
        self.idle = Inputs(vector=True)
        for word in range(ENTRIES):
            await self.cycle(self.idle._replace(**self.write(word=word, mask=ALL)))

    def set(self, **job):
        """What does not change while windows are read."""
        self.idle = Inputs(**job)

    def write(self, y=0, x=0, word=0, mask=None):
        values = self.rng.getrandbits(CFG.values * LOW_BITS)
        return {"w_en": True, "w_y": y % 8, "w_x": x % 8, "w_word": word, "w_values": values,
                "w_mask": self.rng.getrandbits(CFG.pixels) if mask is None else mask}

    def read(self, y=0, x=0, word=0):
        return {"r_en": True, "read": make(WINDOW, y=y, x=x, word=word, tag=self.rng.getrandbits(TAG.bits))}

    def anything(self, p_write, p_read):
        """A random write and a random read, not of one entry: each word has its own."""
        rng, x, span = self.rng, self.idle, 0 if self.idle.vector else self.idle.span
        words, changes = ENTRIES >> 2 * span, {}
        word = rng.randrange(words)
        if rng.random() < p_write:
            changes |= self.write(rng.randrange(8), rng.randrange(8), word)
        if rng.random() < p_read and words > 1:
            y, left = rng.randint(-16, x.in_height + 4), rng.randint(-16, x.in_width + 4)
            changes |= self.read(y, left, (word + rng.randrange(1, words)) % words)
        return x._replace(**changes)


async def ready(dut):
    bench = Bench(dut)
    await bench.start()
    await bench.fill()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_write=[0.2, 1.0], p_read=[0.3, 1.0])
async def random_accesses(dut, p_write, p_read):
    """Every cycle of random writes and windows, maps and spans equals the golden model."""
    bench = await ready(dut)
    for _ in range(12):
        await bench.finish(activation_buffer.LATENCY + 1)
        bench.set(vector=bench.rng.random() < 0.2, span=bench.rng.randrange(activation_buffer.MOST_SPAN + 1),
                  in_height=bench.rng.randint(1, LARGEST), in_width=bench.rng.randint(1, LARGEST))
        for _ in range(40):
            await bench.cycle(bench.anything(p_write, p_read))
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_window(dut):
    """A window at every pixel in and around a small map, one a cycle: each comes LATENCY cycles later."""
    bench = await ready(dut)
    height, width = 2 * SIDE + 1, 2 * SIDE - 1
    bench.set(span=1 if ENTRIES < 64 else 2, in_height=height, in_width=width)
    flags = []
    for y in range(-SIDE - 1, height + 2):
        for x in range(-SIDE - 1, width + 2):
            flags.append((await bench.cycle(bench.idle._replace(**bench.read(y, x)))).o_valid)
    late = activation_buffer.LATENCY
    assert flags == [0] * late + [1] * (len(flags) - late)
    await bench.finish()


@cocotb.test(**LIMIT)
async def largest_map(dut):
    """Windows at the corners of the largest map, far beyond it, and where coordinates end."""
    bench = await ready(dut)
    bench.set(span=1, in_height=4095, in_width=4095)
    for y in (-1 << 15, -16, -1, 0, 4090, 4093, 4094, 4095, 28725, (1 << 15) - 1):
        for x in (-1 << 15, -15, -1, 0, 4091, 4094, 4095, (1 << 15) - 1):
            await bench.cycle(bench.idle._replace(**bench.read(y, x, 1)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def read_after_write(dut):
    """A window in the cycle after the write of its word."""
    bench = await ready(dut)
    bench.set(in_height=SIDE, in_width=SIDE)
    for word in range(8):
        await bench.cycle(bench.idle._replace(**bench.write(word=word)))
        await bench.cycle(bench.idle._replace(**bench.read(word=word)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets windows on their way; the memory keeps its words."""
    bench = await ready(dut)
    for cycles in range(activation_buffer.LATENCY):
        await bench.cycle(bench.idle._replace(**bench.read()))
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        words = bench.model.s.words.copy()
        await bench.start()
        bench.model.s.words[...] = words
        for _ in range(activation_buffer.LATENCY + 1):
            assert not (await bench.cycle(bench.idle)).o_valid
    await bench.cycle(bench.idle._replace(**bench.read()))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(activation_buffer.EVENTS, seen(Model.NAME), f"cfg={CFG}")
