"""The first difference is the first one, and the report says what a person needs."""

import random

import pytest

from sim.common import wavecompare
from sim.common.wavefile import Track


def track(values, width=8):
    return Track.of(width, enumerate(values))


@pytest.mark.parametrize("seed", range(30))
def test_difference_equals_a_plain_loop(seed):
    rng = random.Random(seed)
    choices = [0, 0, 0, 1, 5] + [None] * (seed % 2)
    a = [rng.choice(choices) for _ in range(60)]
    b = [rng.choice(choices) if rng.random() < 0.1 else x for x in a]
    unlike = [c for c in range(50) if a[c] != b[c] and None not in (a[c], b[c])]
    expected = (unlike[0], len(unlike)) if unlike else None
    assert wavecompare.difference_of(track(a), track(b), 50) == expected


def test_undefined_equals_everything():
    assert wavecompare.difference_of(track([1, None, 3]), track([1, 2, None]), 3) is None


@pytest.fixture
def sides():
    a = {"t.u.valid": track([0, 1, 1, 0, 1, 1], 1), "t.u.data": track([0, 1, 2, 3, 4, 5]),
         "t.top": track([0, 0, 0, 3, 3, 3]), "t.still": track([9]), "t.gone": track([1]), "t.wide": track([1], 4)}
    b = dict(a, **{"t.u.data": track([0, 1, 2, 0x13, 4, 7]), "t.top": track([0, 0, 0, 4, 3, 3]),
                   "t.wide": track([1], 5), "t.new": track([1])})
    del b["t.gone"]
    return a, b


def test_comparison(sides):
    outcome = wavecompare.compare(*sides, (6, 6))
    assert outcome.differences == [("t.u.data", 3, 2), ("t.top", 3, 1)]      # the deeper one first
    assert outcome.first == ("t.u.data", 3, 2)
    assert (outcome.only_a, outcome.only_b, outcome.resized) == (["t.gone"], ["t.new"], {"t.wide": (4, 5)})
    assert wavecompare.compare(sides[0], sides[0], (6, 6)).first is None


def test_shorter_side_is_compared(sides):
    outcome = wavecompare.compare(*sides, (3, 6))
    assert outcome.differences == []
    assert wavecompare.show(outcome, *sides) == "a has 3 cycles, b 6; the shorter one was compared"


def test_report(sides):
    outcome = wavecompare.compare(*sides, (6, 6))
    text = wavecompare.show(outcome, *sides, labels=("rtl", "golden"), window=1, paths={"t.u.data": "chip.x.data"})
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines == [
        "first difference: t.u.data (chip.x.data) in cycle 3: rtl 03, golden 13",
        "cycle 2 3* 4", lines[2],
        "data rtl 02 03 04", "golden 02 13 04",
        "valid 1 0 1",
        "2 of 4 signals differ:",
        "t.u.data from cycle 3 on, in 2 cycles",
        "t.top from cycle 3 on, in 1 cycle",
    ]
    assert set(lines[2]) <= {"─", " "}


def test_window_at_the_ends():
    a, b = {"t.x": track([1, 2, 3])}, {"t.x": track([7, 2, 3])}
    text = wavecompare.show(wavecompare.compare(a, b, (3, 3)), a, b, window=5)
    assert text.splitlines()[1].split() == ["cycle", "0*", "1", "2"]
    assert "first difference: t.x in cycle 0: a 01, b 07" in text


def test_long_lists_are_cut():
    a = {f"t.s{k:02}": track([0]) for k in range(40)}
    b = {name: track([1]) for name in a}
    text = wavecompare.show(wavecompare.compare(a, b, (1, 1)), a, b)
    assert text.count(" from cycle 0 on, in 1 cycle") == wavecompare.MAX_FURTHER
    assert text.endswith("  and 20 more")
    assert wavecompare.listed(a).endswith("t.s11 and 28 more")


def test_wide_values_are_cut_in_the_table_only():
    a, b = {"t.x": track([1 << 100], 128)}, {"t.x": track([3 << 100], 128)}
    text = wavecompare.show(wavecompare.compare(a, b, (1, 1)), a, b)
    assert f"a {1 << 100:032x}, b {3 << 100:032x}" in text
    assert "..0000000000" in text
