"""Choices for the scheduler: the fewest loads in closed form, who reaches them, and how far the others are off."""

import itertools

import numpy as np
import pytest

from golden.dota.policies import CHOICES, clustered_mask, fewest_loads, loads_by, main, study
from golden.dota.scheduler import in_order, loads, optimum, schedule
from tests.dota.masks import FIG_7_14, FIG_7_15, equal_rows


def drawn(rng, count):
    """Masks with equal rows of 1..4 queries: sparse and dense, random and clustered."""
    for _ in range(count):
        keys = int(rng.integers(1, 60))
        yield equal_rows(rng, keys, int(rng.integers(1, keys + 1)), int(rng.choice([4, 4, 4, 3, 2, 1])), rng.random())


def test_closed_form_is_the_optimum():
    """The closed form equals the exhaustive search, for every number of queries."""
    rng = np.random.default_rng(1)
    cases = [(8, 3, 4)] * 150 + [(5, 3, 4)] * 60 + [(5, 4, 4)] * 10 + [(9, 3, 3)] * 40 + [(8, 4, 2)] * 20 + [(6, 3, 1)]
    for keys, count, queries in cases:
        mask = equal_rows(rng, keys, count, queries, rng.choice([0, 0.5]))
        assert fewest_loads(mask) == optimum(mask)
    assert fewest_loads(FIG_7_15) == 7


def test_balanced_schedule_has_the_fewest_loads():
    """The scheduler with ``balance`` is optimal for every mask with equal rows."""
    rng = np.random.default_rng(2)
    for mask in drawn(rng, 1500):
        assert loads(schedule(mask, balance=True)) == fewest_loads(mask) <= loads(schedule(mask)) <= mask.sum()


def test_balanced_schedule_on_all_small_masks():
    """All masks with 3 of 6 keys and all with 2 of 5, but for the names of the keys."""
    for keys, count in (6, 3), (5, 2):
        rows = [[key in row for key in range(keys)] for row in itertools.combinations(range(keys), count)]
        for others in itertools.product(rows, repeat=3):
            mask = np.array([rows[0], *others])
            assert loads_by(CHOICES["balanced"], mask) == fewest_loads(mask)


@pytest.mark.parametrize(("choice", "balance"), [("Algorithm 4", False), ("balanced", True)])
def test_choices_are_schedules(choice, balance):
    """The search on the numbers of keys gives the loads of the schedule."""
    rng = np.random.default_rng(3)
    for mask in [FIG_7_14, FIG_7_15, *drawn(rng, 200)]:
        assert loads_by(CHOICES[choice], mask) == loads(schedule(mask, balance))


def test_study():
    """10 % of 384 keys: Algorithm 4 is within 0.5 % of the fewest loads; in order it is half as much again and more."""
    for likeness, ordered in (0, 1.1), (0.6, 1.4), (0.9, 1.8):
        means = study(384, 38, likeness, masks=20)
        assert list(means) == ["in order", *CHOICES, "fewest"]
        assert means["balanced"] == means["fewest"] <= means["Algorithm 4"] <= 1.005 * means["fewest"]
        assert means["in order"] > ordered * means["fewest"]


def test_dense_masks_need_the_balance():
    """60 % of 128 keys at random: Algorithm 4 loads 5 % more and above."""
    means = study(128, 77, 0, masks=20)
    assert means["balanced"] == means["fewest"] < means["fullest"] < means["Algorithm 4"] > 1.05 * means["fewest"]


def test_clustered_masks():
    rng = np.random.default_rng(4)
    shared = [clustered_mask(rng, 100, 20, likeness) for likeness in (0, 0.5, 1)]
    assert all((mask.sum(axis=1) == 20).all() for mask in shared)
    assert [int(mask.any(axis=0).sum()) for mask in shared] == sorted((int(m.any(axis=0).sum()) for m in shared),
                                                                     reverse=True)
    assert loads(in_order(shared[2])) == 20


def test_table(monkeypatch, capsys):
    """A line for each case, how far above the fewest loads in each column."""
    monkeypatch.setattr("golden.dota.policies.study", lambda *_args: {"in order": 3.0, **dict.fromkeys(CHOICES, 2.0),
                                                                      "fewest": 2.0})
    main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 30
    assert lines[1].split() == ["8", "3", "0", "2.00", "+50.00%", "+0.00%", "+0.00%", "+0.00%"]


@pytest.mark.parametrize("rows", [(1, 2, 1, 1), (2, 2, 0, 1)])
def test_unequal_rows(rows):
    mask = np.zeros((4, 2), bool)
    for row, count in zip(mask, rows, strict=True):
        row[:count] = True
    found = ", ".join(map(str, rows))
    with pytest.raises(ValueError, match=rf"^rows must have equally many connections, not \[{found}\]$"):
        fewest_loads(mask)
