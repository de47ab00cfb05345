"""cocotb bench of hdl.duet.cell, run by test_cell.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.duet import cell
from golden.duet.config import DuetConfig
from golden.duet.formats import CELL_FIELDS, GLB_LATENCY, Cell
from hdl.duet.layouts import glb_read_layout
from sim.common.bench import Fields, config, unsigned
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps
from tests.duet.cell_jobs import BASES, ROWS, memory_of, random_job
from tests.duet.glb_words import bits_of, pack_values, unpack_values, write_fields

CFG = config(DuetConfig)
VALUES = CFG.values
JOB = Fields(**{name: unsigned(bits) for name, bits in CELL_FIELDS.items()})
REQUEST = fields_of(glb_read_layout())
WRITE = write_fields(CFG)
NOTHING = np.zeros(VALUES, np.int64)


class Inputs(NamedTuple):
    job: tuple = (0,) * len(CELL_FIELDS)
    start: bool = False
    request_ready: bool = True
    valid: bool = False
    data: int | None = None
    write_ready: bool = True


class Outputs(NamedTuple):
    busy: bool
    request: tuple | None
    write: tuple | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_cell", cell, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, request, write = self.s, None, None
        if cell.request_valid_of(s, 0):
            request = REQUEST.unpack(REQUEST.pack(addr=int(s.r_addr[0]), map_addr=0))
        if cell.write_valid_of(s, 0):
            write = WRITE.unpack(WRITE.pack(addr=int(s.w_addr[0]), map_addr=0, mask=bits_of(s.w_mask[0]), map_mask=0,
                                            data=pack_values(s.w_data[0]), map=0))
        y = Outputs(bool(cell.busy_of(s, 0)), request, write)
        op, length, *bases = x.job
        cell.clock(s, 0, bool(x.start), int(op), int(length), np.array(bases, np.int64), bool(x.request_ready),
                   bool(x.valid), unpack_values(x.data, VALUES) if x.valid else NOTHING, bool(x.write_ready))
        return y



class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"job": JOB, "request": REQUEST, "write": WRITE}, ("request", "write")
    QUIET = ("busy", "request", "write")

    def drive(self, x):
        super().drive(x._replace(job=JOB.unpack(JOB.pack(**dict(zip(CELL_FIELDS, x.job, strict=True))))))

    async def run(self, job, memory, *, p_request=1.0, p_write=1.0, rng):
        """A job on ``memory`` [words, values], which it changes; returns the cycles of ``busy``."""
        takes, grants = gaps(p_write, rng), gaps(p_request, rng)
        answers, busy = [None] * GLB_LATENCY, 0
        await self.cycle(Inputs(job, True))
        while True:
            answer, x = answers.pop(0), Inputs(job, False, next(grants), write_ready=next(takes))
            if answer is not None:
                x = x._replace(valid=True, data=answer)
            y = await self.cycle(x)
            taken = y.request if x.request_ready else None
            answers.append(None if taken is None else pack_values(memory[taken.addr]))
            if y.write is not None and x.write_ready:
                mask = unpack_values(y.write.mask, VALUES, 1) != 0
                memory[y.write.addr, mask] = unpack_values(y.write.data, VALUES)[mask]
            assert y.request is None or y.write is None, "no word may be read while one is written"
            busy += y.busy
            if not y.busy:
                return busy


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


async def checked(bench, job, rng, **pace):
    """Run a job on a random memory; the memory afterwards is that of the definition. Returns the cycles."""
    memory = memory_of(CFG, rng)
    expected = memory.copy()
    cell.apply(expected.reshape(ROWS, CFG.columns, CFG.pixels), *job)
    busy = await bench.run(job, memory, rng=random.Random(int(rng.integers(1 << 30))), **pace)
    assert np.array_equal(memory, expected)
    return busy


@cocotb.test(**LIMIT)
@cocotb.parametrize(op=[1, 2, 3], p_request=[0.4, 1.0], p_write=[0.4, 1.0])
async def random_jobs(dut, op, p_request, p_write):
    """Every cycle of random jobs equals the golden model, and their results the definition."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(4):
        await checked(bench, random_job(CFG, rng, Cell(op)), rng, p_request=p_request, p_write=p_write)
    await bench.finish()


@cocotb.test(**LIMIT)
async def in_place(dut):
    """Results may replace operands: element by element, whatever the pace."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    bench, length = await ready(dut), VALUES + 3
    a, b, c, d, state, hidden = BASES
    for pace in 0.4, 1.0:
        for job in ((Cell.GRU, length, a, b, c, hidden, state, hidden), (Cell.RESET, length, a, b, c, a, state, hidden),
                    (Cell.LSTM, length, a, b, c, d, state, d)):
            await checked(bench, tuple(map(int, job)), rng, p_request=pace, p_write=pace)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(op=[1, 2, 3])
async def full_throughput(dut, op):
    """Exactly as many cycles as stated, for numbers of pixels from 10 on."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for pixels in (10, 11, 12, 13, 16, 19):
        job = int(op), pixels * CFG.columns - int(rng.integers(CFG.columns)), *BASES
        assert await checked(bench, job, rng) == cell.cycles(Cell(op), pixels)
    await bench.finish()


@cocotb.test(**LIMIT)
async def short_jobs(dut):
    """No operation, no element, one element, a pixel and its neighbours; jobs right after one another, in any order."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for op in (*Cell, *reversed(Cell)):
        for length in 0, 1, CFG.columns - 1, CFG.columns, CFG.columns + 1:
            busy = await checked(bench, (int(op), length, *BASES), rng)
            assert (busy == 0) == (op == Cell.NONE or not length)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the job; the next one is not disturbed."""
    rng = np.random.default_rng(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for cycles in range(1, 40, 3):
        job = int(Cell.LSTM), 4 * CFG.columns, *BASES
        y = await bench.cycle(Inputs(job, True))
        answers = [False] * GLB_LATENCY
        for _ in range(cycles):
            x = Inputs(job, valid=answers.pop(0), data=0)
            y = await bench.cycle(x)
            answers.append(y.request is not None)
        await bench.start()
        assert not (await bench.cycle(Inputs())).busy
        await checked(bench, random_job(CFG, rng, Cell.GRU), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(cell.EVENTS, seen(Model.NAME), f"cfg={CFG}")
