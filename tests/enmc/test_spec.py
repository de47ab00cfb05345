"""Equations of ENMC: screening in integers, exact results bit by bit in the executor's order, softmax across ranks."""

import numpy as np
import pytest

from golden.enmc import fp32
from golden.enmc.spec import (
    HIGH,
    LOW,
    MOST_BIAS,
    LowRank,
    Screener,
    SoftmaxPart,
    apply,
    best_unit,
    candidates_of,
    classify,
    combine,
    exact_bursts,
    exact_results,
    float_results,
    mixed,
    scores_of,
    sigmoid,
    softmax,
    softmax_part,
)
from golden.enmc.workloads import Function, low_rank, random_screener

GOOD = {"p": np.eye(2, 3), "feature_scale": 2.0, "w": np.array([[-8, 7]] * 4, np.int8), "b": np.zeros(4, np.int32),
        "threshold": 0}


def by_definition(row, bias, h, lanes):
    """The documented order, one rounded operation after the other, on bit patterns."""
    row, h = (fp32.bits_of(values) for values in ([*row, bias], [*h, 1.0]))
    partial = [0] * 4
    for beat in range(-(-len(row) // lanes)):
        own = slice(lanes * beat, lanes * (beat + 1))
        tree = [fp32.multiply(a, b) for a, b in zip(row[own], h[own], strict=True)]
        tree += [np.uint32(0)] * (lanes - len(tree))
        while len(tree) > 1:
            tree = [fp32.add(tree[n], tree[n + 1]) for n in range(0, len(tree), 2)]
        partial[beat % 4] = fp32.add(partial[beat % 4], tree[0])
    return int(fp32.add(fp32.add(partial[0], partial[1]), fp32.add(partial[2], partial[3])))


def test_scores():
    """(6.3) at the limits of the number formats, against plain integers."""
    rng = np.random.default_rng(1)
    for classes, size, batch in ((1, 1, 1), (5, 7, 3), (70, 64, 4), (9, 4096, 2)):
        w = rng.choice([LOW, -1, 0, HIGH], (classes, size)).astype(np.int8)
        b = rng.choice([-MOST_BIAS, 0, 3, MOST_BIAS], classes).astype(np.int32)
        features = rng.choice([LOW, 0, 1, HIGH], (batch, size)).astype(np.int8)
        wanted = [[int(bias) + sum(int(x) * int(y) for x, y in zip(row, f, strict=True))
                   for row, bias in zip(w, b, strict=True)] for f in features]
        scores = scores_of(w, b, features)
        assert scores.dtype == np.int32 and scores.tolist() == wanted


def test_largest_sum_fits():
    """With most features of a configuration and the largest bias no score leaves 32 bits."""
    w = f = np.full((1, 4096), LOW, np.int8)
    assert scores_of(w, np.array([MOST_BIAS], np.int32), f).item() == MOST_BIAS + 64 * 4096 == 2**31 - 1
    assert scores_of(w, np.array([-MOST_BIAS], np.int32), np.full((1, 4096), HIGH, np.int8)).item() > -2**31


def test_candidates_are_above_the_threshold():
    scores = np.array([[3, 4, 5], [4, 4, 4], [9, -9, 6]])
    assert [c.tolist() for c in candidates_of(scores, 4)] == [[2], [], [0, 2]]


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_exact_order(lanes):
    """Bit for bit as the executor adds: odd lengths, one beat to many, large and small numbers."""
    rng = np.random.default_rng(lanes)
    for elements in (1, 2, lanes - 1, lanes, 3 * lanes + 1, 7 * lanes - 1):
        rows = (rng.standard_normal((6, elements)) * 10.0 ** rng.integers(-8, 8, (6, elements))).astype(np.float32)
        h, b = rng.standard_normal(elements).astype(np.float32), rng.standard_normal(6).astype(np.float32)
        results = exact_results(rows, b, h, lanes)
        assert results.dtype == np.float32 and exact_bursts(elements, lanes) == -(-(elements + 1) // lanes)
        assert results.view(np.uint32).tolist() == [by_definition(row, x, h, lanes)
                                                    for row, x in zip(rows, b, strict=True)]


def test_the_order_matters():
    """Else nothing would hold it: other widths give other bits."""
    rng = np.random.default_rng(1)
    rows, h = rng.standard_normal((50, 100)).astype(np.float32), rng.standard_normal(100).astype(np.float32)
    results = [exact_results(rows, np.zeros(50, np.float32), h, lanes) for lanes in (4, 8, 16)]
    assert not np.array_equal(results[0], results[1]) and not np.array_equal(results[1], results[2])
    assert np.allclose(results[0], rows.astype(np.float64) @ h, atol=1e-5)


@pytest.mark.parametrize(("row", "h", "bits"), [
    ([0.0, -0.0], [-1.0, 1.0], 0x00000000),                 # partial sums begin with +0
    ([3e38, 3e38], [1.0, 1.0], 0x7F800000),
    ([3e38, -3e38], [3e38, 3e38], 0x7FC00000),              # the one NaN
    ([1e-38, 0.0], [1e-7, 0.0], 0x00000001),                # subnormal
])
def test_special_numbers(row, h, bits):
    result = exact_results(np.array([row], np.float32), np.zeros(1, np.float32), np.array(h, np.float32), 4)
    assert result.view(np.uint32).tolist() == [bits] == [by_definition(row, 0.0, h, 4)]


def test_classify():
    """Candidates alone, or all classes; also of none."""
    rng = np.random.default_rng(2)
    w, b, h = (rng.standard_normal(shape).astype(np.float32) for shape in ((20, 5), 20, (3, 5)))
    everything = classify(w, b, h, 4)
    some = classify(w, b, h, 4, [np.array([3, 9]), np.zeros(0, int), np.arange(20)])
    assert np.array_equal(some[0], everything[0][[3, 9]]) and len(some[1]) == 0
    assert np.array_equal(some[2], everything[2]) and some[1].dtype == np.float32
    assert np.allclose(everything, float_results(w, b, h), atol=1e-5)


def test_mixed():
    """[Thesis Fig. 6.5]: exact results in place of the approximate ones."""
    approximate = np.array([[1.0, 2.0, 3.0]])
    results = mixed(approximate, [np.array([1])], [np.array([9.0], np.float32)])
    assert results.tolist() == [[1.0, 9.0, 3.0]] and approximate[0, 1] == 2.0
    assert best_unit([1, 2, 3], [0.5, 1.0, 1.5]) == 0.5
    assert best_unit([0, 0], [1, 2]) == best_unit([1, 2], [-1, -2]) == 1.0


def test_functions():
    z = np.array([-800.0, -1.0, 0.0, 2.0, 800.0])
    assert np.allclose(sigmoid(z), [0, 1 / (1 + np.e), 0.5, 1 / (1 + np.exp(-2)), 1], atol=1e-15)
    assert np.isclose(softmax(z).sum(), 1) and softmax(z)[-1] == 1
    for function, wanted in ((Function.SIGMOID, sigmoid(z)), (Function.SOFTMAX, softmax(z)), (Function.NONE, z)):
        assert np.array_equal(apply(function, z), wanted)


def test_softmax_across_ranks():
    """Parts of any sizes, empty ones too, come to the softmax of all; huge results as well."""
    rng = np.random.default_rng(3)
    for scale in (1, 300):
        z = rng.standard_normal(50) * scale
        cuts = np.sort(rng.integers(0, 51, 7))
        total = combine(map(softmax_part, np.split(z, cuts)))
        assert total.maximum == z.max()
        assert np.allclose(np.exp(z - total.maximum) / total.total, softmax(z), rtol=1e-12)
    assert combine([softmax_part([]), SoftmaxPart(-np.inf, 0.0)]) == SoftmaxPart(-np.inf, 0.0)


def test_features():
    """Rounded to the nearest INT4, never beyond."""
    screener = Screener(**GOOD)
    assert screener.features([[0.2, 0.3, 9], [100, -100, 0]]).tolist() == [[0, 1], [7, -8]]
    assert (screener.size, screener.inputs, screener.classes) == (2, 3, 4)
    assert screener.scores(np.array([[4.0, -4.0, 0]])).tolist() == [[-56 - 56] * 4]
    shifted = Screener(**GOOD | {"shift": np.array([1.0, 0.5]), "unit": 0.25})
    assert shifted.results(np.array([[1.0, 2.0, 0]]), np.array([[8, 4, 0, 0]])).tolist() == [[6.0, 5.0, 4.0, 4.0]]
    assert screener.part(slice(1, 3)).w.shape == (2, 2)


@pytest.mark.parametrize(("changes", "message"), [
    ({"p": np.eye(3)[0]}, r"p must have shape \(any, any\), not \(3,\)"),
    ({"p": np.eye(4, 3)}, r"w_screen must have shape \(any, 4\), not \(4, 2\)"),
    ({"b": np.zeros(3, np.int32)}, r"b_screen must have shape \(4,\), not \(3,\)"),
    ({"shift": np.zeros(3)}, r"shift must have shape \(2,\), not \(3,\)"),
    ({"w": np.full((4, 2), 8, np.int8)}, r"w_screen\[0, 0\] must be in -8\.\.7, not 8"),
    ({"b": np.array([0, 0, 0, -MOST_BIAS - 1])},
     rf"b_screen\[3\] must be in -{MOST_BIAS}\.\.{MOST_BIAS}, not -2147221504"),
    ({"threshold": 1 << 31}, r"threshold must be in -2147483648\.\.2147483647, not 2147483648"),
    ({"unit": 0.0}, r"unit must be a finite number above 0, not 0\.0"),
    ({"feature_scale": float("nan")}, r"feature_scale must be a finite number above 0, not nan"),
])
def test_wrong_screener(changes, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        Screener(**GOOD | changes)


def test_low_rank_is_exact():
    """Rows are the same however many are asked for, and so are products."""
    rng = np.random.default_rng(4)
    w, b, h = low_rank(rng, 500, 90, 3)
    rows = w[np.arange(500)]
    assert rows.dtype == np.float32 and w.shape == (500, 90) and len(w) == 500
    assert np.array_equal(rows, (w.left.astype(np.int64) @ w.right) * w.scale)
    assert np.array_equal(rows[[7, 400]], w[[7, 400]]) and np.array_equal(rows[:9], w.part(slice(9))[:])
    matrix = rng.standard_normal((90, 6))
    assert np.allclose(w.times(matrix), rows.astype(np.float64) @ matrix, rtol=1e-6, atol=1e-6)
    assert np.array_equal(w.times(matrix)[3:5], w.part(slice(3, 5)).times(matrix))
    assert np.allclose(float_results(w, b, h), float_results(rows, b, h), atol=1e-3)
    for right, scale in ((np.full((64, 2), 1 << 12), 0.5), (np.ones((2, 2)), 0.3)):
        with pytest.raises(ValueError, match="^product must be exact in FP32: .*$"):
            LowRank(np.ones((3, len(right)), np.int8), right, scale)


def test_random_screeners():
    """Every weight and feature that INT4 has."""
    screener = random_screener(np.random.default_rng(5), 200, 30, 10, 5)
    features = screener.features(3 * np.random.default_rng(6).standard_normal((50, 30)))
    assert set(np.unique(screener.w)) == set(np.unique(features)) == set(range(LOW, HIGH + 1))
