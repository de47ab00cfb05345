"""cocotb bench of hdl.eie.pointer_read, run by test_pointer_read.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.eie import pointer_read
from golden.eie.config import EieConfig
from hdl.eie.layouts import broadcast_layout, column_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, Access, LaneModel, Memory, PinBench, fields_of, gaps, make, transfer

CFG = config(EieConfig)
BROADCAST, COLUMN = fields_of(broadcast_layout(CFG)), fields_of(column_layout(CFG))
#: Cycles from a broadcast to its column.
LATENCY = 2
#: Cycles from one column to the next.
INTERVAL = 2 if CFG.columns_ahead == 1 else 1


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False
    io: Access | None = None


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool
    reads: bool
    io_rdata: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "eie_pointer_read", pointer_read, Inputs, Outputs, ("ptr",)

    def ports(self):
        return {"io": Memory(self.s.ptr[0], self.cfg.pointer_bits)}

    def reset(self):
        super().reset()
        self._reads = False

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        o_valid, ready = bool(pointer_read.valid_of(s, 0)), bool(pointer_read.ready_of(s, 0))
        column = [int(pointer_read.field_of(s, 0, field)) for field in range(3)]
        y = Outputs(i_ready=ready, o=describe(*column) if o_valid else None, busy=bool(s.valid[0] or o_valid),
                    reads=self._reads, **self.answers())
        i = x.i or BROADCAST.unpack(0)
        pointer_read.clock(s, 0, x.i is not None, i.column, i.value, x.o_ready, self.cfg.run_ahead)
        self._reads = bool(ready and x.i)
        self.clock_io(x)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": BROADCAST, "o": COLUMN}, ("o",), ("o", "busy", "reads")


def describe(start, end, value):
    """A column as it comes out."""
    return make(COLUMN, start=start, end=end, value=value)


def found(pointers, items):
    """Untimed: the columns that belong to broadcasts."""
    columns = [describe(pointers[i.column], pointers[(i.column + 1) % CFG.ptr_words], i.value) for i in items]
    return [column for column in columns if column.end > column.start or not CFG.run_ahead]


def pointers_of(lengths):
    """Pointers of columns of these lengths, from address 0 on; a negative length makes a pair that descends."""
    pointers = [CFG.spmat_entries // 2]
    for length in lengths:
        pointers.append(min(max(pointers[-1] + length, 0), CFG.spmat_entries))
    return pointers[:CFG.ptr_words] + [0] * (CFG.ptr_words - len(pointers))


def broadcast(column, value=1):
    return make(BROADCAST, column=column, value=value)


async def loaded(dut, pointers):
    """A bench after reset, with these pointers in its memory."""
    bench = Bench(dut, CFG)
    await bench.start()
    await bench.fill(pointers)
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0], density=[0.0, 0.4, 1.0])
async def random_columns(dut, p_valid, p_ready, density):
    """Every cycle of random columns equals the golden model; some pairs descend, some columns are the last one."""
    rng = random.Random(cocotb.RANDOM_SEED)
    lengths = [rng.randint(1, 5) if rng.random() < density else rng.choice([0, 0, -3]) for _ in range(CFG.ptr_words)]
    pointers = pointers_of(lengths)
    bench = await loaded(dut, pointers)
    half = 1 << CFG.data_bits - 1
    items = [broadcast(rng.choice([rng.randrange(CFG.ptr_words), CFG.ptr_words - 1]), rng.randrange(-half, half))
             for _ in range(150)]
    await transfer(bench, items, found(pointers, items), i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def empty_columns_in_a_row(dut):
    """k empty columns, k = 0..fifo_depth+2: between two others, first, last, and alone; any speed of the reader."""
    rng = random.Random(cocotb.RANDOM_SEED)
    pointers = pointers_of([2, 0, 3])
    bench = await loaded(dut, pointers)
    full, empty = broadcast(0, 7), broadcast(1, 8)
    for k in range(CFG.fifo_depth + 3):
        for columns in ([full], [full]), ([], [full]), ([full], []), ([], []):
            for p_ready in 1, 0.4:
                items = [*columns[0], *[empty] * k, *columns[1]]
                await transfer(bench, items, found(pointers, items), i_gaps=gaps(1, rng), o_gaps=gaps(p_ready, rng))
                await bench.finish(LATENCY)


@cocotb.test(**LIMIT)
async def last_pointer(dut):
    """After the last pointer comes the first; the largest pointer is the number of entries."""
    pointers = [CFG.spmat_entries] * CFG.ptr_words
    pointers[0], pointers[-1] = 5, 0
    bench = await loaded(dut, pointers)
    items = [broadcast(CFG.ptr_words - 1, -1), broadcast(CFG.ptr_words - 2, -2), broadcast(CFG.ptr_words - 1, -3)]
    descending = [] if CFG.run_ahead else [describe(CFG.spmat_entries, 0, -2)]
    always = gaps(1, random.Random(0))
    await transfer(bench, items, [describe(0, 5, -1), *descending, describe(0, 5, -3)], i_gaps=always, o_gaps=always)
    await bench.finish()
    items = [broadcast(1, -4)] * 3
    await transfer(bench, items, found(pointers, items), i_gaps=always, o_gaps=always)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One column a cycle after the latency, whatever the parity of the column (one in two at run_ahead_columns 1)."""
    rng = random.Random(cocotb.RANDOM_SEED)
    pointers = pointers_of([1] * CFG.ptr_words)
    bench = await loaded(dut, pointers)
    items = [broadcast(rng.randrange(CFG.ptr_words - 1)) for _ in range(100)]
    cycles = await transfer(bench, items, found(pointers, items), i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    assert cycles == (len(items) - 1) * INTERVAL + 1 + LATENCY
    await bench.finish()


@cocotb.test(**LIMIT)
async def empty_columns_cost(dut):
    """With run_ahead n empty columns are gone after n cycles even if nothing is taken; else each has to be taken."""
    pointers = pointers_of([0] * CFG.ptr_words)
    bench = await loaded(dut, pointers)
    accepted = 0
    for _ in range(20):
        accepted += (await bench.cycle(Inputs(broadcast(0)))).i_ready
    assert accepted == (20 if CFG.run_ahead else CFG.columns_ahead + 1)
    for _ in range(CFG.columns_ahead + 1):
        await bench.cycle(Inputs(o_ready=True))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the columns inside and keeps the pointers."""
    rng = random.Random(cocotb.RANDOM_SEED)
    pointers = pointers_of([rng.randint(0, 2) for _ in range(CFG.ptr_words)])
    bench = await loaded(dut, pointers)
    for items in range(1, 6):
        for _ in range(items):
            await bench.cycle(Inputs(broadcast(0)))
        await bench.start()
    items = [broadcast(column) for column in range(CFG.ptr_words - 1)]
    await transfer(bench, items, found(pointers, items), i_gaps=gaps(1, rng), o_gaps=gaps(0.7, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def pointers_read_back(dut):
    """What is written through the port is read through it, and again after traffic."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    pointers = [rng.randrange(CFG.spmat_entries + 1) for _ in range(CFG.ptr_words)]
    await bench.fill(pointers, read_back=True)
    items = [broadcast(column) for column in range(CFG.ptr_words)]
    await transfer(bench, items, found(pointers, items), i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()
    for addr in rng.sample(range(CFG.ptr_words), CFG.ptr_words):
        await bench.cycle(Inputs(io=Access(addr)))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(pointer_read.EVENTS, seen(Model.NAME), f"cfg={CFG}")
