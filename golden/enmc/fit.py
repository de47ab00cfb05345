"""From a real classifier to its screener: projection, least squares, INT4, threshold [Thesis 6.3.2, 6.3.3].

Algorithm 3 minimises (6.4), ``mean |(W h + b) - (W~ P h + b~)|^2``, by stochastic gradient descent over W~ and b~. The
problem is linear in both, so it is solved here in closed form, and without ever forming W h: W~ and b~ depend on W only
through the best guess of h from its features, ``h ~ A f + c``, which has ``W~ = W A`` and ``b~ = b + W c``.

The features f are the rounded ones that the hardware gets, so that the fit makes up for their rounding. One scale
serves all of W~ and one all features, because scores of all classes meet the same threshold.

That threshold also serves all inputs, but what is added to all results of an input changes neither their order nor
their softmax. So from all rows of W~ the same vector is taken away, with which the score of the last wanted candidate
comes out as equal as possible from input to input: otherwise some inputs would have hundreds of candidates and others
none.
"""

import numpy as np

from .formats import WORD_BITS
from .spec import HIGH, MOST_BIAS, LowRank, Screener, quantise, scores_of

__all__ = ["REDUCTION", "fit_screener", "fit_threshold", "projection", "size_of"]

#: Features over elements of h [Thesis 6.6.1], unless asked otherwise.
REDUCTION = 0.25
#: Weight of a prior under which all directions of h are alike, relative to the samples; one sample more makes up the
#: rest of it, so that it decides where they are few.
PRIOR = 1e-3
#: The same for the vector that the inputs have in common, relative to the features' variance.
RIDGE = 1e-2
#: Samples at most that choose this vector and the threshold.
SAMPLES = 1024
#: Scales that are tried are this far apart.
_STEP = 2**0.125
BLOCK = 1 << 14


def size_of(elements: int, reduction: float = REDUCTION) -> int:
    """k: an even number, as a burst has two columns of every class; at least 2.

    Raises
    ------
    ValueError
        If the reduction is not in 0..1.
    """
    if not 0 < reduction <= 1:
        raise ValueError(f"reduction must be above 0 and at most 1, not {reduction!r}")
    return max(2, 2 * round(reduction * elements / 2))


def projection(rng, size: int, elements: int) -> np.ndarray:
    """P: sqrt(3/k) times -1, 0, 1 with probabilities 1/6, 2/3, 1/6, float32 [k, d]."""
    signs = rng.choice(np.array([-1, 0, 0, 0, 0, 1], np.float32), (size, elements))
    return signs * np.float32(np.sqrt(3 / size))


def fit_screener(w, b, h_samples, k: int | None = None, seed: int = 0, *, candidates: float = 32, p=None,
                 level: bool = True) -> Screener:
    """A screener that comes as near to the classifier as (6.4) allows, with a threshold.

    Parameters
    ----------
    w : float array, shape (classes, d), or LowRank
    b : float array, shape (classes,)
    h_samples : float array, shape (samples, d)
        Of the same kind as the inputs to come.
    k : int, optional
        Features, 1 or more. Without it a quarter of d.
    seed : int
        Of the projection.
    candidates : float
        Wanted number an input, on average over the samples.
    p : float array, shape (k, d), optional
        A given projection.
    level : bool
        Take away what the inputs have in common, see above; False for (6.4) to the letter.

    Raises
    ------
    ValueError
        If ``k`` is below 1, or shapes do not fit each other.
    """
    h = np.asarray(h_samples, np.float64)
    if h.ndim != 2 or h.shape[1] != w.shape[1] or not len(h):
        raise ValueError(f"h_samples must have shape (any, {w.shape[1]}), not {h.shape}")
    if p is None:
        k = size_of(h.shape[1]) if k is None else k
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k!r}")
        p = projection(np.random.default_rng(seed), k, h.shape[1])
    scale = best_scale(h @ p.T.astype(np.float64))
    features = quantise(h @ p.T.astype(np.float64), scale)
    guess, centre = back_map(h, features, p, scale)
    rows = approximation(w, b, guess, centre)
    shift = common(rows, len(w), features[:SAMPLES], candidates) if level else np.zeros(len(p))
    w_scale = best_scale(rows(slice(None, None, max(1, len(w) * len(p) >> 18)))[:, :-1] - shift)
    w_low, b_low = np.empty((len(w), len(p)), np.int8), np.empty(len(w), np.int32)
    for part in blocks(len(w)):
        real = rows(part)
        w_low[part] = quantise(real[:, :-1] - shift, w_scale)
        b_low[part] = np.clip(np.rint(real[:, -1] * w_scale), -MOST_BIAS, MOST_BIAS)
    threshold = fit_threshold(w_low, b_low, features[:SAMPLES], candidates)
    return Screener(p=p, feature_scale=scale, w=w_low, b=b_low, threshold=threshold, unit=1 / w_scale, shift=shift)


def blocks(classes: int):
    """Slices that cover all classes: there may be a million."""
    return [slice(first, min(first + BLOCK, classes)) for first in range(0, classes, BLOCK)]


def approximation(w, b, guess, centre):
    """A function that makes rows of W~ and, in the last column, b~ in real numbers from a slice of classes."""
    matrix = np.column_stack([guess, centre])

    def rows(part):
        some = w.part(part).times(matrix) if isinstance(w, LowRank) else np.asarray(w[part], np.float64) @ matrix
        some[:, -1] += b[part]
        return some

    return rows


def common(rows, classes: int, features, candidates: float) -> np.ndarray:
    """The vector whose product with features is nearest to the score of an input's last wanted candidate, float [k].

    Parameters
    ----------
    rows : function
        From :func:`approximation`.
    features : int array, shape (samples, k)
    candidates : float
    """
    wanted = int(np.clip(candidates, 1, classes))
    vectors = features.astype(np.float32).T
    best = np.zeros((0, len(features)), np.float32)
    for part in blocks(classes):
        real = rows(part).astype(np.float32)
        scores = real[:, :-1] @ vectors + real[:, -1:]
        best = np.concatenate([best, scores])
        if len(best) > wanted:
            best = np.partition(best, len(best) - wanted, axis=0)[len(best) - wanted:]
    last = best.min(axis=0).astype(np.float64)
    centred = features - features.mean(axis=0)
    own = centred.T @ centred / len(centred)
    own += (RIDGE * np.trace(own) / len(own) + 1e-9) * np.eye(len(own))
    return np.linalg.solve(own, centred.T @ (last - last.mean()) / len(centred))


def best_scale(values) -> float:
    """The scale with which INT4 has the least squared error; 1.0 if all ``values`` are zero."""
    values = np.asarray(values).ravel()
    values = values[::max(1, values.size >> 18)]        # a sample is enough to choose
    largest = float(np.abs(values).max())
    if not largest:
        return 1.0
    scales = HIGH / largest * _STEP ** np.arange(40)
    # Rounded, so that the last digits of another machine's arithmetic do not change the choice.
    errors = [round(float(np.square(values - quantise(values, s) / s).mean()) / largest**2, 12) for s in scales]
    return float(scales[int(np.argmin(errors))])


def back_map(h, features, p, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """A and c of the best guess of h from its features: float64 [d, k] and [d].

    The prior is h with independent elements as large as those of the samples, whose features have the rounding of INT4.
    """
    f, count = features.astype(np.float64), len(h)
    mean_h, mean_f = h.sum(axis=0) / (count + 1), f.sum(axis=0) / (count + 1)
    h, f, p = h - mean_h, f - mean_f, p.astype(np.float64) * scale
    variance, weight = max(float(np.square(h).mean()), 1e-30), PRIOR + 1 / count
    cross = h.T @ f / count + weight * variance * p.T
    own = f.T @ f / count + weight * (variance * p @ p.T + np.eye(len(p)) / 12)
    guess = np.linalg.solve(own, cross.T).T
    return guess, mean_h - guess @ mean_f


def fit_threshold(w, b, features, candidates: float) -> int:
    """The least threshold with at most ``candidates`` an input above it, on average.

    Parameters
    ----------
    w, b : int arrays, shape (classes, k) and (classes,)
    features : int array, shape (samples, k)
    candidates : float
        At least 0; all classes of all inputs are candidates from the number of classes on.
    """
    wanted = candidates * len(features)
    if wanted >= len(w) * len(features):
        return -1 << WORD_BITS - 1
    wanted = int(wanted)
    best = np.zeros(0, np.int32)
    for part in blocks(len(w)):
        best = np.concatenate([best, scores_of(w[part], b[part], features).ravel()])
        if len(best) > wanted + 1:
            best = np.partition(best, len(best) - wanted - 1)[len(best) - wanted - 1:]
    # The largest score that must stay out; what equals it stays out as well.
    return int(best.min())
