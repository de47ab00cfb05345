"""cocotb bench of hdl.dota.rmmu, run by test_rmmu.py inside the simulator."""

from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import rmmu
from golden.dota.config import DotaConfig
from golden.dota.formats import (
    DOT_LATENCY,
    ELEMENT_BITS,
    OUTPUTS,
    PE_LATENCY,
    QUERIES,
    ROW_LATENCY,
    SUM_BITS,
    Precision,
)
from golden.dota.multiplier import SLOTS, unpack
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.dota.array_traffic import bits_of, packed_sums, packed_words, words_of

CFG = config(DotaConfig)
ROWS, COLUMNS = CFG.rows, CFG.columns
ALL = (1 << CFG.pes) - 1
#: Bits of a row's command: precision, fire, first, slot from the lowest on.
COMMAND_BITS = 6
SUMS_LATENCY = PE_LATENCY + ROW_LATENCY


class Inputs(NamedTuple):
    control: int = 0
    operands: int | None = None
    take: int = 0
    load: int = 0
    select: int = 0


class Outputs(NamedTuple):
    sums: int
    dots: int
    elements: int
    macs: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_rmmu", rmmu, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, shape = self.s, (ROWS, COLUMNS)
        y = Outputs(packed_sums(s.rows.sums[0]), packed_sums(s.dots[0]), packed_sums(s.elements[0]), int(s.macs[0]))
        rows = np.array([x.control >> COMMAND_BITS * r & 0x3F for r in range(ROWS)])
        rmmu.clock(s, 0, words_of(x.operands or 0, CFG.pes).reshape(shape), bits_of(x.take, CFG.pes).reshape(shape),
                   bits_of(x.load, CFG.pes).reshape(shape), rows >> 4, rows & 3, rows >> 2 & 1, rows >> 3 & 1, x.select)
        return y


class Bench(PinBench):
    MODEL = Model

    async def load(self, slots):
        """Stationary operands, [slots][rows, columns]."""
        for k, words in enumerate(slots):
            await self.cycle(Inputs(commands(slot=k), packed_words(words), load=ALL))


def commands(precision=0, fire=False, first=False, slot=0) -> int:
    """Commands of all rows; each argument is one for all of them, or an array of one for each."""
    rows = np.broadcast_to(np.asarray(precision), ROWS) | np.asarray(fire) << 2 | np.asarray(first) << 3
    rows = rows | np.asarray(slot) << 4
    return sum(int(row) << COMMAND_BITS * r for r, row in enumerate(rows))


def generator():
    """A random generator for this test."""
    return np.random.default_rng(cocotb.RANDOM_SEED & 0xFFFFFFFF)


def words(rng, *shape):
    """Random operands of all PEs."""
    return rng.integers(1 << 32, size=(*shape, ROWS, COLUMNS))


def elements_of(operands, precision):
    """Elements of operands: a last axis more."""
    bits = ELEMENT_BITS[precision]
    raw = np.asarray(operands)[..., None] >> np.arange(0, 32, bits) & (1 << bits) - 1
    return raw - (raw >> bits - 1 << bits)


def dots_of(operands) -> list[int]:
    """Dot products of all queries and halves over the fires of FX16 operands, [fires, rows, columns]."""
    a, b = np.moveaxis(elements_of(operands, Precision.FX16), -1, 0)
    return (a * b).sum(axis=0).reshape(2 * QUERIES, -1).sum(axis=-1).tolist()


def low_sums(operands, slots, precision):
    """[rows][queries]: what low precision makes of operands, [fires, rows, columns], and slots, [4, rows, columns]."""
    stationary = elements_of(slots[:OUTPUTS[precision]], precision)
    totals = np.einsum("frce,orce->rco", elements_of(operands, precision), stationary)
    parts = QUERIES // OUTPUTS[precision]
    return totals.reshape(ROWS, parts, COLUMNS // parts, OUTPUTS[precision]).sum(axis=2).reshape(ROWS, QUERIES)


def row_sums(packed) -> np.ndarray:
    """[rows][queries] of the output ``sums`` in low precision."""
    return np.array(unpack(packed, 24, 96 * ROWS)).reshape(ROWS, QUERIES)


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_fire=[0.3, 1.0], p_switch=[0.02, 1.0])
async def random_rows(dut, p_fire, p_switch):
    """Every cycle of rows that fire on their own, each in a precision of its own, equals the golden model."""
    rng = generator()
    bench = await started(dut)
    precision = rng.integers(4, size=ROWS)
    for _ in range(120):
        precision = np.where(rng.random(ROWS) < p_switch, rng.integers(4, size=ROWS), precision)
        control = commands(precision, rng.random(ROWS) < p_fire, rng.random(ROWS) < 0.1, rng.integers(SLOTS, size=ROWS))
        take, load = (int.from_bytes(rng.bytes(-(-CFG.pes // 8)), "little") & ALL for _ in range(2))
        await bench.cycle(Inputs(control, packed_words(words(rng)), take, load, int(rng.integers(QUERIES))))
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["FX16", "INT8", "INT4", "INT2"])
async def full_rate(dut, name):
    """All rows in one precision: so many MACs in every cycle, and all results are those of integers."""
    rng, precision, fires = generator(), Precision[name], 24
    rate = CFG.pes * {"FX16": 1, "INT8": 4, "INT4": 16, "INT2": 64}[name]
    bench = await started(dut)
    slots, operands = words(rng, SLOTS), words(rng, fires)
    await bench.load(slots)
    counted = []
    for k in range(fires):
        y = await bench.cycle(Inputs(commands(precision, True, k == 0), packed_words(operands[k]), ALL))
        counted.append(y.macs)
    for _ in range(SUMS_LATENCY):
        y = await bench.cycle(bench.idle)
        counted.append(y.macs)
    assert counted == [0] + [rate] * fires + [0] * (SUMS_LATENCY - 1)
    y = await bench.cycle(bench.idle)
    if precision == Precision.FX16:
        assert unpack(y.dots, SUM_BITS, SUM_BITS * 2 * QUERIES) == dots_of(operands)
    else:
        assert (row_sums(y.sums) == low_sums(operands, slots, precision)).all()
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["INT8", "INT4", "INT2"])
async def exact_and_estimate(dut, name):
    """The upper half computes in FX16, a dot product in every cycle, while the lower half estimates."""
    rng, precision, fires = generator(), Precision[name], 12
    bench = await started(dut)
    slots, operands = words(rng, SLOTS), words(rng, fires)
    await bench.load(slots)
    upper = np.arange(ROWS) < ROWS // 2
    control = commands(np.where(upper, Precision.FX16, precision), True, upper)
    for k in range(fires + SUMS_LATENCY + DOT_LATENCY):
        x = Inputs(control, packed_words(operands[k]), ALL) if k < fires else bench.idle
        y = await bench.cycle(x)
        done = k - SUMS_LATENCY - DOT_LATENCY
        if done >= 0:
            dots = unpack(y.dots, SUM_BITS, SUM_BITS * 2 * QUERIES)
            assert dots[:QUERIES] == dots_of(operands[done:done + 1])[:QUERIES]
        done = k - SUMS_LATENCY
        if done >= 0:
            expected = low_sums(operands[:done + 1], slots, precision)
            assert (row_sums(y.sums)[~upper] == expected[~upper]).all()
    await bench.finish()


@cocotb.test(**LIMIT)
async def elements_of_each_query(dut):
    """Weighted sums: the partial sums of the selected query, of both halves, one cycle later; products stay apart."""
    rng = generator()
    bench = await started(dut)
    operands = words(rng, 3)
    for k in range(3):
        await bench.cycle(Inputs(commands(Precision.FX16, True, k == 0), packed_words(operands[k]), ALL))
    for _ in range(PE_LATENCY - 1):
        await bench.cycle(bench.idle)
    a, b = np.moveaxis(elements_of(operands, Precision.FX16), -1, 0)
    sums = (a * b).sum(axis=0).reshape(2, QUERIES, CFG.vector)
    order = [0, 3, 1, 2, 2, 0]
    for k, select in enumerate([*order, 0]):
        y = await bench.cycle(Inputs(select=select))
        if k:
            assert unpack(y.elements, SUM_BITS, SUM_BITS * 2 * CFG.vector) == sums[:, order[k - 1]].ravel().tolist()
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets everything at every stage."""
    rng = generator()
    bench = await started(dut)
    for cycles in (1, 3, 5, 7):
        for _ in range(cycles):
            await bench.cycle(Inputs(commands(rng.integers(4, size=ROWS), True), packed_words(words(rng)), ALL, ALL))
        await bench.start()
        for _ in range(8):
            assert not any(await bench.cycle(bench.idle))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(rmmu.EVENTS, seen(Model.NAME), f"cfg={CFG}")
