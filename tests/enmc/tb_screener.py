"""cocotb bench of hdl.enmc.screener, run by test_screener.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.enmc import screener
from golden.enmc.config import EnmcConfig
from golden.enmc.formats import Screen
from golden.enmc.screen_control import QUARTERS
from golden.enmc.screen_filter import candidates
from hdl.enmc.layouts import candidate_layout, screen_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make
from tests.enmc.tiles import Tile, bursts_of_features, bursts_of_sums, bursts_of_weights, words_of

CFG = config(EnmcConfig)
COMMAND, CANDIDATE = fields_of(screen_layout()), fields_of(candidate_layout(CFG))
WORDS = CFG.burst_words


class Inputs(NamedTuple):
    i: tuple | None = None
    load_valid: bool = False
    load: int | None = None
    o_ready: bool = False
    store__ready: bool = False
    batch: int = 1
    screen_bursts: int = 1
    classes: int = CFG.classes
    threshold: int = 0
    new_batch: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    freed: bool
    o: tuple | None
    store__valid: bool
    store__payload: int | None
    filtered: bool
    working: bool
    busy: bool


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "enmc_screener", screener, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        item = [int(screener.candidate_of(s, 0, field)) for field in range(3)]
        y = Outputs(
            bool(screener.screen_control.ready_of(s.control, 0)), bool(screener.freed_of(s, 0, x.batch)),
            make(CANDIDATE, score=item[0], label=item[1], batch=item[2]) if screener.valid_of(s, 0) else None,
            bool(s.control.store_valid[0]),
            join(s.control.stored[0]) if s.control.store_valid[0] else None,
            bool(s.filter.done[0]), bool(s.control.add[0]), bool(screener.busy_of(s, 0)))
        i = x.i or COMMAND.unpack(0)
        screener.clock(s, 0, x.i is not None, i.kind, i.count, i.clear, i.ones, x.load_valid,
                       words_of(x.load or 0, WORDS), x.o_ready, x.store__ready, x.batch,
                       x.screen_bursts, x.classes, x.threshold, x.new_batch)
        return y

    @property
    def seen(self):
        parts = screener.screen_control, screener.screen_filter, screener.screen_lane
        states = self.s.control, self.s.filter, self.s.lanes
        return {event for part, state in zip(parts, states, strict=True)
                for event, count in zip(part.EVENTS, state.seen, strict=True) if count}


class Bench(PinBench):
    MODEL, FORMATS, STREAMS = Model, {"i": COMMAND, "o": CANDIDATE}, ("o",)
    GATES, QUIET = {"store__payload": "store__valid"}, ("o", "store__valid", "busy", "working", "filtered")


def join(words):
    """A burst as a number."""
    return sum(int(word) << 32 * k for k, word in enumerate(words))


def command(kind, count=0, clear=False, ones=False):
    return make(COMMAND, kind=int(kind), count=count, clear=int(clear), ones=int(ones))


class Work:
    """Commands and the bursts that they need, and what has to come out; a bench of what the neighbours would do.

    Bursts are sent only while the weight buffer has room, and those of a tile only while at most one FILTER is
    unfinished; STORE only while none is, as the controller sees to.
    """

    def __init__(self, bench, rng, *, batch, columns, classes, threshold):
        self.bench, self.rng = bench, rng
        self.batch, self.bursts, self.classes, self.threshold = batch, -(-columns // 2), classes, threshold
        self.commands, self.loads = [], []      # loads: (FILTERs before it, burst)
        self.expected, self.stored, self.stores, self.filters = [], [], [], 0    # stores: FILTERs before each

    def features(self, values):
        """[batch, 2 * bursts]."""
        self.values = values
        bursts = bursts_of_features(CFG, values)
        self.commands.append(command(Screen.FEATURES, len(bursts)))
        self.loads += [(self.filters, burst) for burst in bursts]

    def tile(self, tile: Tile, *, store=False, clear=False, ones=False):
        """Biases, weights, FILTER; MUL_INT4 forgets the biases, ADD_INT4 the features."""
        self.commands += [command(Screen.PSUMS, QUARTERS), command(Screen.MULTIPLY, self.bursts, clear, ones)]
        self.loads += [(self.filters, burst) for burst in bursts_of_sums(CFG, tile.bias)]
        self.loads += [(self.filters, burst) for burst in bursts_of_weights(CFG, tile.weights)]
        values = np.ones_like(self.values) if ones else self.values
        scores = (0 if clear else tile.bias) + values @ tile.weights.T
        if store:
            self.commands.append(command(Screen.STORE))
            self.stores.append(self.filters)
            self.stored += [burst for row in scores for burst in bursts_of_sums(CFG, row)]
        self.commands.append(command(Screen.FILTER))
        self.expected += candidates(scores, self.threshold, self.classes, self.filters * CFG.classes)
        self.filters += 1

    async def run(self, *, p_command=1.0, p_load=1.0, p_take=1.0, p_store=1.0):
        """Send everything, take everything; returns the cycles from the first to the last event."""
        bench, rng = self.bench, self.rng
        odds = [gaps(p, rng) for p in (p_command, p_load, p_take, p_store)]
        room, done, taken, stored, offered, start = CFG.weights, 0, [], [], None, bench.cycle_number
        setting = {"batch": self.batch, "screen_bursts": self.bursts, "classes": self.classes,
                   "threshold": self.threshold}
        await bench.cycle(Inputs(new_batch=True, **setting))
        while self.commands or self.loads or offered or len(taken) < len(self.expected) or done < self.filters \
                or len(stored) < len(self.stored):
            is_store = self.commands and self.commands[0].kind == Screen.STORE
            if offered is None and self.commands and not (is_store and self.stores[0] > done) and next(odds[0]):
                offered = self.commands.pop(0)
                del self.stores[:bool(is_store)]
            load = room and self.loads and self.loads[0][0] <= done + 1 and next(odds[1])
            x = Inputs(offered, bool(load), self.loads.pop(0)[1] if load else None, bool(next(odds[2])),
                       bool(next(odds[3])), **setting)
            y = await bench.cycle(x)
            room += y.freed - x.load_valid
            done += y.filtered
            if y.i_ready:
                offered = None
            if y.o is not None and x.o_ready:
                taken.append((y.o.batch, y.o.label, y.o.score))
            if y.store__valid and x.store__ready:
                stored.append(y.store__payload)
        assert taken == self.expected
        assert stored == self.stored
        return bench.cycle_number - start


def random_tile(rng, columns):
    """Weights and biases with corners."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    weights = numbers.integers(-8, 8, (CFG.classes, columns))
    weights[rng.randrange(CFG.classes)] = -8
    return Tile(weights, numbers.integers(-300, 300, CFG.classes))


async def make_work(dut, *, batch, columns, tiles, classes=None, threshold=0, store=False, clip=False):
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = Bench(dut, CFG)
    bench.idle = bench.idle._replace(batch=batch)
    await bench.start()
    work = Work(bench, rng, batch=batch, columns=columns, classes=classes or tiles * CFG.classes, threshold=threshold)
    numbers = np.random.default_rng(rng.getrandbits(32))
    values = numbers.integers(-8, 8, (batch, 2 * work.bursts))
    values[rng.randrange(batch), :2] = -8
    work.features(values)
    for _ in range(tiles):
        work.tile(random_tile(rng, 2 * work.bursts), store=store)
    return work


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_load=[0.4, 1.0], p_take=[0.2, 1.0], batch=sorted({1, CFG.batch}))
async def random_tiles(dut, p_load, p_take, batch):
    """Every cycle of random tiles equals the golden model, and the candidates those of the definition."""
    columns = min(13, CFG.features // batch - 1)
    work = await make_work(dut, batch=batch, columns=columns, tiles=4, threshold=50)
    await work.run(p_command=0.7, p_load=p_load, p_take=p_take)
    await work.bench.finish()


@cocotb.test(**LIMIT)
async def stored_scores(dut):
    """STORE sends the sums of all inputs before they are filtered."""
    work = await make_work(dut, batch=CFG.batch, columns=4, tiles=3, threshold=10**9, store=True)
    await work.run(p_store=0.5)
    await work.bench.finish()


@cocotb.test(**LIMIT)
async def other_products(dut):
    """MUL_INT4 and ADD_INT4 between ordinary tiles."""
    work = await make_work(dut, batch=CFG.batch, columns=6, tiles=1, classes=5 * CFG.classes, threshold=20)
    for clear, ones in (True, False), (False, True), (True, True), (False, False):
        work.tile(random_tile(work.rng, 2 * work.bursts), clear=clear, ones=ones, store=True)
    await work.run(p_take=0.6)
    await work.bench.finish()


@cocotb.test(**LIMIT)
@cocotb.parametrize(threshold=[-2**31, 2**31 - 1])
async def all_or_none(dut, threshold):
    """Every class a candidate, and none; the last tile has two classes."""
    work = await make_work(dut, batch=1, columns=2, tiles=3, classes=2 * CFG.classes + 2, threshold=threshold)
    await work.run(p_take=0.5)
    await work.bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A burst of weights every ``batch`` cycles, and little between two tiles."""
    for batch in sorted({1, CFG.batch}):
        columns, tiles = min(64, CFG.features // batch), 5
        work = await make_work(dut, batch=batch, columns=columns, tiles=tiles, threshold=10**9)
        cycles = await work.run()
        per_tile = batch * (columns // 2 + QUARTERS)
        assert cycles <= tiles * (per_tile + BETWEEN_TILES) + OVERHEAD * batch + columns
        await work.bench.finish()


#: Cycles of a tile in which no burst is taken: three commands begin and end, products drain.
BETWEEN_TILES = 8
#: First commands and last filter.
OVERHEAD = 20


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets commands, bursts and candidates."""
    work = await make_work(dut, batch=1, columns=2, tiles=1)
    bench = work.bench
    for commands in range(1, 4):
        for item in (command(Screen.FEATURES, 1), command(Screen.PSUMS, 4), command(Screen.FILTER))[:commands]:
            await bench.cycle(Inputs(item, True, 5))
        await bench.start()
    await work.run()
    await bench.finish()


#: What one input never does.
NOT_HERE = {"next_input", "second_input"} if CFG.batch == 1 else set()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan."""
    parts = screener.screen_control, screener.screen_filter, screener.screen_lane
    assert_all(seen("enmc_screener"), {event for part in parts for event in part.EVENTS} - NOT_HERE)
