"""Special function unit: golden model and hardware."""

import math

import numpy as np
import pytest

from golden.common.jit import ENABLED, jit
from golden.enmc import fp32, special
from golden.enmc.config import PRESETS
from golden.enmc.formats import Function
from hdl.enmc.special import Special
from tests.enmc.fp32_cases import operands
from tests.enmc.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.enmc.tb_special"
NONE, SIGMOID, SOFTMAX = Function
INF, NAN = float("inf"), float("nan")
#: Numbers of a sweep; fewer where nothing is compiled.
MANY = 300_000 if ENABLED else 2000


@jit
def each(function, z, out):
    for k in range(len(z)):
        out[k] = special.exponential(z[k]) if function == 0 else special.sigmoid(z[k])


@jit
def soften(z, out):
    """Values of results one after the other; the largest and the sum."""
    largest, total = special.LOWEST, 0
    for k in range(len(z)):
        out[k], largest, total = special.softmax_step(z[k], largest, total)
    return largest, total


def patterns(values):
    return fp32.bits_of(values).astype(np.int64)


def numbers(bits):
    return fp32.floats_of(np.asarray(bits).astype(np.uint32)).astype(float)


def of(function, values):
    """exponential (0) or sigmoid (1) of float32 numbers, as float64."""
    out = np.zeros(len(values), np.int64)
    each(function, patterns(values), out)
    return numbers(out)


def sweep():
    """From 0 to -87: dense, random, tiny, and on both sides of where n changes."""
    rng = np.random.default_rng(1)
    steps = (np.arange(126) + 0.5) * math.log(2)
    near = np.nextafter(steps.astype(np.float32), np.float32([[0], [100]])).ravel()
    parts = [np.linspace(0, 87, MANY), rng.random(MANY) * 87, rng.random(MANY), 10**rng.uniform(-40, 0, MANY // 10),
             steps, near]
    return -np.concatenate(parts).astype(np.float32)


def test_constants():
    """Each is the nearest number; the first part of ln(2) has few bits, so that its products with n are exact."""
    high = 355 / 512
    for bits, value in ((special.LOG2_E, 1 / math.log(2)), (special.ROUNDER, 1.5 * 2**23), (special.DEEPEST, -87),
                        (special.MINUS_LN2_HIGH, -high), (special.MINUS_LN2_LOW, high - math.log(2)),
                        (special.HALF, 1 / 2), (special.SIXTH, 1 / 6), (special.TWENTY_FOURTH, 1 / 24)):
        assert bits == fp32.bits_of(value)
    for n in range(127):
        assert numbers(fp32.multiply(special.MINUS_LN2_HIGH, fp32.bits_of(-n))) == n * high


def test_error_of_the_exponential():
    x = sweep()
    exact = np.exp(x.astype(float))
    error = np.abs(of(0, x) / exact - 1).max()
    assert 0.9 * special.EXPONENTIAL_ERROR < error <= special.EXPONENTIAL_ERROR


def test_the_exponential_ends_at_87():
    """Below -87 it is 0, at it a normal number; 0 becomes 1; a NaN stays."""
    below = np.nextafter(np.float32(-87), np.float32(-88))
    found = of(0, np.array([-87, below, -1000, -3e38, -INF, 0.0, -0.0, -1e-45], np.float32))
    assert found[0] == pytest.approx(math.exp(-87), rel=special.EXPONENTIAL_ERROR) and found[0] > 2**-126
    assert found[1:].tolist() == [0, 0, 0, 0, 1, 1, 1]
    for nan in 0x7F80_0001, 0x7FC0_0000, 0xFFC0_0000:
        assert special.exponential(nan) == fp32.NAN


def test_error_of_sigmoid():
    x = sweep()
    z = np.concatenate([x, -x])
    found, exact = of(1, z), 1 / (1 + np.exp(-z.astype(float)))
    assert np.abs(found / exact - 1).max() <= special.SIGMOID_ERROR
    assert np.abs(found - exact).max() <= special.SIGMOID_ABSOLUTE_ERROR
    assert found.min() > 0 and found.max() == 1


def test_corners_of_sigmoid():
    assert of(1, np.array([-INF, -88, -0.0, 0, 88, INF], np.float32)).tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert special.sigmoid(0xFFFF_FFFF) == fp32.NAN


def weight_error(z):
    """Largest relative error of the weights that a host makes of the values, over the bound."""
    z = np.asarray(z, np.float32)
    values = np.zeros(len(z), np.int64)
    largest, total = soften(patterns(z), values)
    assert numbers(largest) == z.max()
    then = np.maximum.accumulate(z.astype(float))
    found = numbers(values) * np.exp(then - then[-1]) / numbers(total)
    exact = np.exp(z.astype(float) - then[-1])
    exact /= exact.sum()
    counts = z - then.astype(np.float32) >= -87
    assert not found[~counts].any()
    return np.abs(found[counts] / exact[counts] - 1).max() / (special.SOFTMAX_ERROR + len(z) * special.SUM_ERROR)


def test_error_of_softmax():
    """Random results of all spreads, few and many."""
    rng = np.random.default_rng(2)
    for count in (1, 2, 3, 10, 100, 1000, MANY):
        for spread in (0.1, 1, 5, 20, 60):
            for _ in range(1 if count == MANY else 10):
                assert weight_error(rng.normal(0, spread, count)) <= 1


def test_error_of_softmax_on_ladders():
    """Every result is the largest one, so that the sum is scaled each time: the errors of exponentials add up."""
    # The polynomial is worst half-way between two n.
    steps = [math.log(2) / 2 - 1e-4, *np.linspace(0.01, 2, 200 if ENABLED else 10)]
    worst = max(weight_error(np.arange(count) * step - offset) for count in (2, 6, 20, 100) for step in steps
                for offset in (0, 50))
    assert 0.5 < worst <= 1


def test_the_order_of_results_does_not_matter():
    """The same weights within the bound, from the largest to the smallest and the other way round."""
    z = np.sort(np.random.default_rng(3).normal(0, 4, 200))
    assert max(weight_error(z), weight_error(z[::-1])) <= 1


@pytest.mark.parametrize(("z", "values", "largest", "total"), [
    ([-INF], [0], -INF, 0),
    ([-INF, 3, -INF], [0, 1, 0], 3, 1),
    ([3, INF, 5, INF], [1, 1, 0, 1], INF, 2),
    ([2, 2, 2], [1, 1, 1], 2, 3),
    ([0.0, -0.0], [1, 1], 0, 2),
    ([-0.0, 0.0], [1, 1], 0, 2),
    ([3e38, -3e38], [1, 0], 3e38, 1),
    ([-3e38, 3e38], [1, 1], 3e38, 1),
    ([1, NAN, 1], [1, NAN, 1], 1, NAN),
    ([NAN, 4], [NAN, 1], 4, NAN),
    ([NAN], [NAN], -INF, NAN),
])
def test_corners_of_softmax(z, values, largest, total):
    out = np.zeros(len(z), np.int64)
    found = soften(patterns(z), out)
    np.testing.assert_array_equal(numbers(out), values)
    np.testing.assert_array_equal(numbers(found), np.float32([largest, total]).astype(float))


@pytest.mark.parametrize("functions", [(NONE,), (SIGMOID,), (SOFTMAX,), (NONE, SIGMOID, SOFTMAX, 3)],
                         ids=["none", "sigmoid", "softmax", "mixed"])
def test_model_equals_spec(functions):
    """Thousands of results through the clocked model, with gaps and stalls: the untimed functions, in order."""
    cfg, rng = PRESETS["rank"], np.random.default_rng(len(functions))
    count = 2000 if ENABLED else 60
    s, sent, found = special.state(cfg, 1), 0, []
    exact = rng.permutation(np.concatenate([operands(rng, count // 2), fp32.bits_of(rng.normal(0, 20, count // 2))]))
    exact = exact.astype(np.int64)
    batch, function = rng.integers(cfg.batch, size=count), rng.choice([int(f) for f in functions], count)
    while len(found) < count:
        o_ready = rng.random() < 0.7
        if special.valid_of(s, 0) and o_ready:
            found.append((*(special.field_of(s, 0, field) for field in range(3)), special.value_of(s, 0)))
        i_valid, i_ready, k = sent < count and rng.random() < 0.8, special.ready_of(s, 0), min(sent, count - 1)
        special.clock(s, 0, i_valid, exact[k], k, special.tag_of(k, batch[k], function[k]), False, o_ready)
        sent += bool(i_valid and i_ready)
    largest, sums = [special.LOWEST] * cfg.batch, [0] * cfg.batch
    for k in range(count):
        z, b, value = int(exact[k]), batch[k], 0
        if function[k] == SIGMOID:
            value = special.sigmoid(z)
        elif function[k] == SOFTMAX:
            value, largest[b], sums[b] = special.softmax_step(z, largest[b], sums[b])
        assert found[k] == (z, k, special.tag_of(k, b, function[k]), value)
    assert not special.busy_of(s, 0) and (s.largest[0].tolist(), s.sums[0].tolist()) == (largest, sums)


def test_latencies():
    assert (Special.LATENCY, Special.INTERVAL, Special.PASS_LATENCY) == (special.LATENCY, special.INTERVAL,
                                                                         special.PASS_LATENCY)


@configs("tiny", "single", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Special, cfg, BENCH)


def test_bench_notices_a_wrong_range():
    """The exponential goes on below -87 when the comparison is lost."""
    assert_mutant_noticed(Special, TINY, BENCH, old="32'd3266183168", new="32'd4294967295", match="differ",
                          testcase="corners_of_sigmoid")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Special)
