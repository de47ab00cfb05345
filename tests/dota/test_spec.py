"""The integers of dynamic sparse attention: against scalar code, against float, and what is refused."""

import math

import numpy as np
import pytest

from golden.dota import detector, spec
from golden.dota.config import PRESETS
from golden.dota.exp import exp_array
from golden.dota.head import Head, Predictor
from golden.dota.mfu import softmax
from golden.dota.scheduler import IDLE
from golden.dota.spec import attention, dense_attention, detect, estimate, float_attention, masked_attention
from golden.dota.workloads import random_head

TINY = PRESETS["tiny"]
PREDICTOR = {"p": np.array([[1, 0], [-1, 1], [0, 1]]), "wq": np.array([[1, 2], [3, -4]]), "wk": np.eye(2, dtype=int),
             "transform_bits": 4, "bits": 4, "shift_x": 0, "shift_t": 0, "shift_q": 0, "shift_k": 0, "shift_s": 0}
HEAD = {"q": np.ones((5, 2), int), "k": np.ones((6, 2), int), "v": np.ones((6, 2), int), "frac": 8,
        "x_q": np.ones((5, 3), int), "x_k": np.ones((6, 3), int), "predictor": Predictor(**PREDICTOR), "keep": 2,
        "score_shift": 0, "scale": 1, "scale_shift": 0}


def rounded(value, shift, bits):
    """Halves up, then cut off: in Python's unbounded integers."""
    value = (2 * int(value) // 2**shift + 1) // 2
    return min(max(value, -(1 << bits - 1)), (1 << bits - 1) - 1)


def random_case(rng, keep=None):
    """A head of random integers of the full range, and of any shape."""
    transform_bits, bits = (int(rng.choice([2, 4, 8])) for _ in range(2))
    queries, keys, dim, inputs, size = (int(rng.integers(1, 14)) for _ in range(5))

    def numbers(width, *shape):
        return rng.integers(-(1 << width - 1), 1 << width - 1, shape)

    shifts = {name: int(rng.integers(0, 2 * transform_bits)) for name in ("shift_t", "shift_q", "shift_k", "shift_s")}
    predictor = Predictor(p=rng.integers(-1, 2, (inputs, size)), wq=numbers(transform_bits, size, size),
                          wk=numbers(transform_bits, size, size), transform_bits=transform_bits, bits=bits, shift_x=3,
                          **shifts)
    loud = int(rng.integers(4, 17))
    return Head(q=numbers(loud, queries, dim), k=numbers(loud, keys, dim), v=numbers(16, keys, dim), frac=4,
                x_q=numbers(transform_bits, queries, inputs), x_k=numbers(transform_bits, keys, inputs),
                predictor=predictor, keep=keep or int(rng.integers(1, keys + 1)),
                threshold=int(rng.integers(-200, 200)) if rng.random() < 0.5 else None,
                score_shift=int(rng.integers(0, 20)), scale=int(rng.integers(1, 1 << 16)),
                scale_shift=int(rng.integers(0, 25)))


def scalar_estimate(head, query, key, bits):
    """S~ of one pair, one addition after the other."""
    p = head.predictor
    size = p.size
    low = []
    for x, weights, shift in ((head.x_q[query], p.wq, p.shift_q), (head.x_k[key], p.wk, p.shift_k)):
        t = [rounded(sum(int(x[i]) * int(p.p[i, j]) for i in range(p.inputs)), p.shift_t, p.transform_bits)
             for j in range(size)]
        low.append([rounded(sum(t[i] * int(weights[i, j]) for i in range(size)), shift, p.bits) for j in range(size)])
    return rounded(sum(a * b for a, b in zip(*low, strict=True)), p.shift_s, bits)


def scalar_output(head, query, keys):
    """z of one query over some keys."""
    scores = [rounded(sum(int(a) * int(b) for a, b in zip(head.q[query], head.k[key], strict=True)),
                      head.score_shift, 16) for key in keys]
    exponents = [min((max(scores) - score) * head.scale >> head.scale_shift, 2**15 - 1) for score in scores]
    powers = [int(exp_array(y)) for y in exponents]
    weights = [min((2 * e * 2**15 + sum(powers)) // (2 * sum(powers)), 2**15 - 1) for e in powers]
    return [rounded(sum(w * int(head.v[key, i]) for w, key in zip(weights, keys, strict=True)), 15, 16)
            for i in range(head.dim)]


@pytest.mark.parametrize("estimate_bits", [8, 12, 16])
def test_equals_scalar_definition(estimate_bits):
    rng = np.random.default_rng(estimate_bits)
    for _ in range(25):
        head = random_case(rng)
        result = attention(head, estimate_bits)
        assert result.estimates.tolist() == [[scalar_estimate(head, i, j, estimate_bits) for j in range(head.keys)]
                                             for i in range(head.queries)]
        for query in range(head.queries):
            assert result.z[query].tolist() == scalar_output(head, query, np.flatnonzero(result.mask[query]).tolist())


def test_result_is_consistent():
    """Masks, rounds, dots and weights tell the same story; the last group may be short."""
    rng = np.random.default_rng(4)
    for _ in range(100):
        head = random_case(rng)
        result = attention(head, 12)
        assert result.z.shape == head.q.shape and result.mask.shape == (head.queries, head.keys)
        assert len(result.masks) == len(result.rounds) == len(result.dots) == len(result.weights) == head.groups
        for group, (mask, rounds) in enumerate(zip(result.masks, result.rounds, strict=True)):
            rows = min(4, head.queries - 4 * group)
            assert not mask[rows:].any() and len(set(mask[:rows].sum(axis=1))) == 1
            assert len(rounds) == mask[0].sum() <= head.keep
            live = rounds != IDLE
            assert live[:, :rows].all() and not live[:, rows:].any()
            dots, weights = result.dots[group], result.weights[group]
            assert dots.shape == weights.shape == rounds.shape and not dots[~live].any() and not weights[~live].any()
            for at in np.argwhere(live):
                assert dots[tuple(at)] == head.q[4 * group + at[1]] @ head.k[rounds[tuple(at)]]
            assert np.all(np.abs(weights.sum(axis=0)[:rows] - 2**15) <= max(1, len(rounds) / 2))


@pytest.mark.parametrize(("rows", "keep", "threshold", "keys"), [
    ([[5, 1, 5, 3]], 2, None, [[0, 2]]),
    ([[5, 5, 5, 5]], 3, None, [[0, 1, 2]]),
    ([[5, 1, 9, 3], [1, 2, 3, 4]], 4, 5, [[0, 2], [2, 3]]),             # the fuller row decides
    ([[5, 1, 9, 3], [1, 2, 3, 4]], 4, 100, [[2], [3]]),                 # at least one
    ([[5, 1, 9, 3], [1, 2, 3, 4]], 2, 0, [[0, 2], [2, 3]]),             # at most keep
    ([[-5], [-1], [0], [7]], 1, 0, [[0], [0], [0], [0]]),
    ([[-2048, 2047]], 9, -2048, [[0, 1]]),
])
def test_detect(rows, keep, threshold, keys):
    mask = detect(np.array(rows), keep, threshold)
    assert mask.shape == (4, len(rows[0]))
    assert [np.flatnonzero(row).tolist() for row in mask] == keys + [[]] * (4 - len(keys))


def test_detect_is_that_of_the_detector():
    """Random groups of 1 to 4 queries, with ties; a threshold below all scores is none."""
    rng = np.random.default_rng(8)
    for _ in range(3000):
        queries, keys = int(rng.integers(1, 5)), int(rng.integers(1, 40))
        loud = int(rng.choice([1, 3, 100, 2047]))
        scores = np.zeros((4, keys), np.int64)
        scores[:queries] = rng.integers(-loud - 1, loud + 1, (queries, keys))
        keep = int(rng.integers(1, keys + 3))
        threshold = None if rng.random() < 0.3 else int(rng.integers(-loud - 2, loud + 3))
        mask = detector.detect(scores, keys, keep, -2048 if threshold is None else threshold,
                               [row < queries for row in range(4)])
        assert np.array_equal(detect(scores[:queries], keep, threshold), mask)


def test_softmax_is_close_to_float():
    """Weights of random scores: within 2 units of 2**-15 of the exact ones, and idle ones are 0."""
    rng = np.random.default_rng(5)
    for _ in range(300):
        dots = rng.integers(-3000, 3000, (int(rng.integers(1, 40)), 4))
        live = rng.random(dots.shape) < 0.8
        weights = softmax(dots, live, 0, 1, 0)
        powers = np.where(live, 2.0 ** (dots / 1024), 0)
        exact = powers / np.maximum(powers.sum(axis=0), 1e-9)
        assert np.abs(weights / 2**15 - exact).max() * 2**15 < 2
        assert not weights[~live].any() and weights.min() >= 0 and weights.max() < 2**15


def test_dense_is_close_to_float():
    """Real shapes: the integers are within 0.2 % of float attention, and all keys kept is dense."""
    rng = np.random.default_rng(6)
    for inputs, dim in ((24, 12), (0, 32), (0, 1), (0, 100)):
        head = random_head(rng, TINY, queries=21, keys=21, dim=dim, inputs=inputs, keep=21)
        dense, real = dense_attention(head), float_attention(head)
        assert np.linalg.norm(dense / 2.0**head.frac - real) < 2e-3 * np.linalg.norm(real)
        assert np.array_equal(attention(head, 12).z, dense)


def test_given_mask():
    """Rows of different length, and none at all."""
    rng = np.random.default_rng(7)
    head = random_head(rng, TINY, queries=6, keys=9, dim=4)
    mask = rng.random((6, 9)) < 0.4
    mask[2] = False
    result = masked_attention(head, mask)
    assert np.array_equal(result.mask, mask) and not result.z[2].any()
    real = float_attention(head, np.where(mask.any(axis=1, keepdims=True), mask, True)) * mask.any(axis=1)[:, None]
    assert np.abs(result.z / 2.0**head.frac - real).max() < 1e-3


def test_single_key():
    """A single connection has the weight 1 - 2**-15, which cannot be 1."""
    head = Head(**HEAD | {"keep": 1, "v": np.full((6, 2), 16384)})
    result = attention(head, 12)
    assert set(result.weights[0].ravel()) == {32767} and result.z.tolist() == [[16384, 16384]] * 5


def test_sums_that_do_not_fit():
    """The hardware would wrap: refused instead."""
    wide = 1 << 10
    predictor = Predictor(**PREDICTOR | {"p": np.ones((3, wide), int), "wq": np.full((wide, wide), 127),
                                         "wk": np.zeros((wide, wide), int), "transform_bits": 8})
    head = Head(**HEAD | {"predictor": predictor, "x_q": np.full((5, 3), 127)})
    with pytest.raises(ValueError, match=r"^t W\[0, 0\] must be in -8388608\.\.8388607, not 16516096$"):
        estimate(head, 12)
    with pytest.raises(ValueError, match=r"^a b\[0, 0\] must be in -2\.\.1, not 2$"):
        spec.product("a b", np.ones((1, 2), int), np.ones((2, 1), int), 2)


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"p": np.array([[1, 0], [2, 1], [0, 1]])}, ValueError, r"p\[1, 0\] must be in -2\.\.1, not 2"),
    ({"p": np.array([[1, 0], [-2, 1], [0, 1]])}, ValueError, "p must be -1, 0 or 1, not -2"),
    ({"p": np.array([1, 0])}, ValueError, r"p must have shape \(any, any\), not \(2,\)"),
    ({"p": np.zeros((3, 0), int)}, ValueError, r"p must have shape \(any, any\), not \(3, 0\)"),
    ({"p": np.ones((3, 2))}, ValueError, "p must be integers, not float64"),
    ({"wq": np.ones((2, 3), int)}, ValueError, r"wq must have shape \(2, 2\), not \(2, 3\)"),
    ({"wk": np.full((2, 2), 8)}, ValueError, r"wk\[0, 0\] must be in -8\.\.7, not 8"),
    ({"bits": 16}, ValueError, "bits must be one of 2, 4, 8, not 16"),
    ({"transform_bits": 3}, ValueError, "transform_bits must be one of 2, 4, 8, not 3"),
    ({"shift_t": 24}, ValueError, r"shift_t must be an integer in 0\.\.23, not 24"),
    ({"shift_x": -1}, ValueError, r"shift_x must be an integer in 0\.\.23, not -1"),
])
def test_wrong_predictor(changes, error, message):
    with pytest.raises(error, match=rf"^{message}$"):
        Predictor(**PREDICTOR | changes)


@pytest.mark.parametrize(("changes", "error", "message"), [
    ({"q": np.full((5, 2), 40000)}, ValueError, r"q\[0, 0\] must be in -32768\.\.32767, not 40000"),
    ({"q": np.ones((0, 2), int)}, ValueError, r"q must have shape \(any, any\), not \(0, 2\)"),
    ({"k": np.ones((6, 3), int)}, ValueError, r"k must have shape \(any, 2\), not \(6, 3\)"),
    ({"v": np.ones((5, 2), int)}, ValueError, r"v must have shape \(6, 2\), not \(5, 2\)"),
    ({"v": np.ones((6, 2))}, ValueError, "v must be integers, not float64"),
    ({"x_q": np.ones((6, 3), int)}, ValueError, r"x_q must have shape \(5, 3\), not \(6, 3\)"),
    ({"x_k": np.full((6, 3), 8)}, ValueError, r"x_k\[0, 0\] must be in -8\.\.7, not 8"),
    ({"predictor": None}, TypeError, "predictor must be a Predictor, not None"),
    ({"frac": 16}, ValueError, r"frac must be an integer in 0\.\.15, not 16"),
    ({"keep": 7}, ValueError, r"keep must be an integer in 1\.\.6, not 7"),
    ({"keep": 0}, ValueError, r"keep must be an integer in 1\.\.6, not 0"),
    ({"threshold": 1 << 15}, ValueError, r"threshold must be an integer in -32768\.\.32767, not 32768"),
    ({"score_shift": 32}, ValueError, r"score_shift must be an integer in 0\.\.31, not 32"),
    ({"scale": 0}, ValueError, r"scale must be an integer in 1\.\.65535, not 0"),
    ({"scale_shift": 32}, ValueError, r"scale_shift must be an integer in 0\.\.31, not 32"),
])
def test_wrong_head(changes, error, message):
    with pytest.raises(error, match=rf"^{message}$"):
        Head(**HEAD | changes)


def test_sizes():
    head = Head(**HEAD)
    assert (head.queries, head.keys, head.dim, head.groups) == (5, 6, 2, 2)
    assert (head.predictor.inputs, head.predictor.size) == (3, 2)
    assert math.ceil(head.queries / 4) == head.groups
    assert head.predictor.low([8, -9, 3]).tolist() == [7, -8, 3]
