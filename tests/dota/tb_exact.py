"""cocotb bench of hdl.dota.exact, run by test_exact.py inside the simulator."""

import random

import cocotb

from golden.dota import exact
from golden.dota.config import DotaConfig
from golden.dota.formats import Step
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, PinBench
from tests.dota.exact_traffic import Inputs, Model, Outputs, Port, Traffic
from tests.dota.exact_work import Formats, cycles_of, random_work, runs_of

CFG = config(DotaConfig)
FORMATS = Formats(CFG)
PATIENT = {"p_rounds": 0.05, "p_weights": 0.2, "p_ready": 0.3, "delay": 9}


class Bench(PinBench):
    MODEL, STREAMS, QUIET = Model, ("o",), ("busy", "o", "port", "load", "looks", "send")
    FORMATS = {"step": FORMATS.step, "r_data": FORMATS.round, "i": FORMATS.weight, "o": FORMATS.request}

    def sample(self, x):
        def pair(gate, *names):
            return tuple(self._value(name) for name in names) if self._value(gate) else None

        port = pair("port__en", "port__addr", "port__wdata")
        return Outputs(
            busy=bool(self._value("busy")), read=pair("r_en", "r_slot", "r_round"),
            release=bool(self._value("release_")), i_ready=bool(self._value("i__ready")), o=self._get("o"),
            port=port and Port(port[0], port[1] if self._value("port__write") else None),
            load=pair("load", "load_token", "load_chunk"), select=self._value("select"),
            looks=bool(self._value("looks")), look_upper=bool(self._value("look_upper")), kind=self._value("kind"),
            send=bool(self._value("last_sent")) if self._value("send_valid") else None)

    def traffic(self, works, rng, **options):
        """Surroundings that go on with the slot of the queue that is next."""
        return Traffic(CFG, works, rng, first_slot=int(self.model.s.score_slot[0]), **options)

    async def run(self, works, rng, **options):
        """Carry out steps one after the other."""
        traffic = self.traffic(works, rng, **options)
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
@cocotb.parametrize(kind=[Step.ATTEND, Step.LINEAR], patient=[False, True])
async def random_steps(dut, kind, patient):
    """Every cycle of random steps equals the golden model; requests, reads and writes are as they should be."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    works = [random_work(CFG, rng, kind) for _ in range(12 if CFG.vector < 32 else 4)]
    await bench.run(works, rng, **PATIENT if patient else {"p_ready": 0.8, "delay": 2, "p_rounds": 0.5})
    await bench.finish()


@cocotb.test(**LIMIT)
async def mixed_steps(dut):
    """Attention and linear layers in turn: nothing of a step is left for the next."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    works = [random_work(CFG, rng, rng.choice([Step.ATTEND, Step.LINEAR]), chunks=1, blocks=1,
                         queries=rng.randint(1, 9)) for _ in range(20)]
    await bench.run(works, rng, p_rounds=0.3, p_ready=0.7, delay=4)
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_linear_layer(dut):
    """Narrow and wide, to the SRAM and to the accumulator, one to four queries, inputs that fill a word or not."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for wide in (0, 1):
        for reduce in (0, 1):
            for queries in (1, 2, 3, 4, 5):
                keys = rng.choice([1, CFG.vector, CFG.vector + 1])
                work = random_work(CFG, rng, Step.LINEAR, wide=wide, reduce=reduce, queries=queries, keys=keys,
                                   blocks=2)
                await bench.run([work], rng, p_ready=0.6)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A request a cycle; with the fixed cycles of reading vectors, filling and writing results, exactly."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    works = [random_work(CFG, rng, kind) for kind in (Step.ATTEND, Step.LINEAR) * 6]
    works += [random_work(CFG, rng, Step.LINEAR, wide=wide, reduce=reduce) for wide in (0, 1) for reduce in (0, 1)]
    traffic = await bench.run(works, rng)
    assert traffic.spent == [cycles_of(CFG, work) for work in works]


@cocotb.test(**LIMIT)
async def scores_come_first(dut):
    """With rounds and weights at hand: scores of a group, those of the next one, sums of the first, and so on."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    work = random_work(CFG, rng, Step.ATTEND, queries=18)
    traffic = await bench.run([work], rng)
    kinds = {"score": exact.SCORE, "sum": exact.SUM}
    assert traffic.order() == [(kinds[run.name[0]], run.requests) for run in runs_of(CFG, work)]


@cocotb.test(**LIMIT)
async def sums_come_first(dut):
    """While the rounds of the next group are not there, the sums of this one are made."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(4):
        await bench.run([random_work(CFG, rng, Step.ATTEND, queries=9, chunks=1)], rng, p_rounds=0.01)
    bench.collect()


@cocotb.test(**LIMIT)
async def first_request(dut):
    """Attention: 3 cycles and one for each vector from the choice of a group to its first request; linear: 2."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind, fixed in (Step.ATTEND, 3), (Step.LINEAR, 2):
        for queries, chunks in (1, 1), (4, 1), (3, 2), (7, 3):
            work = random_work(CFG, rng, kind, queries=queries, chunks=chunks)
            traffic, first = bench.traffic([work], rng), None
            start = bench.cycle_number
            while not traffic.done:
                x = traffic.inputs()
                y = await bench.cycle(x)
                traffic.taken(x, y)
                if y.o and first is None:
                    first = bench.cycle_number - 1 - start
            vectors = min(queries, 4) * (work.step["chunks"] if kind == Step.ATTEND else 1)
            assert first == 1 + fixed + vectors, "start, and then the choice"
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the step, in every state."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind in (Step.ATTEND, Step.LINEAR):
        for cycles in (*range(1, 30), 45, 60):
            traffic = bench.traffic([random_work(CFG, rng, kind, queries=5)], rng)
            for _ in range(cycles):
                if not traffic.done:
                    x = traffic.inputs()
                    traffic.taken(x, await bench.cycle(x))
            await bench.start()
            y = await bench.cycle(Inputs())
            assert not (y.busy or y.o or y.port or y.load or y.release or y.send)
        await bench.run([random_work(CFG, rng, kind)], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(exact.EVENTS, seen(Model.NAME), f"cfg={CFG}")
