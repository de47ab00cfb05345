"""Multi-function unit of the Speculator: golden model and hardware."""

import math

import numpy as np
import pytest

from golden.duet import mfu, spec
from golden.duet.formats import CODE_SIGMOID, CODE_TANH, Function
from hdl.duet.mfu import Mfu
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_mfu"


def exact(y, function, low_shift):
    """A code in floating point."""
    x = min(max(math.floor(y / 2**low_shift + 0.5), -128), 127) / 16
    if function == Function.SIGMOID:
        return math.floor(15 / (1 + math.exp(-x)) + 0.5)
    if function == Function.TANH:
        return math.copysign(math.floor(abs(7 * math.tanh(x)) + 0.5), x)
    return min(max(16 * x, 0), 15)


@pytest.mark.parametrize("function", list(Function))
def test_definition(function):
    """Every input of the tables, and random sums with random shifts."""
    rng = np.random.default_rng(int(function))
    cases = [(y, 0) for y in range(-140, 140)]
    cases += [(int(rng.integers(-1 << 31, 1 << 31) >> rng.integers(32)), int(rng.integers(32))) for _ in range(3000)]
    for y, low_shift in cases:
        assert mfu.code(y, int(function), low_shift) == exact(y, function, low_shift)
        assert mfu.code_array(y, function, low_shift) == exact(y, function, low_shift)


@pytest.mark.parametrize("function", list(Function))
def test_same_as_the_algorithm(function):
    """The untimed algorithm has formulas of its own."""
    y = np.arange(-40_000, 40_000, 7)
    for low_shift in 0, 3, 8:
        assert np.array_equal(mfu.code_array(y, function, low_shift), spec.low_codes(y, function, low_shift))


def test_tables():
    """Monotone; tanh is odd; no rounding hangs on the last bit of a float, but that of sigmoid(0), which is exact."""
    assert list(CODE_SIGMOID) == sorted(CODE_SIGMOID) and set(CODE_SIGMOID) == set(range(16))
    assert list(CODE_TANH) == sorted(CODE_TANH) and set(CODE_TANH) == set(range(-7, 8))
    assert all(CODE_TANH[128 + x] == -CODE_TANH[128 - x] for x in range(128))
    for x in (k / 16 for k in range(-128, 128)):
        for value in 15 / (1 + math.exp(-x)), 7 * math.tanh(x):
            assert value == 7.5 or abs(value % 1 - 0.5) > 1e-3


def test_model_equals_spec():
    """Thousands of words with gaps and waits: the definition, LATENCY steps later."""
    rng = np.random.default_rng(1)
    s, expected = mfu.state(TINY, 1), [None] * mfu.LATENCY
    for _ in range(3000):
        assert mfu.valid_of(s, 0) == (expected[0] is not None)
        if expected[0] is not None:
            assert [mfu.code_of(s, 0, index) for index in range(TINY.columns)] == expected[0]
        advance, valid, function = bool(rng.random() < 0.7), bool(rng.random() < 0.8), int(rng.integers(4))
        sums, low_shift = rng.integers(-1 << 31, 1 << 31, TINY.columns) >> rng.integers(32), int(rng.integers(32))
        mfu.clock(s, 0, advance, valid, sums, function, low_shift)
        if advance:
            expected = [*expected[1:], mfu.code_array(sums, function, low_shift).tolist() if valid else None]


def test_latency():
    assert Mfu.LATENCY == mfu.LATENCY


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Mfu, cfg, BENCH)


def test_bench_notices_a_missing_half():
    assert_mutant_noticed(Mfu, TINY, BENCH, testcase="whole_table/function=SIGMOID", old="$signed({ 1'h0, half })",
                          new="$signed(2'h0)", match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Mfu)
