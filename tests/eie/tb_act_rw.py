"""cocotb bench of hdl.eie.act_rw, run by test_act_rw.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.eie import act_rw, regfile
from golden.eie.config import EieConfig
from golden.eie.spec import limits
from hdl.eie.layouts import command_layout, element_layout
from sim.common.bench import config, signed, to_raw, to_signed
from sim.common.coverage import assert_all, seen
from tests.eie.units import LIMIT, Access, LaneModel, Memory, PinBench, fields_of, gaps, make

CFG = config(EieConfig)
COMMAND, ELEMENT = fields_of(command_layout(CFG)), fields_of(element_layout(CFG))
VALUE = signed(CFG.data_bits)
LOW, HIGH = limits(CFG.data_bits)
WORDS = CFG.regfile_words
MOST_ROWS = min(WORDS, CFG.act_words)
IDLE = COMMAND.unpack(0)


class Inputs(NamedTuple):
    pe_id: int = 0
    command: tuple = IDLE
    o_ready: bool = False
    r_en: bool = False
    r_row: int | None = None
    w_en: bool = False
    w_row: int | None = None
    w_value: int | None = None
    io_act0: Access | None = None
    io_act1: Access | None = None
    io_sram: Access | None = None


class Outputs(NamedTuple):
    o: tuple | None
    r_live: bool
    r_value: int | None
    io_act0_rdata: int | None
    io_act1_rdata: int | None
    io_sram_rdata: int | None
    reads: bool
    writes: bool


class Registers:
    """One register file behind its io port; has the methods of :class:`tests.eie.units.Memory`."""

    def __init__(self, files, lane: int):
        self._files, self._lane, self.rdata = files, lane, None

    def clock(self, access):
        f, lane, self.rdata = self._files, self._lane, None
        if access is None:
            return
        read = not (access.write or access.clear)
        value = to_signed(access.wdata, CFG.data_bits) if access.write else 0
        regfile.clock(f, lane, access.clear, access.write, access.addr, value, 0, read, access.addr)
        if read:
            self.rdata = to_raw(int(f.r_value[lane]) if f.r_nonzero[lane] else 0, CFG.data_bits)


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "eie_act_rw", act_rw, Inputs, Outputs, ("sram",)

    def ports(self):
        self.files = regfile.state(self.cfg, 2)
        return {"io_act0": Registers(self.files, 0), "io_act1": Registers(self.files, 1),
                "io_sram": Memory(self.s.sram[0], self.cfg.data_bits, is_signed=True)}

    def reset(self):
        super().reset()
        for name, array in zip(self.files._fields, self.files, strict=True):
            if name != "words":
                array[...] = 0

    def step(self, x: Inputs) -> Outputs:
        s, f, c = self.s, self.files, x.command
        o = None
        if s.o_valid[0]:
            index, value = int(s.o_row[0]) << self.cfg.pe_bits | x.pe_id, int(act_rw.value_of(f, 0, c.role))
            o = element(index, value, int(s.o_null[0]), int(s.o_last[0]))
        r_live, r_value = bool(f.r_live[1 - c.role]), int(f.r_value[1 - c.role])
        reads, writes = act_rw.clock(s, f, 0, c.role, c.scan, c.clear, c.load, c.store, c.base, c.rows, x.r_en,
                                     x.r_row or 0, x.w_en, x.w_row or 0, x.w_value or 0, c.relu, x.o_ready)
        y = Outputs(o, r_live, r_value if r_live else None, **self.answers(), reads=bool(reads), writes=bool(writes))
        self.clock_io(x)
        return y


def element(index, value, null, last):
    """A token of the scan; an end alone says nothing else."""
    return make(ELEMENT, index=0 if null else index, value=0 if null else value, null=null, last=last)


class Bench(PinBench):
    """Plays the sequencer and the arithmetic unit. What a command leaves open is random."""

    MODEL = Model
    FORMATS = {"command": COMMAND, "o": ELEMENT, "w_value": VALUE, "r_value": VALUE}
    GATES, STREAMS, QUIET = {"r_value": "r_live"}, ("o",), ("o", "reads", "writes")

    def __init__(self, dut, cfg, rng):
        super().__init__(dut, cfg)
        self.rng, self.sums, self.relu = rng, {}, False
        self.pe_id = rng.choice([0, cfg.n_pe - 1])
        self.set_role(0)

    def set_role(self, role):
        """Which file is the source."""
        self.idle = Inputs(pe_id=self.pe_id, command=IDLE._replace(role=role, relu=int(self.relu)))

    def drive(self, x):
        c = x.command._replace(codebook=self.rng.randrange(CFG.codebooks), shift=self.rng.randrange(2 * CFG.data_bits))
        if not (c.load or c.store):
            c = c._replace(base=self.rng.randrange(CFG.act_words), rows=self.rng.randrange(WORDS + 1))
        super().drive(x._replace(command=c))

    def sample(self, x):
        y = super().sample(x)
        return y._replace(o=element(*y.o)) if y.o else y

    def command(self, **strobes):
        """An idle cycle with these fields of the command set."""
        return self.idle._replace(command=self.idle.command._replace(**strobes))

    def traffic(self):
        """Inputs of the accumulator ports: random reads and writes, never of the same register; notes the sums."""
        read_row, write_row = self.rng.sample(range(WORDS), 2)
        x = {"r_en": self.rng.random() < 0.5, "r_row": read_row}
        if self.rng.random() < 0.5:
            value = self.rng.choice([0, -1, LOW, HIGH, self.rng.randint(LOW, HIGH)])
            self.sums[write_row] = value
            x |= {"w_en": True, "w_row": write_row, "w_value": value}
        return x

    async def scan(self, o_gaps, *, with_traffic=False, **strobes):
        """Scan the source; (elements, cycles from the command to that in which the end was taken)."""
        start, elements = self.cycle_number, []
        if strobes.get("clear"):
            self.sums = {}
        y, x = None, self.command(scan=1, **strobes)
        while not (y and y.o and y.o.last and x.o_ready):
            if y is not None:
                x = self.idle._replace(o_ready=next(o_gaps), **(self.traffic() if with_traffic else {}))
            y = await self.cycle(x)
            if y.o and x.o_ready and not y.o.null:
                elements.append((y.o.index, y.o.value))
        return elements, self.cycle_number - start

    async def store(self, base, rows):
        """Copy accumulators to the SRAM; checks what its words are then and when they were written."""
        expected = [self.value_of(row) for row in range(rows)]
        await self.cycle(self.command(store=1, base=base, rows=rows))
        writes = [(await self.cycle(self.idle)).writes for _ in range(rows + 2)]
        assert writes == [False, *[True] * rows, False]
        assert await self.words("io_sram", [(base + row) % CFG.act_words for row in range(rows)]) == expected

    def value_of(self, row):
        """What an accumulator counts as."""
        value = self.sums.get(row, 0)
        return max(value, 0) if self.relu else value

    async def words(self, port, addrs):
        """Words read through an io port."""
        answers = [(await self.cycle(self.idle._replace(**{port: Access(addr)}))) for addr in addrs]
        answers.append(await self.cycle(self.idle))
        raw = [getattr(y, f"{port}_rdata") for y in answers[1:]]
        return [to_signed(word, CFG.data_bits) for word in raw]

    def indexed(self, values):
        """Untimed: the elements of a scan over these registers."""
        return [(row << CFG.pe_bits | self.pe_id, value) for row, value in enumerate(values) if value]


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
    """A scan of n non-zeros takes n + 2 cycles wherever they are, a load of n rows n + 4, both at least one element."""
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
        assert await bench.scan(always, load=1, base=base, rows=rows) == (bench.indexed(loaded), rows + 4)
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
    assert await bench.scan(always, load=1, base=CFG.act_words - 1, rows=1) == (bench.indexed([5]), 5)
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
