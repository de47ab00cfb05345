"""cocotb bench of hdl.dota.fetch, run by test_fetch.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import fetch
from golden.dota.config import DotaConfig
from golden.dota.fetch import TAGS, cycles_of
from golden.dota.formats import KEY_BANKS, QUERIES
from hdl.dota.layouts import operand_layout, request_layout
from sim.common.bench import Source, config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.dota.packed import pack, unpack
from tests.dota.requests import KINDS, request

CFG = config(DotaConfig)
REQUEST, OPERAND = fields_of(request_layout(CFG)), fields_of(operand_layout(CFG))
ADDRESS_BITS, ROW_BITS = (4 * CFG.bank_words - 1).bit_length(), (CFG.bank_words - 1).bit_length()


class Inputs(NamedTuple):
    i: tuple | None = None
    values: bool = False
    both: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    gather: dict            # row by bank
    chunk: int | None
    operand: tuple
    loads: int


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_fetch", fetch, Inputs, Outputs

    def reset(self):
        super().reset()
        self._loads = 0

    def _gather(self, x):
        """Rows that are read in this cycle."""
        s, rows = self.s, {}
        for bank in range(KEY_BANKS):
            first = fetch.chosen(s, 0, bank)
            if first >= 0:
                rows[bank + KEY_BANKS * x.values] = int(s.addr[0, first]) // KEY_BANKS
        if x.both and s.valid[0] and s.fresh[0]:
            other = int(s.tags[0, fetch.OTHER])
            rows[KEY_BANKS + other % KEY_BANKS] = other // KEY_BANKS
        return rows

    def step(self, x):
        s = self.s
        tags = dict(zip(TAGS, s.out_tags[0].tolist(), strict=True))
        operand = make(OPERAND, take=int(s.take[0]), bank=pack(s.bank[0], 2), fire=int(s.fire[0]),
                       other_bank=int(s.out_other[0]) % KEY_BANKS, live=int(s.out_live[0]),
                       weights=pack(s.out_weight[0], 15),
                       **{name: tags[name] for name in ("first", "end", "last", "element")})
        begins = s.valid[0] and s.fresh[0]
        chunk = int(s.tags[0, fetch.CHUNK]) if begins else None
        y = Outputs(bool(fetch.ready_of(s, 0)), self._gather(x), chunk, operand, self._loads)
        i = x.i or REQUEST.unpack(0)
        self._loads = fetch.clock(s, 0, x.i is not None, np.array(unpack(i.addr, QUERIES, ADDRESS_BITS)), i.live,
                                  np.array(unpack(i.weights, QUERIES, 15)),
                                  np.array([getattr(i, name) for name in TAGS]))
        return y


class Bench(PinBench):
    MODEL, FORMATS = Model, {"i": REQUEST}

    def sample(self, x):
        en, rows = self._value("gather_en"), unpack(self._value("gather_row"), 2 * KEY_BANKS, ROW_BITS)
        return Outputs(bool(self._value("i__ready")), {bank: row for bank, row in enumerate(rows) if en >> bank & 1},
                       self._value("chunk") if self._value("chunk_en") else None,
                       OPERAND.unpack(self._value("operand")), self._value("loads"))

    async def run(self, requests, i_gaps, values=False, both=False):
        """Carry out requests and check what they do; the cycles from the first one to its and to the last fire."""
        source = Source([item_of(one) for one in requests], i_gaps, idle=None)
        fires, takes, reads, start = [], 0, set(), self.cycle_number
        loads = 0
        while len(fires) < len(requests):
            y = await self.cycle(Inputs(source.offer()[1], values, both))
            source.taken(y.i_ready)
            now, reads = reads, {(bank - KEY_BANKS * values, row) for bank, row in y.gather.items()}
            one = requests[len(fires)]
            loads += y.loads
            for query in range(QUERIES):
                if y.operand.take >> query & 1:
                    assert not takes >> query & 1, f"query {query} takes its vector once"
                    addr = one["addr"][query]
                    assert not one["live"] >> query & 1 or (addr % KEY_BANKS, addr // KEY_BANKS) in now
            takes |= y.operand.take
            if y.operand.fire:
                assert takes == 15, "each query, also one that wants nothing, is served before the fire"
                assert (y.operand.live, y.operand.last) == (one["live"], one["last"])
                fires, takes = [*fires, self.cycle_number - start], 0
        distinct = [{addr for query, addr in enumerate(one["addr"]) if one["live"] >> query & 1} for one in requests]
        assert loads == sum(map(len, distinct)), "each distinct vector is read once"
        return fires[0], fires[-1]


def item_of(one):
    """A request as it goes in."""
    return make(REQUEST, **one | {"addr": pack(one["addr"], ADDRESS_BITS), "weights": pack(one["weights"], 15)})


def cycles(one):
    return cycles_of(one["addr"], [one["live"] >> query & 1 for query in range(QUERIES)])


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], values=[False, True])
async def random_requests(dut, p_valid, values):
    """Every cycle of random requests equals the golden model; vectors are read once and taken once."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.run([request(rng, CFG) for _ in range(300)], gaps(p_valid, rng), values)
    await bench.finish()


@cocotb.test(**LIMIT)
async def both_halves(dut):
    """Linear layers: one key word for all queries, and a value word for the second half."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await bench.run([request(rng, CFG, "one", 15) for _ in range(100)], gaps(0.8, rng), both=True)
    await bench.finish()


@cocotb.test(**LIMIT)
async def every_conflict(dut):
    """All ways in which four queries may want vectors of two rows, for each set of queries that are live."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    requests = []
    for live in range(16):
        for _ in range(20):
            one = request(rng, CFG, live=live)
            requests.append(one | {"addr": [rng.choice([0, 1, 4, 5]) for _ in range(QUERIES)]})
    await bench.run(requests, gaps(1, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A request takes the cycles that its busiest bank needs, and fires one cycle later."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for kind in KINDS:
        requests = [request(rng, CFG, kind) for _ in range(30)]
        first, last = await bench.run(requests, gaps(1, rng))
        assert first == 2 + cycles(requests[0])
        assert last == 2 + sum(map(cycles, requests))
    worst = [request(rng, CFG, "one bank", 15) for _ in range(5)]
    assert await bench.run(worst, gaps(1, rng)) == (2 + 4, 2 + 5 * 4)
    best = [request(rng, CFG, kind, 15) for kind in ("one", "row") for _ in range(5)]
    assert await bench.run(best, gaps(1, rng)) == (2 + 1, 2 + 10)
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the request at work, and nothing fires afterwards."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for count in range(1, 8):
        source = Source([item_of(request(rng, CFG, "one bank", 15)) for _ in range(3)], gaps(1, rng), idle=None)
        for _ in range(count):
            source.taken((await bench.cycle(Inputs(source.offer()[1]))).i_ready)
        await bench.start()
        for _ in range(3):
            y = await bench.cycle(Inputs())
            assert y.i_ready and not (y.gather or y.operand.take or y.operand.fire or y.loads)
        await bench.run([request(rng, CFG)], gaps(1, rng))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    assert_all(fetch.EVENTS, seen(Model.NAME), f"cfg={CFG}")
