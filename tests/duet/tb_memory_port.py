"""cocotb bench of hdl.duet.memory_port, run by test_memory_port.py inside the simulator."""

import random

import cocotb
import numpy as np

from golden.duet import memory_port
from golden.duet.config import DuetConfig
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.duet.memory_model import Inputs, Memory, Model, fields, random_requests

CFG = config(DuetConfig)
WORD_BEATS = memory_port.beats_of_word(CFG)
PAGE_WORDS = memory_port.PAGE * 8 // CFG.word_bits


class Bench(PinBench):
    MODEL, FORMATS = Model, fields(CFG)
    STREAMS = QUIET = ("ar", "o")

    async def run(self, requests, rng, **pace):
        """Send requests; their words come in order. Returns the cycles until the last one is taken."""
        memory, start = Memory(CFG, requests, rng, **pace), self.cycle_number
        while not memory.done:
            x = memory.offer()
            memory.taken(x, await self.cycle(x))
        return self.cycle_number - start


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    rng = random.Random(cocotb.RANDOM_SEED)
    return bench, rng, np.random.default_rng(rng.getrandbits(32))


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_request=[0.2, 1.0], p_beat=[0.3, 1.0], p_word=[0.1, 1.0])
async def random_words(dut, p_request, p_beat, p_word):
    """Every cycle of random requests equals the golden model, at any pace and latency of the memory."""
    bench, rng, numbers = await ready(dut)
    for latency in 1, 30:
        await bench.run(random_requests(CFG, numbers, 12), rng, p_request=p_request, p_beat=p_beat, p_word=p_word,
                        latency=latency)
    await bench.finish()


@cocotb.test(**LIMIT)
async def pages(dut):
    """Requests that end with a page, begin with one, have the last word of one, cross it; the last words that exist."""
    bench, rng, _numbers = await ready(dut)
    page = 5 * PAGE_WORDS
    for addr, count in ((page - 1, 1), (page, 1), (page - 1, 2), (page - 2, 2), (page, min(PAGE_WORDS, 63)),
                        (page - 1, 32), (page + 1, 63), ((1 << 32) - 3, 3)):
        await bench.run([(addr, count)], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A beat a cycle, whatever the latency: eight bursts are enough."""
    bench, rng, _numbers = await ready(dut)
    count = min(PAGE_WORDS, 8)
    for latency in 1, 20:
        taken = [await bench.run([(n * PAGE_WORDS, count) for n in range(requests)], rng, latency=latency)
                 for requests in (20, 30)]
        assert taken[1] - taken[0] == 10 * count * WORD_BEATS
    cocotb.log.info(f"{memory_port.beat_bits(CFG) // 8} bytes a cycle")
    await bench.finish()


@cocotb.test(**LIMIT)
async def most_bursts(dut):
    """No more than eight bursts are outstanding while the memory does not answer."""
    bench, rng, _numbers = await ready(dut)
    memory = Memory(CFG, [(n * PAGE_WORDS, 1) for n in range(12)], rng, p_beat=0.0)
    for _ in range(60):
        x = memory.offer()
        memory.taken(x, await bench.cycle(x))
    assert memory.bursts == memory_port.MOST_BURSTS
    memory.p_beat = 1.0
    while not memory.done:
        x = memory.offer()
        memory.taken(x, await bench.cycle(x))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets requests, bursts and words."""
    bench, rng, numbers = await ready(dut)
    for cycles in (1, 2, 3, 5, 9, 15):
        memory = Memory(CFG, random_requests(CFG, numbers, 4), rng, p_word=0.2, latency=1)
        for _ in range(cycles):
            x = memory.offer()
            memory.taken(x, await bench.cycle(x))
        await bench.start()
        assert not (await bench.cycle(Inputs())).busy
        await bench.run(random_requests(CFG, numbers, 3), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(memory_port.EVENTS, seen(Model.NAME), f"cfg={CFG}")
