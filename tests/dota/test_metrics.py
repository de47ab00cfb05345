"""Measures of sparse attention, on small cases counted by hand and against their definitions."""

import numpy as np
import pytest

from golden.dota import metrics
from golden.dota.config import PRESETS
from golden.dota.scheduler import schedule
from golden.dota.spec import attention, dense_attention, float_attention, masked_attention
from golden.dota.workloads import load, random_head

TINY = PRESETS["tiny"]


@pytest.fixture(scope="module")
def head():
    return random_head(np.random.default_rng(1), TINY, queries=10, keys=13, dim=6, keep=4)


def test_true_top(head):
    scores = head.q @ head.k.T
    top = metrics.true_top(head, 4)
    assert np.all(top.sum(axis=1) == 4)
    for row, values in zip(top, scores, strict=True):
        assert values[row].min() >= values[~row].max()
    counts = np.arange(10)
    assert np.array_equal(metrics.true_top(head, counts).sum(axis=1), counts)


def test_ties_go_to_the_lower_key():
    head = load("equal-scores", TINY, 1).heads[0]
    assert np.flatnonzero(metrics.true_top(head, 3)[0]).tolist() == [0, 1, 2]


def test_recall(head):
    """Of a perfect mask, of one that misses one connection in each row, and of the worst one."""
    top = metrics.true_top(head, 4)
    assert metrics.recall(head, top) == 1
    shifted = top.copy()
    for row, values in zip(shifted, head.q @ head.k.T, strict=True):
        order = np.argsort(-values)
        row[order[3]], row[order[12]] = False, True
    assert metrics.recall(head, shifted) == 0.75
    assert metrics.recall(head, ~metrics.true_top(head, 9)) == 0
    assert metrics.recall(head, np.zeros_like(top)) == 0
    assert metrics.recall(head, np.ones_like(top)) == 1


def test_retention_and_mass(head):
    top = metrics.true_top(head, 4)
    assert metrics.retention(top) == pytest.approx(4 / 13)
    masses = [metrics.mass(head, metrics.true_top(head, count)) for count in (0, 1, 4, 13)]
    assert masses == sorted(masses) and masses[0] == 0 and masses[-1] == pytest.approx(1)


def test_output_error(head):
    """Integers and floats mean the same; dense integers are all but exact, and sparse ones as far off as float says."""
    assert metrics.output_error(head, float_attention(head)) == (0, 0)
    assert metrics.output_error(head, dense_attention(head)).relative < 1e-3
    mask = metrics.true_top(head, 4)
    error = metrics.output_error(head, masked_attention(head, mask).z)
    real = float_attention(head, mask) - float_attention(head)
    assert error.relative == pytest.approx(np.linalg.norm(real) / np.linalg.norm(float_attention(head)), abs=1e-3)
    assert error.largest == pytest.approx(np.abs(real).max(), abs=1e-3)


def test_output_error_of_nothing():
    head = load("equal-scores", TINY, 1).heads[0]
    silent = type(head)(**vars(head) | {"v": np.zeros_like(head.v)})
    assert metrics.output_error(silent, np.zeros_like(head.v)) == (0, 0)
    assert metrics.output_error(silent, np.ones_like(head.v)) == (np.inf, 2.0**-head.frac)


def test_loads_of_the_figures():
    """[Thesis Fig. 7.14] and [Fig. 7.15]."""
    masks = list(load("fig-7-14", TINY, 1).masks)
    assert metrics.key_loads(masks, [schedule(mask) for mask in masks]) == (10, 5, 5, 4)
    result = attention(load("fig-7-15", TINY, 1).heads[0], TINY.estimate_bits)
    assert metrics.key_loads(result.masks, result.rounds) == (12, 11, 7, 6)


def test_loads_are_ordered():
    rng = np.random.default_rng(2)
    for _ in range(20):
        head = random_head(rng, TINY, queries=9, keys=17, dim=4, keep=5)
        result = attention(head, 12)
        loads = metrics.key_loads(result.masks, result.rounds)
        assert loads.distinct <= loads.scheduled <= loads.in_order <= loads.row_by_row == 9 * 5


def test_macs():
    """Self-attention projects X once, q and k apart are projected both."""
    head = load("random", TINY, 1).heads[0]
    mask = np.zeros((29, 29), bool)
    mask[:, :5] = True
    assert metrics.macs(head, mask) == (2 * 29 * 29 * 12, 2 * 29 * 5 * 12, 29 * 29 * 8, 29 * 24 * 8 + 2 * 29 * 64)
    head = load("decode", TINY, 1).heads[0]
    assert metrics.macs(head, np.ones((1, 23), bool)) == (276, 276, 138, 24 * 36 + 24 * 36)
