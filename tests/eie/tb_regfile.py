"""cocotb bench of hdl.eie.regfile, run by test_regfile.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.eie import regfile
from golden.eie.config import EieConfig
from golden.eie.spec import limits
from sim.common.bench import config, signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench

CFG = config(EieConfig)
VALUE = signed(CFG.data_bits)
LOW, HIGH = limits(CFG.data_bits)
WORDS = CFG.regfile_words


class Inputs(NamedTuple):
    flush: bool = False
    w_en: bool = False
    w_row: int | None = None
    w_value: int | None = None
    w_relu: bool | None = None
    r_en: bool = False
    r_row: int | None = None
    s_en: bool = False
    s_row: int | None = None


class Outputs(NamedTuple):
    r_value: int | None
    r_live: bool
    r_nonzero: bool
    nonzero: int


class Model(LaneModel):
    """A value is known once its register was written and read."""

    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "eie_regfile", regfile, Inputs, Outputs, ("words",)

    def __init__(self, cfg):
        super().__init__(cfg)
        self._written, self._known = set(), False

    def reset(self):
        super().reset()
        self._known = False

    def unknown(self):
        return () if self._known else ("r_value",)

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        flags = sum(int(flag) << row for row, flag in enumerate(s.nonzero[0]))
        y = Outputs(int(s.r_value[0]) if self._known else None, bool(s.r_live[0]), bool(s.r_nonzero[0]), flags)
        if x.r_en or x.s_en:
            self._known = (x.r_row if x.r_en else x.s_row) in self._written
        if x.w_en:
            self._written.add(x.w_row)
        regfile.clock(s, 0, x.flush, x.w_en, x.w_row or 0, x.w_value or 0, bool(x.w_relu), x.r_en, x.r_row or 0,
                      x.s_en, x.s_row or 0)
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"w_value": VALUE, "r_value": VALUE}

    async def write(self, row, value, **others):
        return await self.cycle(Inputs(w_en=True, w_row=row, w_value=value, **{"w_relu": False, **others}))

    async def read(self, row):
        """What a read of this row shows, one cycle later."""
        await self.cycle(Inputs(r_en=True, r_row=row))
        return await self.cycle(Inputs())


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_write=[0.1, 0.6, 1.0], p_read=[0.3, 1.0], p_flush=[0.0, 0.1])
async def random_traffic(dut, p_write, p_read, p_flush):
    """Every cycle of random reads, writes and flushes equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(200):
        write_row, read_row = rng.sample(range(WORDS), 2)
        x = Inputs(flush=rng.random() < p_flush)
        if rng.random() < p_write:
            value = rng.choice([0, 1, -1, LOW, HIGH, rng.randint(LOW, HIGH)])
            x = x._replace(w_en=True, w_row=write_row, w_value=value, w_relu=rng.random() < 0.5)
        if rng.random() < p_read:
            scan = rng.random() < 0.5
            x = x._replace(**({"s_en": True, "s_row": read_row} if scan else {"r_en": True, "r_row": read_row}))
        await bench.cycle(x)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A write and a read of the register before in every cycle: all come back, one a cycle, 1 cycle after the read."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    values = [rng.randint(LOW, HIGH) for _ in range(WORDS)]
    answers, start = [], bench.cycle_number
    for row in range(WORDS + 2):
        x = Inputs()
        if row < WORDS:
            x = x._replace(w_en=True, w_row=row, w_value=values[row], w_relu=False)
        if 1 <= row <= WORDS:
            x = x._replace(r_en=True, r_row=row - 1)
        y = await bench.cycle(x)
        if row >= 2:
            answers.append(y.r_value)
    assert answers == values
    assert bench.cycle_number - start == WORDS + 2
    await bench.finish()


@cocotb.test(**LIMIT)
async def flush_meets_write(dut):
    """A flush takes one cycle and forgets everything but the write of the same cycle; a read of that cycle is older."""
    bench = await ready(dut)
    for row in range(WORDS):
        await bench.write(row, row + 1)
    x = Inputs(flush=True, w_en=True, w_row=1, w_value=-5, w_relu=False, r_en=True, r_row=0)
    assert (await bench.cycle(x)).nonzero == (1 << WORDS) - 1
    y = await bench.cycle(Inputs())
    assert y == Outputs(r_value=1, r_live=True, r_nonzero=True, nonzero=0b10)
    assert await bench.read(0) == Outputs(r_value=1, r_live=False, r_nonzero=False, nonzero=0b10)
    assert await bench.read(1) == Outputs(r_value=-5, r_live=True, r_nonzero=True, nonzero=0b10)
    await bench.finish()


@cocotb.test(**LIMIT)
async def relu(dut):
    """With ReLU only positive values count, zero never does; the value itself stays as it was written."""
    bench = await ready(dut)
    for value in LOW, -1, 0, 1, HIGH:
        for w_relu in False, True:
            await bench.write(0, value, w_relu=w_relu)
            counts = value > 0 if w_relu else value != 0
            assert await bench.read(0) == Outputs(r_value=value, r_live=True, r_nonzero=counts, nonzero=int(counts))
    await bench.finish()


@cocotb.test(**LIMIT)
async def answer_holds(dut):
    """The answer to a read holds until the next one, whatever is written meanwhile."""
    bench = await ready(dut)
    await bench.write(0, 3)
    await bench.write(1, 4)
    await bench.read(0)
    for value in 7, 0:
        y = await bench.write(0, value)
        assert (y.r_value, y.r_live, y.r_nonzero) == (3, True, True)
    y = await bench.cycle(Inputs(flush=True))
    assert (y.r_value, y.r_live, y.r_nonzero) == (3, True, True)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_between(dut):
    """A reset is a flush: nothing counts any more."""
    bench = await ready(dut)
    for row in range(WORDS):
        await bench.write(row, -1)
    await bench.start()
    y = await bench.read(WORDS - 1)
    assert (y.r_live, y.r_nonzero, y.nonzero) == (False, False, 0)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(regfile.EVENTS, seen(Model.NAME), f"cfg={CFG}")
