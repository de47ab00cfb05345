"""cocotb bench of hdl.duet.spec_store, run by test_spec_store.py inside the simulator."""

import functools
import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import dequantizer, map_words, order_words, reorder, spec_store, vector_words
from golden.duet.config import DuetConfig
from golden.duet.formats import LOW_BITS, VALUE_BITS, Function
from hdl.duet.layouts import approximation_layout, glb_write_layout, speculate_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack
from tests.duet import store_work

CFG = config(DuetConfig)
ITEM, WRITE, JOB = (fields_of(layout) for layout in (approximation_layout(CFG), glb_write_layout(CFG),
                                                     speculate_layout()))
PARTS = {"map_words": map_words, "reorder": reorder, "order_words": order_words, "vector_words": vector_words}
COLUMNS, PIXELS, VALUES = CFG.columns, CFG.pixels, CFG.values
FIELDS = ("kind", "function", "ordered", "channels", "scale", "tiles_y", "tiles_x", "out_depth", "omap_base",
          "order_base", "approx_base")


class Inputs(NamedTuple):
    job: int = 0
    start: bool = False
    i: tuple | None = None
    write_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    write: tuple | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_spec_store", spec_store, Inputs, Outputs

    @property
    def seen(self):
        parts = {name: getattr(self.s, name).seen for name in PARTS}
        events = {f"{name}.{event}" for name, part in PARTS.items()
                  for event, count in zip(part.EVENTS, parts[name], strict=True) if count}
        values = self.s.vector_words.dequantizer.seen
        return super().seen | events | {f"dequantizer.{event}" for event, count
                                        in zip(dequantizer.EVENTS, values, strict=True) if count}

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(bool(spec_store.ready_of(s, 0)), write_of(s) if spec_store.valid_of(s, 0) else None,
                    bool(spec_store.busy_of(s, 0)))
        i = x.i or ITEM.unpack(0)
        spec_store.clock(s, 0, x.start, *fields_of_job(x.job), PIXELS, x.i is not None,
                         np.array([i.pixel, i.first, i.part_end, i.last], np.int64),
                         np.array(unpack(i.sensitive, COLUMNS, 1), np.int64),
                         np.array(unpack(i.codes, COLUMNS, LOW_BITS), np.int64), x.write_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"i": ITEM, "write": WRITE}, ("write",)
    QUIET = ("write", "busy")

    def sample(self, x):
        y = super().sample(x)
        return y if y.write is None else y._replace(write=counting(y.write))

    async def run(self, work, rng, p_valid=1, p_ready=1):
        """Do a job; the memories are those of the definition. Returns the cycles of the writes and of the end."""
        self.idle = Inputs(job=JOB.pack(**work.job))
        await self.cycle(self.idle._replace(start=True))
        items = [make(ITEM, **item.piece._asdict(), sensitive=pack(item.sensitive, 1),
                      codes=pack(item.codes, LOW_BITS)) for item in work.items]
        source, ready = Source(items, gaps(p_valid, rng), idle=None), gaps(p_ready, rng)
        writes, cycles, start, busy = [], [], self.cycle_number, True
        while busy:
            x = self.idle._replace(i=source.offer()[1], write_ready=next(ready))
            y = await self.cycle(x)
            source.taken(y.i_ready)
            if y.write is not None and x.write_ready:
                writes.append(y.write)
                cycles.append(self.cycle_number - start)
            busy = y.busy
        assert source.done
        assert store_work.memories_after(
            (w.addr, w.map_addr, w.mask, w.map_mask, unpack(w.data, VALUES, VALUE_BITS, signed=True), w.map)
            for w in writes) == work.expected
        assert self.cycle_number - start == cycles[-1] + 1
        return cycles


@functools.lru_cache(4)
def fields_of_job(raw):
    """Fields that count here, of the pins, and the limits."""
    job = JOB.unpack(raw)
    limits = np.array([getattr(job, f"limit_{k}") for k in range(CFG.buckets - 1)], np.int64)
    return *(getattr(job, name) for name in FIELDS), limits


def counting(write):
    """What a write says where its masks are 1; addresses that nothing is written to are 0."""
    values = unpack(write.data, VALUES, VALUE_BITS)
    data = pack([value * (write.mask >> place & 1) for place, value in enumerate(values)], VALUE_BITS)
    return make(WRITE, addr=write.addr if write.mask else 0, map_addr=write.map_addr if write.map_mask else 0,
                mask=write.mask, map_mask=write.map_mask, data=data, map=write.map & write.map_mask)


def write_of(s):
    """What the model offers."""
    every = (1 << PIXELS) - 1
    lanes, pixels, map_pixels = int(s.lanes[0]), int(s.pixels[0]), int(s.map_pixels[0]) & every
    values = [int(value) for value in s.values[0]]
    return counting(make(
        WRITE, addr=int(s.addr[0]), map_addr=int(s.map_addr[0]),
        mask=pack([pixels * (lanes >> column & 1) for column in range(COLUMNS)], PIXELS),
        map_mask=pack([map_pixels] * COLUMNS, PIXELS),
        data=pack([value for value in values for _ in range(PIXELS)], VALUE_BITS),
        map=pack([int(bits) & every for bits in s.bits[0]], PIXELS)))


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(ordered=[False, True], p_valid=[0.3, 1.0], p_ready=[0.1, 0.6, 1.0])
async def random_maps(dut, ordered, p_valid, p_ready):
    """Every cycle of convolutions of all sizes equals the golden model; the memories are those of the definition."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(3):
        await bench.run(store_work.conv(CFG, rng, ordered=ordered), rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function), p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_vectors(dut, function, p_valid, p_ready):
    """The same for vectors, and no bit of an element that does not exist is left from before."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for channels in None, None, VALUES + 1:
        await bench.run(store_work.vector(CFG, rng, function=function, channels=channels), rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def kinds_in_turn(dut):
    """Jobs of all kinds one after the other, each begun as soon as the one before is over."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(4):
        await bench.run(store_work.conv(CFG, rng, ordered=True), rng)
        await bench.run(store_work.vector(CFG, rng), rng)
        await bench.run(store_work.conv(CFG, rng, ordered=False), rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def order_of_many(dut):
    """More channels than a word of the order holds, as far as there may be so many."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    channels = min(CFG.channels, VALUES + COLUMNS + 1)
    await bench.run(store_work.conv(CFG, rng, ordered=True, channels=channels, tiles=(1, 2), pixels=[0]), rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Approximations in every cycle; every word is written 2 cycles after its last pixel, elements of a vector 3."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    work = store_work.conv(CFG, rng, ordered=False, channels=3 * COLUMNS, tiles=(2, 2), pixels=range(PIXELS))
    cycles = await bench.run(work, rng)
    assert cycles == [PIXELS * (word + 1) + 2 for word in range(12)]
    work = store_work.vector(CFG, rng, channels=2 * VALUES)
    assert await bench.run(work, rng) == [number + 1 + 3 for number in range(2 * PIXELS)]
    await bench.finish()


@cocotb.test(**LIMIT)
async def sorting_keeps_up(dut):
    """Where a tile has at least as many pixels as a word has channels, sorting takes nothing but its 2 cycles a tile,
    which the collectors hide."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    if PIXELS < COLUMNS:
        return
    count = 6
    work = store_work.conv(CFG, rng, ordered=True, channels=2 * COLUMNS, tiles=(1, count), pixels=range(PIXELS))
    cycles = await bench.run(work, rng)
    assert cycles[-1] <= len(work.items) + 2 * count + 4 * COLUMNS + 16
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_job(dut):
    """A reset forgets the job and all that is inside."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in range(2, 26, 4):
        work = store_work.conv(CFG, rng, ordered=True, channels=COLUMNS, tiles=(1, 8), pixels=[0])
        bench.idle = Inputs(job=JOB.pack(**work.job))
        await bench.cycle(bench.idle._replace(start=True))
        item = work.items[0]
        i = make(ITEM, **item.piece._asdict(), sensitive=pack(item.sensitive, 1), codes=0)
        for cycle in range(cycles):
            await bench.cycle(bench.idle._replace(i=i if cycle < 4 else None, write_ready=cycle % 3 == 0))
        await bench.start()
        await bench.finish()
        await bench.run(store_work.vector(CFG, rng), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan, also those of the parts."""
    plan = set(spec_store.EVENTS) | {f"{name}.{event}" for name, part in PARTS.items() for event in part.EVENTS}
    plan |= {f"dequantizer.{event}" for event in dequantizer.EVENTS}
    # The bench of the reorder unit has these; words of many pixels need more channels than some configurations have.
    rare = {f"reorder.{event}" for event in ("all_channels", "one_channel", "all_buckets", "input_waits")}
    if CFG.channels <= VALUES:
        rare |= {"order_words.next_word"}
    assert_all(plan - rare, seen(Model.NAME) - rare, f"cfg={CFG}")
