"""cocotb bench of hdl.enmc.executor, run by test_executor.py inside the simulator."""

import itertools
import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.enmc import exact_control, exact_dot, exact_finish, executor, output_buffer, special
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import RECORD_FIELDS, Execute, Function
from hdl.enmc.layouts import execute_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.enmc.exact_work import Command, Work
from tests.enmc.tiles import words_of

CFG = config(EnmcConfig)
COMMAND = fields_of(execute_layout())
WORDS, VECTORS = CFG.burst_words, CFG.exact_features // CFG.burst_words
RECORD_BITS = sum(RECORD_FIELDS.values())
#: Bursts of a row of 512 elements and a bias in the large configuration; as many as fit in others.
LONG = min(33, VECTORS)
#: Cycles from the last burst of a row to ``finished``, function NONE, if it begins to be finished at once.
LATENCY = 1 + exact_dot.latency(CFG) + 1 + exact_finish.LATENCY + 1 + special.PASS_LATENCY + 1


class Inputs(NamedTuple):
    i: tuple | None = None
    load_valid: bool = False
    load: int | None = None
    row_bursts: int = 1
    new_batch: bool = False
    take: bool = False
    clear: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    freed: bool
    record_burst: int
    popped: int
    ready: int
    finished: bool
    largest: int
    sums: int
    working: bool
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_executor", executor, Inputs, Outputs
    PARTS = {"control": exact_control, "dot": exact_dot, "finish": exact_finish, "output": output_buffer}

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(bool(executor.ready_of(s, 0)), bool(executor.freed_of(s, 0)), joined(s.output.burst[0]),
                    int(s.output.popped[0]), int(s.output.level[0]), bool(s.output.finished[0]),
                    joined(s.special.largest[0]), joined(s.special.sums[0]), bool(executor.working_of(s, 0)),
                    bool(executor.busy_of(s, 0)))
        i = x.i or Command(0)
        command = exact_control.packed(i.kind, i.count, i.clear, i.ones, i.function, i.batch)
        executor.clock(s, 0, x.i is not None, command, i.label, i.score, x.load_valid, words_of(x.load or 0, WORDS),
                       x.row_bursts, x.new_batch, x.clear, x.take)
        return y

    @property
    def seen(self):
        return {event for name, part in self.PARTS.items()
                for event, count in zip(part.EVENTS, getattr(self.s, name).seen, strict=True) if count}


class Times(NamedTuple):
    """Cycles in which bursts came, bursts were freed, records were finished."""

    loaded: list
    freed: list
    finished: list


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"i": COMMAND}, ("busy", "working", "finished", "ready")

    async def run(self, work: Work, rng, *, p_command=1.0, loads=None, takes=None) -> Times:
        """Carry out ``work`` as a new batch, as the controller, the DRAM and a host would do.

        A burst is sent only while the weight buffer has room, FINISH and PASS only while a place is free in the output
        buffer. ``loads`` and ``takes`` say when a burst may come and when the host takes; always, by default.
        """
        commands, bursts, expected = list(work.commands), list(work.bursts), list(work.records)
        commanded, room, places, records, offered = gaps(p_command, rng), CFG.weights, CFG.results, [], None
        loads, takes, times = loads or itertools.repeat(True), takes or itertools.repeat(True), Times([], [], [])
        await self.cycle(Inputs(new_batch=True, row_bursts=work.row_bursts))
        while commands or offered or bursts or len(records) < len(expected):
            is_free = places or (commands and commands[0].kind < exact_control.FINISH)
            if offered is None and commands and is_free and next(commanded):
                offered = commands.pop(0)
                places -= offered.kind >= exact_control.FINISH
            load = bool(room and bursts and next(loads))
            x = Inputs(offered and make(COMMAND, **offered._asdict()), load, joined(bursts.pop(0)) if load else None,
                       work.row_bursts, False, bool(next(takes)))
            y = await self.cycle(x)
            if y.i_ready:
                offered = None
            room += y.freed - load
            places += y.popped
            records += [y.record_burst >> k * RECORD_BITS & (1 << RECORD_BITS) - 1 for k in range(y.popped)]
            for cycles, happened in zip(times, (load, y.freed, y.finished), strict=True):
                cycles += [self.cycle_number] * happened
        assert records == expected
        assert (y.largest, y.sums) == (joined(work.largest), joined(work.sums))
        return times


def joined(words):
    """Words as one number, the first lowest."""
    return sum(int(word) << 32 * k for k, word in enumerate(words))


async def ready(dut, row_bursts):
    """A bench, a random generator and work with features."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    await bench.start()
    work = Work(CFG, np.random.default_rng(rng.getrandbits(32)), row_bursts)
    return bench, rng, work


@cocotb.test(**LIMIT)
@cocotb.parametrize(function=list(Function), p_load=[0.4, 1.0], p_take=[0.05, 1.0])
async def random_rows(dut, function, p_load, p_take):
    """Every cycle of random rows equals the golden model, and the records those of the definition."""
    for row_bursts in 1, 2, 3, 7:
        bench, rng, work = await ready(dut, row_bursts)
        work.features()
        for _ in range(10):
            work.row(function) if rng.random() < 0.8 else work.passes(rng.randrange(CFG.batch))
        await bench.run(work, rng, p_command=rng.choice([0.3, 1.0]), loads=gaps(p_load, rng),
                        takes=gaps(p_take, rng))
        await bench.finish()


@cocotb.test(**LIMIT)
async def strange_numbers(dut):
    """Zeros, subnormal numbers, infinities, NaNs, and where rounding is close: in features and weights."""
    bench, rng, work = await ready(dut, 3)
    work.features(strange=True)
    for k in range(30):
        work.row(rng.choice([Function.NONE, Function.SIGMOID]), strange=k % 3 != 0)
    await bench.run(work, rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def commands_of_all_kinds(dut):
    """Rows in parts, several rows before their end, ``clear``, ``ones``, no row at all, no burst, function 3."""
    bench, rng, work = await ready(dut, 6)
    work.features()
    for repeat in range(6):
        work.multiply(0, count=2)
        work.multiply(0, count=4)
        work.finish()
        work.multiply(work.inputs - 1)
        work.multiply(work.inputs - 1, ones=repeat % 2)
        work.passes()
        work.multiply(work.inputs - 1, count=3)
        work.finish(3)
        work.multiply(0, count=5)
        work.multiply(0, clear=True)
        work.finish(Function.SIGMOID)
        work.finish()
        work.commands.append(Command(rng.choice([Execute.FEATURES, Execute.MULTIPLY]), 0))
        work.row(ones=True, clear=True)
        work.passes()
        work.passes()
        if repeat == 3:
            work.features()
    await bench.run(work, rng, p_command=0.7, loads=gaps(0.8, rng), takes=gaps(0.5, rng))
    await bench.run(work, rng)
    await bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(row_bursts=[1, 2, 3, 4, 5, LONG], function=[Function.NONE, Function.SOFTMAX])
async def full_throughput(dut, row_bursts, function):
    """A burst a cycle, also from row to row; shorter rows take three cycles; a record ``LATENCY`` after its row."""
    bench, rng, work = await ready(dut, row_bursts)
    work.features()
    rows = min(CFG.results, 8)
    for _ in range(rows):
        work.row(function)
    times = await bench.run(work, rng)
    each, freed = max(row_bursts, exact_control.SPACING), times.freed[-rows * row_bursts:]
    ends = freed[row_bursts - 1::row_bursts]
    if row_bursts >= exact_control.SPACING:
        assert freed == list(range(freed[0], freed[0] + rows * row_bursts))
    assert np.diff(ends[1:]).tolist() == [each] * (rows - 2)
    if function == Function.NONE:
        more = exact_finish.INTERVAL - 1 + (0 if row_bursts >= exact_control.SPACING else exact_control.SPACING)
        late = [done - end - LATENCY for end, done in zip(ends, times.finished, strict=True)]
        assert all(0 <= cycles <= more for cycles in late), late
    await bench.finish()


@cocotb.test(**LIMIT)
async def rate_of_the_dram(dut):
    """Three bursts in four cycles: every one is taken in the cycle after it came, and only the last row is late."""
    bench, rng, work = await ready(dut, LONG)
    work.features()
    rows = CFG.results
    for _ in range(rows):
        work.row(Function.SIGMOID if LONG * 4 // 3 >= special.INTERVAL else Function.NONE)
    times = await bench.run(work, rng, loads=itertools.cycle([True, True, True, False]))
    bursts = len(work.bursts)
    assert times.loaded[-1] - times.loaded[0] == (bursts - 1) * 4 // 3
    assert times.freed[-1] - times.loaded[-1] == 1
    assert times.finished[-1] - times.freed[-1] <= LATENCY + special.LATENCY + special.INTERVAL
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_output_buffer(dut):
    """As many records as there are places wait inside, none is lost, and they come out in bursts."""
    bench, rng, work = await ready(dut, 3)
    work.features()
    for _ in range(2 * CFG.results):
        work.row()
    held = itertools.repeat(False, 4 * CFG.results + 2 * LATENCY)
    await bench.run(work, rng, takes=itertools.chain(held, itertools.repeat(True)))
    await bench.finish()


@cocotb.test(**LIMIT)
async def cleared(dut):
    """CLR forgets the records that wait and the maxima; a take in the same cycle gives none."""
    bench, rng, work = await ready(dut, 2)
    for take in False, True:
        work.features()
        work.row(Function.SOFTMAX)
        commands, bursts = list(work.commands), list(work.bursts)
        while not (await bench.cycle(Inputs())).ready:
            command = commands.pop(0) if commands else None
            burst = bursts.pop(0) if bursts else None
            await bench.cycle(Inputs(command and make(COMMAND, **command._asdict()), burst is not None,
                                     None if burst is None else joined(burst), work.row_bursts))
        await bench.cycle(Inputs(clear=True, take=take))
        y = await bench.cycle(Inputs())
        assert (y.ready, y.popped, y.sums) == (0, 0, 0)
        assert not take or y.record_burst == 0
        bench, rng, work = await ready(dut, 2)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets commands, bursts, sums and records."""
    bench, rng, work = await ready(dut, 2)
    work.features()
    work.row(Function.SOFTMAX)
    for cycles in 1, 4, 9, 20, 45, 70:
        commands, bursts = list(work.commands), list(work.bursts)
        for _ in range(cycles):
            command = commands.pop(0) if commands else None
            burst = bursts.pop(0) if bursts else None
            await bench.cycle(Inputs(command and make(COMMAND, **command._asdict()), burst is not None,
                                     None if burst is None else joined(burst), work.row_bursts))
        await bench.start()
    await bench.run(work, rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    missing = {"take_some"} if CFG.records == 1 else set()
    assert_all(seen("enmc_executor"), {event for part in Model.PARTS.values() for event in part.EVENTS} - missing)
