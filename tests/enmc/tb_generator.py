"""cocotb bench of hdl.enmc.generator, run by test_generator.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb

from golden.enmc import generator
from golden.enmc.config import EnmcConfig
from hdl.enmc.layouts import candidate_layout, instruction_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make

CFG = config(EnmcConfig)
CANDIDATE, INSTRUCTION = fields_of(candidate_layout(CFG)), fields_of(instruction_layout())


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False
    row_base: int = 0
    row_bursts: int = 1
    first_class: int = 0
    mode: int = 0


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_generator", generator, Inputs, Outputs

    def step(self, x):
        s = self.s
        word, low, high = int(s.word[0]), int(s.low[0]), int(s.high[0])
        o = payload(word, low | high << 32) if s.valid[0] else None
        y = Outputs(not s.held[0], o, bool(generator.busy_of(s, 0)))
        i = x.i or CANDIDATE.unpack(0)
        generator.clock(s, 0, x.i is not None, i.score, i.label, i.batch, bool(x.o_ready), x.row_base, x.row_bursts,
                        x.first_class, x.mode)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": CANDIDATE, "o": INSTRUCTION}, ("o",), ("o", "busy")


def payload(word, data):
    return make(INSTRUCTION, b=word & 15, a=word >> 4 & 15, op=word >> 8, data=data)


def candidate(rng):
    label = rng.choice([0, (1 << 24) - 1, rng.getrandbits(24)])
    return make(CANDIDATE, score=rng.choice([-1 << 31, (1 << 31) - 1, rng.getrandbits(32) - (1 << 31)]), label=label,
                batch=rng.randrange(8))


async def run(bench, rng, candidates, registers, p_valid=1.0, p_ready=1.0):
    """Send candidates; what comes is the definition's. Returns the cycles until the last instruction was taken."""
    source, ready, taken, start = Source(candidates, gaps(p_valid, rng), idle=None), gaps(p_ready, rng), [], \
        bench.cycle_number
    wanted = [payload(*one) for c in candidates for one in generator.instructions(c, **registers)]
    while len(taken) < len(wanted):
        x = Inputs(source.offer()[1], next(ready), **registers)
        y = await bench.cycle(x)
        source.taken(y.i_ready)
        taken += [y.o] if y.o is not None and x.o_ready else []
    assert taken == wanted
    return bench.cycle_number - start


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench, random.Random(cocotb.RANDOM_SEED)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_candidates(dut, p_valid, p_ready):
    """Candidates in all modes, any registers."""
    bench, rng = await started(dut)
    for mode in range(8):
        registers = {"row_base": rng.getrandbits(32), "row_bursts": rng.choice([1, 0xFFFF, rng.getrandbits(16)]),
                     "first_class": rng.getrandbits(24), "mode": mode}
        if mode & 3 < 3:
            await run(bench, rng, [candidate(rng) for _ in range(12)], registers, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """The stated cycles from a candidate to its instruction and to the next."""
    bench, rng = await started(dut)
    for mode, period in (5, generator.PERIODS[0]), (0, generator.PERIODS[1]):
        registers = {"row_base": 7, "row_bursts": 3, "first_class": 1, "mode": mode}
        cycles = await run(bench, rng, [candidate(rng) for _ in range(20)], registers)
        assert cycles == 19 * period + generator.LATENCY + (3 if mode & 4 else 1)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the candidate."""
    bench, rng = await started(dut)
    for cycles in range(1, 6):
        for _ in range(cycles):
            await bench.cycle(Inputs(candidate(rng), True, mode=4))
        await bench.start()
        await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(generator.EVENTS, seen(Model.NAME), f"cfg={CFG}")
