"""cocotb bench of hdl.duet.store, run by test_store.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import store
from golden.duet.config import DuetConfig
from golden.duet.formats import Function, Kind
from sim.common.bench import Fields, Source, config, to_raw, unsigned
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, gaps
from tests.duet.glb_words import bits_of, pack_values, write_fields
from tests.duet.store_traffic import Group, Job, random_groups, random_job, sum_words

CFG = config(DuetConfig)
ROWS, PIXELS, VALUES = CFG.rows, CFG.pixels, CFG.values
#: ``group_layout``: its rows in one piece.
GROUP = Fields(rows=unsigned(ROWS * (49 + PIXELS)), word=unsigned(16), map_word=unsigned(16), tile_done=unsigned(1),
               empty=unsigned(1))
#: ``sums_layout``: its sums in one piece.
SUMS = Fields(pixel=unsigned(CFG.pixel_bits), sums=unsigned(32 * ROWS))
WRITE = write_fields(CFG)
NOTHING = np.zeros(ROWS, np.int64)


class Inputs(NamedTuple):
    """``group`` and ``sums`` are objects of the traffic; their payloads are packed when they are driven."""

    kind: int = 0
    curve: int = 0
    shift: int = 0
    group: Group | None = None
    drain_start: bool = False
    sums: tuple[int, np.ndarray] | None = None
    write_ready: bool = True


class Outputs(NamedTuple):
    group_ready: bool
    drain_ready: bool
    write: tuple | None
    tile_done: bool
    saturated: bool
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_store", store, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        write = None
        if store.write_valid_of(s, 0):
            write = WRITE.unpack(WRITE.pack(
                addr=int(s.w_addr[0]), map_addr=int(s.w_map_addr[0]), mask=bits_of(s.w_mask[0]),
                map_mask=bits_of(s.w_map_mask[0]), data=pack_values(s.w_data[0]), map=bits_of(s.w_map[0])))
        y = Outputs(bool(store.ready_of(s, 0)), bool(store.drain_ready_of(s, 0)), write, bool(store.tile_done_of(s, 0)),
                    bool(store.saturated_of(s, 0)), bool(store.busy_of(s, 0)))
        group, sums = x.group, x.sums
        parts = group.arguments if group is not None else (0, 0, False, False, *[NOTHING] * 4)
        store.clock(s, 0, group is not None, *parts, bool(x.drain_start), sums is not None, *(sums or (0, NOTHING)),
                    int(x.kind), int(x.curve), x.shift, bool(x.write_ready))
        return y


class Bench(PinBench):
    MODEL, STREAMS = Model, ("write",)
    FORMATS = {"group": GROUP, "sums": SUMS, "write": WRITE}
    QUIET = ("write", "tile_done", "busy")

    def drive(self, x):
        group = None if x.group is None else GROUP.unpack(GROUP.pack(
            rows=packed_rows(x.group), word=x.group.word, map_word=x.group.map_word, tile_done=x.group.tile_done,
            empty=x.group.empty))
        sums = None if x.sums is None else SUMS.unpack(SUMS.pack(pixel=x.sums[0], sums=pack_values(x.sums[1], 32)))
        super().drive(x._replace(group=group, sums=sums))

    async def run(self, job, groups, *, p_group=1.0, p_sums=1.0, p_ready=1.0, rng):
        """Send groups and, when they may come, their sums; until nothing is inside. Returns the number of cycles."""
        source, offers, takes = Source(groups, gaps(p_group, rng), idle=None), gaps(p_sums, rng), gaps(p_ready, rng)
        waiting = [word for group in groups for word in [sum_words(group, job)] if word]
        sending, first, y = [], self.cycle_number, None
        while y is None or not source.done or waiting or sending or y.busy:
            sums = sending.pop(0) if sending and next(offers) else None
            begins = bool(not sending and waiting and y is not None and y.drain_ready and next(offers))
            y = await self.cycle(Inputs(*map(int, job), source.offer()[1], begins, sums, next(takes)))
            if begins:
                sending, y = waiting.pop(0), y._replace(drain_ready=False)
            source.taken(y.group_ready)
        return self.cycle_number - first


def packed_rows(group) -> int:
    """The rows of a group as in ``group_layout``."""
    raw, bits = 0, 49 + PIXELS
    for k, (on, channel, bias, mask) in enumerate(zip(group.on, group.channels, group.bias, group.masks, strict=True)):
        raw |= (int(on) | int(channel) << 1 | to_raw(int(bias), 32) << 17 | int(mask) << 49) << k * bits
    return raw


def full_groups(job, count, *, tile_done=False):
    """Groups with all rows on and all pixels sensitive; values 1, 2, ... without shift."""
    shape = ROWS, PIXELS
    return [Group(np.ones(ROWS, bool), np.arange(ROWS), NOTHING, np.ones(shape, bool), k, k, tile_done, False,
                  np.arange(ROWS * PIXELS).reshape(shape) + 1) for k in range(count)]


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(kind=[0, 1], p_group=[0.3, 1.0], p_sums=[0.3, 1.0], p_ready=[0.4, 1.0])
async def random_jobs(dut, kind, p_group, p_sums, p_ready):
    """Every cycle of random groups equals the golden model, for groups, sums and writes at any pace."""
    rng = random.Random(cocotb.RANDOM_SEED)
    numbers, bench = np.random.default_rng(rng.getrandbits(32)), await ready(dut)
    for _ in range(4):
        job = random_job(numbers, Kind(kind))
        groups = random_groups(numbers, CFG, job, 8)
        await bench.run(job, groups, p_group=p_group, p_sums=p_sums, p_ready=p_ready, rng=rng)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=[0, 1])
async def latency(dut, kind):
    """The first write comes LATENCY cycles after the last sums, and the others in the next cycles."""
    bench, job = await ready(dut), Job(Kind(kind), Function.NONE, 0)
    group = full_groups(job, 1, tile_done=True)[0]
    words = sum_words(group, job)
    await bench.cycle(Inputs(*job, group))
    while not (await bench.cycle(Inputs(*job))).drain_ready:
        pass
    await bench.cycle(Inputs(*job, drain_start=True))
    for sums in words:
        await bench.cycle(Inputs(*job, sums=sums))
    most = store.LATENCY if job.kind == Kind.CONV else store.VECTOR_LATENCY
    rows = [await bench.cycle(Inputs(*job)) for _ in range(most + ROWS + 1)]
    assert [y.write is not None for y in rows] == [False] * (most - 1) + [True] * ROWS + [False] * 2
    assert [y.tile_done for y in rows] == [False] * (most + ROWS - 1) + [True, False]
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=[0, 1])
async def full_throughput(dut, kind):
    """Group after group: a row in every cycle, or the sums of a group and 6 cycles, one before them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, job, count = await ready(dut), Job(Kind(kind), Function.NONE, 0), 12
    cycles = [await bench.run(job, full_groups(job, n), rng=rng) for n in (count, 2 * count)]
    sums = PIXELS if job.kind == Kind.CONV else 1
    assert cycles[1] - cycles[0] == count * max(ROWS, sums + 6)
    await bench.finish()


@cocotb.test(**LIMIT)
async def corners(dut):
    """Groups without a row, empty ones and both at once, alone and many of them; the end of a tile in each."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, job = await ready(dut), Job(Kind.CONV, Function.RELU, 3)
    full = full_groups(job, 1, tile_done=True)[0]
    none = full._replace(on=np.zeros(ROWS, bool))
    empty = full._replace(sensitive=np.zeros((ROWS, PIXELS), bool), empty=True)
    nothing = empty._replace(on=np.zeros(ROWS, bool))
    mixed = [full, nothing, nothing, empty, none, full, empty, full]
    for p_ready in 1.0, 0.3:
        for groups in [none], [empty], [nothing], [nothing] * 5, mixed:
            await bench.run(job, groups, p_ready=p_ready, rng=rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def limits(dut):
    """The largest sums and biases, of both signs, with every shift: 33 bits are not cut."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for shift in range(32):
        job = Job(Kind.CONV, Function.NONE, shift)
        group = full_groups(job, 1)[0]
        sums = np.array([rng.choice([-1 << 31, (1 << 31) - 1, (1 << 31) - 2, 0]) for _ in range(group.sums.size)])
        bias = np.array([rng.choice([-1 << 31, (1 << 31) - 1]) for _ in range(ROWS)])
        await bench.run(job, [group._replace(sums=sums.reshape(group.sums.shape), bias=bias)], rng=rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets groups, sums and writes, and the flag."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for kind in Kind:
        job = Job(kind, Function.NONE, 0)
        for cycles in range(2, 14):
            source = Source(full_groups(job, 3), gaps(1.0, rng), idle=None)
            for _ in range(cycles):
                y = await bench.cycle(Inputs(*job, source.offer()[1]))
                source.taken(y.group_ready)
            if y.drain_ready:
                await bench.cycle(Inputs(*job, drain_start=True))
                for pixel, sums in sum_words(full_groups(job, 1)[0], job):
                    await bench.cycle(Inputs(*job, sums=(pixel, sums << 20)))
            for _ in range(cycles):
                await bench.cycle(Inputs(*job, write_ready=False))
            await bench.start()
            y = await bench.cycle(Inputs(*job))
            assert not (y.busy or y.saturated or y.write or y.drain_ready)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(store.EVENTS, seen(Model.NAME), f"cfg={CFG}")
