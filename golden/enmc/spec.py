"""Layer 1 of ENMC: screening in integers and exact results of the candidates in FP32, no time [Thesis 6.3, 6.4.2].

The approximate scores of all classes (6.3), from INT4 weights and INT4 features, in 32 bits::

    features = sat4(rint(s P h)),   scores = W~ features + b~

Every class whose score is above the threshold is a candidate of that input, and only candidates are computed exactly,
``z = w . h + b`` in IEEE-754 single precision. The order of its additions is that of the executor: see
:func:`exact_results`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .formats import INT4_BITS, ROTATING, WORD_BITS, Function

__all__ = ["HIGH", "LOW", "MOST_BIAS", "LowRank", "Screener", "SoftmaxPart", "apply", "best_unit", "candidates_of",
           "check_range", "check_shape", "classify", "combine", "exact_bursts", "exact_results", "float_results",
           "mixed", "quantise", "scores_of", "sigmoid", "softmax", "softmax_part"]

#: Range of a weight and of a feature of the screener.
LOW, HIGH = -(1 << INT4_BITS - 1), (1 << INT4_BITS - 1) - 1
#: Largest magnitude of an integer bias: no score leaves 32 bits then, with as many features as there may be.
MOST_BIAS = (1 << WORD_BITS - 1) - 1 - (1 << 18)
#: Bits of a NaN that the hardware returns.
NAN_BITS = 0x7FC00000
#: Classes that are worked on at once where there may be a million.
BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True, eq=False)
class Screener:
    """The approximate classifier, in the integers of the hardware.

    Attributes
    ----------
    p : float array, shape (k, d)
        Projection.
    feature_scale : float
        ``s``: from a real projection to INT4. Above 0.
    w : int8 array, shape (classes, k)
        ``W~``, -8..7.
    b : int32 array, shape (classes,)
        ``b~``, at most ``MOST_BIAS`` in magnitude.
    threshold : int
        Scores above it are candidates. 32 bits.
    unit : float
        What a score of 1 is worth in exact results. Above 0.
    shift : float array, shape (k,)
        What all scores of an input lack, in exact results: ``shift . features``. Softmax does not see it.

    Raises
    ------
    ValueError
        If a number is out of range, or shapes do not fit each other: one line that names it.
    """

    p: np.ndarray
    feature_scale: float
    w: np.ndarray
    b: np.ndarray
    threshold: int
    unit: float = 1.0
    shift: np.ndarray | None = None

    def __post_init__(self):
        if self.shift is None:
            object.__setattr__(self, "shift", np.zeros(len(self.p)))
        check_shape("p", self.p, (None, None))
        check_shape("w_screen", self.w, (None, len(self.p)))
        check_shape("b_screen", self.b, (len(self.w),))
        check_shape("shift", self.shift, (len(self.p),))
        check_range("w_screen", self.w, LOW, HIGH)
        check_range("b_screen", self.b, -MOST_BIAS, MOST_BIAS)
        high = (1 << WORD_BITS - 1) - 1
        if not -high - 1 <= self.threshold <= high:
            raise ValueError(f"threshold must be in {-high - 1}..{high}, not {self.threshold!r}")
        for name in ("feature_scale", "unit"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be a finite number above 0, not {value!r}")

    @property
    def size(self) -> int:
        """k, the features of an input."""
        return len(self.p)

    @property
    def inputs(self) -> int:
        """d, the elements of h."""
        return self.p.shape[1]

    @property
    def classes(self) -> int:
        """Rows of ``W~``."""
        return len(self.w)

    def features(self, h) -> np.ndarray:
        """What the host computes from h, float [..., d]: int8 [..., k]."""
        return quantise(np.asarray(h, np.float64) @ self.p.T, self.feature_scale)

    def scores(self, h) -> np.ndarray:
        """Approximate scores of h, float [batch, d]: int32 [batch, classes]."""
        return scores_of(self.w, self.b, self.features(h))

    def results(self, h, scores) -> np.ndarray:
        """Scores of h as approximate results, float32 [batch, classes]."""
        return (np.asarray(scores) * self.unit + (self.features(h) @ self.shift)[:, None]).astype(np.float32)

    def part(self, classes) -> "Screener":
        """The same for some of the classes: a slice or an array of them."""
        return replace(self, w=self.w[classes], b=self.b[classes])


class LowRank:
    """Rows ``left @ right * scale`` that exist only when they are asked for: float32 [classes, d].

    The factors are small integers and the scale is a power of two, so that every element is exact.

    Parameters
    ----------
    left : int8 array, shape (classes, rank)
    right : int array, shape (rank, d)
    scale : float

    Raises
    ------
    ValueError
        If an element of the product might not be exact in FP32.
    """

    def __init__(self, left, right, scale):
        if (np.abs(right).max(initial=0, axis=1) * 128.0).sum() >= 1 << 24 or np.frexp(scale)[0] != 0.5:
            raise ValueError("product must be exact in FP32: factors must be smaller, and the scale a power of two")
        self.left, self.right, self.scale = left, right, float(scale)
        self.shape = (len(left), right.shape[1])

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, classes):
        """Rows of a slice or an array of classes, float32."""
        left = self.left[classes].astype(np.float32)
        return left @ (self.right * np.float32(self.scale)).astype(np.float32)

    def part(self, classes) -> "LowRank":
        """The same for some of the classes: a slice or an array of them."""
        return LowRank(self.left[classes], self.right, self.scale)

    def times(self, matrix) -> np.ndarray:
        """``w @ matrix`` for a float matrix [d, n]: float64, the same on every machine but for the matrix itself."""
        short = self.right * self.scale @ np.asarray(matrix, np.float64)
        # With 30 bits and the few bits of the left factor, all sums are exact, whatever their order.
        grid = 2.0 ** (np.frexp(np.abs(short).max(initial=0))[1] - 30)
        return self.left.astype(np.float64) @ np.rint(short / grid) * grid


def check_range(name: str, values, low: int, high: int) -> None:
    """All ``values`` lie in ``low..high``, else a ValueError that names the first one that does not."""
    values = np.asarray(values)
    if values.size and (values.min() < low or values.max() > high):
        where = tuple(int(i) for i in np.argwhere((values < low) | (values > high))[0])
        raise ValueError(f"{name}{list(where)} must be in {low}..{high}, not {int(values[where])!r}")


def check_shape(name: str, values, shape) -> None:
    """The array has that shape (None: any size but 0), else ValueError."""
    actual = np.shape(values)
    if len(actual) != len(shape) or 0 in actual or any(w not in (None, a) for w, a in zip(shape, actual, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must have shape ({wanted}{',' * (len(shape) == 1)}), not {actual}")


def quantise(values, scale: float) -> np.ndarray:
    """Nearest INT4 of ``values * scale``, int8."""
    return np.clip(np.rint(np.asarray(values) * scale), LOW, HIGH).astype(np.int8)


def scores_of(w, b, features) -> np.ndarray:
    """(6.3) in integers: int32 [batch, classes].

    Parameters
    ----------
    w : int8 array, shape (classes, k)
    b : int32 array, shape (classes,)
    features : int8 array, shape (batch, k)
    """
    scores = np.empty((len(features), len(w)), np.int32)
    vectors = np.asarray(features, np.float32).T
    for first in range(0, len(w), BLOCK):
        part = slice(first, first + BLOCK)
        # At most 4096 products of 6 bits: floats of 24 bits hold their sum.
        scores[:, part] = np.rint(w[part].astype(np.float32) @ vectors).T.astype(np.int32) + b[part]
    return scores


def candidates_of(scores, threshold: int) -> list[np.ndarray]:
    """Classes of each input whose score is above the threshold, ascending: a list of int64 arrays."""
    return [np.flatnonzero(row > threshold) for row in scores]


def exact_bursts(elements: int, lanes: int) -> int:
    """Bursts of a row of exact weights: its elements and the bias."""
    return -(-(elements + 1) // lanes)


def exact_results(rows, b, h, lanes: int) -> np.ndarray:
    """``rows @ h + b`` in FP32, in the order of the executor: float32 [classes].

    A row is w and then b, and meets h and then 1.0; both are padded with zeros to whole beats of ``lanes`` elements.
    The products of a beat are added as a tree, ``(p0 + p1) + (p2 + p3)`` and so on; beat j goes to the partial sum
    ``j mod 4``, which begins with +0; the result is ``(s0 + s1) + (s2 + s3)``. Every product and every sum is rounded
    to the nearest float32, ties to even.

    Parameters
    ----------
    rows : float32 array, shape (classes, d)
    b : float32 array, shape (classes,)
    h : float32 array, shape (d,)
    lanes : int
        ``cfg.burst_words``, a power of two.
    """
    rows, count = np.asarray(rows, np.float32), len(rows)
    beats = exact_bursts(rows.shape[1], lanes)
    with np.errstate(all="ignore"):
        products = np.zeros((count, beats * lanes), np.float32)
        products[:, :rows.shape[1]] = rows * np.asarray(h, np.float32)
        products[:, rows.shape[1]] = b
        sums = products.reshape(count, beats, lanes)
        while sums.shape[2] > 1:
            sums = sums[:, :, 0::2] + sums[:, :, 1::2]
        partial = np.zeros((count, ROTATING), np.float32)
        for beat in range(beats):
            partial[:, beat % ROTATING] += sums[:, beat, 0]
        result = (partial[:, 0] + partial[:, 1]) + (partial[:, 2] + partial[:, 3])
    return np.where(np.isnan(result), np.array(NAN_BITS, np.uint32).view(np.float32), result)


def classify(w, b, h, lanes: int, candidates=None) -> list[np.ndarray]:
    """Exact results of the candidates of every input, or of all classes: a list of float32 arrays.

    Parameters
    ----------
    w : float32 array, shape (classes, d), or LowRank
    b : float32 array, shape (classes,)
    h : float32 array, shape (batch, d)
    lanes : int
    candidates : list of int arrays, optional
    """
    results = []
    for n, vector in enumerate(h):
        chosen = np.arange(len(w)) if candidates is None else candidates[n]
        parts = [chosen[first:first + BLOCK] for first in range(0, max(len(chosen), 1), BLOCK)]
        results.append(np.concatenate([exact_results(w[part], b[part], vector, lanes) for part in parts]))
    return results


def float_results(w, b, h) -> np.ndarray:
    """All results in the order of the machine's linear algebra, to judge quality by: float32 [batch, classes]."""
    h = np.asarray(h, np.float32)
    if isinstance(w, LowRank):
        return ((h @ (w.right * w.scale).T.astype(np.float32)) @ w.left.T.astype(np.float32) + b).astype(np.float32)
    return h @ np.asarray(w, np.float32).T + b


def best_unit(scores, results) -> float:
    """What a score of 1 is worth, by least squares over exact results of the same shape; 1.0 if they do not tell."""
    scores, results = np.asarray(scores, np.float64), np.asarray(results, np.float64)
    with np.errstate(all="ignore"):
        unit = (scores * results).sum() / (scores * scores).sum()
    return float(unit) if np.isfinite(unit) and unit > 0 else 1.0


def mixed(approximate, candidates, exact) -> np.ndarray:
    """Exact results of the candidates, approximate ones of all others [Thesis Fig. 6.5]: float32 [batch, classes]."""
    results = np.array(approximate, np.float32)
    for row, classes, values in zip(results, candidates, exact, strict=True):
        row[classes] = values
    return results


def apply(function: Function, exact) -> np.ndarray:
    """The function of exact results of one input, in float64: what the special function unit comes near to."""
    if function == Function.SIGMOID:
        return sigmoid(exact)
    return softmax(exact) if function == Function.SOFTMAX else np.asarray(exact, np.float64)


def sigmoid(z) -> np.ndarray:
    """``1 / (1 + exp(-z))``, float64."""
    z = np.asarray(z, np.float64)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, e) / (1 + e)


def softmax(z) -> np.ndarray:
    """``exp(z) / sum of exp(z)`` over the last axis, float64."""
    z = np.asarray(z, np.float64)
    e = np.exp(z - z.max(axis=-1, keepdims=True, initial=-np.inf, where=~np.isnan(z)))
    return e / e.sum(axis=-1, keepdims=True)


class SoftmaxPart(NamedTuple):
    """What a rank knows of the softmax of an input: the register ``softmax_b``."""

    #: Largest exact result of its candidates; minus infinity without any.
    maximum: float
    #: Sum of the exponentials relative to it.
    total: float


def softmax_part(exact) -> SoftmaxPart:
    """Of the exact results of a rank's candidates, float64."""
    exact = np.asarray(exact, np.float64)
    if not exact.size:
        return SoftmaxPart(-np.inf, 0.0)
    return SoftmaxPart(float(exact.max()), float(np.exp(exact - exact.max()).sum()))


def combine(parts) -> SoftmaxPart:
    """The softmax of all ranks together: then ``exp(z - maximum) / total`` is the probability of a candidate.

    Ranks do not know of each other, so the host does this: every sum is scaled from its rank's maximum to the largest.
    """
    parts = [part for part in parts if part.total > 0]
    if not parts:
        return SoftmaxPart(-np.inf, 0.0)
    maximum = max(part.maximum for part in parts)
    return SoftmaxPart(maximum, float(sum(part.total * np.exp(part.maximum - maximum) for part in parts)))
