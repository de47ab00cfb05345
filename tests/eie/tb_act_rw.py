"""cocotb bench of hdl.eie.act_rw, run by test_act_rw.py inside the simulator."""

import random

import cocotb

from golden.eie import act_rw
from sim.common.bench import to_raw
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, Access, gaps
from tests.eie.act_rw_traffic import CFG, HIGH, LOW, WORDS, Bench, Model

#: Rows that one load or store may copy here.
MOST_ROWS = min(WORDS, CFG.act_words)


def words_of(rng, count, density):
    values = (rng.choice([1, -1, LOW, HIGH, rng.randint(1, HIGH)]) for _ in range(count))
    return [value if rng.random() < density else 0 for value in values]


def raw(values):
    return [to_raw(value, CFG.data_bits) for value in values]


async def ready(dut, sram=None):
    """A bench after reset; the whole SRAM is defined."""
    bench = Bench(dut, CFG, random.Random(cocotb.RANDOM_SEED))
    await bench.start()
    await bench.fill(raw(sram or [0] * CFG.act_words), "io_sram")
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_ready=[0.3, 1.0], density=[0.0, 0.4, 1.0], relu=[False, True])
async def random_layers(dut, p_ready, density, relu):
    """Every cycle of random layers equals the golden model: load or not, scan while accumulators are read and written,
    store, swap roles, scan what was accumulated."""
    bench = await ready(dut)
    rng, role, source = bench.rng, 0, []
    bench.relu = relu
    for _ in range(5):
        bench.set_role(role)
        load, base, rows = rng.random() < 0.6, rng.randrange(CFG.act_words), rng.randint(1, MOST_ROWS)
        if load:
            sram = words_of(rng, CFG.act_words, density)
            await bench.fill(raw(sram), "io_sram")
            source = [sram[(base + row) % CFG.act_words] for row in range(rows)]
        elements, _cycles = await bench.scan(gaps(p_ready, rng), with_traffic=True, clear=1, load=load, base=base,
                                             rows=rows)
        assert elements == bench.indexed(source)
        await bench.cycle(bench.idle)  # the last read of the traffic is answered
        await bench.store(rng.randrange(CFG.act_words), rng.randint(1, MOST_ROWS))
        source, role = [bench.value_of(row) for row in range(WORDS)], 1 - role
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(role=[0, 1])
async def full_throughput(dut, role):
    """A scan of n non-zeros takes n + 2 cycles wherever they are, a load of n rows n + 5, both at least one element."""
    rng = random.Random(cocotb.RANDOM_SEED)
    sram = words_of(rng, CFG.act_words, 1)
    bench = await ready(dut, sram)
    always = gaps(1, rng)
    bench.set_role(role)
    for rows in {0, 1, WORDS // 2, WORDS - 1, WORDS}:
        values = [0] * WORDS
        for row in rng.sample(range(WORDS), rows):
            values[row] = rng.choice([LOW, HIGH])
        await bench.fill(raw(values), f"io_act{role}")
        assert await bench.scan(always) == (bench.indexed(values), max(rows, 1) + 2)
        assert await bench.scan(always) == (bench.indexed(values), max(rows, 1) + 2), "a scan changes nothing"
    for rows in {1, 2, MOST_ROWS}:
        base = rng.randrange(CFG.act_words)
        loaded = [sram[(base + row) % CFG.act_words] for row in range(rows)]
        assert await bench.scan(always, load=1, base=base, rows=rows) == (bench.indexed(loaded), rows + 5)
    await bench.finish()


@cocotb.test(**LIMIT)
async def one_hot(dut):
    """Each register alone: found at once, as the last element; and no register at all: an end alone."""
    bench = await ready(dut)
    always = gaps(1, random.Random(0))
    for row in range(WORDS):
        await bench.cycle(bench.idle._replace(io_act0=Access(0, clear=True)))
        assert await bench.scan(always) == ([], 3)
        value = -1 - row % 100
        await bench.cycle(bench.idle._replace(io_act0=Access(row, *raw([value]))))
        assert await bench.scan(always) == (bench.indexed([0] * row + [value]), 3)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_ready=[0.2, 1.0])
async def scan_while_loading(dut, p_ready):
    """Zeros first, last and between, so that the scan waits for the load; or stalled, so that the load is far ahead."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    zeros = [0] * (MOST_ROWS - 1)
    for sram in [7, *zeros], [*zeros, 7], [0, *zeros], [1, *zeros[1:], -1], [row % 2 for row in range(MOST_ROWS)]:
        await bench.fill(raw(sram[:MOST_ROWS]), "io_sram")
        elements, cycles = await bench.scan(gaps(p_ready, rng), load=1, base=0, rows=MOST_ROWS)
        assert elements == bench.indexed(sram[:MOST_ROWS])
        assert cycles >= MOST_ROWS + 4
        # The rows are registers now: another scan finds them without a load.
        assert (await bench.scan(gaps(p_ready, rng)))[0] == elements
    await bench.finish()


@cocotb.test(**LIMIT)
async def load_flushes(dut):
    """A load of one row hides all that was in the source before."""
    bench = await ready(dut, [5] * CFG.act_words)
    always = gaps(1, random.Random(0))
    await bench.fill(raw([9] * WORDS), "io_act0")
    assert await bench.scan(always, load=1, base=CFG.act_words - 1, rows=1) == (bench.indexed([5]), 6)
    assert await bench.words("io_act0", range(WORDS)) == [5] + [0] * (WORDS - 1)
    await bench.finish()


@cocotb.test(**LIMIT)
async def stored_and_hidden(dut):
    """Negative under ReLU, zero, or not written since the clear: stored, scanned and read as zero; addresses wrap."""
    sram = [3] * CFG.act_words
    bench = await ready(dut, sram)
    bench.relu = True
    for role in 0, 1:
        bench.set_role(role)
        await bench.fill(raw([11] * WORDS), f"io_act{1 - role}")
        await bench.cycle(bench.command(clear=1))
        bench.sums = dict(zip(range(WORDS), [-4, 6, 0, LOW, HIGH], strict=False))
        for row, value in bench.sums.items():
            await bench.cycle(bench.idle._replace(w_en=True, w_row=row, w_value=value))
        await bench.store(CFG.act_words - 1, MOST_ROWS)
        values = [bench.value_of(row) for row in range(WORDS)]
        assert await bench.words(f"io_act{1 - role}", range(WORDS)) == values
        bench.set_role(1 - role)
        assert (await bench.scan(gaps(1, bench.rng)))[0] == bench.indexed(values)
    await bench.finish()


@cocotb.test(**LIMIT)
async def accumulators_answer(dut):
    """A read shows value and liveness one cycle later, hidden or not; after a clear nothing is live."""
    bench = await ready(dut)
    bench.relu = True
    bench.set_role(1)
    await bench.cycle(bench.idle._replace(w_en=True, w_row=1, w_value=-9))
    for live in True, False:
        await bench.cycle(bench.idle._replace(r_en=True, r_row=1))
        y = await bench.cycle(bench.idle)
        assert (y.r_live, y.r_value) == (live, -9 if live else None)
        await bench.cycle(bench.command(clear=1))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset during scan, load and store stops them, forgets the registers and keeps the SRAM."""
    bench = await ready(dut, [8] * CFG.act_words)
    always = gaps(1, random.Random(0))
    for cycles in range(6):
        for strobes in {"scan": 1}, {"scan": 1, "load": 1}, {"store": 1}:
            await bench.fill(raw([9] * WORDS), "io_act0")
            await bench.fill(raw([8] * WORDS), "io_act1")
            await bench.cycle(bench.command(**strobes, base=0, rows=MOST_ROWS))
            for _ in range(cycles):
                await bench.cycle(bench.idle)
            await bench.start()
            assert await bench.words("io_sram", range(CFG.act_words)) == [8] * CFG.act_words
            assert await bench.scan(always) == ([], 3)
    await bench.finish()


@cocotb.test(**LIMIT)
async def memories_read_back(dut):
    """What is written through the three ports is read through them, and a clear empties one file alone."""
    bench = await ready(dut)
    for port, size in ("io_act0", WORDS), ("io_act1", WORDS), ("io_sram", CFG.act_words):
        values = [bench.rng.randint(LOW, HIGH) for _ in range(size)]
        await bench.fill(raw(values), port)
        assert await bench.words(port, range(size)) == values
    kept = await bench.words("io_act1", range(WORDS))
    await bench.cycle(bench.idle._replace(io_act0=Access(0, clear=True)))
    assert await bench.words("io_act0", range(WORDS)) == [0] * WORDS
    assert await bench.words("io_act1", range(WORDS)) == kept
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(act_rw.EVENTS, seen(Model.NAME), f"cfg={CFG}")
