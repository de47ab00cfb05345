"""Generator of switching maps: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import spec, switching_map
from golden.duet.formats import Function
from hdl.duet.switching_map import SwitchingMap
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_switching_map"


@pytest.mark.parametrize(("function", "y", "threshold", "expected"), [
    (Function.RELU, 4, 5, False), (Function.RELU, 5, 5, True), (Function.RELU, -5, -5, True),
    (Function.NONE, -6, -5, False), (Function.SIGMOID, 5, 5, True), (Function.SIGMOID, -6, 5, False),
    (Function.TANH, -5, 5, True), (Function.TANH, 6, 5, False), (Function.TANH, 0, -1, False),
])
def test_definition(function, y, threshold, expected):
    """(5.2): what is exactly at the threshold is sensitive."""
    assert switching_map.sensitive(y, int(function), threshold) == expected
    assert switching_map.sensitive_array([y], function, threshold) == [expected]


@pytest.mark.parametrize("function", list(Function))
def test_same_as_the_algorithm(function):
    y = np.arange(-50, 50)
    for threshold in -7, 0, 20:
        assert np.array_equal(switching_map.sensitive_array(y, function, threshold),
                              spec.sensitive(y, function, threshold))


def test_model_equals_spec():
    """Thousands of words with gaps and waits: the definition, LATENCY steps later; outputs that are not there are 0."""
    rng = np.random.default_rng(1)
    s, expected = switching_map.state(TINY, 1), [None] * switching_map.LATENCY
    for _ in range(3000):
        assert switching_map.valid_of(s, 0) == (expected[0] is not None)
        if expected[0] is not None:
            assert [switching_map.sensitive_of(s, 0, index) for index in range(TINY.columns)] == expected[0]
        advance, valid, function = bool(rng.random() < 0.7), bool(rng.random() < 0.8), int(rng.integers(4))
        sums, threshold = rng.integers(-20, 20, TINY.columns), int(rng.integers(-10, 20))
        channels = int(rng.integers(1, 40))
        first = int(rng.integers(channels)) // TINY.columns * TINY.columns
        switching_map.clock(s, 0, advance, valid, sums, first, channels, function, threshold)
        bits = switching_map.sensitive_array(sums, function, threshold) & (first + np.arange(TINY.columns) < channels)
        if advance:
            expected = [*expected[1:], bits.tolist() if valid else None]


def test_latency():
    assert SwitchingMap.LATENCY == switching_map.LATENCY


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(SwitchingMap, cfg, BENCH)


def test_bench_notices_a_threshold_that_is_left_out():
    """``>`` instead of ``>=``: a sum that is just the threshold."""
    assert_mutant_noticed(SwitchingMap, TINY, BENCH, testcase="random_sums/function=RELU/p_valid=1.0/p_advance=1.0",
                          old=">= $signed(low)", new="> $signed(low)", match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(SwitchingMap)
