"""Alignment units, adder trees and projection: golden models and hardware."""

import numpy as np
import pytest

from golden.common.fixed import round_shift_array, saturate_array, wrap_array
from golden.duet import alignment
from golden.duet.formats import LOW_BITS, TREE_BITS
from hdl.duet.alignment import Alignment
from sim.common.runner import run_unit
from tests.duet.front import CONTROL, ternary
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs

BENCH = "tests.duet.tb_alignment"
NO_WORD = np.zeros((TINY.trees, TINY.values), np.int64)
IDLE = np.zeros(TINY.values, np.int64), np.zeros(len(alignment.TAG), np.int64)


def test_model_equals_spec():
    """Thousands of windows: the sum of products, shifted, rounded and clipped, ``latency`` cycles after the last."""
    rng, s, late = np.random.default_rng(1), alignment.state(TINY, 1), alignment.latency(TINY)
    words = ternary(rng, (8, TINY.trees, TINY.values))
    for addr, word in enumerate(words):
        alignment.clock(s, 0, 0, False, *IDLE, True, addr, word)
    due, sums, first = [None] * late, np.zeros(TINY.trees, np.int64), True
    for cycle in range(4000):
        expected = due.pop(0)
        assert alignment.valid_of(s, 0) == (expected is not None)
        if expected is not None:
            assert [alignment.result_of(s, 0, tree) for tree in range(TINY.trees)] == expected[0].tolist()
            assert alignment.tag_of(s, 0, alignment.PIXEL) == expected[1]
        valid, last = rng.random() < 0.8, rng.random() < 0.4
        values, address, pixel = rng.integers(-8, 8, TINY.values), int(rng.integers(8)), cycle % TINY.pixels
        tag = np.array([address, first, last, pixel, 0, 0])
        result = None
        if valid:
            sums = words[address] @ values + (0 if first else sums)
            low = saturate_array(round_shift_array(wrap_array(sums, TREE_BITS), 2), LOW_BITS)[0]
            result, first = (low, pixel) if last else None, last
        due.append(result)
        alignment.clock(s, 0, 2, valid, values, tag, False, 0, NO_WORD)


def test_sum_wraps():
    """Beyond 24 bits, in two's complement."""
    s = alignment.state(TINY, 1)
    s.projection[0, 0] = 1
    s.sums[0], s.inside[0] = (1 << 23) - 1, 1
    tag = np.array([0, 0, 1, 0, 0, 0])
    alignment.clock(s, 0, 20, True, np.ones(TINY.values, np.int64), tag, False, 0, NO_WORD)
    for _ in range(alignment.latency(TINY) - 1):
        alignment.clock(s, 0, 20, False, *IDLE, False, 0, NO_WORD)
    assert alignment.valid_of(s, 0)
    assert alignment.result_of(s, 0, 0) == -8


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=list(CONFIGS))
def test_latency(cfg):
    assert Alignment(cfg).latency == alignment.latency(cfg)


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_unit(Alignment(cfg), name="duet_alignment", cfg=cfg, test_module=BENCH, control=CONTROL)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Alignment)


def test_mutant_is_noticed():
    """Sums are not rounded."""
    assert_mutant_noticed(Alignment, TINY, BENCH, old="$signed({ 1'h0, half_0 })", new="$signed(2'h0)",
                          match="o differ", testcase="random_vectors/gap=0.0")
