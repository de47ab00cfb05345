"""Systolic array: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import systolic
from golden.duet.formats import COLUMN_BITS
from hdl.duet.systolic import Systolic
from hdl.duet.systolic_row import SystolicRow
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.low_work import weights

BENCH = "tests.duet.tb_systolic"


def test_definition():
    """A sum is that over the rows, in unbounded integers."""
    rng = np.random.default_rng(1)
    vectors, tiles = rng.integers(-8, 8, (5, 3)), rng.integers(-8, 8, (5, 3, 2))
    exact = [[sum(int(vectors[v, r]) * int(tiles[v, r, c]) for r in range(3)) for c in range(2)] for v in range(5)]
    assert systolic.products(vectors, tiles).tolist() == exact


@pytest.mark.parametrize("name", ["tiny", "tall"])
def test_model_equals_spec(name):
    """Thousands of vectors with gaps, another tile in each: the definition, ``latency`` cycles later."""
    cfg, rng = CONFIGS[name], np.random.default_rng(2)
    s, tiles = systolic.state(cfg, 1), weights(cfg, random.Random(3))
    s.weights[0] = tiles
    expected = [None] * systolic.latency(cfg)
    for cycle in range(3000):
        was = expected.pop(0)
        assert systolic.valid_of(s, 0) == (was is not None)
        if was is not None:
            assert (systolic.tag_of(s, 0), [systolic.sum_of(s, 0, c) for c in range(cfg.systolic_columns)]) == was
        valid, values, tile = bool(rng.random() < 0.8), rng.integers(-8, 8, cfg.trees), int(rng.integers(cfg.low_tiles))
        expected.append((cycle, systolic.products(values, tiles[tile]).tolist()) if valid else None)
        systolic.clock(s, 0, valid, values, tile, cycle)


def test_sums_never_overflow():
    """The largest sum of the largest array fits."""
    assert 32 * 64 < 1 << COLUMN_BITS - 1


def test_latency():
    for cfg in CONFIGS.values():
        assert Systolic(cfg).latency == systolic.latency(cfg)


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Systolic, cfg, BENCH)


def test_bench_notices_an_address_that_does_not_travel():
    """Row 1 takes the tile of row 0: only a tile that changes shows it."""
    assert_mutant_noticed(Systolic, TINY, BENCH, testcase="full_throughput", old=".i_tile(row_1__i_tile)",
                          new=".i_tile(i_tile)", match="o_sums differ")


@pytest.mark.parametrize("unit", [Systolic, SystolicRow])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
