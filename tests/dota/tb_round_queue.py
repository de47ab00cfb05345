"""cocotb bench of hdl.dota.round_queue, run by test_round_queue.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import round_queue
from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES, QUEUE_SLOTS
from hdl.dota.layouts import round_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack

CFG = config(DotaConfig)
ROUND = fields_of(round_layout(CFG))
#: Rounds of a group, at most: few, so that many groups pass, unless a test asks for all.
SHORT = min(CFG.queue, 6)


class Inputs(NamedTuple):
    i: tuple | None = None
    r_en: bool = False
    r_slot: int | None = None
    r_round: int | None = None
    release_: bool = False      # the emitted name: the plain word is one of Verilog's own


class Outputs(NamedTuple):
    i_ready: bool
    complete: int
    r_data: tuple | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_round_queue", round_queue, Inputs, Outputs

    def reset(self):
        super().reset()
        self._known = False     # something was read since the reset

    def step(self, x):
        s = self.s
        data = None
        if self._known:
            keys = [int(round_queue.key_of(s, 0, query)) for query in range(QUERIES)]
            data = make(ROUND, keys=pack(keys, CFG.key_bits), live=int(round_queue.live_of(s, 0)),
                        last=int(round_queue.last_of(s, 0)))
        y = Outputs(bool(round_queue.ready_of(s, 0)), int(s.complete[0]), data)
        self._known |= x.r_en
        i = x.i or ROUND.unpack(0)
        round_queue.clock(s, 0, x.i is not None, np.array(unpack(i.keys, QUERIES, CFG.key_bits)), i.live, bool(i.last),
                          x.r_en, x.r_slot or 0, x.r_round or 0, x.release_)
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"i": ROUND}

    def sample(self, x):
        data = ROUND.unpack(self._value("r_data")) if self.model._known else None
        return Outputs(bool(self._value("i__ready")), self._value("complete"), data)


def a_group(rng, count):
    """Rounds of a group."""
    return [make(ROUND, keys=rng.getrandbits(QUERIES * CFG.key_bits), live=rng.randrange(1, 16), last=n == count - 1)
            for n in range(count)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


class Reader:
    """Reads complete groups in order, twice each and a little at random, then releases them."""

    def __init__(self, groups, p_read, rng):
        self._groups, self._gaps, self._rng = groups, gaps(p_read, rng), rng
        self.group, self._reads, self._expected, self.done = 0, [], None, not groups

    def inputs(self, complete):
        """The read port in this cycle."""
        if self.group == len(self._groups) or not complete:
            return {}
        if not self._reads:
            rounds = range(len(self._groups[self.group]))
            self._reads = [*rounds, *rounds, *self._rng.sample(rounds, min(3, len(rounds))), None]
        if not next(self._gaps):
            return {}
        number = self._reads.pop(0)
        if number is None:
            self.group += 1
            self.done = self.group == len(self._groups)
            return {"release_": True}
        return {"r_en": True, "r_slot": self.group % QUEUE_SLOTS, "r_round": number}

    def check(self, y, pins):
        """What was read in the cycle before is there."""
        assert self._expected is None or y.r_data == self._expected
        if pins.get("r_en"):
            self._expected = self._groups[self.group][pins["r_round"]]


async def run(bench, groups, rng, p_valid=1.0, p_read=1.0):
    """Write all groups, read and release them; cycles."""
    source = Source([one for group in groups for one in group], gaps(p_valid, rng), idle=None)
    reader, start, complete = Reader(groups, p_read, rng), bench.cycle_number, 0
    while not (source.done and reader.done):
        pins = reader.inputs(complete)
        y = await bench.cycle(Inputs(source.offer()[1], **pins))
        source.taken(y.i_ready)
        reader.check(y, pins)
        complete = bench.model.s.complete[0]    # equal to the pin of the next cycle, or that cycle fails
    return bench.cycle_number - start


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_read=[0.2, 1.0])
async def random_groups(dut, p_valid, p_read):
    """Every cycle of random groups equals the golden model; each round is read back."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await run(bench, [a_group(rng, rng.randint(1, SHORT)) for _ in range(40)], rng, p_valid, p_read)
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_slots(dut):
    """Groups of as many rounds as there may be, in all four slots; then nothing more is taken."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    groups = [a_group(rng, CFG.queue) for _ in range(QUEUE_SLOTS)]
    for one in [one for group in groups for one in group]:
        assert (await bench.cycle(Inputs(one))).i_ready
    extra, = a_group(rng, 1)
    for _ in range(5):
        y = await bench.cycle(Inputs(extra))
        assert (y.complete, y.i_ready) == (QUEUE_SLOTS, False)
    for slot, group in enumerate(groups):
        for number, one in enumerate(group):
            await bench.cycle(Inputs(r_en=True, r_slot=slot, r_round=number))
            if number % 7 == 0:
                assert (await bench.cycle(Inputs())).r_data == one
    await bench.cycle(Inputs(release_=True))
    assert (await bench.cycle(Inputs(extra))).i_ready, "a released slot is there in the next cycle"
    bench.collect()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A round in and a round out in every cycle; a group can be read in the cycle after its last round was taken."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    groups = [a_group(rng, SHORT) for _ in range(8)]
    flat = [one for group in groups for one in group]
    for cycle in range(len(flat) + SHORT + 1):
        n = cycle - SHORT   # the round that is read
        pins = {"r_en": True, "r_slot": n // SHORT % QUEUE_SLOTS, "r_round": n % SHORT} if 0 <= n < len(flat) else {}
        # A group is released with the read of its last round.
        ends = bool(pins) and n % SHORT == SHORT - 1
        y = await bench.cycle(Inputs(flat[cycle] if cycle < len(flat) else None, **pins, release_=ends))
        assert y.i_ready
        assert n < 1 or y.r_data == flat[n - 1]
    await bench.finish()
    assert await run(bench, [a_group(rng, 1)], rng) == 1 + 3 + 1    # in; three reads; its release


@cocotb.test(**LIMIT)
async def the_answer_stays(dut):
    """What was read holds until the next read, also when its group is gone and its slot is not written."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    one, = a_group(rng, 1)
    await bench.cycle(Inputs(one))
    await bench.cycle(Inputs(r_en=True, r_slot=0, r_round=0, release_=True))
    for other in a_group(rng, 5):
        assert (await bench.cycle(Inputs(other._replace(last=0)))).r_data == one
    bench.collect()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets all groups, complete or not."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for count in range(1, 10):
        for one in [one for _ in range(3) for one in a_group(rng, 2)][:count]:
            await bench.cycle(Inputs(one))
        await bench.start()
        y = await bench.cycle(Inputs())
        assert (y.complete, y.i_ready) == (0, True)
        await run(bench, [a_group(rng, 3) for _ in range(QUEUE_SLOTS)], rng)
        await bench.start()     # the next group is number 0 again
    await bench.finish()


@cocotb.test(skip=True)
async def release_of_nothing(dut):
    """Forbidden: no group is complete."""
    bench = await started(dut)
    bench.sample = lambda x: None
    bench.model.step = lambda x: None
    await bench.cycle(Inputs(release_=True))
    await bench.cycle(Inputs())


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(round_queue.EVENTS, seen(Model.NAME), f"cfg={CFG}")
