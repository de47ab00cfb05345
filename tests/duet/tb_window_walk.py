"""cocotb bench of hdl.duet.window_walk, run by test_window_walk.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import window_walk
from golden.duet.activation_buffer import TAG
from golden.duet.config import DuetConfig
from golden.duet.formats import Kind
from hdl.duet.layouts import tag_layout, window_layout
from sim.common.bench import config, signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps
from tests.duet.front import job_array, job_bits
from tests.duet.walk_spec import random_job, windows_of

CFG = config(DuetConfig)
TAG_FIELDS, WINDOW = fields_of(tag_layout(CFG)), fields_of(window_layout(CFG))


class Inputs(NamedTuple):
    start: bool = False
    job: int = 0
    filled: bool = False
    taken: bool = False


class Outputs(NamedTuple):
    loading: bool
    top: int | None
    left: int | None
    o_valid: bool
    o: int | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_window_walk", window_walk, Inputs, Outputs

    def step(self, x):
        s, valid, window = self.s, bool(window_walk.valid_of(self.s, 0)), None
        if valid:
            tag = {name: int(value) for name, value in zip(TAG, s.tag[0], strict=True)}
            tag["address"] %= CFG.projection_words
            window = WINDOW.pack(y=int(s.o_y[0]), x=int(s.o_x[0]), word=int(s.o_word[0]), tag=TAG_FIELDS.pack(**tag))
        loading = bool(window_walk.loading_of(s, 0))
        first = (int(s.top[0]), int(s.left[0])) if loading else (None, None)
        y = Outputs(loading, *first, valid, window, bool(window_walk.busy_of(s, 0)))
        window_walk.clock(s, 0, job_array(x.job), x.start, x.filled, x.taken)
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"top": signed(16), "left": signed(16)}
    GATES = {"o": "o_valid", "top": "loading", "left": "loading"}
    QUIET = ("o_valid", "loading", "busy")

    async def run(self, job, rng, *, p_fill=1.0, p_take=1.0) -> int:
        """Carry out a job, fill each tile after a while, take vectors after a while; returns the cycles from the first
        ``loading`` on."""
        fills, takes = gaps(p_fill, rng), gaps(p_take, rng)
        self.idle = Inputs(job=job_bits(job))
        await self.cycle(self.idle._replace(start=True))
        start, tiles, waiting = self.cycle_number, [], 0
        y = Outputs(True, None, None, False, None, True)
        while y.busy:
            model = self.model.s        # what is on the pins in this cycle
            filled = bool(model.loading[0]) and next(fills)
            taken = waiting > 0 and next(takes)
            y = await self.cycle(self.idle._replace(filled=filled, taken=taken))
            if y.o_valid:
                window = WINDOW.unpack(y.o)
                tag = TAG_FIELDS.unpack(window.tag)
                tiles[-1].append((window.y, window.x, window.word, *tag))
                waiting += tag.last
            if filled:
                tiles.append([])
            waiting -= taken
        assert tiles == windows_of(CFG, job)
        return self.cycle_number - start - 1


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_fill=[0.3, 1.0], p_take=[0.05, 0.4, 1.0])
async def random_jobs(dut, p_fill, p_take):
    """Every cycle of random jobs equals the golden model, and the windows those of nested loops."""
    bench, rng = await ready(dut)
    for _ in range(12):
        await bench.run(random_job(CFG, rng), rng, p_fill=p_fill, p_take=p_take)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A window in every cycle: a cycle to fill each tile, one a window, and one until the last vector is taken."""
    bench, rng = await ready(dut)
    for _ in range(10):
        job = random_job(CFG, rng)
        tiles = windows_of(CFG, job)
        assert await bench.run(job, rng) == sum(map(len, tiles)) + len(tiles) + 2
    await bench.finish()


@cocotb.test(**LIMIT)
async def largest_numbers(dut):
    """Fields at the ends of their ranges: the walk begins rightly, and counts beyond the end of the projection."""
    bench, rng = await ready(dut)
    job = {"kind": Kind.CONV, "stride": 7, "pad": 15, "windows_y": 15, "windows_x": 1, "height": CFG.side + 1,
           "width": 1, "tiles_y": 2, "tiles_x": 1, "depth": 1, "span": 0, "reduced": min(2, CFG.reduced_words),
           "projection_base": CFG.projection_words - 1}
    await bench.run(job, rng)
    await bench.run({**job, "kind": Kind.VECTOR, "depth": CFG.activation_words, "reduced": CFG.reduced_words,
                     "tiles_y": 255, "height": 4095}, rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the job, also while it waits for room."""
    bench, rng = await ready(dut)
    job = {**random_job(CFG, rng), "kind": Kind.CONV, "height": 2, "width": 2, "tiles_y": 1, "tiles_x": 1, "depth": 1,
           "windows_y": 1, "windows_x": 1}
    for cycles in (0, 1, 5, 40):
        bench.idle = Inputs(job=job_bits(job))
        await bench.cycle(bench.idle._replace(start=True))
        await bench.cycle(bench.idle._replace(filled=True))
        for _ in range(cycles):
            await bench.cycle(bench.idle)
        await bench.start()
        assert not (await bench.cycle(bench.idle)).busy
    await bench.run(job, rng)
    await bench.finish()


async def start_wrong(dut, **changes):
    """Start a job that cannot be; the hardware must stop the run."""
    bench, rng = await ready(dut)
    bench.idle = Inputs(job=job_bits({**random_job(CFG, rng), "kind": Kind.CONV, "span": 0, **changes}))
    await bench.cycle(bench.idle._replace(start=True))
    await bench.cycle(bench.idle)


@cocotb.test(skip=True, **LIMIT)
async def nothing_reduced(dut):
    """Run by name: no word of the reduced input."""
    await start_wrong(dut, reduced=0)


@cocotb.test(skip=True, **LIMIT)
async def too_deep(dut):
    """Run by name: more words than the activation buffer has entries."""
    await start_wrong(dut, depth=(CFG.activation_words >> 2) + 1, span=1)


@cocotb.test(skip=True, **LIMIT)
async def taken_too_early(dut):
    """Run by name: a vector is taken that was not sent."""
    bench, _rng = await ready(dut)
    await bench.cycle(Inputs(taken=True))
    await bench.cycle(Inputs())


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(window_walk.EVENTS, seen(Model.NAME), f"cfg={CFG}")
