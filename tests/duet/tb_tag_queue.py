"""cocotb bench of hdl.duet.tag_queue, run by test_tag_queue.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.duet import tag_queue
from golden.duet.config import DuetConfig
from golden.duet.tag_queue import instructions
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.duet.tag_traffic import TagFeeder, random_words

CFG = config(DuetConfig)


class Inputs(NamedTuple):
    valid: bool = False
    word: int | None = None
    phase: int | None = None
    tags: int | None = None
    start: bool = False


class Outputs(NamedTuple):
    issue: bool
    instruction: int | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_tag_queue", tag_queue, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        issue = bool(tag_queue.issue_of(self.s, 0))
        y = Outputs(issue, int(tag_queue.instruction_of(self.s, 0)) if issue else None)
        tag_queue.clock(self.s, 0, x.valid, x.word or 0, x.phase or 0, x.tags or 0, x.start)
        return y


class Bench(PinBench):
    MODEL, GATES, QUIET = Model, {"instruction": "issue"}, ("issue",)

    async def steps(self, steps, rng, p=1.0):
        """Run steps; every one issues exactly its valid instructions, in order, in consecutive cycles. The feeder."""
        feeder, issued, cycles = TagFeeder(steps, rng, p), [], []
        while not feeder.done:
            offer = feeder.offer()
            word, tags = offer["word"] or (None, None)
            y = await self.cycle(Inputs(offer["word"] is not None, word, offer["phase"], tags, offer["start"]))
            if y.issue:
                issued.append(y.instruction)
                cycles.append(feeder.cycle)
            feeder.tick()
        expected = [instructions(*zip(*step, strict=True), CFG.tags) for step in steps]
        assert issued == sum(expected, [])
        assert cycles == [end - k for end, step in zip(feeder.over_at, expected, strict=True)
                          for k in range(len(step), 0, -1)]
        return feeder


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.3, 1.0], p_tag=[0.0, 0.05, 0.5, 1.0])
async def random_steps(dut, p, p_tag):
    """Steps of all lengths, with tags of every density, one as soon as possible after the other, or with gaps."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.steps([random_words(CFG, rng, rng.randint(1, CFG.tag_words), p_tag) for _ in range(8)], rng, p)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Tags of the next step are there: a step of n instructions takes n + 1 cycles, across words and empty words."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    words = range(CFG.tag_words)
    single = [(word, 1 << rng.randrange(CFG.tags)) for word in words]
    holes = [(word, (1 << CFG.tags) - 1 if word in (0, CFG.tag_words - 1) else 0) for word in words]
    full = [(word, (1 << CFG.tags) - 1) for word in words]
    one = [(CFG.tag_words - 1, 1 << CFG.tags - 1)]
    feeder = await bench.steps([full, single, full, holes, one, one], rng)
    cycles = [later - earlier for earlier, later in zip(feeder.over_at, feeder.over_at[1:], strict=False)]
    assert cycles == [CFG.tag_words + 1, CFG.lut + 1, 2 * CFG.tags + 1, 2, 2]
    await bench.finish()


@cocotb.test(**LIMIT)
async def latency(dut):
    """The first instruction of a word that just came is issued LATENCY cycles later, and not before."""
    bench = await started(dut)
    for phase in (1, 2, 3, 0, 1):
        await bench.cycle(Inputs(True, 0, phase, 1))
        for cycle in range(1, tag_queue.LATENCY + 2):
            y = await bench.cycle(Inputs(start=cycle == tag_queue.LATENCY - 1))
            assert y.issue == (cycle == tag_queue.LATENCY)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_ring(dut):
    """All words of two steps wait before the first one starts."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for phase in (1, 2):
        for word in range(CFG.tag_words):
            await bench.cycle(Inputs(True, word, phase, rng.randrange(1, 1 << CFG.tags)))
    for _ in range(2):
        y = await bench.cycle(Inputs(start=True))
        y = await bench.cycle(bench.idle)
        while y.issue:
            y = await bench.cycle(bench.idle)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the words inside, and the phase."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for words in range(1, CFG.tag_words + 1):
        for word in range(words):
            await bench.cycle(Inputs(True, word, 1, 5))
        await bench.start()
        await bench.steps([[(0, 9)]], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(tag_queue.EVENTS, seen(Model.NAME), f"cfg={CFG}")
