"""Scheduler of DOTA: the source's examples, random masks, and how far it is from the best order."""

import numpy as np
import pytest

from golden.dota.scheduler import IDLE, in_order, loads, optimum, row_by_row, schedule


def mask_of(*rows):
    """A mask from the keys of each query, counted from 1 as in the figures."""
    mask = np.zeros((4, max(map(max, rows))), bool)
    for row, keys in zip(mask, rows, strict=True):
        row[[key - 1 for key in keys]] = True
    return mask


FIG_7_14 = mask_of((2, 3), (1, 2, 5), (2, 3), (1, 3, 5))
FIG_7_15 = mask_of((1, 2, 3), (2, 3, 4), (2, 5, 6), (3, 4, 5))


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


def equal_rows(rng, keys, count):
    """A mask with the same number of connections in each row."""
    mask = np.zeros((4, keys), bool)
    for row in mask:
        row[rng.choice(keys, count, replace=False)] = True
    return mask


@pytest.mark.parametrize(("mask", "rows", "ordered", "scheduled"), [(FIG_7_14, 10, 5, 5), (FIG_7_15, 12, 11, 7)],
                         ids=["7.14", "7.15"])
def test_figures(mask, rows, ordered, scheduled):
    assert row_by_row(mask) == rows
    assert loads(in_order(mask)) == ordered
    assert loads(schedule(mask)) == scheduled
    check(mask, in_order(mask))
    check(mask, schedule(mask))


def test_rounds_of_figure_7_15():
    """Load (k2, k5), (k3, k6), (k1, k4, k5), as the figure says."""
    named = [{f"k{key + 1}" for key in keys} for keys in schedule(FIG_7_15)]
    assert named == [{"k2", "k5"}, {"k3", "k6"}, {"k1", "k4", "k5"}]


def test_random_masks():
    """Thousands of masks with equal rows, of any size, and some with unequal ones."""
    rng = np.random.default_rng(1)
    for _ in range(2000):
        keys = int(rng.integers(1, 40))
        mask = equal_rows(rng, keys, int(rng.integers(0, keys + 1)))
        check(mask, schedule(mask))
        check(mask, in_order(mask))
        mask = rng.random((4, keys)) < rng.random()
        check(mask, schedule(mask))
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
