"""What a head of attention is made of, and what comes out: integers, shapes and ranges, all checked."""

from dataclasses import dataclass

import numpy as np

from golden.common.config import check_choice, check_int
from golden.common.fixed import round_shift_array, saturate_array

from .formats import FX_BITS, LOW_SUM_BITS, QUERIES

#: Limits of the numbers that the softmax is told.
MAX_SCORE_SHIFT, MAX_SCALE, MAX_SCALE_SHIFT = 31, 2**16 - 1, 31
#: Widths of low-precision numbers.
LOW_BITS = (2, 4, 8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictor:
    """Parameters of the estimate.

    Attributes
    ----------
    p : int64 array, shape (inputs, k)
        Random projection: -1, 0 or 1. The factor sqrt(3/k) of the paper changes no ranking and is left out.
    wq, wk : int64 array, shape (k, k)
        Within ``transform_bits``.
    transform_bits : int
        Width of X, P, t, WQ and WK: 2, 4 or 8.
    bits : int
        Width of Q~ and K~: 2, 4 or 8.
    shift_x : int
        From FX16 to the low-precision X: ``sat(round_shift(x, shift_x))``. 0..23, as the others.
    shift_t, shift_q, shift_k, shift_s : int

    Raises
    ------
    ValueError
        If a shape, a type or a range is wrong.
    """

    p: np.ndarray
    wq: np.ndarray
    wk: np.ndarray
    transform_bits: int
    bits: int
    shift_x: int
    shift_t: int
    shift_q: int
    shift_k: int
    shift_s: int

    def __post_init__(self):
        for name in ("transform_bits", "bits"):
            check_choice(name, getattr(self, name), LOW_BITS)
        for name in ("shift_x", "shift_t", "shift_q", "shift_k", "shift_s"):
            check_int(name, getattr(self, name), 0, LOW_SUM_BITS - 1)
        object.__setattr__(self, "p", matrix("p", self.p, 2))
        size = self.p.shape[1]
        for name in ("wq", "wk"):
            object.__setattr__(self, name, matrix(name, getattr(self, name), self.transform_bits, (size, size)))
        if np.abs(self.p).max() > 1:
            raise ValueError(f"p must be -1, 0 or 1, not {int(self.p[np.abs(self.p) > 1][0])!r}")

    @property
    def inputs(self) -> int:
        """Elements of a row of X."""
        return len(self.p)

    @property
    def size(self) -> int:
        """Elements of a row of Q~ and K~: the k of the paper."""
        return self.p.shape[1]

    def low(self, x) -> np.ndarray:
        """X in low precision from FX16, int64 of the same shape."""
        return saturate_array(round_shift_array(x, self.shift_x), self.transform_bits)[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """One head: what the hardware is given.

    Attributes
    ----------
    q : int64 array, shape (queries, d)
        FX16, as ``k`` and ``v``; one query is a decoder's step.
    k, v : int64 array, shape (keys, d)
    frac : int
        Fraction bits of q, k and v, 0..15.
    x_q, x_k : int64 array, shape (queries, inputs) and (keys, inputs)
        Low-precision X, from which Q~ and K~ are estimated; the same array in self-attention.
    predictor : Predictor
    keep : int
        Most connections of a row, 1..keys.
    threshold : int or None
        Least estimated score of a connection; None keeps ``keep`` in every row.
    score_shift : int
        From a dot product to a 16-bit score: ``sat(round_shift(dot, score_shift))``.
    scale, scale_shift : int
        From a difference of scores to an exponent of 2 in units of 2**-10: ``(difference * scale) >> scale_shift``.

    Raises
    ------
    ValueError
        If a shape, a type or a range is wrong.
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    frac: int
    x_q: np.ndarray
    x_k: np.ndarray
    predictor: Predictor
    keep: int
    threshold: int | None = None
    score_shift: int
    scale: int
    scale_shift: int

    def __post_init__(self):
        object.__setattr__(self, "q", matrix("q", self.q, FX_BITS))
        object.__setattr__(self, "k", matrix("k", self.k, FX_BITS, (None, self.dim)))
        object.__setattr__(self, "v", matrix("v", self.v, FX_BITS, self.k.shape))
        if not isinstance(self.predictor, Predictor):
            raise TypeError(f"predictor must be a Predictor, not {self.predictor!r}")
        low, inputs = self.predictor.transform_bits, self.predictor.inputs
        object.__setattr__(self, "x_q", matrix("x_q", self.x_q, low, (self.queries, inputs)))
        object.__setattr__(self, "x_k", matrix("x_k", self.x_k, low, (self.keys, inputs)))
        check_int("frac", self.frac, 0, FX_BITS - 1)
        check_int("keep", self.keep, 1, self.keys)
        if self.threshold is not None:
            check_int("threshold", self.threshold, -(1 << FX_BITS - 1), (1 << FX_BITS - 1) - 1)
        check_int("score_shift", self.score_shift, 0, MAX_SCORE_SHIFT)
        check_int("scale", self.scale, 1, MAX_SCALE)
        check_int("scale_shift", self.scale_shift, 0, MAX_SCALE_SHIFT)

    @property
    def queries(self) -> int:
        """Rows of q."""
        return len(self.q)

    @property
    def keys(self) -> int:
        """Rows of k and v."""
        return len(self.k)

    @property
    def dim(self) -> int:
        """Elements of a row of q, k and v."""
        return self.q.shape[1]

    @property
    def groups(self) -> int:
        """Groups of four queries; the last may have fewer."""
        return -(-self.queries // QUERIES)


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What the hardware computes of a head; lists have one element a group.

    Attributes
    ----------
    estimates : int64 array, shape (queries, keys)
    masks : list of bool arrays, shape (4, keys)
        Rows of queries that do not exist are empty.
    rounds : list of int64 arrays, shape (rounds, 4)
        Key of each query, or IDLE.
    dots : list of int64 arrays, shape (rounds, 4)
        q . k, 48 bits; 0 where idle.
    weights : list of int64 arrays, shape (rounds, 4)
        In units of 2**-15; 0 where idle.
    z : int64 array, shape (queries, d)
        FX16 with the fraction bits of v.
    """

    estimates: np.ndarray
    masks: list
    rounds: list
    dots: list
    weights: list
    z: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """Connections of all queries, bool [queries, keys]."""
        return np.concatenate(self.masks)[:len(self.z)]


def matrix(name, values, bits, shape=(None, None)) -> np.ndarray:
    """``values`` as int64, if they are integers of that shape (None: any size but 0) that fit ``bits``.

    Raises
    ------
    ValueError
        If not.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "iu":
        raise ValueError(f"{name} must be integers, not {values.dtype}")
    check_shape(name, values, shape)
    check_range(name, values, bits)
    return values.astype(np.int64)


def check_shape(name, values, shape) -> None:
    """Refuse another shape than the one wanted; None is any size but 0."""
    fits = values.ndim == len(shape) and all(want in (None, have)
                                             for want, have in zip(shape, values.shape, strict=True))
    if not fits or values.size == 0:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"{name} must have shape ({wanted}), not {values.shape}")


def check_range(name, values, bits) -> None:
    """Refuse the first of ``values`` that does not fit ``bits``, naming its position."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    bad = np.argwhere((values < low) | (values > high))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{name}{list(where)} must be in {low}..{high}, not {int(values[where])!r}")
