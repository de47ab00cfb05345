"""The predictor and the formats: the fit is the least squares one, its integers lose little, scores fill 16 bits."""

import numpy as np
import pytest

from golden.dota import fit
from golden.dota.config import PRESETS
from golden.dota.fit import fit_head, fit_weights, projection, quantise, score_format, size_of, to_fixed
from golden.dota.metrics import recall
from golden.dota.spec import attention, detect, estimate, raw_estimate
from golden.dota.workloads import random_head, scaled

TINY = PRESETS["tiny"]


def top_mask(scores, keep):
    return np.concatenate([detect(row[None], keep)[:1] for row in scores])


@pytest.mark.parametrize(("sigma", "inputs", "size"), [
    (0.25, 384, 96), (0.25, 128, 32), (0.5, 128, 64), (0.25, 24, 8), (0.1, 3, 8), (1, 32, 32)])
def test_size(sigma, inputs, size):
    assert size_of(sigma, inputs) == size


@pytest.mark.parametrize("sigma", [0, -1, 1.5, float("nan")])
def test_wrong_sigma(sigma):
    with pytest.raises(ValueError, match=rf"^sigma must be above 0 and at most 1, not {sigma}$"):
        size_of(sigma, 32)


def test_projection():
    """Probabilities 1/6, 2/3, 1/6; with the factor sqrt(3/k) it keeps lengths on average."""
    p = projection(np.random.default_rng(1), 300, 200)
    assert sorted(np.unique(p)) == [-1, 0, 1]
    shares = [np.mean(p == value) for value in (-1, 0, 1)]
    assert shares == pytest.approx([1 / 6, 2 / 3, 1 / 6], abs=0.01)
    x = np.random.default_rng(2).standard_normal((50, 300))
    lengths = np.linalg.norm(x @ p * np.sqrt(3 / 200), axis=1) / np.linalg.norm(x, axis=1)
    assert lengths.mean() == pytest.approx(1, abs=0.05)


def squared_error(t_q, t_k, scores, c):
    """(7.6), without what is the same for a whole row."""
    total = 0
    for q, k, s in zip(t_q, t_k, scores, strict=True):
        difference = s - q @ c @ k.T
        total += ((difference - difference.mean(axis=1, keepdims=True))**2).sum()
    return total


@pytest.mark.parametrize("sequences", [1, 3])
def test_fit_is_least_squares(sequences):
    """No small change of WQ WK^T makes the error smaller."""
    rng = np.random.default_rng(sequences)
    t_q, t_k = ([rng.standard_normal((20, 6)) for _ in range(sequences)] for _ in range(2))
    scores = [rng.standard_normal((20, 20)) for _ in range(sequences)]
    wq, wk = fit_weights(t_q, t_k, scores)
    best = squared_error(t_q, t_k, scores, wq @ wk.T)
    assert best < squared_error(t_q, t_k, scores, np.zeros((6, 6)))
    for _ in range(50):
        change = rng.standard_normal((6, 6)) * 0.03
        assert squared_error(t_q, t_k, scores, wq @ wk.T + change) > best


def test_fit_finds_what_is_there():
    """Scores that are bilinear in t come out exactly, but for a constant of each row."""
    rng = np.random.default_rng(3)
    t, c = rng.standard_normal((40, 8)), rng.standard_normal((8, 8))
    scores = t @ c @ t.T + rng.standard_normal((40, 1))
    wq, wk = fit_weights([t], [t], [scores])
    found = t @ wq @ (t @ wk).T
    difference = found - scores
    assert np.abs(difference - difference.mean(axis=1, keepdims=True)).max() < 1e-2


def test_energy_is_spread():
    """All elements of Q~ and K~ have about the same size, although a few directions of the scores dominate."""
    rng = np.random.default_rng(4)
    t = rng.standard_normal((200, 16))
    wq, wk = fit_weights([t], [t], [t * 2.0 ** -np.arange(16) @ t.T])
    for low in (t @ wq, t @ wk):
        sizes = low.std(axis=0)
        assert sizes.max() < 6 * sizes.min()


@pytest.mark.parametrize(("rows", "size"), [(1, 8), (3, 8), (8, 8)])
def test_fit_of_few_rows(rows, size):
    """Fewer tokens than parameters, or a single one: finite, and no warning."""
    t = np.random.default_rng(5).standard_normal((rows, size))
    for tokens in (t, np.zeros_like(t)):
        assert all(np.isfinite(w).all() for w in fit_weights([tokens], [tokens], [tokens @ tokens.T]))


@pytest.mark.parametrize("inputs", [0, 64])
def test_integers_lose_little(inputs):
    """Recall by width: INT8 is limited by the projection alone, INT4 loses a little, INT2 more."""
    found = []
    for transform_bits, bits in ((8, 8), (8, 4), (8, 2), (2, 2)):
        shares = []
        for seed in range(4):
            head = random_head(np.random.default_rng(seed), TINY, queries=60, keys=60, dim=32, inputs=inputs, keep=6,
                               bits=bits, transform_bits=transform_bits)
            shares.append(recall(head, attention(head, 12).mask))
        found.append(np.mean(shares))
    assert found[0] > (0.4 if inputs else 0.95)     # 16 of 64 numbers, or all of them
    assert found[1] > 0.85 * found[0] and found[2] > 0.6 * found[0]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_quantise_uses_the_range(bits):
    """Low-precision numbers reach the limits but are seldom cut off; estimates use their bits and are not cut off."""
    rng = np.random.default_rng(bits)
    x = scaled(rng.standard_normal((80, 32)))
    p, wq, wk = projection(rng, 32, 16), rng.standard_normal((16, 16)), rng.standard_normal((16, 16))
    predictor = quantise(p, wq, wk, x, x, estimate_bits=8, transform_bits=8, bits=bits)
    low = predictor.low(x)
    assert np.abs(low).max() > 60 and np.mean(np.abs(low) >= 127) < 0.01
    raw = raw_estimate(predictor, low, low)
    real = (x @ p @ wq) @ (x @ p @ wk).T
    assert np.corrcoef(raw.ravel(), real.ravel())[0, 1] > {2: 0.75, 4: 0.97, 8: 0.999}[bits]
    assert raw.max() >> predictor.shift_s < 128 and (raw.max() >> predictor.shift_s > 50 or not predictor.shift_s)


def test_scale_of_weights_does_not_matter():
    rng = np.random.default_rng(8)
    x = scaled(rng.standard_normal((30, 16)))
    p, wq, wk = projection(rng, 16, 8), rng.standard_normal((8, 8)), rng.standard_normal((8, 8))
    one, other = (quantise(p, wq * scale, wk / scale, x, x, estimate_bits=12) for scale in (1, 1024))
    assert all(np.array_equal(vars(one)[name], vars(other)[name]) for name in vars(one))


@pytest.mark.parametrize("loud", [0, 1, 50, 3000, 32767])
@pytest.mark.parametrize("dim", [1, 32, 100])
@pytest.mark.parametrize("frac", [0, 8, 15])
def test_score_format(loud, dim, frac):
    """No score is cut off, and all 16 bits are used; the scale holds log2(e) / sqrt(d) to one part in a thousand,
    or as nearly as 16 bits and a shift of 31 can."""
    rng = np.random.default_rng(9)
    q, k = (rng.integers(-loud, loud + 1, (9, dim)) for _ in range(2))
    score_shift, scale, scale_shift = score_format(q, k, frac)
    largest = np.abs(q @ k.T).max() / 2.0**score_shift
    assert largest < 32768 and (largest > 16000 or not score_shift)
    real = np.log2(np.e) / np.sqrt(dim) * 2.0 ** (10 + score_shift - 2 * frac)
    assert 1 <= scale <= 65535 and 0 <= scale_shift <= 31
    if 2.0**-20 < real < 65535:
        assert scale / 2.0**scale_shift == pytest.approx(real, rel=1e-3)
    elif real > 65535:
        assert (scale, scale_shift) == (65535, 0)


def test_to_fixed():
    fixed, frac = to_fixed([0.5, -1.0, 0.25])
    assert (fixed.tolist(), frac) == ([8192, -16384, 4096], 14)
    assert to_fixed([0.0])[1] == 15
    assert to_fixed([32767.4])[0].tolist() == [32767]
    for value in (32768.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=rf"^values must be at most 32767 in magnitude, not {value}$"):
            to_fixed([1.0, value])


def test_repeatable():
    """The same numbers give the same head; another seed gives another projection."""
    rng = np.random.default_rng(10)
    q, k, v, x = (rng.integers(-3000, 3000, (21, 8)) for _ in range(4))
    one, same, other = (fit_head(q, k, v, 10, estimate_bits=12, keep=3, x=x, sigma=1, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(vars(one.predictor)[n], vars(same.predictor)[n]) for n in vars(one.predictor))
    assert not np.array_equal(one.predictor.p, other.predictor.p)


def test_without_x():
    """Q~ is made of q and K~ of k, in full size and any dimension; INT8 all but finds the exact order."""
    rng = np.random.default_rng(11)
    for dim in (1, 5, 32):
        q, k, v = (rng.integers(-3000, 3000, (17, dim)) for _ in range(3))
        head = fit_head(q[:3], k, v, 10, estimate_bits=16, keep=4, bits=8)
        assert np.array_equal(head.predictor.p, np.eye(dim)) and head.x_q.shape == (3, dim)
        assert recall(head, top_mask(estimate(head, 16), 4)) > 0.85


def test_trained_weights_are_used():
    rng = np.random.default_rng(12)
    q, k, v, x = (rng.integers(-3000, 3000, (12, 6)) for _ in range(4))
    p = np.eye(6, dtype=int)
    head = fit_head(q, k, v, 10, estimate_bits=12, keep=3, x=x, weights=(p, np.eye(6), -np.eye(6)))
    assert np.array_equal(head.predictor.p, p)
    assert np.array_equal(head.predictor.wq, -head.predictor.wk) and np.all(np.diag(head.predictor.wq) > 0)
    estimates = estimate(head, 12)
    assert np.corrcoef(estimates.ravel(), -(x @ x.T).ravel())[0, 1] > 0.98


def test_sums_that_do_not_fit():
    x = np.full((2, 70000), 32767)
    with pytest.raises(ValueError, match=r"^X P\[0, 0\] must be in -8388608\.\.8388607, not \d+$"):
        fit.quantise(np.ones((70000, 1), int), np.ones((1, 1)), np.ones((1, 1)), x, x, estimate_bits=12)
