"""cocotb bench of hdl.duet.noc, run by test_noc.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import noc
from golden.duet.config import DuetConfig
from hdl.duet.layouts import Load, transfer_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.duet.executor_model import bits_of, lanes_of, pack_lanes

CFG = config(DuetConfig)
ROWS, COLUMNS = CFG.rows, CFG.columns
TRANSFER = fields_of(transfer_layout(CFG))
ROW_BITS, COLUMN_BITS = (ROWS - 1).bit_length(), (COLUMNS - 1).bit_length()


class Inputs(NamedTuple):
    i: tuple | None = None
    row_ids: int = 0
    column_ids: int = 0


class Outputs(NamedTuple):
    i_ready: bool
    kind: int
    bank: int
    index: int
    word: int
    rows: int
    columns: int
    lut_valid: bool
    instruction: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_noc", noc, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        rows, columns = (sum(int(match) << k for k, match in enumerate(part.match)) for part in (s.rows, s.columns))
        y = Outputs(True, int(s.kind[0]), int(s.bank[0]), int(s.index[0]), pack_lanes(s.data[0]), rows, columns,
                    bool(noc.lut_valid_of(s, 0)), int(noc.instruction_of(s, 0, 0)))
        row_ids, column_ids = bits_of(x.row_ids, ROWS, ROW_BITS), bits_of(x.column_ids, COLUMNS, COLUMN_BITS)
        i = x.i
        noc.clock(s, 0, i is not None, *((i.kind, i.row, i.column, i.bank, i.index, lanes_of(CFG, i.data)) if i
                                         else (0, 0, 0, 0, 0, lanes_of(CFG, 0))), row_ids, column_ids)
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"i": TRANSFER}, ("rows", "columns", "lut_valid")

    def set_ids(self, rows, columns):
        """IDs, from now on."""
        self.idle = Inputs(None, sum(k << ROW_BITS * r for r, k in enumerate(rows)),
                           sum(k << COLUMN_BITS * c for c, k in enumerate(columns)))

    async def send(self, **values):
        """One cycle with a transfer."""
        return await self.cycle(self.idle._replace(i=make(TRANSFER, **values)))


def transfer(rng, row=None, column=None):
    """A random transfer."""
    return {"kind": rng.randrange(3), "row": rng.randrange(ROWS + 1) if row is None else row,
            "column": rng.randrange(COLUMNS + 1) if column is None else column, "bank": rng.randrange(2),
            "index": rng.randrange(CFG.lut), "data": rng.getrandbits(CFG.word_bits)}


async def started(dut):
    bench = Bench(dut, CFG)
    bench.set_ids(range(ROWS), range(COLUMNS))
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.4, 1.0])
async def random_transfers(dut, p_valid):
    """Every cycle of transfers with any tags equals the golden model, for IDs that are unique and for IDs that are not.
    """
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, offers = await started(dut), gaps(p_valid, rng)
    for _ in range(4):
        for _ in range(60):
            await (bench.send(**transfer(rng)) if next(offers) else bench.cycle(bench.idle))
        await bench.cycle(bench.idle)
        bench.set_ids([rng.randrange(ROWS) for _ in range(ROWS)], [rng.randrange(COLUMNS) for _ in range(COLUMNS)])
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Each row, each column, all of them, one transfer a cycle: exactly the PEs that are meant, one cycle later."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    before = None
    tags = [(row, column) for row in range(ROWS + 1) for column in range(COLUMNS + 1)]
    for tag in [*tags, None]:
        x = None if tag is None else transfer(rng, *tag)
        y = await (bench.send(**x) if x else bench.cycle(bench.idle))
        if before is not None:
            meant = noc.deliver(CFG, before["row"], before["column"], range(ROWS), range(COLUMNS))
            assert y.word == before["data"]
            assert (meant == [[y.rows >> r & y.columns >> c & 1 for c in range(COLUMNS)] for r in range(ROWS)]).all()
        before = x
    assert bench.cycle_number == len(tags) + 1
    await bench.finish()


@cocotb.test(**LIMIT)
async def instructions(dut):
    """Micro-instructions are on the Y-bus whatever the tags; other words are none."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind in Load:
        x = transfer(rng) | {"kind": kind.value}
        await bench.send(**x)
        y = await bench.cycle(bench.idle)
        assert y.lut_valid == (kind == Load.LUT)
        assert (y.index, y.instruction) == (x["index"], x["data"] & (1 << CFG.instruction_bits) - 1)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the transfer."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.send(**transfer(rng, ROWS, COLUMNS))
    await bench.start()
    y = await bench.cycle(bench.idle)
    assert not y.rows
    assert not y.columns
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(noc.EVENTS, seen(Model.NAME), f"cfg={CFG}")
