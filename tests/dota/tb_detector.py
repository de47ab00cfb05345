"""cocotb bench of hdl.dota.detector, run by test_detector.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import detector
from golden.dota.config import DotaConfig
from golden.dota.scheduler import owners_of
from hdl.dota.layouts import estimate_layout, mask_layout
from sim.common.bench import config, to_raw, to_signed
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make

CFG = config(DotaConfig)
ESTIMATE, MASK = fields_of(estimate_layout(CFG)), fields_of(mask_layout(CFG))
BITS, BLOCK = CFG.estimate_bits, CFG.block
LOWEST = -(1 << BITS - 1)
#: Large configurations run fewer groups.
LARGE = CFG.keys > 256


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False
    n_keys: int | None = None
    keep: int | None = None
    threshold: int | None = None
    rows: int | None = None


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None
    busy: bool


class Group(NamedTuple):
    """Scores of a group, shape (4, n_keys), and its settings."""

    scores: np.ndarray
    keep: int
    threshold: int = LOWEST
    rows: int = 15

    @property
    def n_keys(self):
        return self.scores.shape[1]

    @property
    def blocks(self):
        return -(-self.n_keys // BLOCK)

    def settings(self):
        """Pins that are stable while groups are inside."""
        return {"n_keys": self.n_keys, "keep": self.keep, "threshold": to_raw(self.threshold, BITS)}

    def items(self, rng):
        """Blocks; keys that do not exist have random scores."""
        scores = np.array([rng.randrange(LOWEST, -LOWEST) for _ in range(4 * BLOCK * self.blocks)])
        scores = scores.reshape(BLOCK * self.blocks, 4)
        scores[:self.n_keys] = self.scores.T
        raw = [sum(to_raw(int(score), BITS) << n * BITS for n, score in enumerate(block.ravel()))
               for block in scores.reshape(self.blocks, BLOCK, 4)]
        return [make(ESTIMATE, scores=block, last=n == self.blocks - 1) for n, block in enumerate(raw)]

    def words(self):
        """The mask that the equations give."""
        rows = [self.rows >> query & 1 for query in range(4)]
        owners = owners_of(detector.detect(self.scores, self.n_keys, self.keep, self.threshold, rows)).tolist()
        owners += [0] * (BLOCK * self.blocks - len(owners))
        words = [owners[n:n + BLOCK] for n in range(0, len(owners), BLOCK)]
        return [make(MASK, owners=sum(owner << 4 * j for j, owner in enumerate(word)), last=n == self.blocks - 1)
                for n, word in enumerate(words)]


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS, KEPT = "dota_detector", detector, Inputs, Outputs, ("scores",)

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(bool(detector.ready_of(s, 0)), None, bool(detector.busy_of(s, 0)))
        if detector.valid_of(s, 0):
            owners = sum(int(owner) << 4 * j for j, owner in enumerate(s.owners[0]))
            y = y._replace(o=make(MASK, owners=owners, last=int(detector.last_of(s, 0))))
        i = x.i or ESTIMATE.unpack(0)
        scores = np.array([to_signed(i.scores >> n * BITS & (1 << BITS) - 1, BITS) for n in range(4 * BLOCK)])
        detector.clock(s, 0, x.i is not None, scores.reshape(BLOCK, 4), bool(i.last), x.o_ready, x.n_keys or 1,
                       x.keep or 1, to_signed(x.threshold or 0, BITS), x.rows or 1, BITS)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": ESTIMATE, "o": MASK}, ("o",), ("o", "busy")


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


async def run(bench, groups, rng, p_valid=1.0, p_ready=1.0, pace=1):
    """Send groups of equal settings in a row, blocks at most every ``pace`` cycles, and compare their masks. Cycles.

    Pins are random where they do not matter: settings while no group is inside or offered, rows while none is offered
    or partly sent.
    """
    items = [(group, item) for group in groups for item in group.items(rng)]
    expected, received = [word for group in groups for word in group.words()], []
    valid, ready, start, sent, after = gaps(p_valid, rng), gaps(p_ready, rng), bench.cycle_number, 0, 0
    offered = inside = False
    while len(received) < len(expected):
        offered = offered or (sent < len(items) and bench.cycle_number - start >= after and next(valid))
        x = Inputs(o_ready=next(ready))
        if offered:
            x = x._replace(i=items[sent][1])
        if offered or sent % groups[0].blocks:
            x = x._replace(rows=items[sent][0].rows)
        inside = inside or offered
        if inside:
            x = x._replace(**groups[0].settings())
        y = await bench.cycle(x)
        if offered and y.i_ready:
            sent, after, offered = sent + 1, bench.cycle_number - start - 1 + pace, False
        if y.o is not None and x.o_ready:
            received.append(y.o)
    assert received == expected and sent == len(items)
    return bench.cycle_number - start


def random_groups_alike(rng, count, keys=None):
    """Groups of equal settings; scores close together, so that many are equal, or far apart; bounds near them."""
    keys = keys or rng.choice([rng.randint(1, CFG.keys), CFG.keys, rng.randint(1, min(CFG.keys, 2 * BLOCK))])
    spread = rng.choice([2, 40, -LOWEST])
    keep = rng.choice([rng.randint(1, CFG.queue), rng.randint(1, min(keys, CFG.queue)), CFG.queue])
    threshold = rng.choice([LOWEST, rng.randrange(-spread, spread), spread - 1])
    values = np.random.default_rng(rng.getrandbits(32))
    return [Group(values.integers(-spread, spread, (4, keys)), keep, threshold,
                  rng.choice([15, 15, rng.randint(1, 15)])) for _ in range(count)]


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_groups(dut, p_valid, p_ready):
    """Every cycle of random groups, alone and in a row, equals the golden model; masks are those of the equations."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for count in (3,) if LARGE else (1, 5, 2, 4, 1):
        await run(bench, random_groups_alike(rng, count), rng, p_valid, p_ready)
    await bench.finish()


@cocotb.test(**LIMIT)
async def equal_scores(dut):
    """All scores equal, or two values: the keys with the lower numbers are taken, across blocks."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    keys = min(CFG.keys, 3 * BLOCK)
    for value in (LOWEST, -1, 0, -LOWEST - 1):
        for keep in sorted({1, min(keys - 1, CFG.queue), min(keys, CFG.queue)}):
            await run(bench, [Group(np.full((4, keys), value), keep)], rng)
    scores = np.full((4, keys), LOWEST)
    scores[:, -1] = -LOWEST - 1
    for keep in (1, 2):
        await run(bench, [Group(scores, keep)], rng)
    await bench.finish()


@cocotb.test(**LIMIT)
async def balanced_rows(dut):
    """The row with the most scores at the threshold decides for all; a row that does not exist does not."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    keys = min(CFG.keys, 2 * BLOCK)
    scores = np.tile(np.arange(keys) - keys // 2, (4, 1))
    for query in range(4):
        one = scores.copy()
        one[query] += keys // 4
        await run(bench, [Group(one, CFG.queue, 0, rows) for rows in (15, 15 & ~(1 << query), 1 << query)], rng)
    await run(bench, [Group(scores, CFG.queue, keys)], rng)     # nothing reaches it: one connection each
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A group takes its blocks, the latency and its words; each one behind it in a row takes the period."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for keys in sorted({1, BLOCK, BLOCK + 1, CFG.keys - 1, CFG.keys} & set(range(1, CFG.keys + 1))):
        for count in (1, 2, 4):
            groups = random_groups_alike(rng, count, keys)
            cycles, blocks = await run(bench, groups, rng), groups[0].blocks
            assert cycles == 2 * blocks - 1 + detector.latency(CFG, keys) + (count - 1) * detector.period(CFG, keys)
            assert cycles == blocks + 5 + count * (BITS // 4) * (blocks + 4)
    await bench.finish()


@cocotb.test(**LIMIT)
async def slow_scores(dut):
    """Where scores come more slowly than they are selected in, the time of the selection does not add to theirs."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    blocks = CFG.keys // BLOCK
    pace = max(7, -(-detector.period(CFG, CFG.keys) // blocks))
    for count in (1, 2, 4):
        cycles = await run(bench, random_groups_alike(rng, count, CFG.keys), rng, pace=pace)
        assert cycles == pace * (count * blocks - 1) + detector.latency(CFG, CFG.keys) + blocks
    await bench.finish()


@cocotb.test(**LIMIT)
async def scheduler_is_busy(dut):
    """While no word of the mask is taken, the scores of one more group are, and no others."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    groups = random_groups_alike(rng, 3, min(CFG.keys, 2 * BLOCK))
    items, sent = [(group, item) for group in groups for item in group.items(rng)], 0
    for _ in range(3 * detector.period(CFG, groups[0].n_keys)):
        group, item = items[sent]
        y = await bench.cycle(Inputs(item, False, rows=group.rows, **group.settings()))
        sent += y.i_ready
    assert sent == 2 * groups[0].blocks and y.o == groups[0].words()[0]
    await bench.start()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the groups inside, at any point of them."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    keys = min(CFG.keys, 2 * BLOCK)
    for cycles in range(1, detector.latency(CFG, keys) + detector.period(CFG, keys), 2):
        groups = random_groups_alike(rng, 4, keys)
        items, sent = [(group, item) for group in groups for item in group.items(rng)], 0
        for _ in range(cycles):
            group, item = items[sent]
            y = await bench.cycle(Inputs(item, rng.random() < 0.8, rows=group.rows, **group.settings()))
            sent += y.i_ready
        await bench.start()
        if cycles % 4 == 0:
            await run(bench, random_groups_alike(rng, 2, keys), rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; between the blocks of a group there is a gap if it has two."""
    impossible = {"gap"} if CFG.keys == CFG.block else set()
    assert_all(set(detector.EVENTS) - impossible, seen(Model.NAME), f"cfg={CFG}")
