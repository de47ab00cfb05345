"""Screeners of real classifiers: least squares is the least, INT4 costs little, thresholds let through enough."""

import numpy as np
import pytest

from golden.enmc import fit
from golden.enmc.fit import back_map, best_scale, fit_screener, fit_threshold, projection, size_of
from golden.enmc.metrics import quality
from golden.enmc.spec import MOST_BIAS, candidates_of, float_results, quantise, scores_of
from golden.enmc.workloads import low_rank


def samples_of(rng, count, elements, rank=None):
    """Vectors whose elements depend on each other, and are not centred."""
    rank = rank or elements
    basis = rng.standard_normal((rank, elements)) * 0.8 ** np.arange(rank)[:, None]
    return rng.standard_normal((count, rank)) @ basis + 0.3


def classifier(rng, classes, elements):
    return rng.standard_normal((classes, elements)), rng.standard_normal(classes)


def test_projection():
    """sqrt(3/k) times -1, 0, 1, of which two thirds are 0 [Thesis 6.3.2]; lengths are kept on average."""
    p = projection(np.random.default_rng(1), 64, 500)
    assert p.dtype == np.float32 and set(np.unique(p)) == {-np.float32(np.sqrt(3 / 64)), 0, np.float32(np.sqrt(3 / 64))}
    assert 0.65 < (p == 0).mean() < 0.68 and 0.95 < (p > 0).sum() / (p < 0).sum() < 1.05
    h = np.random.default_rng(2).standard_normal((500, 100))
    assert 0.95 < np.square(p @ h).sum() / np.square(h).sum() < 1.05


def test_sizes():
    assert [size_of(d) for d in (1, 8, 256, 512, 1500)] == [2, 2, 64, 128, 376] and size_of(100, 0.5) == 50
    for wrong in (0, 1.5, -1):
        with pytest.raises(ValueError, match=rf"^reduction must be above 0 and at most 1, not {wrong}$"):
            size_of(10, wrong)


def test_back_map_is_least_squares():
    """With many samples it is numpy's solution of (6.4), for any classifier."""
    rng = np.random.default_rng(3)
    h, p = samples_of(rng, 4000, 20), projection(rng, 6, 20)
    scale = best_scale(h @ p.T)
    features = quantise(h @ p.T, scale)
    guess, centre = back_map(h, features, p, scale)
    w, b = classifier(rng, 9, 20)
    left = np.column_stack([features, np.ones(len(h))])
    wanted, *_ = np.linalg.lstsq(left, h @ w.T + b, rcond=None)

    def loss(ours):
        return np.square(left @ ours - (h @ w.T + b)).mean()

    assert loss(np.vstack([(w @ guess).T, b + w @ centre])) < loss(wanted) * 1.001


def test_few_samples():
    """A single one is enough for a screener: the prior fills in."""
    rng = np.random.default_rng(4)
    w, b = classifier(rng, 300, 24)
    h = rng.standard_normal((200, 24))
    one, many = (fit_screener(w, b, part, candidates=15, p=np.eye(24)) for part in (h[:1], h))
    results = float_results(w.astype(np.float32), b.astype(np.float32), h)
    for screener, least in ((one, 0.9), (many, 0.98)):
        ours = screener.results(h, screener.scores(h))
        likeness = [np.corrcoef(a, z)[0, 1] for a, z in zip(ours, results, strict=True)]
        assert np.mean(likeness) > least


def test_integers_are_near_to_real_numbers():
    """Where nothing is lost in the projection, INT4 alone is to blame, and that is little."""
    rng = np.random.default_rng(5)
    w, b = classifier(rng, 500, 64)
    h = samples_of(rng, 3000, 64, rank=12)
    w, h = w.astype(np.float32), h.astype(np.float32)
    screener = fit_screener(w, b, h, 40, level=False)
    z = float_results(w, b.astype(np.float32), h[:100])
    error = screener.results(h[:100], screener.scores(h[:100])) - z
    assert np.square(error).mean() < 0.02 * z.var()
    assert not screener.shift.any()


def test_levelling():
    """Results that go up and down together from input to input do not matter: candidates are about as many in each."""
    rng = np.random.default_rng(6)
    w, b = classifier(rng, 800, 32)
    h = rng.standard_normal((600, 32))
    h[:, 0] *= 3
    w[:, 0] += 1.5
    plain, level = (quality(w.astype(np.float32), b.astype(np.float32), h[400:].astype(np.float32),
                            fit_screener(w, b, h[:400], p=np.eye(32), candidates=20, level=on)) for on in (False, True))
    assert plain.fewest == 0 and plain.most > 100 and plain.top1 < 0.9
    assert level.most < 80 and level.top1 > 0.95
    assert 10 < plain.candidates < 40 and 10 < level.candidates < 40


@pytest.mark.parametrize("block", [7, 64, 1 << 14])
def test_threshold(monkeypatch, block):
    """At most as many candidates as wanted, and one less would be too few; also with ties, and over several blocks."""
    monkeypatch.setattr(fit, "BLOCK", block)
    rng = np.random.default_rng(7)
    w, f = rng.integers(-8, 8, (90, 5), dtype=np.int8), rng.integers(-8, 8, (11, 5), dtype=np.int8)
    for b in (rng.integers(-9, 9, 90, dtype=np.int32), np.zeros(90, np.int32)):
        scores = scores_of(w, b, f)
        for wanted in (0, 0.5, 1, 3.3, 40, 89.9):
            threshold = fit_threshold(w, b, f, wanted)
            assert (scores > threshold).sum() <= wanted * 11 < (scores > threshold - 1).sum()
        assert sum(map(len, candidates_of(scores, fit_threshold(w, b, f, 90)))) == scores.size
        assert fit_threshold(w, b, f, 1000) == -2**31


def test_low_rank_is_the_same_as_its_rows():
    """A factored classifier gets the screener that its rows get."""
    rng = np.random.default_rng(8)
    w, b, h = low_rank(rng, 300, 40, 200)
    ours, rows = (fit_screener(matrix, b, h, 10, seed=3) for matrix in (w, w[:]))
    assert np.array_equal(ours.p, rows.p) and np.isclose(ours.unit, rows.unit, rtol=1e-6)
    assert (ours.w != rows.w).mean() < 1e-3 and np.abs(ours.w - rows.w).max() <= 1
    again = fit_screener(w, b, h, 10, seed=3)
    assert np.array_equal(ours.w, again.w) and ours.threshold == again.threshold
    assert not np.array_equal(ours.p, fit_screener(w, b, h, 10, seed=4).p)


def test_usual_size_and_given_projection():
    rng = np.random.default_rng(9)
    w, b = classifier(rng, 50, 16)
    h = rng.standard_normal((40, 16))
    assert fit_screener(w, b, h).size == 4
    p = rng.standard_normal((7, 16))
    assert np.array_equal(fit_screener(w, b, h, p=p).p, p)


def test_degenerate_inputs():
    """All zero, or huge: integers stay in range."""
    rng = np.random.default_rng(10)
    w, b = classifier(rng, 50, 16)
    zero = fit_screener(w, b, np.zeros((5, 16)), 4)
    assert np.abs(zero.b).max() <= MOST_BIAS and np.isfinite(zero.shift).all()
    assert not fit_screener(w * 0, b * 0, rng.standard_normal((5, 16)), 4).w.any()
    huge = fit_screener(w, b * 1e12, rng.standard_normal((5, 16)), 4)
    assert np.abs(huge.b.astype(np.int64)).max() == MOST_BIAS


@pytest.mark.parametrize(("h", "k", "message"), [
    (np.ones((3, 5)), 2, r"h_samples must have shape \(any, 4\), not \(3, 5\)"),
    (np.ones((0, 4)), 2, r"h_samples must have shape \(any, 4\), not \(0, 4\)"),
    (np.ones((3, 4)), 0, r"k must be at least 1, not 0"),
])
def test_wrong_samples(h, k, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        fit_screener(np.ones((7, 4)), np.ones(7), h, k)
