"""Golden side and driver of the bench of hdl.eie.act_rw; the tests are in tb_act_rw.py."""

from typing import NamedTuple

from golden.eie import act_rw, regfile
from golden.eie.config import EieConfig
from golden.eie.spec import limits
from hdl.eie.layouts import command_layout, element_layout
from sim.common.bench import config, signed, to_raw, to_signed
from tests.common.units import Access, LaneModel, Memory, PinBench, fields_of, make

CFG = config(EieConfig)
COMMAND, ELEMENT = fields_of(command_layout(CFG)), fields_of(element_layout(CFG))
VALUE = signed(CFG.data_bits)
LOW, HIGH = limits(CFG.data_bits)
WORDS = CFG.regfile_words
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
    """One register file behind its io port; has the methods of :class:`tests.common.units.Memory`."""

    def __init__(self, files, lane: int):
        self._files, self._lane, self.rdata = files, lane, None

    def clock(self, access):
        f, lane, self.rdata = self._files, self._lane, None
        if access is None:
            return
        read = not (access.write or access.clear)
        value = to_signed(access.wdata, CFG.data_bits) if access.write else 0
        regfile.clock(f, lane, access.clear, access.write, access.addr, value, 0, read, access.addr, False, 0)
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
