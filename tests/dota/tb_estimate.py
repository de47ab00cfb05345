"""cocotb bench of hdl.dota.estimate, run by test_estimate.py inside the simulator."""

import random

import cocotb

from golden.dota import estimate
from golden.dota.config import DotaConfig
from golden.dota.formats import ELEMENT_BITS, SRAM_LATENCY, Precision, Step
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.dota.estimate_traffic import Formats, Inputs, Model, Outputs, Traffic
from tests.dota.estimate_work import LOW, Arrival, cycles_of, most_words, random_step
from tests.dota.exact_traffic import Port

CFG = config(DotaConfig)
FORMATS = Formats(CFG)
#: A block of INT8 results takes more than a word of a row.
LONG_RESULTS = CFG.block * ELEMENT_BITS[Precision.INT8] > 32 * CFG.units_per_key


class Bench(PinBench):
    MODEL, FORMATS, QUIET = Model, {"step": FORMATS.step}, ("busy", "port", "arrival", "quantize", "o")

    def drive(self, x):
        super().drive(x._replace(rdata=None))
        self._set("port__rdata", x.rdata)

    def sample(self, x):
        port = None
        if self._value("port__en"):
            port = Port(self._value("port__addr"), self._value("port__wdata") if self._value("port__write") else None)
        a = FORMATS.arrival.unpack(self._value("arrival"))
        assert not (a.loads and a.streams) and (a.streams or not a.fire)
        arrival = Arrival(bool(a.loads), a.part, a.word, a.words, a.slot, a.key, bool(a.fire), bool(a.first))
        busy = bool(self._value("busy"))
        return Outputs(busy=busy, port=port, arrival=arrival if a.loads or a.streams else None,
                       precision=self._value("precision") if busy and x.step else None,
                       quantize=bool(self._value("quantize")),
                       o=bool(self._value("o_last")) if self._value("o_valid") else None, rows=self._value("rows"))

    async def run(self, steps, rng, **options):
        """Carry out steps one after the other."""
        traffic = Traffic(CFG, steps, rng, **options)
        while not traffic.done:
            x = traffic.inputs()
            traffic.taken(x, await self.cycle(x))
        self.collect()
        return traffic


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=[Step.ATTEND, Step.LOW], p_ready=[0.1, 1.0])
async def random_steps(dut, kind, p_ready):
    """Every cycle of random steps equals the golden model; words, fires and results are those of the layout."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.run([random_step(CFG, rng, kind) for _ in range(8)], rng, p_ready=p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_precision(dut):
    """Operands and results in each precision; rows of what fits at once, and of one word more."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for precision in LOW:
        for out in LOW:
            most = most_words(CFG, precision)
            for words in most, most + 1:
                step = random_step(CFG, rng, Step.LOW, precision=precision, out_precision=out, low_words=words,
                                   queries=5, blocks=3)
                await bench.run([step], rng)
        await bench.run([random_step(CFG, rng, Step.ATTEND, precision=precision, queries=queries, low_words=words)
                         for queries, words in ((1, 1), (4, most), (6, most + 1))], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A word a cycle, with the fixed cycles of filling and of each result, exactly."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    steps = [random_step(CFG, rng, kind) for kind in (Step.ATTEND, Step.LOW) * 4]
    traffic = await bench.run(steps, rng)
    assert traffic.spent == [cycles_of(CFG, step) for step in steps]


@cocotb.test(**LIMIT)
async def latency(dut):
    """2 cycles from a read to its fire, 5 to the sums of the rows, 2 to those of the quantiser."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    step = random_step(CFG, rng, Step.ATTEND, queries=4, keys=1, low_words=1)
    traffic, events = Traffic(CFG, [step], rng), {}
    while not traffic.done:
        x = traffic.inputs()
        y = await bench.cycle(x)
        traffic.taken(x, y)
        for name, happens in (("read", y.port), ("fire", y.arrival and y.arrival.fire), ("quantize", y.quantize),
                              ("sums", x.sums_valid), ("busy", y.busy)):
            if happens:
                events[name] = bench.cycle_number
    assert [events[name] - events["read"] for name in ("fire", "quantize", "sums", "busy")] == [
        SRAM_LATENCY, SRAM_LATENCY + 5, SRAM_LATENCY + 7, estimate.FLUSH_CYCLES]
    assert estimate.FLUSH_CYCLES == 9


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the step and all that is on its way, in every state."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind in (Step.ATTEND, Step.LOW):
        for cycles in range(1, 40, 4):
            traffic = Traffic(CFG, [random_step(CFG, rng, kind)], rng)
            for _ in range(cycles):
                if not traffic.done:
                    x = traffic.inputs()
                    traffic.taken(x, await bench.cycle(x))
            await bench.start()
            for _ in range(10):
                y = await bench.cycle(Inputs())
                assert not (y.busy or y.port or y.arrival or y.quantize)
        await bench.run([random_step(CFG, rng, kind)], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    impossible = set() if LONG_RESULTS else {"short_block"}
    assert_all(set(estimate.EVENTS) - impossible, seen(Model.NAME), f"cfg={CFG}")
