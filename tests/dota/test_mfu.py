"""Multi-function unit: softmax against floating point, golden model, hardware."""

import random

import numpy as np
import pytest

from golden.dota import exp, mfu
from hdl.dota.mfu import Mfu
from sim.common.runner import BenchFailure, run_unit
from tests.dota.groups import Setting, group_of, random_group
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs

BENCH = "tests.dota.tb_mfu"
#: A weight of 1.
ONE = 1 << 15


def float_softmax(exponents, live):
    """Softmax to the base 2 of each query, [rounds, 4]; 0 where not live."""
    exponents = np.where(live, exponents, -np.inf)
    powers = np.where(live, 2.0**(exponents - exponents.max(axis=0, initial=-2.0**40)), 0)
    return powers / np.maximum(powers.sum(axis=0), 1)


def assert_close(scores, live, scale, scale_shift):
    """Each weight within the bound, each sum of weights within half a unit a connection. Returns the largest error."""
    weights = mfu.softmax(scores, live, 0, scale, scale_shift)
    exact = ONE * float_softmax(scores * scale / 2.0**(scale_shift + exp.FRACTION_BITS), live)
    errors, count = np.abs(weights - exact).max(axis=0), live.sum(axis=0)
    assert np.all(errors <= mfu.error_bound(count) * (count > 0))
    assert np.all(np.abs(weights.sum(axis=0) - ONE * (count > 0)) <= np.maximum(count / 2, count == 1))
    assert not weights[~live].any()
    return errors.max()


@pytest.mark.parametrize("seed", range(3))
def test_error_of_random_scores(seed):
    rng = random.Random(seed)
    for _ in range(400):
        rounds = rng.choice([1, 2, 3, 7, 32, 64, 256])
        scores, live = random_group(rng, rounds, Setting(0, 0, 0))
        assert_close(np.clip(scores, -1 << 15, (1 << 15) - 1), live, rng.choice([1, 100, 1024, 1477, 40000, 65535]),
                     rng.randrange(12))


def test_one_connection():
    """All of it, as far as 15 bits go."""
    dots, live = group_of([[5], [], [-1 << 47], [(1 << 47) - 1]])
    assert mfu.softmax(dots, live, 20, 1024, 0).tolist() == [[ONE - 1, 0, ONE - 1, ONE - 1]]


def test_equal_scores():
    """n equal scores of any size: each weight is 1 / n, rounded."""
    for n in range(1, 257):
        dots, live = group_of([[score] * n for score in (0, 77, -1 << 15, (1 << 15) - 1)])
        assert set(mfu.softmax(dots, live, 0, 65535, 0).ravel()) == {min((2 * ONE + n) // (2 * n), ONE - 1)}


def test_extreme_spread():
    """The smallest and the largest score: all or nothing, without overflow, at the largest factor and at none."""
    low, high = -1 << 47, (1 << 47) - 1
    dots, live = group_of([[low, high], [high, low, low], [low, low], [high, high, low, high]])
    weights = mfu.softmax(dots, live, 32, 65535, 0)
    assert weights.T.tolist() == [[0, ONE - 1, 0, 0], [ONE - 1, 0, 0, 0], [ONE // 2, ONE // 2, 0, 0],
                                  [10923, 10923, 0, 10923]]
    assert mfu.softmax(dots, live, 32, 0, 0)[:, 3].tolist() == [ONE // 4] * 4


@pytest.mark.parametrize("n", [2, 64, 256])
def test_worst_tail(n):
    """All other exponentials just below or above half a unit: their rounding adds up, and stays within the bound."""
    for y in (16 << exp.FRACTION_BITS) - 1, (16 << exp.FRACTION_BITS) + 1:
        scores, live = np.full((n, 4), -y), np.ones((n, 4), bool)
        scores[0] = 0
        error = assert_close(scores, live, 1, 0)
        assert error > 0.45 * (n - 1)  # the bound is not far off


@pytest.mark.parametrize("rounds", [12, 38, 200])
def test_attention(rounds):
    """Queries and keys of 64 normally distributed elements with 10 fraction bits, against the softmax of the exact
    products. Scores keep 9 fraction bits, so that eight standard deviations fit into them."""
    rng, live = np.random.default_rng(rounds), np.ones((rounds, 4), bool)
    for _ in range(200):
        queries, keys = rng.normal(0, 1024, (4, 64)).round(), rng.normal(0, 1024, (rounds, 64)).round()
        dots = (keys @ queries.T).astype(np.int64)
        # log2(e) / 8 for a score in units of 2**-9, y in units of 2**-10: 0.36067 = 23637 / 2**16.
        weights = mfu.softmax(dots, live, 11, 23637, 16)
        exact = ONE * float_softmax(dots * np.log2(np.e) / 8 / 2**20, live)
        assert np.abs(weights - exact).max() < 10  # units of 2**-15: what fixed point costs in practice


def run(cfg, **more):
    """Its 16 columns are compiled once."""
    run_unit(Mfu(cfg), name="dota_mfu", cfg=cfg, test_module=BENCH, control='no_inline -module "dota_mfu_column"\n',
             **more)


def model_weights(cfg, groups, setting, passes, rng):
    """The clocked model with gaps and stalls: weights in the order in which they leave, [rounds, 4], and lasts."""
    s, waiting, weights, lasts = mfu.state(cfg, 1), [], [], []
    for dots, live in groups:
        waiting += [(dots[k], int(live[k] @ (1, 2, 4, 8)), k == len(dots) - 1) for k in range(len(dots))]
    waiting.reverse()
    while waiting or mfu.busy_of(s, 0):
        i_valid, o_ready = bool(waiting) and rng.random() < 0.9, rng.random() < 0.9
        if mfu.valid_of(s, 0) and o_ready:
            weights.append([mfu.weight_of(s, 0, query) for query in range(4)])
            lasts.append(bool(mfu.last_of(s, 0)))
        taken = i_valid and mfu.ready_of(s, 0)
        offered = waiting[-1] if waiting else (np.zeros(4, np.int64), 0, False)
        mfu.clock(s, 0, i_valid, *offered, *setting, passes, o_ready)
        if taken:
            waiting.pop()
    return np.array(weights), lasts


@pytest.mark.parametrize("queue", [4, 64])
def test_model_equals_spec(queue):
    """Thousands of random groups with gaps and stalls: the weights of the definition, as often as asked for."""
    rng = random.Random(queue)
    cfg = TINY.replace(queue=queue)
    for _ in range(250):
        setting, passes = Setting.random(rng), rng.choice([1, 1, 2, 5])
        groups = [random_group(rng, rng.randint(1, queue), setting) for _ in range(5)]
        weights, lasts = model_weights(cfg, groups, setting, passes, rng)
        expected = [np.tile(mfu.softmax(*group, *setting), (passes, 1)) for group in groups]
        np.testing.assert_array_equal(weights, np.concatenate(expected))
        assert lasts == [k == len(dots) - 1 for dots, _live in groups for _ in range(passes) for k in range(len(dots))]


@configs("paper")
def test_rtl_equals_model(cfg):
    """Of the configuration it depends on the length of the queue alone."""
    run(cfg)


def test_shortest_queue():
    """A group is one word, and the memories have a second one that is never used."""
    run(TINY.replace(queue=4))


def test_bench_notices_a_partial_word_sent_whole():
    assert_mutant_noticed(Mfu, TINY, BENCH, old="{ address, place } ==", new="{ address, 2'h3 } ==", match="o differ",
                          testcase="latency")


@pytest.mark.parametrize(("testcase", "text"), [
    ("group_too_long", "a group must have at most 4 rounds, not more"),
    ("no_pass", "passes must be an integer in 1..16, not 0"),
])
def test_hardware_stops(testcase, text):
    with pytest.raises(BenchFailure, match=f"^hardware assertion: .*{text}"):
        run(TINY.replace(queue=4), testcase=testcase)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Mfu)
