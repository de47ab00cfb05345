"""Scheduler of DOTA: the source's examples, random masks, the golden model and the hardware."""

import itertools

import numpy as np
import pytest

from golden.dota import scheduler_unit
from golden.dota.scheduler import IDLE, in_order, loads, optimum, row_by_row, schedule
from hdl.dota.choice import Choice
from hdl.dota.key_fifo import KeyFifo
from hdl.dota.scheduler import Scheduler
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.dota.masks import FIG_7_14, FIG_7_15, any_mask, equal_rows, fill_cycles, words_of

BENCH = "tests.dota.tb_scheduler"
#: A group is one word.
ONE_WORD = CONFIGS["tall"].replace(keys=8)


def check(mask, rounds):
    """Every connection once, every query in every round while it has one left."""
    computed = np.zeros(mask.shape, int)
    for keys in rounds:
        for query, key in enumerate(keys):
            if key != IDLE:
                computed[query, key] += 1
    np.testing.assert_array_equal(computed, mask)
    for query, row in enumerate(mask):
        assert [keys[query] == IDLE for keys in rounds] == [n >= row.sum() for n in range(len(rounds))]
    assert len(rounds) == mask.sum(axis=1).max(initial=0)
    assert loads(rounds) >= mask.any(axis=0).sum()


@pytest.mark.parametrize(("mask", "rows", "ordered", "scheduled"), [(FIG_7_14, 10, 5, 5), (FIG_7_15, 12, 11, 7)],
                         ids=["7.14", "7.15"])
def test_figures(mask, rows, ordered, scheduled):
    assert row_by_row(mask) == rows
    assert loads(in_order(mask)) == ordered
    assert loads(schedule(mask)) == scheduled
    check(mask, in_order(mask))
    check(mask, schedule(mask))


@pytest.mark.parametrize("balance", [False, True])
def test_rounds_of_figure_7_15(balance):
    """Load (k2, k5), (k3, k6), (k1, k4, k5), as the figure says."""
    named = [{f"k{key + 1}" for key in keys} for keys in schedule(FIG_7_15, balance)]
    assert named == [{"k2", "k5"}, {"k3", "k6"}, {"k1", "k4", "k5"}]


def test_random_masks():
    """Thousands of masks with equal rows, of any size, and some with unequal ones."""
    rng = np.random.default_rng(1)
    for _ in range(2000):
        keys = int(rng.integers(1, 40))
        for mask in equal_rows(rng, keys, int(rng.integers(0, keys + 1))), rng.random((4, keys)) < rng.random():
            check(mask, schedule(mask))
            check(mask, schedule(mask, balance=True))
            check(mask, in_order(mask))


def test_close_to_the_optimum():
    """Windows of 3 of 8 keys: at most 1 % more loads than the best order, which is found by trying all."""
    rng = np.random.default_rng(2)
    masks = [equal_rows(rng, 8, 3) for _ in range(300)]
    best, found = sum(map(optimum, masks)), sum(loads(schedule(mask)) for mask in masks)
    ordered = sum(loads(in_order(mask)) for mask in masks)
    assert best <= found <= 1.01 * best < ordered


def test_optimum_of_the_figures():
    assert (optimum(FIG_7_14), optimum(FIG_7_15)) == (5, 7)


@pytest.mark.parametrize(("mask", "what"), [
    (np.zeros((4, 3), int), r"int64 of shape \(4, 3\)"), (np.zeros((3, 4), bool), r"bool of shape \(3, 4\)"),
    (np.zeros(4, bool), r"bool of shape \(4,\)"),
])
@pytest.mark.parametrize("function", [schedule, in_order, row_by_row, optimum])
def test_wrong_mask(function, mask, what):
    with pytest.raises(ValueError, match=rf"^mask must be a bool array of shape \(4, n_keys\), not {what}$"):
        function(mask)


def returns(rounds):
    """Of each round the number of keys that are loaded again."""
    later, counts = set(), []
    for keys in reversed(rounds):
        now = set(keys) - {IDLE}
        counts.append(len(now & later))
        later |= now
    return counts[::-1]


def small_masks():
    """All masks with equal rows of a few keys, but for the names of the keys: the first row has the first ones."""
    for keys, count, queries in (4, 2, 4), (5, 2, 4), (6, 2, 4), (5, 3, 4), (6, 3, 4), (6, 3, 3), (6, 3, 2), (4, 4, 1):
        rows = [sum(1 << key for key in row) for row in itertools.combinations(range(keys), count)]
        for others in itertools.product(rows, repeat=queries - 1):
            mask = np.zeros((4, keys), bool)
            for query, row in enumerate([(1 << count) - 1, *others]):
                mask[query] = [row >> key & 1 for key in range(keys)]
            yield mask


@pytest.mark.parametrize("balance", [False, True])
def test_one_key_at_most_goes_back(balance):
    """With equal rows of 1..4 queries: every small mask, and large ones."""
    rng = np.random.default_rng(4)
    large = [equal_rows(rng, keys, int(rng.integers(1, keys)), queries, likeness) for queries in (1, 2, 3, 4)
             for keys in (20, 100) for likeness in (0, 0.5, 0.8) for _ in range(5)]
    most = max(max(returns(schedule(mask, balance))) for mask in itertools.chain(small_masks(), large))
    assert most == 1


def test_two_keys_may_go_back_from_unequal_rows():
    """Never more: the claim about any mask is proven in formal_choice.py."""
    rng = np.random.default_rng(5)
    masks = [rng.random((4, 8)) < 0.4 for _ in range(2000)]
    assert max(max(returns(schedule(mask)), default=0) for mask in masks) == 2


def run_model(cfg, masks, rng, p_valid=1.0, p_ready=1.0):
    """The rounds that the golden model gives, groups behind each other, and the cycles that it takes."""
    s = scheduler_unit.state(cfg, 1)
    words = [word for mask in masks for word in words_of(mask, cfg.block)]
    rounds, group, sent, cycles = [], [], 0, 0
    while len(rounds) < len(masks):
        i_valid, o_ready = sent < len(words) and rng.random() < p_valid, rng.random() < p_ready
        if scheduler_unit.valid_of(s, 0) and o_ready:
            live = scheduler_unit.live_of(s, 0)
            group.append([int(scheduler_unit.key_of(s, 0, q)) if live >> q & 1 else IDLE for q in range(4)])
            if scheduler_unit.last_of(s, 0):
                rounds, group = [*rounds, group], []
        owners, last = words[min(sent, len(words) - 1)]
        taken = i_valid and scheduler_unit.ready_of(s, 0)
        scheduler_unit.clock(s, 0, i_valid, np.array(owners), last, o_ready, cfg.balance)
        sent, cycles = sent + taken, cycles + 1
    return rounds, cycles


@pytest.mark.parametrize("balance", [False, True])
def test_model_equals_spec(balance):
    """Thousands of groups, with gaps and waits."""
    rng = np.random.default_rng(balance)
    cfg = TINY.replace(balance=balance)
    for n in range(1000):
        masks = [any_mask(rng, int(rng.integers(1, cfg.keys + 1)), cfg.queue) for _ in range(2)]
        masks.append(equal_rows(rng, cfg.keys, int(rng.integers(1, cfg.queue + 1)), 4, rng.random()))
        rounds, _cycles = run_model(cfg, masks, rng, *((0.7, 0.6) if n % 2 else (1, 1)))
        assert rounds == [schedule(mask, balance) for mask in masks]


@pytest.mark.parametrize("cfg", [TINY, CONFIGS["paper"]], ids=["tiny", "paper"])
def test_cycles(cfg):
    """Fill, latency, a cycle for each round."""
    rng = np.random.default_rng(6)
    for count in (1, 3, cfg.queue - 1, cfg.queue):
        for likeness in (0, 0.8):
            mask = equal_rows(rng, cfg.keys, count, 4, likeness)
            _rounds, cycles = run_model(cfg, [mask], rng)
            assert cycles == fill_cycles(words_of(mask, cfg.block)) + scheduler_unit.LATENCY + count


@configs("tiny", "small", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Scheduler, cfg, BENCH)


@pytest.mark.parametrize("cfg", [TINY.replace(balance=True), ONE_WORD], ids=["balanced", "one-word"])
def test_other_rtl_equals_model(cfg):
    run_bench(Scheduler, cfg, BENCH)


def test_bench_notices_a_key_that_is_read_before_it_is_written():
    """A FIFO that gives what its memory held instead of what is being written."""
    assert_mutant_noticed(Scheduler, TINY, BENCH, old="assign passes = ", new="assign passes = 1'h0 & ",
                          match="o differ|must not be read and written", testcase="full_throughput")


def test_bench_notices_a_scheduler_that_never_ends():
    """The last round does not let the next group in."""
    assert_mutant_noticed(Scheduler, TINY, BENCH, old="assign drained = ", new="assign drained = 1'h0 & ",
                          match="i_ready differ", testcase="groups_in_a_row")


def test_wrong_cfg():
    for unit in Scheduler, Choice, KeyFifo:
        assert_wrong_cfg_is_refused(unit)
