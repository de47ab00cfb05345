"""cocotb bench of hdl.dota.output, run by test_output.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import output
from golden.dota.config import DotaConfig
from golden.dota.formats import FX_BITS, SUM_BITS
from golden.dota.quantize import quantize_array
from hdl.common.beats import word_layout
from hdl.dota.accumulator import sum_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, pack_sums, unpack_sums

CFG = config(DotaConfig)
SUM, WORD = fields_of(sum_layout(CFG)), fields_of(word_layout(CFG.word_bits))
N = 2 * CFG.vector


class Inputs(NamedTuple):
    i: tuple | None = None
    wide: bool = False
    shift: int = 0
    relu: bool = False
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool
    saturated: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_output", output, Inputs, Outputs

    def __init__(self, cfg):
        self.cfg, self.io = cfg, {}
        self.reset()

    def reset(self):
        self.s = output.state(self.cfg)

    def step(self, x):
        s, o = self.s, None
        if s.o_valid[0]:
            first = CFG.vector * int(s.half[0])
            o = make(WORD, word=pack(s.values[first:first + CFG.vector], FX_BITS), last=int(output.last_of(s)))
        y = Outputs(bool(output.ready_of(s)), o, bool(s.words[0]), bool(s.clipped[0]))
        i = x.i or SUM.unpack(0)
        output.clock(s, x.i is not None, unpack_sums(i.values, N), bool(i.last), x.wide, x.shift, x.relu, x.o_ready)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": SUM, "o": WORD}, ("o",), ("o", "busy", "saturated")

    async def run(self, beats, i_gaps, o_gaps, **settings):
        """Send beats of (values, last) and compare the words; cycles to the last word."""
        items = [make(SUM, values=pack_sums(values), token=n % 4, last=last) for n, (values, last) in enumerate(beats)]
        words = [word for values, last in beats for word in words_of(values, last, **settings)]
        source, found, start = Source(items, i_gaps, idle=None), [], self.cycle_number
        while len(found) < len(words):
            x = Inputs(source.offer()[1], o_ready=next(o_gaps), **settings)
            y = await self.cycle(x)
            source.taken(y.i_ready)
            if y.o and x.o_ready:
                found.append(y.o)
        assert found == words and source.done
        return self.cycle_number - start


def words_of(values, last, *, wide, shift, relu):
    """The definition: one or two words of a beat."""
    elements = quantize_array(values, shift, relu, FX_BITS)[0]
    halves = [elements[:CFG.vector], elements[CFG.vector:]][:1 + wide]
    return [make(WORD, word=pack(half, FX_BITS), last=int(last and n == wide)) for n, half in enumerate(halves)]


def some_beats(rng, count):
    """Numbers of all sizes."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    return [(numbers.integers(-1 << 47, 1 << 47, N) >> numbers.integers(0, 47), rng.random() < 0.3)
            for _ in range(count)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0], wide=[False, True])
async def random_beats(dut, p_valid, p_ready, wide):
    """Every cycle of random beats equals the golden model, and the words are those of the definition."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for _ in range(6):
        settings = {"wide": wide, "shift": rng.randrange(48), "relu": rng.random() < 0.5}
        await bench.run(some_beats(rng, 8), gaps(p_valid, rng), gaps(p_ready, rng), **settings)
        await bench.cycle(Inputs())
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """The first word comes 4 cycles after its beat; a beat takes 5 cycles, or 6 if it has two words."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    always = gaps(1, rng)
    for wide in (False, True):
        for count in (1, 2, 7):
            cycles = await bench.run(some_beats(rng, count), always, always, wide=wide, shift=9, relu=False)
            assert cycles == (5 + wide) * count
            await bench.cycle(Inputs())
    await bench.cycle(Inputs(make(SUM, values=0, token=0, last=0)))
    assert [bool((await bench.cycle(Inputs())).o) for _ in range(4)] == [False, False, False, True]
    bench.collect()


@cocotb.test(**LIMIT)
async def one_is_clipped(dut):
    """One clipped element anywhere sets the flag once, unless its word does not leave."""
    bench = await started(dut)
    assert SUM_BITS > FX_BITS
    for index in range(N):
        values = np.zeros(N, np.int64)
        values[index] = 1 << FX_BITS - 1
        for wide in (False, True):
            await bench.cycle(Inputs(make(SUM, values=pack_sums(values), token=0, last=0), wide))
            flags = [(await bench.cycle(Inputs(wide=wide, o_ready=True))).saturated for _ in range(8)]
            assert flags == [False] * 3 + [wide or index < CFG.vector] + [False] * 4
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the beat inside, at any point of it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    always = gaps(1, rng)
    for cycles in range(1, 9):
        (values, _), = some_beats(rng, 1)
        await bench.cycle(Inputs(make(SUM, values=pack_sums(values), token=0, last=1), wide=True))
        for cycle in range(cycles):
            await bench.cycle(Inputs(wide=True, o_ready=cycle > 5))
        await bench.start()
        assert not (await bench.cycle(Inputs())).busy
        await bench.run(some_beats(rng, 2), always, always, wide=True, shift=3, relu=True)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(output.EVENTS, seen(Model.NAME), f"cfg={CFG}")
