"""cocotb bench of hdl.eie.program, run by test_program.py inside the simulator."""

import random

import cocotb

from golden.common.fields import pack_fields
from golden.eie import program
from golden.eie.config import EieConfig
from golden.eie.formats import PASS_BITS, PASS_FIELDS
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, gaps
from tests.eie.central import FETCHED, CentralBench, Fetched, simulate
from tests.eie.program_traffic import (
    IDLE,
    HostAccess,
    ProgramInputs,
    ProgramModel,
    ProgramOutputs,
    Traffic,
    legal_pass,
    random_program,
    rule_cases,
)

CFG = config(EieConfig)


class Bench(CentralBench):
    def __init__(self, dut):
        super().__init__(dut, ProgramModel(CFG), name="program", cfg=CFG, streams=["o"], idle=IDLE)
        self._access, self._read = None, False

    async def started(self):
        """With the first word read."""
        await super().started()
        await self.rest(1)
        return self

    def drive(self, x):
        self.write("start", x.start)
        self.write("length", x.length if x.start else None)
        self.write("o__ready", x.o_ready)
        self.write("io_active", x.io is not None or self._access is not None)
        self.write("io_en", x.io is not None)
        self.write("io_write", getattr(x.io, "write", None))
        for name in ("addr", "wdata"):  # a cycle later
            self.write(f"io_{name}", getattr(self._access, name, None))

    def sample(self, x):
        o = self.payload("o", FETCHED)
        rdata = self.read("io_rdata") if self._read else None
        self._read = self._access is not None and not self._access.write
        self._access = x.io
        return ProgramOutputs(o and Fetched.of_payload(o), rdata)

    async def load(self, words):
        """Write a program through the host port."""
        for addr, word in enumerate(words):
            await self.cycle(ProgramInputs(io=HostAccess(True, addr, word)))
        await self.rest(2)


async def run(bench, words, rng, *, length=None, p_ready=1.0, load=True):
    """Load and run a program, check what comes out; the cycles from the start to the last pass, both included."""
    if load:
        await bench.load(words)
    traffic = Traffic(CFG, words, len(words) if length is None else length, gaps(p_ready, rng))
    cycles = await simulate(bench, traffic)
    for _ in range(6):
        assert (await bench.cycle(ProgramInputs(o_ready=True))).o is None, "nothing follows the last pass"
    return cycles


def chain(length, rng):
    """A legal program of ``length`` passes."""
    return [pack_fields(PASS_FIELDS, legal_pass(CFG, rng)) for _ in range(length)]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_ready=[0.1, 0.5, 1.0])
async def random_programs(dut, p_ready):
    """Every cycle of random programs, legal or not, one after the other, equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for _ in range(20):
        await run(bench, random_program(CFG, rng), rng, p_ready=p_ready)


@cocotb.test(**LIMIT)
async def every_rule(dut):
    """Each rule at its last legal and its first illegal value, in a program of one pass."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for name, values, is_legal in rule_cases(CFG, rng):
        word = pack_fields(PASS_FIELDS, values)
        await bench.load([word])
        await bench.cycle(ProgramInputs(start=True, length=1))
        y = [await bench.cycle(ProgramInputs(o_ready=True)) for _ in range(4)]
        assert [o.o and o.o.illegal for o in y] == [not is_legal, None, None, None], name
    bench.collect()


@cocotb.test(**LIMIT)
async def lengths(dut):
    """From one pass up to the whole memory; 0 and everything longer is refused, then a legal program runs."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    full = CFG.program_words
    words = chain(full, rng)
    await bench.load(words)
    for length in (1, 2, full - 1, full):
        await run(bench, words, rng, length=length, load=False)
    for length in (0, full + 1, 2 * full, 4 * full, 4 * full + 1, 1 << 31, (1 << 32) - 1):
        assert await run(bench, words, rng, length=length, load=False) == 2
        await run(bench, words, rng, length=1, load=False)


@cocotb.test(**LIMIT)
async def unfinished_chain(dut):
    """Passes that do not finish are legal up to the last one."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    open_end = pack_fields(PASS_FIELDS, legal_pass(CFG, rng, finish=0, store=0, swap=0))
    words = [open_end] * CFG.program_words
    await bench.load(words)
    for length in range(1, CFG.program_words + 1):
        await run(bench, words, rng, length=length, load=False)
    await run(bench, [*words[:-1], *chain(1, rng)], rng)


@cocotb.test(**LIMIT)
async def restart_after_refusal(dut):
    """Whatever pass was refused, the next program starts at its first pass."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    illegal = pack_fields(PASS_FIELDS, legal_pass(CFG, rng, zero=1))
    for position in range(min(CFG.program_words, 5)):
        words = chain(min(CFG.program_words, 5), rng)
        await run(bench, [*words[:position], illegal, *words[position + 1:]], rng, p_ready=0.5)
        await run(bench, words, rng, p_ready=0.5)


@cocotb.test(**LIMIT)
async def host_access(dut):
    """Every word is written and read back, bit by bit, with and without a program in between."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    words = [rng.getrandbits(PASS_BITS) for _ in range(CFG.program_words)]
    words[0] = 1 << PASS_BITS - 1
    words[-1] = (1 << PASS_BITS) - 1
    await bench.load(words)
    for addr in [*range(CFG.program_words), *(rng.randrange(CFG.program_words) for _ in range(100))]:
        await bench.cycle(ProgramInputs(io=HostAccess(False, addr)))
        if rng.random() < 0.5:
            assert (await bench.rest(2)).io_rdata == words[addr]
        if rng.random() < 0.3:
            words[addr] = rng.getrandbits(PASS_BITS)
            await bench.cycle(ProgramInputs(io=HostAccess(True, addr, words[addr])))
    await bench.rest(2)
    await run(bench, words, rng, load=False)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """The first pass in the cycle after the start, then one in 2 cycles."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for length in (1, 2, CFG.program_words):
        assert await run(bench, chain(length, rng), rng) == 1 + 2 * (length - 1) + 1


@cocotb.test(**LIMIT)
async def reset_mid_program(dut):
    """A reset ends the program and leaves the memory alone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    words = chain(CFG.program_words, rng)
    await bench.load(words)
    for cycles in range(6):
        await bench.cycle(ProgramInputs(start=True, length=len(words)))
        for _ in range(cycles):
            await bench.cycle(ProgramInputs(o_ready=True))
        await bench.started()
        await run(bench, words, rng, load=False)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(program.EVENTS, seen("program"), f"cfg={CFG}")
