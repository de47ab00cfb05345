"""cocotb bench of hdl.eie.spmat_read, run by test_spmat_read.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.eie import spmat_read
from golden.eie.config import EieConfig
from hdl.eie.layouts import column_layout, entry_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, Access, LaneModel, Memory, PinBench, fields_of, gaps, make, transfer

CFG = config(EieConfig)
COLUMN, ENTRY = fields_of(column_layout(CFG)), fields_of(entry_layout(CFG))
#: Cycles from a column to its first entry.
LATENCY = 3


class Inputs(NamedTuple):
    i: tuple | None = None
    io: Access | None = None


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool
    reads: bool
    io_rdata: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "eie_spmat_read", spmat_read, Inputs, Outputs, ("spmat",)

    def ports(self):
        rows = self.s.spmat[0].reshape(self.cfg.spmat_words, self.cfg.entries_per_row)
        return {"io": Memory(rows, self.cfg.spmat_width)}

    def reset(self):
        super().reset()
        self._reads = False

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        ready, busy = bool(spmat_read.ready_of(s, 0)), bool(s.busy[0] or s.e_valid[0] or s.o_valid[0])
        o = make(ENTRY, z=int(s.o_z[0]), v=int(s.o_v[0]), first=int(s.o_first[0]), value=int(s.o_value[0]))
        o_valid = bool(s.o_valid[0])
        i = x.i or COLUMN.unpack(0)
        reads = spmat_read.clock(s, 0, x.i is not None, i.start, i.end, i.value, self.cfg.entries_per_row)
        y = Outputs(ready, o if o_valid else None, busy, self._reads, **self.answers())
        self._reads = bool(reads)
        if x.io is not None:
            s.row[0] = -1  # the row at the output of the SRAM is another one now
        self.clock_io(x)
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"i": COLUMN, "o": ENTRY}, ("o", "busy", "reads")
    rows_read = 0

    async def cycle(self, x):
        y = await super().cycle(x)
        self.rows_read += y.reads
        return y


def column(start, length, value=1):
    """A column of ``length`` entries; a negative length is a pair of pointers that descends."""
    return make(COLUMN, start=start, end=start + length, value=value)


def entries(memory: bytes, columns):
    """Untimed: the entries of the columns in order, ``memory`` entry by entry."""
    return [make(ENTRY, z=memory[at] & 15, v=memory[at] >> 4, first=at == c.start, value=c.value)
            for c in columns for at in range(c.start, c.end)]


def random_column(rng, p_empty):
    """Empty, or up to three rows long, or a single entry; anywhere, also up to the very end of the memory."""
    longest = min(3 * CFG.entries_per_row, CFG.spmat_entries)
    empty = rng.random() < p_empty
    length = rng.choice([0, 0, -2]) if empty else rng.choice([1, 1, rng.randint(1, longest)])
    start = rng.choice([rng.randint(max(-length, 0), CFG.spmat_entries - max(length, 0)),
                        CFG.spmat_entries - max(length, 0)])
    return column(start, length, rng.randrange(-1 << CFG.data_bits - 1, 1 << CFG.data_bits - 1))


async def loaded(dut, rng):
    """A bench after reset with random entries in its memory, and those entries."""
    bench = Bench(dut, CFG)
    await bench.start()
    memory = rng.randbytes(CFG.spmat_entries)
    await bench.fill(rows_of(memory))
    return bench, memory


def rows_of(memory: bytes):
    size = CFG.entries_per_row
    return [int.from_bytes(memory[at:at + size], "little") for at in range(0, len(memory), size)]


async def walk(bench, memory, columns, i_gaps):
    """Send columns and check the entries; the cycles it took."""
    cycles = await transfer(bench, columns, entries(memory, columns), i_gaps=i_gaps)
    await bench.finish()
    return cycles


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.1, 0.6, 1.0], p_empty=[0.0, 0.6, 1.0])
async def random_columns(dut, p_valid, p_empty):
    """Every cycle of random columns equals the golden model, and the entries are those of the memory."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    columns = [random_column(rng, p_empty) for _ in range(80)]
    await walk(bench, memory, columns, gaps(p_valid, rng))


@cocotb.test(**LIMIT)
async def compressed_matrix(dut):
    """All columns of a memory in order, as the pointers of a layer give them: one read a row and no bubble."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    cuts = [0, *sorted(rng.choices(range(CFG.spmat_entries), k=20)), CFG.spmat_entries]
    columns = [column(start, end - start) for start, end in zip(cuts, cuts[1:], strict=False) if end > start]
    assert await walk(bench, memory, columns, gaps(1, rng)) == CFG.spmat_entries + LATENCY
    assert bench.rows_read == CFG.spmat_words


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One entry a cycle after the latency, an empty column 1 cycle: no bubble between columns or rows."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    columns = [*(random_column(rng, 0.2) for _ in range(60)), column(0, 1)]
    work = sum(max(1, c.end - c.start) for c in columns)
    assert await walk(bench, memory, columns, gaps(1, rng)) == work + LATENCY


@cocotb.test(**LIMIT)
async def empty_columns_in_a_row(dut):
    """k empty columns, k = 0..fifo_depth+2: between two others, first, last, and alone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    full, empty = column(1, 2), column(3, 0)
    for k in range(CFG.fifo_depth + 3):
        for before, after in ([full], [full]), ([], [full]), ([full], []), ([], []):
            await walk(bench, memory, [*before, *[empty] * k, *after], gaps(1, rng))


@cocotb.test(**LIMIT)
async def single_entries_in_different_rows(dut):
    """A new row with every entry, forwards, backwards and to and fro: one entry a cycle."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    size = CFG.entries_per_row
    for rows in range(CFG.spmat_words), range(CFG.spmat_words - 1, -1, -1), [0, CFG.spmat_words - 1] * 8:
        columns = [column(row * size + rng.randrange(size), 1) for row in rows]
        assert await walk(bench, memory, columns, gaps(1, rng)) == len(columns) + LATENCY


@cocotb.test(**LIMIT)
async def column_crosses_rows(dut):
    """Columns of two entries, the last of one row and the first of the next; and the whole memory as one column."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    size = CFG.entries_per_row
    columns = [column(row * size - 1, 2) for row in range(1, CFG.spmat_words)]
    columns.append(column(0, CFG.spmat_entries))
    work = sum(c.end - c.start for c in columns)
    assert await walk(bench, memory, columns, gaps(1, rng)) == work + LATENCY


@cocotb.test(**LIMIT)
async def rows_are_rewritten(dut):
    """What the host writes or reads through the port never leaves a stale row behind."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    row = column(0, CFG.entries_per_row)
    for _ in range(3):
        await walk(bench, memory, [row], gaps(1, rng))
        memory = rng.randbytes(CFG.entries_per_row) + memory[CFG.entries_per_row:]
        await bench.cycle(Inputs(io=Access(0, rows_of(memory)[0])))
        await walk(bench, memory, [row], gaps(1, rng))
        await bench.cycle(Inputs(io=Access(1)))
        await bench.cycle(Inputs())
        await walk(bench, memory, [row], gaps(1, rng))
    await bench.fill(rows_of(memory), read_back=True)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset at every stage of a column forgets it and keeps the rows."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, memory = await loaded(dut, rng)
    for cycles in range(1, 8):
        await bench.cycle(Inputs(column(2, 5)))
        for _ in range(cycles):
            await bench.cycle(Inputs())
        await bench.start()
        await walk(bench, memory, [column(1, 3), column(4, 1)], gaps(1, rng))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(spmat_read.EVENTS, seen(Model.NAME), f"cfg={CFG}")
