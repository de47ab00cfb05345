"""cocotb bench of hdl.dota.accumulator, run by test_accumulator.py inside the simulator."""

import random
from collections import namedtuple
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import accumulator
from golden.dota.accumulator import Beat
from golden.dota.config import DotaConfig
from hdl.dota.accumulator import partial_layout, sum_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.beats import random_beats
from tests.dota.packed import pack_sums, unpack_sums

CFG = config(DotaConfig)
N, LANES, LATENCY = 2 * CFG.vector, CFG.lanes, accumulator.latency(CFG.lanes)
ALL = (1 << LANES) - 1
PARTIAL, SUM = fields_of(partial_layout(CFG)), fields_of(sum_layout(CFG))
PORTS = [f"i{lane}" for lane in range(LANES)]
Inputs = namedtuple("Inputs", [*PORTS, "lanes_on", "o_ready"], defaults=[None] * LANES + [0, False])  # noqa: PYI024
#: Beats of a random test: fewer of the long ones.
COUNT = 60 if N > 64 else 150


class Outputs(NamedTuple):
    ready: int
    o: tuple | None
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_accumulator", accumulator, Inputs, Outputs

    def step(self, x) -> Outputs:
        s = self.s
        offers = [getattr(x, port) for port in PORTS]
        fields = {name: np.array([getattr(offer, name) if offer else 0 for offer in offers], np.int64)
                  for name in ("token", "first", "emit", "last")}
        values = np.array([unpack_sums(offer.values if offer else 0, N) for offer in offers])
        valid = np.array([offer is not None for offer in offers], np.int64)
        o = None
        if accumulator.valid_of(s, 0):
            o = result([accumulator.value_of(s, 0, index) for index in range(N)], int(accumulator.token_of(s, 0)),
                       int(accumulator.last_of(s, 0)))
        ready = x.lanes_on if accumulator.taken_of(s, 0, valid, x.lanes_on) else 0
        y = Outputs(ready, o, bool(s.valid.any() or o))
        accumulator.clock(s, 0, valid, values, fields["token"], fields["first"], fields["emit"], fields["last"],
                          x.lanes_on, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, STREAMS, QUIET = Model, ("o",), ("o", "busy")
    FORMATS = {**dict.fromkeys(PORTS, PARTIAL), "o": SUM}

    def sample(self, x):
        ready = sum(int(getattr(self.dut, f"{port}__ready").value) << lane for lane, port in enumerate(PORTS))
        return Outputs(ready, self._get("o"), self._get("busy"))

    async def run(self, beats, lanes_on, *, i_gaps, o_gaps):
        """Send beats through the lanes that take part, noise through the others, and compare with the definition;
        cycles until the last beat is taken and the last sum is out."""
        lanes = [lane for lane in range(LANES) if lanes_on >> lane & 1]
        sources = {lane: Source([partial(beat, beat.values[row]) for beat in beats], i_gaps[lane], idle=None)
                   for row, lane in enumerate(lanes)}
        noise = {PORTS[lane]: partial(Beat(None, lane % 4, False, True, True), np.arange(N))
                 for lane in range(LANES) if lane not in lanes}
        expected = [result(*fields) for fields in accumulator.accumulate(beats, N)]
        received, start = [], self.cycle_number
        while not all(source.done for source in sources.values()) or len(received) < len(expected):
            x = Inputs(**{PORTS[lane]: source.offer()[1] for lane, source in sources.items()}, **noise,
                       lanes_on=lanes_on, o_ready=next(o_gaps))
            y = await self.cycle(x)
            for lane, source in sources.items():
                source.taken(bool(y.ready >> lane & 1))
            if y.o is not None and x.o_ready:
                received.append(y.o)
        assert received == expected
        return self.cycle_number - start


def partial(beat, values):
    """A beat as one lane offers it."""
    return make(PARTIAL, values=pack_sums(values), token=beat.token, first=beat.first, emit=beat.emit, last=beat.last)


def result(values, token, last):
    """A sum as it comes out."""
    return make(SUM, values=pack_sums(values), token=token, last=last)


def offer(beat, lanes_on=ALL, **more):
    """All lanes offer a beat."""
    lanes = {port: partial(beat, beat.values[lane]) for lane, port in enumerate(PORTS)}
    return Inputs(**lanes, lanes_on=lanes_on, **more)


async def ready(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


def same(p, rng):
    """Gaps of their own for each lane."""
    return [gaps(p, rng) for _ in range(LANES)]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.5, 1.0], p_ready=[0.3, 1.0], p_emit=[0.2, 1.0])
async def random_lanes(dut, p_valid, p_ready, p_emit):
    """Every cycle of random beats equals the golden model, whichever lanes take part."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    for lanes_on in {ALL, 1, 1 << LANES - 1, rng.randint(1, ALL)}:
        beats = random_beats(rng, COUNT, lanes_on.bit_count(), N, p_emit=p_emit)
        # What is kept outlives a run, the definition starts afresh: each token begins with ``first``.
        beats = [beat._replace(token=k, first=True) for k, beat in enumerate(beats[:4])] + beats[4:]
        await bench.run(beats, lanes_on, i_gaps=same(p_valid, rng), o_gaps=gaps(p_ready, rng))
        await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One beat a cycle, each with a sum; then one in eight, as when a dot product is longer than a lane's part."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    beats = random_beats(rng, 64, LANES, N, p_first=1, p_emit=1)
    assert await bench.run(beats, ALL, i_gaps=same(1, rng), o_gaps=gaps(1, rng)) == len(beats) + LATENCY
    beats = [beat._replace(token=k // 8 % 4, first=k % 8 == 0, emit=k % 8 == 7) for k, beat in enumerate(beats)]
    assert await bench.run(beats, ALL, i_gaps=same(1, rng), o_gaps=gaps(1, rng)) == len(beats) + LATENCY
    await bench.finish()


@cocotb.test(**LIMIT)
async def tokens_in_turn(dut):
    """Four tokens a beat each, over and over: the sums of one do not mix with those of another."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    beats = random_beats(rng, 32, LANES, N)
    beats = [beat._replace(token=k % 4, first=k < 4, emit=k >= 28) for k, beat in enumerate(beats)]
    await bench.run(beats, ALL, i_gaps=same(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def a_lane_waits(dut):
    """Nothing is taken until the last lane that takes part offers; then all of it at once."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    beat = random_beats(rng, 1, LANES, N, p_first=1, p_emit=1)[0]
    for late in range(LANES):
        x = offer(beat, o_ready=True)
        for _ in range(3):
            assert not (await bench.cycle(x._replace(**{PORTS[late]: None}))).ready
        assert (await bench.cycle(x)).ready == ALL
        # Nobody waits for a lane that takes no part; and if none does, nothing is taken.
        others = ALL & ~(1 << late)
        assert (await bench.cycle(x._replace(**{PORTS[late]: None}, lanes_on=others))).ready == others
        assert not (await bench.cycle(x._replace(lanes_on=0))).ready
        for _ in range(LATENCY + 1):
            await bench.cycle(Inputs(o_ready=True))
    await bench.finish()


@cocotb.test(**LIMIT)
async def a_sum_waits(dut):
    """While nobody takes sums: two wait, and beats that do not emit go on, up to the next one that does."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    beat = random_beats(rng, 1, LANES, N, p_first=0, p_emit=0)[0]
    for _ in range(2):
        assert (await bench.cycle(offer(beat._replace(emit=True)))).ready
    for _ in range(10):
        assert (await bench.cycle(offer(beat))).ready
    taken = 0
    for _ in range(10):
        taken += bool((await bench.cycle(offer(beat._replace(emit=True)))).ready)
    assert taken == LATENCY - 1  # as many as the tree has levels
    for _ in range(taken + 2):
        assert (await bench.cycle(Inputs(o_ready=True))).o
    await bench.finish()


@cocotb.test(**LIMIT)
async def largest_sums(dut):
    """Up to both ends of 48 bits, and around: who gives more gets the wrapped sum."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    high, low = (1 << 47) - 1, -1 << 47
    ends = np.array([high // LANES, low // LANES, 0, -1])[np.arange(N) % 4]
    beats = [Beat(np.tile(ends, (LANES, 1)), 1, True, True, False),
             Beat(np.tile(np.where(np.arange(N) % 4 == 0, 1, -1), (LANES, 1)), 1, False, True, True),
             Beat(np.tile([high, low] * (N // 2), (LANES, 1)), 2, True, True, False),
             Beat(np.tile([high, low] * (N // 2), (LANES, 1)), 2, False, True, False)]
    await bench.run(beats, ALL, i_gaps=same(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets beats, sums that wait, and what is kept."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await ready(dut)
    beat = random_beats(rng, 1, LANES, N, p_first=0, p_emit=1)[0]
    for cycles in range(LATENCY + 4):
        for _ in range(cycles):
            await bench.cycle(offer(beat))
        await bench.start()
    await bench.run([beat], ALL, i_gaps=same(1, rng), o_gaps=gaps(1, rng))
    await bench.finish()


@cocotb.test(skip=True, **LIMIT)
async def lanes_disagree(dut):
    """Forbidden: lanes that offer beats of different tokens."""
    bench = await ready(dut)
    beat = random_beats(random.Random(0), 1, LANES, N)[0]
    x = offer(beat)
    await bench.cycle(x._replace(i1=x.i1._replace(token=3 - x.i1.token)))


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    alone = {"lane_waits", "lane_off"} if LANES == 1 else set()
    assert_all(set(accumulator.EVENTS) - alone, seen(Model.NAME), f"cfg={CFG}")
