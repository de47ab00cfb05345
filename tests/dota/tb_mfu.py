"""cocotb bench of hdl.dota.mfu, run by test_mfu.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden.dota import mfu
from golden.dota.config import DotaConfig
from hdl.dota.layouts import score_layout, weight_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LaneModel, PinBench, fields_of, gaps, make
from tests.dota.groups import Setting, group_of, random_group
from tests.dota.packed import pack, unpack

CFG = config(DotaConfig)
SCORES, WEIGHTS = fields_of(score_layout(CFG)), fields_of(weight_layout(CFG))
#: Simulated time; the largest queues take longer than other units.
LIMIT = {"timeout_time": 4, "timeout_unit": "ms"}
#: Rounds of a group in the tests that need not fill a queue.
SOME = min(CFG.queue, 24)


class Inputs(NamedTuple):
    i: tuple | None = None
    score_shift: int = 0
    scale: int = 0
    scale_shift: int = 0
    passes: int = 1
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_mfu", mfu, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        o = weights([int(mfu.weight_of(s, 0, query)) for query in range(4)], bool(mfu.last_of(s, 0)))
        y = Outputs(bool(mfu.ready_of(s, 0)), o if mfu.valid_of(s, 0) else None, bool(mfu.busy_of(s, 0)))
        i = x.i or SCORES.unpack(0)
        mfu.clock(s, 0, x.i is not None, np.array(unpack(i.dots, 4, 48, signed=True), np.int64), i.live, i.last,
                  x.score_shift, x.scale, x.scale_shift, x.passes, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": SCORES, "o": WEIGHTS}, ("o",), ("o", "busy")

    async def run(self, groups, setting, *, i_gaps, o_gaps, passes=1):
        """Send groups and compare the weights with the definition; cycles of the last round of each group and of each
        round of weights, from the first cycle on."""
        items, expected = [], []
        for dots, live in groups:
            items += rounds_of(dots, live)
            expected += weight_rounds(mfu.softmax(dots, live, *setting)) * passes
        source, received, sent, left, start = Source(items, i_gaps, idle=None), [], [], [], self.cycle_number
        while not source.done or len(received) < len(expected):
            x = Inputs(source.offer()[1], *setting, passes, next(o_gaps))
            now = self.cycle_number - start
            y = await self.cycle(x)
            if x.i and x.i.last and y.i_ready:
                sent.append(now)
            source.taken(y.i_ready)
            if y.o is not None and x.o_ready:
                received.append(y.o)
                left.append(now)
        assert received == expected
        return sent, left

    async def rest(self, setting=(0, 0, 0)):
        """Nothing may be left over."""
        self.idle = Inputs(None, *setting)
        await self.finish()


def weights(values, last):
    """One round of weights as it comes out."""
    return make(WEIGHTS, weights=pack(values, 15), last=last)


def rounds_of(dots, live):
    """The rounds of a group as they go in."""
    return [make(SCORES, dots=pack(dot, 48), live=pack(flags, 1), last=number == len(dots) - 1)
            for number, (dot, flags) in enumerate(zip(dots.tolist(), live.tolist(), strict=True))]


def weight_rounds(values):
    return [weights(row, number == len(values) - 1) for number, row in enumerate(values.tolist())]


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


def words(rounds):
    return -(-rounds // mfu.ROUNDS)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0], p_ready=[0.3, 1.0], passes=[1, 3])
async def random_groups(dut, p_valid, p_ready, passes):
    """Every cycle of random groups equals the golden model, and the weights the definition."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for _ in range(6):
        setting = Setting.random(rng)
        groups = [random_group(rng, rng.randint(1, SOME), setting) for _ in range(rng.randint(1, 4))]
        await bench.run(groups, setting, i_gaps=gaps(p_valid, rng), o_gaps=gaps(p_ready, rng), passes=passes)
        await bench.rest(setting)


@cocotb.test(**LIMIT)
async def corners(dut):
    """No connection, one, equal scores in every number, the largest spread, queries of different lengths."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    most = 1 << 47
    for setting in Setting(0, 1024, 0), Setting(20, 65535, 0), Setting(32, 47, 12), Setting(47, 1, 31):
        groups = [group_of([[]] * 4), group_of([[5], [], [-5], [most - 1]])]
        groups += [group_of([[7 << 20] * n] * 4) for n in range(1, SOME + 1)]
        groups += [group_of([[-most, most - 1], [most - 1, -most] * 2, [0] * 3, [-most] * 4])]
        await bench.run(groups, setting, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
        await bench.rest(setting)


@cocotb.test(**LIMIT)
async def latency(dut):
    """From the last round to the first weight, exactly as documented, for every number of words."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, setting = await ready(dut), Setting(16, 1024, 4)
    for rounds in sorted({*range(1, min(CFG.queue, 17) + 1), CFG.queue - 1, CFG.queue}):
        sent, left = await bench.run([random_group(rng, rounds, setting)], setting, i_gaps=gaps(1, rng),
                                     o_gaps=gaps(1, rng))
        assert sent == [rounds - 1]
        assert left == [rounds - 1 + mfu.FIRST_WEIGHT + 2 * words(rounds) + k for k in range(rounds)]
        await bench.rest(setting)


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Groups in a row: whatever is slower, normalising or sending, sets the pace, and nothing is lost beside it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, setting, count = await ready(dut), Setting(16, 1024, 4), 6
    for rounds in sorted({1, 4, SOME - 1, SOME, CFG.queue}):
        for passes in 1, 5:
            groups = [random_group(rng, rounds, setting) for _ in range(count)]
            _sent, left = await bench.run(groups, setting, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng), passes=passes)
            assert left == leaving(rounds, passes, count)
            await bench.rest(setting)


def leaving(rounds, passes, count):
    """Cycles in which weights leave: a recurrence over groups, all of the same size."""
    normalise, send = mfu.NORMALISE + 2 * words(rounds), rounds * passes
    taken, normalised, freed, cycles = [], [], [], []
    for group in range(count):
        begin = taken[-1] + 1 if group else 0
        if group > 1:
            begin = max(begin, freed[group - 2] + 1)
        taken.append(begin + rounds - 1)
        normalised.append(max(taken[-1] + mfu.RECEIVE, normalised[-1] if group else 0) + normalise)
        first = max(normalised[-1] + 1, freed[-1] + 2 if group else 0)
        freed.append(first + send - 1)
        cycles += [first + 1 + k for k in range(send)]
    return cycles


@cocotb.test(**LIMIT)
async def never_stalls_within_a_group(dut):
    """Once a group has begun every round is taken at once, however slowly weights leave."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, setting = await ready(dut), Setting(16, 1024, 4)
    groups = [random_group(rng, rng.randint(2, SOME), setting) for _ in range(12)]
    waiting, offers, inside, done = [rounds_of(*group) for group in groups], gaps(0.05, rng), False, 0
    while done < len(groups):
        x = Inputs(waiting[0][0] if waiting else None, *setting, 1, next(offers))
        y = await bench.cycle(x)
        assert y.i_ready or not inside
        if waiting and y.i_ready:
            inside = not waiting[0].pop(0).last
            waiting = waiting if inside else waiting[1:]
        done += bool(y.o and y.o.last and x.o_ready)
    await bench.rest(setting)


@cocotb.test(**LIMIT)
async def sixteen_passes(dut):
    """As often as it can be asked for, with a partial word."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, setting = await ready(dut), Setting(16, 1024, 4)
    groups = [random_group(rng, n, setting) for n in (3, 1, 4)]
    await bench.run(groups, setting, i_gaps=gaps(1, rng), o_gaps=gaps(0.8, rng), passes=16)
    await bench.rest(setting)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset in any part of the work forgets it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, setting = await ready(dut), Setting(16, 1024, 4)
    for cycles in range(0, 60, 3):
        for item in [*rounds_of(*random_group(rng, 3, setting)), *rounds_of(*random_group(rng, 2, setting))][:4]:
            await bench.cycle(Inputs(item, *setting))
        for _ in range(cycles):
            await bench.cycle(Inputs(None, *setting, 2, True))
        await bench.start()
    await bench.run([random_group(rng, SOME, setting)], setting, i_gaps=gaps(1, rng), o_gaps=gaps(1, rng))
    await bench.rest(setting)


async def unchecked(bench, *inputs):
    """Cycles without the model, which does not know what is forbidden."""
    for x in inputs:
        bench.drive(x)
        await RisingEdge(bench.dut.clk)


@cocotb.test(skip=True, **LIMIT)
async def group_too_long(dut):
    """Forbidden: one round more than a query may have."""
    bench = await ready(dut)
    await unchecked(bench, *[Inputs(SCORES.unpack(0))] * (CFG.queue + 5))


@cocotb.test(skip=True, **LIMIT)
async def no_pass(dut):
    """Forbidden: weights that are to be sent never."""
    bench = await ready(dut)
    group = rounds_of(*group_of([[1]] * 4))
    await unchecked(bench, *[Inputs(item, passes=0) for item in group], *[Inputs(passes=0)] * 50)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(mfu.EVENTS, seen(Model.NAME), f"cfg={CFG}")
