"""cocotb bench of hdl.dota.operands, run by test_operands.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import estimate, fetch, operands, sram
from golden.dota.config import DotaConfig
from golden.dota.exact import DENSE, SCORE, SUM
from golden.dota.formats import KEY_BANKS, MOST_CHUNKS, QUERIES, UNIT_BITS
from hdl.dota.layouts import arrival_layout, operand_layout
from hdl.dota.rmmu import row_control_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, make
from tests.dota.estimate_work import LOW, most_words, parts_of
from tests.dota.packed import pack, unpack

CFG = config(DotaConfig)
OPERAND, ARRIVAL, CONTROL = (fields_of(layout) for layout in (operand_layout(CFG), arrival_layout(CFG),
                                                             row_control_layout()))
#: Large arrays run fewer cycles.
CYCLES = 300 if CFG.pes <= 64 else 60


class Inputs(NamedTuple):
    load: tuple | None = None       # token, chunk, word
    chunk: int | None = None
    kind: int = SCORE
    wide: bool = False
    operand: tuple = OPERAND.unpack(0)
    gather_data: int | None = None
    arrival: tuple = ARRIVAL.unpack(0)
    precision: int = 1
    low_word: int | None = None


class Outputs(NamedTuple):
    """By row and by PE; None where nothing happens."""

    control: tuple      # (fire, precision, first, slot)
    operands: tuple
    take: tuple
    load: tuple


def to_units(word):
    return np.array(unpack(word, CFG.units_per_word, UNIT_BITS))


def shown(fire, precision, first, slot, load, take, values):
    """What of it means something: of rows that fire or load, of PEs that take or load."""
    shape = CFG.rows, CFG.columns
    loads = np.reshape(load, shape).any(axis=1)
    control = tuple((bool(fires), int(p) if fires or here else None, bool(begins) if fires else None,
                     int(place) if here else None)
                    for fires, p, begins, place, here in zip(fire, precision, first, slot, loads, strict=True))
    take, load = (tuple(map(bool, np.ravel(bits))) for bits in (take, load))
    works = zip(np.ravel(values).tolist(), take, load, strict=True)
    return Outputs(control, tuple(value if takes or here else None for value, takes, here in works), take, load)


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "dota_operands", operands, Inputs, Outputs, ("queries", "chunk")

    def __init__(self, cfg):
        super().__init__(cfg)
        self._d, self._f = operands.drive_state(cfg), fetch.state(cfg, 1)
        self._est, self._memory = estimate.state(cfg, 1), sram.state(cfg, 1)

    def step(self, x):
        f, o, a = self._f, x.operand, x.arrival
        f.take[0], f.fire[0], f.out_other[0] = o.take, o.fire, o.other_bank
        f.bank[0], f.out_weight[0] = unpack(o.bank, QUERIES, 2), unpack(o.weights, QUERIES, 15)
        f.out_tags[0, fetch.FIRST], f.out_tags[0, fetch.ELEMENT] = o.first, o.element
        what = estimate.LOADS if a.loads else estimate.STREAMS if a.streams else estimate.NOTHING
        fields = {estimate.A_WHAT: what, estimate.A_GROUP_PART: a.part, estimate.A_PART: a.part,
                  estimate.A_WORD: a.word, estimate.A_WORDS: a.words, estimate.A_SLOT: a.slot, estimate.A_KEY: a.key,
                  estimate.A_FIRE: a.fire, estimate.A_FIRST: a.first}
        for field, value in fields.items():
            self._est.arrivals[0, -1, field] = value
        self._est.step[0, 1] = x.precision
        if x.gather_data is not None:
            for bank, word in enumerate(unpack(x.gather_data, 2 * KEY_BANKS, CFG.word_bits)):
                self._memory.data[0, bank] = to_units(word)
        if x.low_word is not None:
            self._memory.rdata[0, sram.ESTIMATE] = to_units(x.low_word)
        d = self._d
        operands.drive(self.s, 0, x.kind, x.wide, f, self._est, self._memory, d)
        y = shown(d.fire, d.precision, d.first, d.slot, d.load, d.take, d.operands & 0xFFFFFFFF)
        token, chunk, word = x.load or (0, 0, 0)
        operands.clock(self.s, 0, x.load is not None, token, chunk, to_units(word), x.chunk is not None, x.chunk or 0)
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"operand": OPERAND, "arrival": ARRIVAL}

    def drive(self, x):
        token, chunk, word = x.load or (None,) * 3
        for name, value in (("load", x.load is not None), ("load_token", token), ("load_chunk", chunk),
                            ("load_word", word), ("chunk_en", x.chunk is not None), ("chunk", x.chunk),
                            ("kind", x.kind), ("wide", x.wide), ("operand", OPERAND.pack(**x.operand._asdict())),
                            ("gather_data", x.gather_data), ("arrival", ARRIVAL.pack(**x.arrival._asdict())),
                            ("precision", x.precision), ("low_word", x.low_word)):
            self._set(name, value)

    def sample(self, x):
        rows = [CONTROL.unpack(raw) for raw in unpack(self._value("control"), CFG.rows, CONTROL.bits)]
        fields = ([getattr(row, name) for row in rows] for name in ("fire", "precision", "first", "slot"))
        return shown(*fields, unpack(self._value("load_bits"), CFG.pes, 1), unpack(self._value("take"), CFG.pes, 1),
                     unpack(self._value("operands"), CFG.pes, UNIT_BITS))


async def started(dut):
    """A bench whose vectors are known."""
    bench, rng = Bench(dut, CFG), random.Random(1)
    await bench.reset(bench.idle)
    for token in range(QUERIES):
        for chunk in range(MOST_CHUNKS):
            await bench.cycle(Inputs(load=(token, chunk, rng.getrandbits(CFG.word_bits))))
    await bench.cycle(Inputs(chunk=0))
    return bench


def an_operand(rng, **changes):
    """Exact work."""
    return make(OPERAND, **{"take": rng.randrange(16), "bank": rng.getrandbits(8), "fire": rng.getrandbits(1),
                            "other_bank": rng.randrange(4), "live": rng.randrange(16), "weights": rng.getrandbits(60),
                            "first": rng.getrandbits(1), "end": rng.getrandbits(1), "last": rng.getrandbits(1),
                            "element": rng.randrange(CFG.vector)} | changes)


def an_arrival(rng, precision):
    """Low-precision work that the layout allows."""
    together = min(QUERIES, CFG.keys_per_word)
    words = rng.randint(1, most_words(CFG, precision))
    loads, slots = rng.getrandbits(1), 1 << precision - 1
    part = rng.randrange(QUERIES // together if loads else parts_of(CFG))
    return make(ARRIVAL, loads=loads, streams=1 - loads, part=part, word=rng.randrange(words), words=words,
                slot=rng.randrange(slots), key=rng.randrange(CFG.keys_per_word // together) * together,
                fire=0 if loads else rng.getrandbits(1), first=rng.getrandbits(1))


def some_inputs(rng, held, **changes):
    """A cycle of random work of both halves; ``held`` is the word of the vectors that is read."""
    precision = rng.choice(LOW)
    load = rng.choice([chunk for chunk in range(MOST_CHUNKS) if chunk != held])
    following = rng.choice([None, rng.randrange(MOST_CHUNKS)])
    x = Inputs(load=(rng.randrange(QUERIES), load, rng.getrandbits(CFG.word_bits)) if load != following else None,
               chunk=following, kind=rng.choice([SCORE, SUM, DENSE]), wide=rng.getrandbits(1),
               operand=an_operand(rng, **{} if rng.random() < 0.8 else {"take": 0, "fire": 0}),
               gather_data=rng.getrandbits(8 * CFG.word_bits),
               arrival=an_arrival(rng, precision) if rng.random() < 0.8 else ARRIVAL.unpack(0), precision=precision,
               low_word=rng.getrandbits(CFG.word_bits))
    return x._replace(**changes)


@cocotb.test(**LIMIT)
async def random_work(dut):
    """Every cycle of random work of both halves equals the golden model; the precision changes from cycle to cycle."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench, held = await started(dut), 0
    for _ in range(CYCLES):
        x = some_inputs(rng, held)
        await bench.cycle(x)
        held = held if x.chunk is None else x.chunk
    bench.collect()


@cocotb.test(**LIMIT)
@cocotb.parametrize(kind=[SCORE, SUM, DENSE], wide=[False, True])
async def every_bank(dut, kind, wide):
    """Each query takes the word of each bank; the second half works in wide linear layers alone."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    idle = ARRIVAL.unpack(0)
    for bank in range(4):
        for take in (1, 2, 4, 8, 15):
            operand = an_operand(rng, take=take, fire=1, bank=pack([(bank + t) % 4 for t in range(QUERIES)], 2),
                                 other_bank=bank)
            y = await bench.cycle(some_inputs(rng, 0, load=None, chunk=None, kind=kind, wide=wide, operand=operand,
                                              arrival=idle))
            halves = 2 if kind == DENSE and wide else 1
            assert sum(y.take) == CFG.vector * take.bit_count() * halves
            assert [row[0] for row in y.control] == [row < CFG.rows // 2 * halves for row in range(CFG.rows)]
    bench.collect()


@cocotb.test(**LIMIT)
async def every_chunk(dut):
    """A vector can be read in the cycle after it was loaded, and is used in the next."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for chunk in range(MOST_CHUNKS):
        words = [rng.getrandbits(CFG.word_bits) for _ in range(QUERIES)]
        for token, word in enumerate(words):
            await bench.cycle(Inputs(load=(token, chunk, word)))
        await bench.cycle(Inputs(chunk=chunk))
        for _ in range(2):      # it holds
            y = await bench.cycle(Inputs(operand=an_operand(rng, take=15, fire=1), gather_data=0))
            weights = [value & 0xFFFF for value in y.operands[:CFG.pes // 2]]
            assert weights == [element for word in words for element in unpack(word, CFG.vector, 16)]
    bench.collect()


@cocotb.test(**LIMIT)
async def vectors_outlive_a_reset(dut):
    """Memories keep their words; what is read afterwards is used as before."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.cycle(some_inputs(rng, 0, load=(2, 9, 5), chunk=3))
    await bench.reset(bench.idle)
    for chunk in (9, 3):
        await bench.cycle(Inputs(chunk=chunk))
        await bench.cycle(Inputs(operand=an_operand(rng, take=15), gather_data=rng.getrandbits(8 * CFG.word_bits)))
    bench.collect()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(operands.EVENTS, seen(Model.NAME), f"cfg={CFG}")
