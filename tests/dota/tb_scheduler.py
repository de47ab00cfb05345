"""cocotb bench of hdl.dota.scheduler, run by test_scheduler.py inside the simulator."""

import random
from typing import NamedTuple

import cocotb
import numpy as np

from golden.dota import scheduler_unit
from golden.dota.config import DotaConfig
from golden.dota.scheduler import IDLE, loads, schedule
from hdl.dota.layouts import mask_layout, round_layout
from sim.common.bench import config
from sim.common.coverage import assert_all, seen
from tests.common.units import LIMIT, LaneModel, PinBench, fields_of, gaps, make, transfer
from tests.dota.masks import FIG_7_14, FIG_7_15, any_mask, equal_rows, fill_cycles, mask_of, words_of

CFG = config(DotaConfig)
MASK, ROUND = fields_of(mask_layout(CFG)), fields_of(round_layout(CFG))
#: Large configurations run fewer groups.
LARGE = CFG.keys > 256


class Inputs(NamedTuple):
    i: tuple | None = None
    o_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    o: tuple | None


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "dota_scheduler", scheduler_unit, Inputs, Outputs

    def step(self, x: Inputs) -> Outputs:
        s = self.s
        y = Outputs(bool(scheduler_unit.ready_of(s, 0)), None)
        if scheduler_unit.valid_of(s, 0):
            live = int(scheduler_unit.live_of(s, 0))
            keys = [int(scheduler_unit.key_of(s, 0, q)) if live >> q & 1 else IDLE for q in range(4)]
            y = y._replace(o=a_round(keys, bool(scheduler_unit.last_of(s, 0))))
        i = x.i or MASK.unpack(0)
        owners = np.array([i.owners >> 4 * j & 15 for j in range(CFG.block)])
        scheduler_unit.clock(s, 0, x.i is not None, owners, bool(i.last), x.o_ready, CFG.balance)
        return y


class Bench(PinBench):
    MODEL, FORMATS, STREAMS, QUIET = Model, {"i": MASK, "o": ROUND}, ("o",), ("o",)


def a_round(keys, last):
    """A round as it comes out."""
    packed = sum(key << CFG.key_bits * query for query, key in enumerate(keys) if key != IDLE)
    return make(ROUND, keys=packed, live=sum((key != IDLE) << query for query, key in enumerate(keys)), last=last)


def word(owners, last):
    """A word of the mask as it goes in."""
    return make(MASK, owners=sum(owner << 4 * j for j, owner in enumerate(owners)), last=last)


def items_of(masks):
    """Words of the masks of several groups."""
    return [word(*one) for mask in masks for one in words_of(mask, CFG.block)]


def rounds_of(masks):
    """What the order without time says of each."""
    rounds = [schedule(mask, CFG.balance) for mask in masks]
    return [a_round(keys, n == len(group) - 1) for group in rounds for n, keys in enumerate(group)]


async def started(dut):
    bench = Bench(dut, CFG)
    await bench.start()
    return bench


async def run(bench, masks, i_gaps, o_gaps):
    return await transfer(bench, items_of(masks), rounds_of(masks), i_gaps=i_gaps, o_gaps=o_gaps)


def some_masks(rng, count):
    """Groups of all kinds: equal rows of 1..4 queries, unequal ones, few keys, as many as there may be."""
    masks = []
    for n in range(count):
        keys = rng.choice([rng.randint(1, CFG.keys), CFG.keys, rng.randint(1, min(CFG.keys, 3 * CFG.block))])
        most, generator = min(keys, CFG.queue), np.random.default_rng(rng.getrandbits(32))
        if n % 3:
            count, queries = rng.choice([rng.randint(1, most), most]), rng.choice([4, 4, 3, 2, 1])
            masks.append(equal_rows(generator, keys, count, queries, rng.choice([0, 0.5, 0.8, 1])))
        else:
            masks.append(any_mask(generator, keys, most))
    return masks


@cocotb.test(**LIMIT)
@cocotb.parametrize(p_valid=[0.3, 1.0], p_ready=[0.3, 1.0])
async def random_groups(dut, p_valid, p_ready):
    """Every cycle of random groups equals the golden model, and the rounds are those of the order without time."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    await run(bench, some_masks(rng, 3 if LARGE else 12), gaps(p_valid, rng), gaps(p_ready, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def figures(dut):
    """Fig. 7.14: 5 loads, Fig. 7.15: 7, in the rounds that the figures give."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    for mask, count in (FIG_7_14, 5), (FIG_7_15, 7):
        assert loads(schedule(mask, CFG.balance)) == count
        await run(bench, [mask], gaps(1, rng), gaps(1, rng))
    named = [{f"k{key + 1}" for key in keys} for keys in schedule(FIG_7_15, CFG.balance)]
    assert named == [{"k2", "k5"}, {"k3", "k6"}, {"k1", "k4", "k5"}]
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_throughput(dut):
    """A group with equal rows takes its cycles to fill, the latency, and a cycle for each round."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    always = gaps(1, rng)
    for n in range(2 if LARGE else 20):
        keys = rng.randint(CFG.keys // 2, CFG.keys)
        count = rng.randint(1, min(keys, CFG.queue))
        mask = equal_rows(np.random.default_rng(n), keys, count, rng.choice([4, 3, 2, 1]), rng.choice([0, 0.7]))
        cycles = await run(bench, [mask], always, always)
        assert cycles == fill_cycles(words_of(mask, CFG.block)) + scheduler_unit.LATENCY + count


@cocotb.test(**LIMIT)
async def groups_in_a_row(dut):
    """The next group's first word is taken in the cycle in which the last round is offered."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    masks = [equal_rows(np.random.default_rng(n), CFG.keys, min(5, CFG.block), 4, 0.5) for n in range(4)]
    cycles = await run(bench, masks, gaps(1, rng), gaps(1, rng))
    expected = [fill_cycles(words_of(mask, CFG.block)) + scheduler_unit.LATENCY + mask[0].sum() for mask in masks]
    assert cycles == sum(expected) - (len(masks) - 1)


@cocotb.test(**LIMIT)
async def two_keys_go_back(dut):
    """Rows of unequal length: a round that sends two keys back takes two cycles, in any order and to any FIFO."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    masks = [mask_of((1, 2, 3), (1,), (2,), (3,)), mask_of((1, 2), (1, 3), (2,), (3,)),
             mask_of((1,), (2,), (1, 2, 3, 4), (3, 4)), mask_of((1,), (2,), (3, 4), (1, 2, 3, 4))]
    for p_ready in 1, 0.4:
        for mask in masks:
            if mask.shape[1] <= CFG.keys:
                cycles = await run(bench, [mask], gaps(1, rng), gaps(p_ready, rng))
                fill = fill_cycles(words_of(mask, CFG.block))
                assert cycles == fill + scheduler_unit.LATENCY + mask.sum(axis=1).max() + 1 or p_ready < 1
    await bench.finish()


@cocotb.test(**LIMIT)
async def full_fifos(dut):
    """Every FIFO in turn holds as many keys as it can; then each query has keys of its own."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    own = np.arange(CFG.keys) % 4 == np.arange(4)[:, None]
    own[:, 4 * CFG.queue:] = False
    await run(bench, [own], gaps(1, rng), gaps(1, rng))
    for owners in range(1, 16) if not LARGE else (3, 15):
        mask = np.zeros((4, min(CFG.keys, CFG.queue)), bool)
        for query in range(4):
            mask[query] = owners >> 3 - query & 1
        await run(bench, [mask], gaps(1, rng), gaps(1, rng))
    await bench.finish()


@cocotb.test(**LIMIT)
async def reset_mid_flight(dut):
    """A reset forgets everything, at any point of a group."""
    rng = random.Random(cocotb.RANDOM_SEED)
    bench = await started(dut)
    mask = equal_rows(np.random.default_rng(1), min(CFG.keys, 3 * CFG.block), CFG.block, 4, 0.5)
    words = items_of([mask])
    for cycles in range(1, 30):
        sent = 0
        for _ in range(cycles):
            y = await bench.cycle(Inputs(words[sent] if sent < len(words) else None, cycles % 2 == 0))
            sent += sent < len(words) and y.i_ready
        await bench.start()
        if cycles % 5 == 0:
            await run(bench, [mask], gaps(1, rng), gaps(1, rng))
    await bench.finish()


@cocotb.test(stage=1)
async def coverage(dut):
    """The tests above reached every event of the plan; a group of one word has none behind another."""
    impossible = {"empty_word", "word_behind_word"} if CFG.keys == CFG.block else set()
    assert_all(set(scheduler_unit.EVENTS) - impossible, seen(Model.NAME), f"cfg={CFG}")
