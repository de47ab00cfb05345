"""cocotb bench of hdl.common.beats, run by test_beats.py inside the simulator."""

import random

import cocotb

from golden.common.beats import WordsToBeatsInputs, WordsToBeatsModel, WordsToBeatsOutputs
from golden.common.fields import beats_of
from sim.common.bench import Gaps, Source, UnitBench, config
from sim.common.coverage import assert_all, seen
from tests.common.configs import BeatsConfig

CFG = config(BeatsConfig)
WORD_BITS, BEAT_BITS = CFG.word_bits, CFG.beat_bits
BEATS = beats_of(WORD_BITS, BEAT_BITS)
LIMIT = {"timeout_time": 1, "timeout_unit": "ms"}
IDLE = WordsToBeatsInputs()
ALWAYS = Gaps(1, random.Random(0))
#: Cycles from a word to its first beat.
LATENCY = 2


class Bench(UnitBench):
    def __init__(self, dut):
        super().__init__(dut, WordsToBeatsModel(WORD_BITS, BEAT_BITS), name="beats", cfg=CFG, streams=("o",))
        self._junk = random.Random(1)

    def drive(self, x):
        self.dut.i__valid.value = x.i is not None
        self.dut.i__payload.value = (self._junk.getrandbits(WORD_BITS + 1) if x.i is None
                                     else x.i[1] << WORD_BITS | x.i[0])
        self.dut.o__ready.value = x.o_ready

    def sample(self, x):
        raw = int(self.dut.o__payload.value)
        beat = (raw & (1 << BEAT_BITS) - 1, bool(raw >> BEAT_BITS)) if self.dut.o__valid.value else None
        return WordsToBeatsOutputs(bool(self.dut.i__ready.value), beat)

    async def transfer(self, words, i_gaps, o_gaps):
        """Send the words; all their beats must come, in order. The cycles it took."""
        source, received, start = Source(words, i_gaps, idle=None), [], self.cycle_number
        while len(received) < len(words) * BEATS:
            x = WordsToBeatsInputs(source.offer()[1], next(o_gaps))
            y = await self.cycle(x)
            source.taken(y.i_ready)
            if y.o and x.o_ready:
                received.append(y.o)
        assert received == [beat for word in words for beat in cut(*word)]
        cycles = self.cycle_number - start
        for _ in range(LATENCY + 1):
            y = await self.cycle(IDLE)
        assert y == WordsToBeatsOutputs(True, None), "nothing may be left over"
        self.collect()
        return cycles


def cut(word, last):
    """Untimed: the beats of a word."""
    return [(word >> BEAT_BITS * i & (1 << BEAT_BITS) - 1, last and i == BEATS - 1) for i in range(BEATS)]


def random_words(rng, count):
    return [(rng.getrandbits(WORD_BITS), rng.random() < 0.3) for _ in range(count)]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.1, 0.6, 1.0], p_ready=[0.2, 0.7, 1.0])
async def random_stream(dut, p_valid, p_ready):
    """Every cycle under random gaps and stalls equals the golden model."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut)
    await bench.reset(IDLE)
    await bench.transfer(random_words(rng, 60), Gaps(p_valid, random.Random(rng.random())),
                         Gaps(p_ready, random.Random(rng.random())))


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """One beat a cycle after the latency, from word to word without a gap."""
    bench = Bench(dut)
    await bench.reset(IDLE)
    for count in (1, 2, 20):
        words = random_words(random.Random(count), count)
        assert await bench.transfer(words, ALWAYS, ALWAYS) == LATENCY + count * BEATS


@cocotb.test(**LIMIT)
async def reset_inside_a_word(dut):
    """A reset drops the beats that are left, whatever their number."""
    bench = Bench(dut)
    words = random_words(random.Random(2), 3)
    for cycles in range(1, BEATS + 4):
        await bench.reset(IDLE)
        for _ in range(cycles):
            await bench.cycle(WordsToBeatsInputs(words[0], True))
        await bench.reset(IDLE)
        await bench.transfer(words[1:], ALWAYS, ALWAYS)


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(WordsToBeatsModel.EVENTS, seen("beats"), f"cfg={CFG}")
