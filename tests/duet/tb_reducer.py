"""cocotb bench of hdl.duet.reducer, run by test_reducer.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import reducer
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, TERNARY_BITS, VALUE_BITS
from golden.duet.projection import projection_bits
from hdl.duet.layouts import block_layout, reduced_layout, ternary_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.duet import front
from tests.duet.front import job_array, job_bits, pack, unpack

CFG = config(DuetConfig)
BLOCK, TERNARY, REDUCED = fields_of(block_layout(CFG)), fields_of(ternary_layout(CFG)), fields_of(reduced_layout(CFG))
NO_WORD = np.zeros(CFG.values, np.int64)
NO_TERNARY = np.zeros((CFG.trees, CFG.values), np.int64)
#: Shapes of the paper's size take the simulator longer: fewer of them.
JOBS = 12 if CFG.values <= 64 else 3


class Inputs(NamedTuple):
    start: bool = False
    job: int = 0
    word: tuple | None = None
    write: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    word_ready: bool
    o: tuple | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_reducer", reducer, Inputs, Outputs

    def reset(self):
        """The memories outlive it."""
        kept = [(memory, memory.copy()) for memory in (self.s.alignment.projection, self.s.buffer.words)]
        super().reset()
        for memory, words in kept:
            memory[...] = words

    @property
    def seen(self):
        return reducer.events(self.s)

    def step(self, x):
        s = self.s
        vector = None
        if reducer.valid_of(s, 0):
            values = [int(reducer.o_value(s, 0, tree)) for tree in range(CFG.trees)]
            vector = make(REDUCED, pixel=int(reducer.o_field(s, 0, 0)), word=int(reducer.o_field(s, 0, 1)),
                          last=int(reducer.o_field(s, 0, 2)), values=pack(values, LOW_BITS))
        y = Outputs(bool(reducer.ready_of(s, 0)), vector, bool(reducer.busy_of(s, 0)))
        i, w = x.word, x.write
        block = (i.block_y, i.block_x, i.word, bool(i.last), unpack(i.data, CFG.values, VALUE_BITS)) if i else (
            0, 0, 0, False, NO_WORD)
        ternary = unpack(w.data, NO_TERNARY.size, TERNARY_BITS).reshape(NO_TERNARY.shape) if w else NO_TERNARY
        reducer.clock(s, 0, job_array(x.job), x.start, i is not None, *block, w is not None, w.addr if w else 0,
                      ternary, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"word": BLOCK, "write": TERNARY, "o": REDUCED}, ("o",)
    QUIET = ("o", "busy")

    async def load(self, words, base):
        """Write words of the projection buffer."""
        for addr, word in enumerate(words, base):
            await self.cycle(self.idle._replace(write=make(TERNARY, addr=addr, data=projection_bits(word))))

    async def work(self, work, rng, *, p_word=1.0, p_take=1.0) -> int:
        """Carry out a job; returns the cycles from the first in which a word is taken to the end."""
        await self.load(work.projection, work.job["projection_base"])
        self.idle = Inputs(job=job_bits(work.job))
        words = Source(words_of(work), gaps(p_word, rng), idle=None)
        takes, taken = gaps(p_take, rng), []
        await self.cycle(self.idle._replace(start=True))
        start = self.cycle_number
        while True:
            x = self.idle._replace(word=words.offer()[1], o_ready=next(takes))
            y = await self.cycle(x)
            if not y.busy:
                break
            words.taken(y.word_ready)
            if y.o is not None and x.o_ready:
                taken.append((y.o.pixel, y.o.word, bool(y.o.last), tuple(unpack(y.o.values, CFG.trees, LOW_BITS))))
        assert words.done
        assert taken == work.vectors
        return self.cycle_number - start - 1


def words_of(work):
    """Words of all tiles, as payloads."""
    return [make(BLOCK, block_y=w.block_y, block_x=w.block_x, word=w.word, last=int(w.last),
                 data=pack(w.values, VALUE_BITS)) for tile in work.words for w in tile]


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED), np.random.default_rng(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_word=[0.4, 1.0], p_take=[0.1, 0.6, 1.0])
async def random_jobs(dut, p_word, p_take):
    """Every cycle of random convolutions and vectors equals the golden model, and the vectors the definition."""
    bench, rng, numbers = await ready(dut)
    for _ in range(JOBS):
        work = front.random_conv(CFG, numbers, tiles=8) if rng.random() < 0.7 else front.random_vector(CFG, numbers)
        await bench.work(work, rng, p_word=p_word, p_take=p_take)
    await bench.finish()


def ones(*shape):
    return np.ones(shape, np.int64)


@cocotb.test(**LIMIT)
async def one_window_a_vector(dut):
    """1 x 1 kernels: a vector in every cycle, with and without a consumer that waits."""
    bench, rng, numbers = await ready(dut)
    for p_take in (1.0, 0.5):
        work = front.conv(CFG, numbers, x=front.values(numbers, (1, 3 * CFG.side, 2 * CFG.side)),
                          p=front.ternary(numbers, (2 * CFG.trees, 1, 1, 1)), stride=1, pad=0, shift=0)
        cycles = await bench.work(work, rng, p_take=p_take)
        if p_take == 1.0:
            assert cycles == sum(map(len, work.words)) + work.windows + reducer.latency(CFG)
    await bench.finish()


@cocotb.test(**LIMIT)
async def one_pixel(dut):
    """A map of one pixel, in the middle of kernels of all sizes; outputs beyond it see only zeros."""
    bench, rng, numbers = await ready(dut)
    for kernel, pad in ((1, 0), (2, 1), (3, 1), (5, 2), (7, 3), (1, 3)):
        p = front.ternary(numbers, (CFG.trees, CFG.columns, kernel, kernel), 1.0)
        await bench.work(front.conv(CFG, numbers, x=front.values(numbers, (CFG.columns, 1, 1)), p=p, stride=1, pad=pad,
                                    shift=1), rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def shared_entries(dut):
    """Three blocks each way where the buffer has entries for two: rows of the third are not written over the first."""
    bench, rng, numbers = await ready(dut)
    work = front.conv(CFG, numbers, x=front.values(numbers, (CFG.columns, 4 * CFG.side, 4 * CFG.side)),
                      p=front.ternary(numbers, (CFG.trees, CFG.columns, CFG.side, CFG.side)), pad=1, shift=3,
                      stride=2 if CFG.side == 2 else 1)
    assert work.job["span"] == 1
    assert max(map(len, work.words)) == 9
    await bench.work(work, rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def ends_of_the_range(dut):
    """The largest and the smallest sums, every shift."""
    bench, rng, numbers = await ready(dut)
    for shift in (*range(14), 22, 23, 24, 31):
        x = np.where(np.arange(CFG.values) % 3, -1 << 15, (1 << 15) - 1)
        p = ones(CFG.trees, CFG.values) * np.where(np.arange(CFG.trees) % 2, 1, -1)[:, None]
        p[2] = np.where(x < 0, -1, 1)
        p[3] = -p[2]
        await bench.work(front.vector(CFG, numbers, x=x, p=p, shift=shift), rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """All inputs of all trees in every cycle: words and windows, and the latency of the last vector, nothing else."""
    bench, rng, numbers = await ready(dut)
    channels, length, size = 2 * CFG.columns, min(2, CFG.reduced_words) * CFG.trees, 4 * CFG.side
    works = [front.conv(CFG, numbers, x=front.values(numbers, (channels, size, size)),
                        p=front.ternary(numbers, (length, channels, 3, 3)), stride=1, pad=1, shift=4),
             front.conv(CFG, numbers, x=front.values(numbers, (CFG.columns, 5, 6)),
                        p=front.ternary(numbers, (length, CFG.columns, 1, 1)), stride=2, pad=0, shift=2),
             front.vector(CFG, numbers, x=front.values(numbers, 6 * CFG.values),
                          p=front.ternary(numbers, (2 * CFG.trees, 6 * CFG.values)), shift=6)]
    for work in works:
        cycles = await bench.work(work, rng)
        words = sum(map(len, work.words))
        assert cycles == words + work.windows + reducer.latency(CFG)
        inputs = work.windows * CFG.trees * CFG.values
        cocotb.log.info(f"{work.windows} windows of {CFG.trees} x {CFG.values} inputs in {cycles} cycles, {words} of "
                        f"them for words: {inputs / (cycles - words):.0f} inputs a cycle")
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the job, windows and vectors; not the projection and what was written."""
    bench, rng, numbers = await ready(dut)
    work = front.random_conv(CFG, numbers, tiles=4)
    for cycles in (0, 1, 3, 8, 14, 30):
        await bench.load(work.projection, work.job["projection_base"])
        bench.idle = Inputs(job=job_bits(work.job))
        words = Source(words_of(work), gaps(1.0, rng), idle=None)
        await bench.cycle(bench.idle._replace(start=True))
        for _ in range(len(work.words[0]) + cycles):
            x = bench.idle._replace(word=words.offer()[1], o_ready=rng.random() < 0.3)
            words.taken((await bench.cycle(x)).word_ready)
        await bench.start()
    await bench.work(work, rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; a sum that wraps is the matter of tb_alignment."""
    plan = {*reducer.EVENTS, *(f"{name}.{event}" for name, part in reducer.PARTS.items() for event in part.EVENTS)}
    assert_all(plan - {"alignment.wrapped"}, seen(Model.NAME), f"cfg={CFG}")
