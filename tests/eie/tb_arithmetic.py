"""cocotb bench of hdl.eie.arithmetic, run by test_arithmetic.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.common.fixed import saturate
from golden.eie import arithmetic
from golden.eie.config import EieConfig
from golden.eie.formats import CODEBOOK_SIZE
from golden.eie.spec import limits
from hdl.eie.layouts import entry_layout
from sim.common.bench import config, signed, to_raw
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, Access, LaneModel, Memory, PinBench, fields_of, gaps, make
from tests.eie.accumulate import accumulate

CFG = config(EieConfig)
ENTRY, VALUE = fields_of(entry_layout(CFG)), signed(CFG.data_bits)
LOW, HIGH = limits(CFG.data_bits)
WORDS = CFG.regfile_words
#: Cycles from an entry to its write.
LATENCY = 5


class Inputs(NamedTuple):
    i: tuple | None = None
    codebook: int = 0
    shift: int = 0
    r_live: bool | None = None
    r_value: int | None = None
    clear: bool = False
    io: Access | None = None


class Outputs(NamedTuple):
    r_en: bool
    r_row: int | None
    w_en: bool
    w_row: int | None
    w_value: int | None
    padding: bool
    busy: bool
    saturated: bool
    row_error: bool
    io_rdata: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "eie_arithmetic", arithmetic, Inputs, Outputs, ("codebook",)

    def ports(self):
        return {"io": Memory(self.s.codebook[0], self.cfg.data_bits, is_signed=True)}

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        r_en, r_row = arithmetic.read_of(s, 0)
        write = [int(s.w_row[0]), int(s.w_sum[0])] if s.w_valid[0] else [None] * 2
        y = Outputs(bool(r_en), int(r_row) if r_en else None, bool(s.w_valid[0]), *write,
                    padding=bool(s.w_valid[0] and s.w_padding[0]), busy=bool(arithmetic.busy_of(s, 0)),
                    saturated=bool(s.saturated[0]), row_error=bool(s.row_error[0]), **self.answers())
        i = x.i or ENTRY.unpack(0)
        arithmetic.clock(s, 0, x.i is not None, i.first, i.v, i.z, i.value, x.codebook, x.shift, bool(x.r_live),
                         x.r_value or 0, x.clear, self.cfg.regfile_words, self.cfg.data_bits)
        self.clock_io(x)
        return y


class Bench(PinBench):
    """With the accumulators behind the unit. What is not an answer to a read is noise."""

    MODEL = Model
    FORMATS = {"i": ENTRY, "r_value": VALUE, "w_value": VALUE}
    GATES = {"r_row": "r_en", "w_row": "w_en", "w_value": "w_en"}
    QUIET = ("r_en", "w_en", "busy")

    def __init__(self, dut, cfg):
        super().__init__(dut, cfg)
        self.accumulators, self.writes, self._answer = {}, 0, {}

    async def load_tables(self, tables):
        self.tables = tables
        await self.fill([to_raw(weight, CFG.data_bits) for table in tables for weight in table])

    async def cycle(self, x):
        y = await super().cycle(x._replace(**self._answer))
        assert not (y.r_en and y.w_en and y.r_row == y.w_row), "the register that is written must not be read"
        self._answer = {}
        if y.r_en:
            value = self.accumulators.get(y.r_row)
            self._answer = {"r_live": value is not None, "r_value": value}
        if y.w_en:
            self.accumulators[y.w_row] = y.w_value
            self.writes += 1
        return y

    async def run(self, items, *, codebook=0, shift=0, i_gaps=None):
        """From cleared accumulators on, send entries and compare with plain arithmetic; cycles up to the last write."""
        self.accumulators = {}
        setting = Inputs(codebook=codebook, shift=shift)
        await self.cycle(setting._replace(clear=True))
        sums, clipped, bad, kept = accumulate(items, self.tables[codebook], shift, WORDS, CFG.data_bits)
        start, self.writes, waiting = self.cycle_number, 0, list(items)[::-1]
        while waiting or self.writes < kept:
            offer = waiting and (i_gaps is None or next(i_gaps))
            await self.cycle(setting._replace(i=waiting.pop() if offer else None))
        cycles = self.cycle_number - start
        y = await self.cycle(setting)
        assert self.accumulators == sums
        assert (y.saturated, y.row_error) == (clipped, bad)
        await self.finish()
        return cycles


def entry(z, v=1, first=False, value=1):
    return make(ENTRY, z=z, v=v, first=first, value=value)


def at_rows(rows, v=1, value=1):
    """Entries that hit the accumulators in ``rows``, each as the first of its column. At most row 15."""
    return [entry(row, v, True, value) for row in rows]


def random_entries(rng, count, p_zero, p_first):
    """Columns of random values, now and then the largest; rows run out of range now and then."""
    value, items = 0, []
    for number in range(count):
        first = number == 0 or rng.random() < p_first
        if first:
            value = rng.choice([rng.randint(LOW, HIGH), rng.randint(-50, 50), LOW, HIGH])
        z = rng.choice([0, 0, 1, rng.randrange(16)])
        items.append(entry(z, 0 if rng.random() < p_zero else rng.randrange(1, CODEBOOK_SIZE), first, value))
    return items


async def ready(dut, rng=None):
    """A bench after reset; tables of random weights, or weight 1 for code 1 and the ends of the range for 2 and 3."""
    bench = Bench(dut, CFG)
    await bench.start()
    simple = [0, 1, HIGH, LOW, *[0] * (CODEBOOK_SIZE - 4)]
    await bench.load_tables([simple if rng is None else [0, *(rng.randint(LOW, HIGH) for _ in range(CODEBOOK_SIZE - 1))]
                             for _ in range(CFG.codebooks)])
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0], p_zero=[0.0, 0.5, 1.0], p_first=[0.2, 1.0])
async def random_columns(dut, p_valid, p_zero, p_first):
    """Every cycle of random entries equals the golden model, and the sums those of plain arithmetic; all tables, many
    shifts, accumulators hit again at once."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut, rng)
    for shift in 0, CFG.data_bits // 2, CFG.data_bits - 1, rng.randrange(2 * CFG.data_bits), 2 * CFG.data_bits - 1:
        items = random_entries(rng, 60, p_zero, p_first)
        await bench.run(items, codebook=rng.randrange(CFG.codebooks), shift=shift, i_gaps=gaps(p_valid, rng))


@cocotb.test(**LIMIT)
@cocotb.parametrize(distance=[1, 2, 3, 4, 5])
async def same_accumulator(dut, distance):
    """One accumulator is hit again at this distance, other ones or nothing between: each sum sees the one before."""
    bench = await ready(dut)
    others = [row % WORDS for row in range(1, distance)]
    await bench.run(at_rows([0, *others] * 10))
    bench.accumulators = {}
    for _ in range(10):
        await bench.cycle(Inputs(entry(0, first=True)))
        for _ in range(distance - 1):
            await bench.cycle(Inputs())
    await bench.finish()
    assert bench.accumulators == {0: 10}


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One entry a cycle after the latency, whatever is hit."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut, rng)
    for rows in [0] * 50, [0, 1] * 25, [rng.randrange(min(WORDS, 16)) for _ in range(50)]:
        assert await bench.run(at_rows(rows, v=5, value=3), shift=4) == len(rows) + LATENCY


@cocotb.test(**LIMIT)
async def saturation(dut):
    """Sums stop at both ends of the range; the flag stays until it is cleared, and a clear does not lose a clip."""
    bench = await ready(dut)
    for code, end in (2, HIGH), (3, LOW):
        await bench.run(at_rows([0, 0, 1], code))
        assert bench.accumulators == {0: end, 1: end}
        for _ in range(3):
            assert (await bench.cycle(Inputs())).saturated
        assert (await bench.cycle(Inputs(clear=True))).saturated
        assert not (await bench.cycle(Inputs())).saturated
        # It goes on from the end of the range: one step back, no flag.
        await bench.cycle(Inputs(entry(0, 1, True, -1 if end == HIGH else 1)))
        await bench.finish()
        assert bench.accumulators[0] == (end - 1 if end == HIGH else end + 1)
        assert not (await bench.cycle(Inputs())).saturated
    # Four cycles after the entry: stage 5 clips while the flag is cleared.
    await bench.cycle(Inputs(entry(1, 3, True)))
    for _ in range(3):
        await bench.cycle(Inputs())
    await bench.cycle(Inputs(clear=True))
    assert (await bench.cycle(Inputs())).saturated
    await bench.finish()


@cocotb.test(**LIMIT)
async def shifts(dut):
    """Every shift, of the largest and smallest products: rounded half up, at the largest shift to 0 or 1 in the end."""
    bench = await ready(dut)
    for shift in range(2 * CFG.data_bits):
        for code, value in (3, LOW), (2, LOW), (2, HIGH), (1, 1), (1, -1):
            await bench.cycle(Inputs(clear=True, shift=shift))
            bench.accumulators = {}
            await bench.cycle(Inputs(entry(0, code, True, value), shift=shift))
            for _ in range(LATENCY):
                y = await bench.cycle(Inputs(shift=shift))
            product = bench.tables[0][code] * value
            exact = (product + (1 << shift >> 1)) >> shift
            assert y.w_value == saturate(exact, CFG.data_bits)[0]
    await bench.finish()


@cocotb.test(**LIMIT)
async def padding(dut):
    """A padding entry moves the row by 16; it costs a cycle and a write that changes nothing, marked as padding."""
    bench = await ready(dut)
    items = [entry(0, 1, True, 7), *[entry(15, 0, value=7)] * ((WORDS - 1) // 16)]
    assert await bench.run(items) == len(items) + LATENCY
    assert bench.accumulators == {16 * step: 0 if step else 7 for step in range(len(items))}
    for item in [*at_rows([0, 0, 1], 0, value=HIGH), entry(0, 1, True, 1)]:
        await bench.cycle(Inputs(item))
    marks = [(await bench.cycle(Inputs())).padding for _ in range(LATENCY)]
    assert marks == [False, True, True, True, False]
    await bench.finish()
    assert (bench.accumulators[0], bench.accumulators[1]) == (8, 0)


@cocotb.test(**LIMIT)
async def row_out_of_range(dut):
    """The last row is written, the next one is not and sets the flag; so does all that follows in this column."""
    bench = await ready(dut)
    steps, rest = divmod(WORDS - 1, 16)
    to_last = [entry(15, 0, number == 0) for number in range(steps)] + [entry(rest, 1, steps == 0)]
    await bench.run(to_last)
    assert WORDS - 1 in bench.accumulators
    for beyond in [entry(0)], [entry(15)], [entry(0), entry(0), entry(15)]:
        await bench.run([*to_last, *beyond, entry(0, first=True)])
        assert (await bench.cycle(Inputs(clear=True))).row_error
        assert not (await bench.cycle(Inputs())).row_error
    # The clear and the error meet.
    await bench.cycle(Inputs(to_last[0]))
    for item in [*to_last[1:], entry(0)]:
        await bench.cycle(Inputs(item, clear=True))
    assert (await bench.cycle(Inputs())).row_error
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset at every stage drops entries and flags and keeps the tables."""
    bench = await ready(dut)
    for cycles in range(LATENCY + 2):
        await bench.run(at_rows([0, 0, 1], 2))
        await bench.cycle(Inputs(entry(0, 2, True, HIGH)))
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        y = await bench.cycle(Inputs())
        assert not (y.saturated or y.row_error or y.w_en)
    await bench.run(at_rows([1, 0, 1]))


@cocotb.test(**LIMIT)
async def tables_read_back(dut):
    """What is written through the port is read through it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(2):
        await bench.fill([rng.getrandbits(CFG.data_bits) for _ in range(CFG.codebooks * CODEBOOK_SIZE)], read_back=True)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(arithmetic.EVENTS, seen(Model.NAME), f"cfg={CFG}")
