"""cocotb bench of hdl.duet.executor_pe, run by test_executor_pe.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.common.fixed import wrap
from golden.duet import executor_pe
from golden.duet.config import DuetConfig
from golden.duet.executor_pe import MAC_LATENCY
from golden.duet.formats import SUM_BITS
from golden.duet.mac_lut import fig_5_3, valid
from sim.common.bench import config, to_signed
from sim.common.bench import signed as signed_field
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench
from tests.duet.executor_model import lanes_of
from tests.duet.pe_traffic import Inputs, PeFeeder, PeStep, random_steps

CFG = config(DuetConfig)
#: Cycles from a drain's command to the sum on ``chain``.
DRAIN_LATENCY = 2


class Outputs(NamedTuple):
    busy: bool
    drain_next: int
    chain: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_executor_pe", executor_pe, Inputs, Outputs
    KEPT = ("lut", "inputs", "weights")

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        drain, bank, pixel, last = (int(part) for part in s.drain[0])
        y = Outputs(bool(executor_pe.busy_of(s, 0)), drain | bank << 1 | last << 2 | pixel << 3, int(s.chain[0]))
        command = x.drain
        executor_pe.clock(s, 0, x.take, x.kind or 0, x.bank or 0, x.index or 0, lanes_of(CFG, x.word or 0), 0,
                          x.tags_valid, x.tags_word or 0, x.tags_phase or 0, (x.itags or 0) & (x.otags or 0), x.start,
                          x.input_bank, x.weight_bank, x.sum_bank, command & 1, command >> 1 & 1, command >> 3,
                          command >> 2 & 1, to_signed(x.chain_in, SUM_BITS))
        return y


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"chain": signed_field(SUM_BITS)}, ("busy",)

    async def work(self, program, steps, rng, p=1.0):
        """Steps and drains; the sums that come out are those of the definition. The feeder."""
        feeder, commands, chains = PeFeeder(CFG, program, steps, rng, p), [], []
        while not feeder.done or len(chains) < len(feeder.expected):
            x = feeder.offer()
            y = await self.cycle(x)
            commands.append((x.drain & 1, to_signed(x.chain_in, SUM_BITS)))
            if len(commands) > DRAIN_LATENCY and commands[-1 - DRAIN_LATENCY][0]:
                chains.append(wrap(y.chain - commands[-DRAIN_LATENCY][1], SUM_BITS))
            feeder.tick()
        assert chains == feeder.expected
        return feeder


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p=[0.5, 1.0], p_tag=[0.0, 0.05, 0.5, 1.0])
async def random_work(dut, p, p_tag):
    """Every cycle of steps of all densities equals the golden model, with loads and drains beside them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.work(*random_steps(CFG, rng, 6, p_tag), rng, p)
    await bench.finish()


@cocotb.test(**LIMIT)
async def fig_5_3_example(dut):
    """The worked example: 27 MACs, 9 with the output map, 3 with the input map, and as many cycles."""
    rng = random.Random(cocotb.RANDOM_SEED)
    program, imap, omap, macs = fig_5_3()
    if CFG.weight_words * CFG.pixels < 9 or CFG.input_words * CFG.pixels < 15:
        return
    random_numbers = np.random.default_rng(rng.getrandbits(32))
    inputs = random_numbers.integers(-0x8000, 0x8000, (CFG.input_words, CFG.pixels))
    weights = random_numbers.integers(-0x8000, 0x8000, (CFG.weight_words, CFG.pixels))
    whole = np.zeros((CFG.lut, 3), np.int64)
    whole[:len(program)] = program
    bench = await started(dut)
    all_inputs, all_outputs = np.ones_like(imap), np.ones_like(omap)
    for maps, count in zip(((all_inputs, all_outputs), (all_inputs, omap), (imap, omap)), macs, strict=True):
        tags = sum(1 << k for k, tag in enumerate(valid(program, *maps)) if tag)
        words = [(word, tags >> word * CFG.tags & (1 << CFG.tags) - 1) for word in range(-(-27 // CFG.tags))]
        await bench.start()
        feeder = PeFeeder(CFG, whole, [PeStep(inputs, weights, words, 0)], rng)
        busy = 0
        while not feeder.done:
            busy += (await bench.cycle(feeder.offer())).busy
            feeder.tick()
        assert busy == count
        for _ in range(DRAIN_LATENCY + 1):
            await bench.cycle(bench.idle)
    await bench.finish()


@cocotb.test(**LIMIT)
async def same_output(dut):
    """All instructions add to one sum, then two in turn, then three: each product counts once; the largest ones wrap.
    """
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    inputs, weights = (np.full((words, CFG.pixels), -0x8000) for words in (CFG.input_words, CFG.weight_words))
    for outputs in (1, 2, 3):
        program = np.array([(k % CFG.pixels, 0, k % outputs) for k in range(CFG.lut)])
        words = [(word, (1 << CFG.tags) - 1) for word in range(CFG.tag_words)]
        await bench.start()
        await bench.work(program, [PeStep(inputs, weights, words, 0)], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """Steps without a pause: n instructions in n + 1 cycles; the sums are complete MAC_LATENCY cycles after the last.
    """
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    program, steps = random_steps(CFG, rng, 1, 1.0)
    full = [(word, (1 << CFG.tags) - 1) for word in range(CFG.tag_words)]
    steps = [steps[0]._replace(words=full, group=0) for _ in range(3)]
    feeder = await bench.work(program, steps, rng)
    assert np.diff(feeder.tags.over_at).tolist() == [CFG.lut + 1] * 2
    pixels = DRAIN_LATENCY + CFG.pixels
    assert feeder.tags.cycle == feeder.tags.over_at[-1] + MAC_LATENCY - 1 + pixels
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets tags, products on their way, and sums."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    program, steps = random_steps(CFG, rng, 2, 0.5)
    for cycles in (1, 3, 5, 7, 30):
        feeder = PeFeeder(CFG, program, steps, rng)
        while feeder.tags.started == 0 or cycles:
            await bench.cycle(feeder.offer())
            feeder.tick()
            cycles -= feeder.tags.started > 0
        await bench.start()
    await bench.work(program, steps, rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(executor_pe.EVENTS, seen(Model.NAME), f"cfg={CFG}")
