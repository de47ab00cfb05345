"""cocotb bench of hdl.dota.sram, run by test_sram.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import sram
from golden.dota.config import DotaConfig
from golden.dota.formats import BANKS
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, Access, LaneModel, PinBench

CFG = config(DotaConfig)
ROW_BITS = (CFG.bank_words - 1).bit_length()
#: Seed of the contents that the simulator fills in.
FILL_SEED = 7
#: Contents of the memory, which outlives a test; None before something filled it.
_contents = []


class Inputs(NamedTuple):
    gather: tuple = ()              # (bank, row) of those that are read
    exact: Access | None = None
    estimate: Access | None = None
    host: Access | None = None


class Outputs(NamedTuple):
    gather_data: tuple              # of 8 words; None where nothing was read yet
    exact_rdata: int | None
    estimate_rdata: int | None
    host_rdata: int | None


def to_units(word):
    return np.frombuffer(word.to_bytes(CFG.word_bits // 8, "little"), "<u4").astype(np.int64)


def to_word(units):
    return int.from_bytes(units.astype("<u4").tobytes(), "little")


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "dota_sram", sram, Inputs, Outputs, ("words", "data")

    def __init__(self, cfg):
        super().__init__(cfg)
        self._banks_known = set()
        if _contents:
            self.s.words[0] = _contents[0]
            _contents[0] = self.s.words[0]

    def reset(self):
        super().reset()
        self._known, self._due = set(), set()

    def step(self, x):
        s = self.s
        y = Outputs(tuple(to_word(s.data[0, bank]) if bank in self._banks_known else None for bank in range(8)),
                    *(to_word(s.rdata[0, port]) if port in self._known else None for port in range(3)))
        self._known |= self._due
        self._due = set()
        for bank, row in x.gather:
            sram.gather(s, 0, bank, row)
            self._banks_known.add(bank)
        for port, access in enumerate((x.exact, x.estimate, x.host)):
            if access is None:
                continue
            if access.write:
                sram.write(s, 0, access.addr, to_units(access.wdata))
            else:
                sram.read(s, 0, port, access.addr)
                self._due.add(port)
                self._banks_known.add(int(sram.bank_of(s, access.addr)))
        sram.clock(s, 0)
        assert not s.conflicts[0]
        return y


class Bench(PinBench):
    MODEL = Model

    def drive(self, x):
        rows = dict(x.gather)
        self._set("gather_en", sum(1 << bank for bank in rows))
        self._set("gather_row", sum(rows.get(bank, self._junk.getrandbits(ROW_BITS)) << ROW_BITS * bank
                                    for bank in range(8)))
        for name in sram.PORTS:
            access = getattr(x, name)
            self._set(f"{name}__en", access is not None)
            for part in ("write", "addr", "wdata"):
                self._set(f"{name}__{part}", getattr(access, part, None))

    def sample(self, x):
        raw, mask = self._value("gather_data"), (1 << CFG.word_bits) - 1
        gathered = tuple(raw >> CFG.word_bits * bank & mask if bank in self.model._banks_known else None
                         for bank in range(8))
        return Outputs(gathered, *(self._value(f"{name}__rdata") if port in self.model._known else None
                                   for port, name in enumerate(sram.PORTS)))


async def loaded(dut):
    """A bench whose memory is known: the first one writes every word through a flat port."""
    first = not _contents
    if first:
        _contents.append(np.zeros((CFG.words, CFG.units_per_word), np.int64))
    bench = Bench(dut, CFG)
    await bench.start()
    if first:
        rng = random.Random(1)
        for addr in range(CFG.words):
            port = sram.PORTS[addr % 3]
            await bench.cycle(Inputs(**{port: Access(addr, rng.getrandbits(CFG.word_bits))}))
    return bench


def random_inputs(rng, density, recent):
    """Accesses to different banks; often of words that were used not long ago."""
    free = set(range(BANKS))

    def access():
        addr = rng.choice(recent) if recent and rng.random() < 0.5 else rng.randrange(CFG.words)
        bank = sram.place(CFG, addr)[0]
        if rng.random() >= density or bank not in free:
            return None
        free.remove(bank)
        recent[:] = [*recent[-5:], addr]
        return Access(addr, rng.getrandbits(CFG.word_bits) if rng.random() < 0.4 else None)

    ports = {name: access() for name in sram.PORTS}
    gather = tuple((bank, rng.choice([0, CFG.bank_words - 1, rng.randrange(CFG.bank_words)]))
                   for bank in range(8) if bank in free and rng.random() < density)
    return Inputs(gather, **ports)


@cocotb.test(**LIMIT)
@cocotb.parametrize(density=[0.1, 0.5, 1.0])
async def random_accesses(dut, density):
    """Every output of every cycle of random accesses of all ports equals the golden model."""
    rng, recent = random.Random(cocotb.RANDOM_SEED), []
    bench = await loaded(dut)
    for _ in range(300):
        await bench.cycle(random_inputs(rng, density, recent))
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_word(dut):
    """Every word is read by flat address and, where it can be gathered, by its row: the same word."""
    bench = await loaded(dut)
    step = max(1, CFG.words // 640)
    for addr in sorted({*range(0, CFG.words, step), *(n * CFG.bank_words - 1 for n in range(1, 11)),
                        *(n * CFG.bank_words for n in range(10))}):
        word, (bank, row) = to_word(_contents[0][addr]), sram.place(CFG, addr)
        await bench.cycle(Inputs(**{sram.PORTS[addr // step % 3]: Access(addr)}))
        y = await bench.cycle(Inputs(gather=((bank, row),) if bank < 8 else ()))
        assert bank >= 8 or y.gather_data[bank] == word
        y = await bench.cycle(Inputs())
        assert y[1 + addr // step % 3] == word and (bank >= 8 or y.gather_data[bank] == word)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """All ten banks are read in every cycle: eight words gathered, two by flat addresses, each in its time."""
    bench = await loaded(dut)
    rng = random.Random(cocotb.RANDOM_SEED)
    first = 8 * CFG.bank_words
    rows = [[rng.randrange(CFG.bank_words) for _ in range(BANKS)] for _ in range(50)]
    for t in range(len(rows) + sram.FLAT_LATENCY):
        x = Inputs()
        if t < len(rows):
            x = Inputs(tuple(enumerate(rows[t][:8])), exact=Access(first + rows[t][8]),
                       estimate=Access(first + CFG.bank_words + rows[t][9]))
        y = await bench.cycle(x)
        words = _contents[0]
        if sram.GATHER_LATENCY <= t < len(rows) + sram.GATHER_LATENCY:
            wanted = [bank // 4 * 4 * CFG.bank_words + 4 * row + bank % 4
                      for bank, row in enumerate(rows[t - sram.GATHER_LATENCY][:8])]
            assert list(y.gather_data) == [to_word(words[addr]) for addr in wanted]
        if t >= sram.FLAT_LATENCY:
            row = rows[t - sram.FLAT_LATENCY]
            assert y.exact_rdata == to_word(words[first + row[8]])
            assert y.estimate_rdata == to_word(words[first + CFG.bank_words + row[9]])
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_between_bank_and_port(dut):
    """A reset withdraws an answer on its way, keeps all words, and the port works afterwards."""
    bench = await loaded(dut)
    for name in sram.PORTS:
        await bench.cycle(Inputs(**{name: Access(1)}))
        await bench.start()
        for addr in (0, 4 * CFG.bank_words, 9 * CFG.bank_words):
            await bench.cycle(Inputs(**{name: Access(addr)}))
        await bench.finish()


@cocotb.test(skip=True)
async def two_accesses(dut):
    """Forbidden: a flat port and the gather use one bank."""
    bench = await loaded(dut)
    bench.sample = lambda x: None
    bench.model.step = lambda x: None
    await bench.cycle(Inputs(((3, 0),), exact=Access(7)))
    await bench.cycle(Inputs())


@cocotb.test(skip=True)
async def beyond_the_end(dut):
    """Forbidden: the address after the last word."""
    bench = await loaded(dut)
    bench.sample = lambda x: None
    bench.model.step = lambda x: None
    await bench.cycle(Inputs(host=Access(CFG.words)))
    await bench.cycle(Inputs())


@cocotb.test(skip=True)
async def filled_by_the_simulator(dut):
    """What files gave the banks is found at the addresses it was meant for."""
    rng = np.random.default_rng(FILL_SEED)
    _contents.append(rng.integers(1 << 32, size=(CFG.words, CFG.units_per_word)))
    bench = Bench(dut, CFG)
    await bench.start()
    for addr in range(CFG.words):
        await bench.cycle(Inputs(host=Access(addr)))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(sram.EVENTS, seen(Model.NAME), f"cfg={CFG}")
