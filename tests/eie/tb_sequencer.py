"""cocotb bench of hdl.eie.sequencer, run by test_sequencer.py inside the simulator."""

import random

import cocotb

from golden.eie import sequencer
from golden.eie.config import EieConfig
from golden.eie.formats import CAUSES
from hdl.eie.layouts import broadcast_layout, command_layout, element_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, fields_of
from tests.eie.central import FETCHED, CentralBench, simulate
from tests.eie.sequencer_traffic import (
    IDLE,
    OPEN_END,
    Command,
    SequencerInputs,
    SequencerModel,
    SequencerOutputs,
    Traffic,
    random_program,
    work_of,
)

CFG = config(EieConfig)
BROADCAST, COMMAND, TOKEN = (fields_of(layout(CFG)) for layout in (broadcast_layout, command_layout, element_layout))
#: Everything about a pass that has nothing but a scan.
PLAIN = {"bias": 0, "store": 0, "swap": 0, "finish": 1}


class Bench(CentralBench):
    def __init__(self, dut):
        super().__init__(dut, SequencerModel(CFG), name="sequencer", cfg=CFG, streams=[], idle=IDLE)

    def drive(self, x):
        for name in ("start", "clear", "io_active", "room", "any_busy"):
            self.write(name, getattr(x, name))
        self.offer("passes", FETCHED, x.passes and x.passes.payload())
        self.offer("i", TOKEN, x.i and x.i._asdict())

    def sample(self, x):
        broadcast, state = self.payload("o", BROADCAST), self.read("state")

        def flag(pin):
            return bool(self.read(pin))

        return SequencerOutputs(
            passes_ready=flag("passes__ready"), i_ready=flag("i__ready"), o=broadcast and tuple(broadcast),
            command=Command.compared(*COMMAND.unpack(self.read("command"))), started=flag("started"), state=state,
            running=flag("running"), cause=CAUSES[self.read("cause")] if flag("running") else None,
            number=self.read("number"), done=flag("done"), program_error=flag("program_error"),
            start_error=flag("start_error"))


async def run(bench, works, rng, **options):
    """Run a program, check what it does; cycles by cause."""
    traffic = Traffic(CFG, works, rng, **options)
    await simulate(bench, traffic)
    return traffic.causes


async def flags(bench):
    """(done, program_error, start_error) of an idle cycle."""
    y = await bench.cycle(IDLE)
    return y.done, y.program_error, y.start_error


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0], busy=[0, 12])
async def random_programs(dut, p_valid, p_ready, busy):
    """Every cycle of random programs equals the golden model; every cycle of them has one cause."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for _ in range(12):
        await run(bench, random_program(CFG, rng), rng, p_valid=p_valid, p_ready=p_ready, busy=busy)
        await bench.cycle(SequencerInputs(clear=True))


@cocotb.test(**LIMIT)
async def disturbed_programs(dut):
    """Refused starts, cleared flags and stream commands leave a running program alone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for _ in range(20):
        await run(bench, random_program(CFG, rng), rng, p_valid=0.7, p_ready=0.7, busy=5, p_host=0.3)


@cocotb.test(**LIMIT)
@cocotb.parametrize(bias=[0, 1], finish=[0, 1])
async def all_zero_passes(dut, bias, finish):
    """Passes in which nothing is broadcast, or the bias alone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    works = [work_of(CFG, rng, 0, **{**PLAIN, "bias": bias, "finish": finish}) for _ in range(4)]
    last = work_of(CFG, rng, 0, **{**PLAIN, "bias": bias})
    causes = await run(bench, [*works, last], rng, p_ready=0.5, busy=3)
    assert causes["broadcasts"] == 5 * bias
    bench.collect()


@cocotb.test(**LIMIT)
async def unfinished_chain(dut):
    """Input passes follow each other while the PEs still work: only the last one waits for them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    works = [*(work_of(CFG, rng, 3, **OPEN_END) for _ in range(5)), work_of(CFG, rng, 3, **PLAIN)]
    idle, busy = [await run(bench, works, rng, busy=busy) for busy in (0, 1000)]
    assert busy.pop("stall_drain") > idle.pop("stall_drain")
    assert busy == idle, "only the drain of the last pass takes longer"


@cocotb.test(**LIMIT)
async def store_and_swap(dut):
    """Stores of every length at both ends of the memory; the role changes with every swap and starts at 0."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for rows in {1, 2, CFG.regfile_words}:
        rows = min(rows, CFG.act_words)
        for base in (0, CFG.act_words - rows):
            works = [work_of(CFG, rng, 2, **{**PLAIN, "store": 1, "swap": swap, "out_rows": rows, "out_base": base})
                     for swap in (1, 1, 0, 1)]
            causes = await run(bench, works, rng)
            assert causes["stall_store"] == 4 * (rows + 2)


@cocotb.test(**LIMIT)
async def refused_pass(dut):
    """In every position: what stands before it is done, then the program ends with the flag; the next one runs."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for busy in (0, 30):
        for position in range(4):
            before = [work_of(CFG, rng, 3, **rng.choice([PLAIN, OPEN_END])) for _ in range(position)]
            works = [*before, work_of(CFG, rng, 3)._replace(illegal=True), work_of(CFG, rng, 3)]
            await run(bench, works, rng, busy=busy, p_ready=0.5)
            assert (await bench.cycle(IDLE)).number == position
            assert await flags(bench) == (True, True, False)
            await bench.cycle(SequencerInputs(clear=True))
            assert await flags(bench) == (True, False, False)
            await run(bench, [work_of(CFG, rng, 2, **PLAIN)], rng)


@cocotb.test(**LIMIT)
async def refused_start(dut):
    """A start is refused while a stream command is active, and in every state of a program."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    await bench.cycle(SequencerInputs(start=True, io_active=True))
    assert not (await bench.cycle(IDLE)).started
    assert await flags(bench) == (False, False, True)
    await bench.cycle(SequencerInputs(start=True, io_active=True, clear=True))
    assert await flags(bench) == (False, False, True), "a new refusal outlives the clear"
    await bench.cycle(SequencerInputs(clear=True))
    assert await flags(bench) == (False, False, False)
    works = [work_of(CFG, rng, 3, **{**PLAIN, "bias": 1, "store": 1, "out_rows": 1, "out_base": 0})]
    for cycle in range(works[0].cycles):
        traffic = Traffic(CFG, works, rng)
        start = bench.cycle_number
        while not traffic.done:
            x = traffic.inputs()
            x = x._replace(start=x.start or bench.cycle_number == start + 1 + cycle)
            traffic.taken(x, await bench.cycle(x))
        traffic.check()
        assert await flags(bench) == (True, False, True)
        await bench.cycle(SequencerInputs(clear=True))
    bench.collect()


@cocotb.test(**LIMIT)
async def long_waits(dut):
    """Nothing ends by itself: no pass, no element, no room, a busy PE."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    traffic = Traffic(CFG, [work_of(CFG, rng, 2, **{**PLAIN, "bias": 1})], rng)
    withheld = {"passes": None, "i": None, "room": 0, "any_busy": True}
    waited = dict.fromkeys(withheld, 0)
    while not traffic.done:
        x = traffic.inputs()
        for name, value in withheld.items():
            if waited[name] < 50 and (name != "any_busy" or x.passes is None):
                x = x._replace(**{name: value})
                waited[name] += 1
                break
        y = await bench.cycle(x)
        # What was withheld is still with its source.
        traffic.taken(x, y._replace(passes_ready=y.passes_ready and x.passes is not None,
                                    i_ready=y.i_ready and x.i is not None))
    traffic.check()
    assert set(waited.values()) == {50}
    bench.collect()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Without waiting: 2 cycles, one for each element (or null at the end) and bias, the drain, the store."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    for length in (1, 2, 8):
        for changes in ({}, PLAIN, OPEN_END):
            works = [*(work_of(CFG, rng, rng.choice([0, 1, 50]), **changes) for _ in range(length)),
                     work_of(CFG, rng, 200)]
            start = bench.cycle_number
            causes = await run(bench, works, rng)
            assert causes.total() == sum(work.cycles for work in works)
            assert bench.cycle_number - start == causes.total() + 2  # and the start, and the idle cycle after it


@cocotb.test(**LIMIT)
async def reset_mid_program(dut):
    """A reset ends a program in every state."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await Bench(dut).started()
    works = [work_of(CFG, rng, 3, bias=1, store=1, out_rows=1, out_base=0, swap=1)]
    for cycles in range(1, works[0].cycles):
        traffic = Traffic(CFG, works, rng)
        for _ in range(cycles):
            x = traffic.inputs()
            traffic.taken(x, await bench.cycle(x))
        await bench.started()
        assert await flags(bench) == (False, False, False)
        await run(bench, works, rng)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(sequencer.EVENTS, seen("sequencer"), f"cfg={CFG}")
