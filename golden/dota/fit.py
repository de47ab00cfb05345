"""From real attention to the integers of the hardware: the predictor and all formats [Thesis 7.3.1, 7.6.2].

Fitting (7.6), ``min || Q K^T - (X P WQ)(X P WK)^T ||^2``: as WQ and WK are square, ``C = WQ WK^T`` may be any matrix,
the problem is linear in it, and conjugate gradients solve it. C is split evenly by its singular values and both halves
are turned by the same orthogonal matrix: that leaves C as it is and spreads what the few large singular values carry
over all elements of Q~ and K~, so that all of them use the few bits they have.
"""

from dataclasses import replace

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array

from .formats import FX_BITS, LOW_SUM_BITS
from .head import MAX_SCALE, MAX_SCALE_SHIFT, MAX_SCORE_SHIFT, Head, Predictor
from .spec import raw_estimate

#: Size of the predictor over the width of X [Thesis 7.3.1], unless asked otherwise.
SIGMA = 0.25
#: Sizes are multiples of this: as many INT4 elements as a PE takes at once.
SIZE_STEP = 8
#: Width of X, P, t, WQ and WK, unless asked otherwise. They work once a token, the estimate once a pair of tokens.
TRANSFORM_BITS = 8
#: Width of Q~ and K~, unless asked otherwise [Thesis 7.3.3].
BITS = 4
#: Units of the exponent of 2 in the softmax.
EXPONENT_FRAC = 10
#: Weight of ``|C|^2`` in the fit, relative to the mean square of the scores' derivatives.
RIDGE = 1e-4
ITERATIONS = 80


def size_of(sigma: float, inputs: int) -> int:
    """k = sigma * inputs, as a multiple of 8, at least 8.

    Raises
    ------
    ValueError
        If sigma is not in 0..1.
    """
    if not 0 < sigma <= 1:
        raise ValueError(f"sigma must be above 0 and at most 1, not {sigma!r}")
    return max(SIZE_STEP, round(sigma * inputs / SIZE_STEP) * SIZE_STEP)


def projection(rng, inputs: int, size: int) -> np.ndarray:
    """Ternary random P, int64 [inputs, size]: -1, 0, 1 with probabilities 1/6, 2/3, 1/6."""
    return rng.choice([-1, 0, 0, 0, 0, 1], (inputs, size))


def fit_weights(t_q, t_k, scores, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """WQ and WK, float [k, k], by equation (7.6).

    A constant that is added to all scores of a row changes neither its largest ones nor its softmax: it is left out of
    the error.

    Parameters
    ----------
    t_q, t_k : list of float arrays, shape (queries, k) and (keys, k)
        X P of each sequence.
    scores : list of float arrays, shape (queries, keys)
    """
    t_k = [t - t.mean(axis=0) for t in t_k]
    left = np.stack([t.T @ t for t in t_q])
    right = np.stack([t.T @ t for t in t_k])
    wanted = sum(q.T @ (s - s.mean(axis=1, keepdims=True)) @ k for q, k, s in zip(t_q, t_k, scores, strict=True))
    (root_q, back_q), (root_k, back_k) = _roots(left.sum(axis=0)), _roots(right.sum(axis=0))
    u, values, v = np.linalg.svd(root_q @ _solve(left, right, wanted) @ root_k)
    # Signs and directions that the decomposition leaves open are fixed, or left out, for equal results everywhere.
    signs = np.where(np.take_along_axis(u, np.abs(u).argmax(axis=0)[None], axis=0) < 0, -1, 1)
    u, v, values = u * signs, v * signs.T, np.where(values > 1e-9 * values[0], values, 0)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal(wanted.shape))[0]
    return back_q @ u * np.sqrt(values) @ turn, back_k @ v.T * np.sqrt(values) @ turn


def _roots(gram):
    """Symmetric square root of a Gram matrix, and its inverse where the matrix has weight."""
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 1e-9 * max(values[-1], 1e-30))
    return vectors * np.sqrt(values) @ vectors.T, vectors / np.sqrt(values) @ vectors.T


def _solve(left, right, wanted):
    """C with ``sum of left C right + ridge C = wanted``, by preconditioned conjugate gradients."""
    size, count = len(wanted), len(left)
    level = [max(np.trace(x.mean(axis=0)) / size, 1e-12) for x in (left, right)]
    inverse = [np.linalg.inv(x.mean(axis=0) + np.sqrt(RIDGE) * a * np.eye(size))
               for x, a in zip((left, right), level, strict=True)]
    ridge = RIDGE * count * level[0] * level[1]
    solution = np.zeros_like(wanted)
    rest = wanted.astype(np.float64)
    step = ahead = inverse[0] @ rest @ inverse[1] / count
    product = (rest * ahead).sum()
    enough = 1e-20 * product
    for _ in range(ITERATIONS):
        if product <= enough:
            break
        moved = (left @ step @ right).sum(axis=0) + ridge * step
        length = product / (step * moved).sum()
        solution = solution + length * step
        rest = rest - length * moved
        ahead = inverse[0] @ rest @ inverse[1] / count
        before, product = product, (rest * ahead).sum()
        step = ahead + product / before * step
    return solution


def quantise(p, wq, wk, x_q, x_k, *, estimate_bits: int, transform_bits: int = TRANSFORM_BITS,
             bits: int = BITS) -> Predictor:
    """The predictor in integers, from float weights.

    Scale and shift of every step are those with which its result is most like the float one on the vectors given
    (largest cosine): that weighs what is cut off against what is rounded away. Exact scores are not needed.

    Parameters
    ----------
    p : int array, shape (inputs, k)
    wq, wk : float arrays, shape (k, k)
    x_q, x_k : int arrays, shape (queries, inputs) and (keys, inputs)
        FX16.

    Raises
    ------
    ValueError
        If P is not ternary, or a sum does not fit the hardware.
    """
    both = np.concatenate([x_q, x_k])
    shift_x = _best_shift(both, both, transform_bits)
    low = _fitted(both, shift_x, transform_bits)
    shift_t = _best_shift(low @ p, both @ p, transform_bits)
    t = _fitted(low @ p, shift_t, transform_bits)
    # A constant of all keys adds the same to a row's scores: what varies between the keys is what counts.
    t_q, t_k, real_k = t[:len(x_q)], t[len(x_q):], x_k @ p @ wk
    wq, shift_q = _best_weights(wq, t_q, x_q @ p @ wq, 0, transform_bits, bits)
    wk, shift_k = _best_weights(wk, t_k, real_k, real_k.mean(axis=0), transform_bits, bits)
    predictor = Predictor(p=p, wq=wq, wk=wk, transform_bits=transform_bits, bits=bits, shift_x=shift_x,
                          shift_t=shift_t, shift_q=shift_q, shift_k=shift_k, shift_s=0)
    largest, shift_s = raw_estimate(predictor, predictor.low(x_q), predictor.low(x_k)).max(), 0
    while shift_s < LOW_SUM_BITS - 1 and round_shift_array(largest, shift_s) >= 1 << estimate_bits - 1:
        shift_s += 1
    return replace(predictor, shift_s=shift_s)


def _fitted(values, shift, bits):
    return saturate_array(round_shift_array(values, shift), bits)[0]


def _likeness(values, real):
    """Cosine between two arrays; 0 where one is zero."""
    # Not by np.linalg.norm: its product of long vectors waits for the threads of the linear algebra library.
    norm = np.sqrt(np.square(values, dtype=np.float64).sum() * np.square(real, dtype=np.float64).sum())
    return float((values * real).sum() / norm) if norm else 0.0


def _best_shift(values, real, bits, centre=0):
    """(Shift in 0..23 with which the fitted ``values`` are most like ``real``); the smallest of equally good ones."""
    likeness = []
    for shift in range(LOW_SUM_BITS):
        fitted = _fitted(values, shift, bits)
        mean = fitted.mean(axis=0) if np.ndim(centre) else 0
        likeness.append(_likeness(fitted - mean, real - centre))
    return int(np.argmax(np.round(likeness, 9)))


def _best_weights(weights, t, real, centre, transform_bits, bits):
    """Integer weights and the shift behind them; every quarter of an octave of scales is tried."""
    high = (1 << transform_bits - 1) - 1
    largest = np.abs(weights).max() or 1.0
    best = (-2.0, None, 0)
    for step in range(12):
        fixed = np.clip(np.rint(weights * (high / largest * 2 ** (step / 4))), -high - 1, high).astype(np.int64)
        shift = _best_shift(t @ fixed, real, bits, centre)
        fitted = _fitted(t @ fixed, shift, bits)
        mean = fitted.mean(axis=0) if np.ndim(centre) else 0
        likeness = round(_likeness(fitted - mean, real - centre), 9)
        if likeness > best[0]:
            best = (likeness, fixed, shift)
    return best[1:]


def score_format(q, k, frac: int) -> tuple[int, int, int]:
    """``score_shift, scale, scale_shift`` of a head: as fine as possible without cutting off any score.

    The softmax computes ``2**(-y / 2**10)`` with ``y = ((max - score) * scale) >> scale_shift``, so the scale holds
    log2(e), 1/sqrt(d) and the fraction bits.
    """
    dots = q @ k.T
    extremes, score_shift = np.array([dots.min(), dots.max()]), 0
    while score_shift < MAX_SCORE_SHIFT and saturate_array(round_shift_array(extremes, score_shift), FX_BITS)[1].any():
        score_shift += 1
    real = np.log2(np.e) / np.sqrt(q.shape[1]) * 2.0 ** (EXPONENT_FRAC + score_shift - 2 * frac)
    scale_shift = int(np.clip(np.floor(np.log2(MAX_SCALE / real)), 0, MAX_SCALE_SHIFT))
    return score_shift, int(np.clip(np.rint(real * 2.0**scale_shift), 1, MAX_SCALE)), scale_shift


def to_fixed(values) -> tuple[np.ndarray, int]:
    """FX16 with the most fraction bits, 0..15, that fit all ``values``; int64 and the fraction bits.

    Raises
    ------
    ValueError
        If a value is too large even without fraction bits, or not finite.
    """
    values = np.asarray(values, np.float64)
    high = (1 << FX_BITS - 1) - 1
    largest = np.abs(values).max()
    if not np.isfinite(largest) or np.rint(largest) > high:
        raise ValueError(f"values must be at most {high} in magnitude, not {float(largest)!r}")
    frac = max(n for n in range(FX_BITS) if np.rint(largest * 2.0**n) <= high)
    return np.rint(values * 2.0**frac).astype(np.int64), frac


def fit_head(q, k, v, frac: int, *, estimate_bits: int, keep: int, threshold: int | None = None, x=None, weights=None,
             sigma: float = SIGMA, transform_bits: int = TRANSFORM_BITS, bits: int = BITS, seed: int = 0) -> Head:
    """A head that is ready for the hardware, from its FX16 numbers.

    Parameters
    ----------
    q, k, v : int arrays, shape (queries, d), (keys, d), (keys, d)
    x : int array, shape (queries, inputs), optional
        FX16 input of the layer, for self-attention. Without it Q~ is estimated from q and K~ from k, in full size: P
        is the identity.
    weights : (p, wq, wk), optional
        A trained predictor: int array [inputs, k], float arrays [k, k] in which only relations count. Without it one is
        fitted to this head.
    sigma : float, optional
        Size of a predictor that is fitted to x, over the width of x.
    """
    x_q, x_k = (q, k) if x is None else (x, x)
    if weights is None:
        p = np.eye(q.shape[1], dtype=np.int64)
        if x is not None:
            p = projection(np.random.default_rng(seed), x.shape[1], size_of(sigma, x.shape[1]))
        weights = (p, *fit_weights([x_q @ p / 2.0**FX_BITS], [x_k @ p / 2.0**FX_BITS],
                                   [q @ k.T / 4.0**frac], seed))
    predictor = quantise(*weights, x_q, x_k, estimate_bits=estimate_bits, transform_bits=transform_bits, bits=bits)
    score_shift, scale, scale_shift = score_format(q, k, frac)
    return Head(q=q, k=k, v=v, frac=frac, x_q=predictor.low(x_q), x_k=predictor.low(x_k), predictor=predictor,
                keep=keep, threshold=threshold, score_shift=score_shift, scale=scale, scale_shift=scale_shift)
