"""cocotb bench of hdl.dota.row, run by test_row.py inside the simulator."""

import random
from collections import namedtuple
from typing import NamedTuple

import cocotb

from golden.dota import row
from golden.dota.config import DotaConfig
from golden.dota.formats import PE_LATENCY, ROW_LATENCY, SUM_BITS, Precision
from golden.dota.multiplier import SLOTS
from golden.dota.pe import accumulate
from golden.dota.row import sums_of
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.dota.array_traffic import bits_of, corner, packed_sums, packed_words, word, words_of

CFG = config(DotaConfig)
COLUMNS = CFG.columns
ALL = (1 << COLUMNS) - 1
LATENCY = PE_LATENCY + ROW_LATENCY


class Inputs(NamedTuple):
    operands: int | None = None
    take: int = 0
    load: int = 0
    slot: int | None = None
    precision: int | None = None
    fire: bool = False
    first: bool | None = None


Outputs = namedtuple("Outputs", [*(f"elements__{k}" for k in range(COLUMNS)), "sums"])  # noqa: PYI024


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_row", row, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s, mask = self.s, (1 << SUM_BITS) - 1
        y = Outputs(*(int(value) & mask for value in s.pe.sum[0, 0]), packed_sums(s.sums[0, 0]))
        row.clock(s, 0, words_of(x.operands or 0, COLUMNS), bits_of(x.take, COLUMNS), bits_of(x.load, COLUMNS),
                  x.slot or 0, int(x.precision or 0), x.fire, bool(x.first))
        return y


class Bench(PinBench):
    MODEL = Model


def operands(rng, precision, make=word):
    """One operand for each PE."""
    return [make(rng, precision) for _ in range(COLUMNS)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_fire=[0.3, 1.0], p_take=[0.3, 1.0], p_switch=[0.02, 1.0])
async def random_fires(dut, p_fire, p_take, p_switch):
    """Every cycle of random fires, operands of some PEs, and precisions equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    precision = Precision.INT2
    for _ in range(200):
        if rng.random() < p_switch:
            precision = Precision(rng.randrange(4))
        make = corner if rng.random() < 0.5 else word
        take = ALL if rng.random() < p_take else rng.getrandbits(COLUMNS)
        load = rng.getrandbits(COLUMNS) if rng.random() < 0.3 else 0
        await bench.cycle(Inputs(packed_words(operands(rng, precision, make)), take, load, rng.randrange(SLOTS),
                                 precision, rng.random() < p_fire, rng.random() < 0.05))
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(name=["FX16", "INT8", "INT4", "INT2"])
async def full_throughput(dut, name):
    """A dot product of one fire a cycle: its sums are there five cycles after the last fire, and then they stay."""
    rng, precision = random.Random(cocotb.RANDOM_SEED), Precision[name]
    bench = await started(dut)
    slots = [operands(rng, precision) for _ in range(SLOTS)]
    for k, words in enumerate(slots):
        await bench.cycle(Inputs(packed_words(words), load=ALL, slot=k))
    totals, fires, start = [0] * COLUMNS, 50, bench.cycle_number
    for k in range(fires):
        words = operands(rng, precision)
        totals = [accumulate(0 if k == 0 else total, word, [slot[c] for slot in slots], precision)
                  for c, (total, word) in enumerate(zip(totals, words, strict=True))]
        await bench.cycle(Inputs(packed_words(words), ALL, precision=precision, fire=True, first=k == 0))
    expected = sums_of(CFG, totals, precision)
    others = [(await bench.cycle(bench.idle)).sums for _ in range(LATENCY - 1)]
    assert expected not in others
    for _ in range(5):
        assert (await bench.cycle(bench.idle)).sums == expected
    assert bench.cycle_number - start == fires + LATENCY + 4
    await bench.finish()


@cocotb.test(**LIMIT)
async def tiles_back_to_back(dut):
    """Dot products of 1 to 4 fires follow each other without a gap, each in another precision: all sums are right."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    slots = [operands(rng, 0) for _ in range(SLOTS)]
    for k, words in enumerate(slots):
        await bench.cycle(Inputs(packed_words(words), load=ALL, slot=k))
    due = {}
    for _ in range(100):
        precision, fires = Precision(rng.randrange(4)), rng.randint(1, 4)
        totals = [0] * COLUMNS
        for k in range(fires):
            words = operands(rng, precision)
            totals = [accumulate(total, word, [slot[c] for slot in slots], precision)
                      for c, (total, word) in enumerate(zip(totals, words, strict=True))]
            now = bench.cycle_number
            y = await bench.cycle(Inputs(packed_words(words), ALL, precision=precision, fire=True, first=k == 0))
            assert y.sums == due.pop(now, y.sums)
            due[now + LATENCY] = sums_of(CFG, totals, precision)
    for _ in range(LATENCY):
        now = bench.cycle_number
        assert (await bench.cycle(bench.idle)).sums == due.pop(now)
    assert not due
    await bench.finish()


@cocotb.test(**LIMIT)
async def largest_sums(dut):
    """The ends of the range in every PE at once, positive and negative."""
    bench = await started(dut)
    for precision in Precision:
        half = {Precision.FX16: 0x80008000, Precision.INT8: 0x80808080, Precision.INT4: 0x88888888,
                Precision.INT2: 0xAAAAAAAA}[precision]
        for stationary in (half, ~half & 0xFFFFFFFF):
            for k in range(SLOTS):
                await bench.cycle(Inputs(packed_words([stationary] * COLUMNS), load=ALL, slot=k))
            for streamed in (half, ~half & 0xFFFFFFFF):
                for k in range(34):
                    await bench.cycle(Inputs(packed_words([streamed] * COLUMNS), ALL, precision=precision, fire=True,
                                             first=k == 0))
                await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets sums at every stage, and the precision."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for cycles in range(1, 9):
        for _ in range(cycles):
            await bench.cycle(Inputs(packed_words(operands(rng, 0)), ALL, ALL, 0, Precision.INT4, True, False))
        await bench.start()
        for _ in range(8):
            assert (await bench.cycle(bench.idle)).sums == 0
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(row.EVENTS, seen(Model.NAME), f"cfg={CFG}")
