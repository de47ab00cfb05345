"""cocotb bench of hdl.dota.detector, run by test_detector.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import detector
from golden.dota.config import DotaConfig
from golden.dota.scheduler import owners_of
from hdl.dota.layouts import estimate_layout, mask_layout
from sim.common.bench import Source, config, to_raw, to_signed
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
        """Pins that are stable while the group is inside."""
        return {"n_keys": self.n_keys, "keep": self.keep, "threshold": to_raw(self.threshold, BITS), "rows": self.rows}

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


async def run(bench, groups, rng, p_valid=1.0, p_ready=1.0):
    """Send groups and compare their masks; settings are random when no group is inside or offered. Cycles."""
    source = Source([item for group in groups for item in group.items(rng)], gaps(p_valid, rng), idle=None)
    ready, start = gaps(p_ready, rng), bench.cycle_number
    for group in groups:
        expected, received, inside = group.words(), [], False
        while len(received) < len(expected):
            item = source.offer()[1]
            inside = inside or item is not None
            x = Inputs(item, next(ready), **(group.settings() if inside else {}))
            y = await bench.cycle(x)
            source.taken(y.i_ready)
            if y.o is not None and x.o_ready:
                received.append(y.o)
        assert received == expected
    assert source.done
    return bench.cycle_number - start


def random_group(rng, keys=None, **settings):
    """Scores close together, so that many are equal, or far apart; bounds near them."""
    keys = keys or rng.choice([rng.randint(1, CFG.keys), CFG.keys, rng.randint(1, min(CFG.keys, 2 * BLOCK))])
    spread = rng.choice([2, 40, -LOWEST])
    scores = np.random.default_rng(rng.getrandbits(32)).integers(-spread, spread, (4, keys))
    settings = {"keep": rng.choice([rng.randint(1, CFG.queue), rng.randint(1, min(keys, CFG.queue)), CFG.queue]),
                "threshold": rng.choice([LOWEST, rng.randrange(-spread, spread), spread - 1]),
                "rows": rng.choice([15, 15, rng.randint(1, 15)]), **settings}
    return Group(scores, **settings)


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_groups(dut, p_valid, p_ready):
    """Every cycle of random groups equals the golden model, and the masks are those of the equations."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await run(bench, [random_group(rng) for _ in range(3 if LARGE else 12)], rng, p_valid, p_ready)
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
    await run(bench, [Group(scores, keep) for keep in (1, 2)], rng)
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
    """A group takes its blocks, the latency and its words; the next one follows at once."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for keys in sorted({1, BLOCK, BLOCK + 1, CFG.keys - 1, CFG.keys} & set(range(1, CFG.keys + 1))):
        groups = [random_group(rng, keys) for _ in range(2)]
        cycles = await run(bench, groups, rng)
        blocks = groups[0].blocks
        assert cycles == 2 * (2 * blocks - 1 + detector.latency(CFG, keys))
        assert cycles == 2 * ((BITS // 4 + 1) * blocks + BITS + 5)


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets the group inside, at any point of it."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    keys = min(CFG.keys, 2 * BLOCK)
    for cycles in range(1, detector.latency(CFG, keys) + 6):
        group = random_group(rng, keys)
        items, sent = group.items(rng), 0
        for _ in range(cycles):
            x = Inputs(items[sent] if sent < len(items) else None, rng.random() < 0.5, **group.settings())
            y = await bench.cycle(x)
            sent += sent < len(items) and y.i_ready
            if y.o is not None and x.o_ready and y.o.last:
                break
        await bench.start()
        if cycles % 4 == 0:
            await run(bench, [random_group(rng, keys)], rng)
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; between the blocks of a group there is a gap if it has two."""
    impossible = {"gap"} if CFG.keys == CFG.block else set()
    assert_all(set(detector.EVENTS) - impossible, seen(Model.NAME), f"cfg={CFG}")
