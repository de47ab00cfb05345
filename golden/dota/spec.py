"""Layer 1 of DOTA: dynamic sparse attention of one head in the integers of the hardware, no time [Thesis 7.3, 7.6].

The estimate (7.5), in ``transform_bits`` and ``bits`` wide integers::

    t  = sat(round_shift(X P, shift_t))
    Q~ = sat(round_shift(t WQ, shift_q)),   K~ = sat(round_shift(t WK, shift_k))
    S~ = sat(round_shift(Q~ K~^T, shift_s))

The detector keeps the same number of keys in every row of a group of four queries, the scheduler puts them into rounds,
and the exact work is ``z = softmax(q . k / sqrt(d)) v`` over those keys alone. ``round_shift`` rounds half up, ``sat``
takes the nearest number that fits. A real x is stored as ``round(x * 2**frac)``.
"""

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array

from .formats import FX_BITS, LOW_SUM_BITS, QUERIES, SUM_BITS
from .head import Head, Predictor, Result, check_range
from .mfu import softmax
from .scheduler import IDLE, schedule

#: Fraction bits of a weight of the softmax.
WEIGHT_FRAC = 15


def product(name, a, b, bits) -> np.ndarray:
    """``a @ b``, whose sums must fit ``bits``: the hardware does not saturate there."""
    sums = a @ b
    check_range(name, sums, bits)
    return sums


def low_vectors(x, weights, weight_shift, predictor: Predictor) -> np.ndarray:
    """Q~ or K~ from the low-precision X, int64 [rows, k].

    Raises
    ------
    ValueError
        If a sum does not fit the 24 bits of the hardware.
    """
    t = round_shift_array(product("X P", x, predictor.p, LOW_SUM_BITS), predictor.shift_t)
    t = saturate_array(t, predictor.transform_bits)[0]
    return saturate_array(round_shift_array(product("t W", t, weights, LOW_SUM_BITS), weight_shift),
                          predictor.bits)[0]


def raw_estimate(predictor: Predictor, x_q, x_k) -> np.ndarray:
    """Q~ K~^T of low-precision X, as the rows of the array sum it up: int64 [queries, keys].

    Raises
    ------
    ValueError
        If a sum does not fit the 24 bits of the hardware.
    """
    low_q = low_vectors(x_q, predictor.wq, predictor.shift_q, predictor)
    low_k = low_vectors(x_k, predictor.wk, predictor.shift_k, predictor)
    return product("Q~ K~^T", low_q, low_k.T, LOW_SUM_BITS)


def estimate(head: Head, estimate_bits: int) -> np.ndarray:
    """Estimated scores S~, int64 [queries, keys] of ``estimate_bits``.

    Raises
    ------
    ValueError
        From :func:`raw_estimate`.
    """
    raw = raw_estimate(head.predictor, head.x_q, head.x_k)
    return saturate_array(round_shift_array(raw, head.predictor.shift_s), estimate_bits)[0]


def detect(estimates, keep: int, threshold: int | None = None) -> np.ndarray:
    """Mask of a group, the same number of connections in every row [Thesis 7.6.3].

    The number is the largest count of estimates at or above the threshold in a row, at least 1, at most ``keep``. Every
    row takes as many of its largest estimates, of equal ones those of the lower keys.

    Parameters
    ----------
    estimates : int array, shape (1..4, keys)
    keep : int
    threshold : int, optional
        Without it every row takes ``keep``.

    Returns
    -------
    bool array, shape (4, keys)
        Rows beyond those of ``estimates`` are empty.
    """
    keys = estimates.shape[1]
    above = keys if threshold is None else int((estimates >= threshold).sum(axis=1).max())
    count = max(1, min(above, keep, keys))
    mask = np.zeros((QUERIES, keys), bool)
    for row, values in zip(mask, estimates, strict=False):
        row[np.argsort(-values, kind="stable")[:count]] = True
    return mask


def attend(head: Head, first: int, rounds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exact work of the group of queries that begins with ``first``.

    Parameters
    ----------
    rounds : int array, shape (rounds, 4)
        Key of each query, or IDLE.

    Returns
    -------
    dots, weights : int64 arrays, shape (rounds, 4)
    z : int64 array, shape (queries of the group, d)

    Raises
    ------
    ValueError
        If a dot product does not fit the 48 bits of the hardware.
    """
    q = head.q[first:first + QUERIES]
    live = rounds != IDLE
    dots = np.zeros(rounds.shape, np.int64)
    for row, vector in enumerate(q):
        keys = rounds[live[:, row], row]
        dots[live[:, row], row] = head.k[keys] @ vector
    check_range("q . k", dots, SUM_BITS)
    weights = softmax(dots, live, head.score_shift, head.scale, head.scale_shift)
    z = np.zeros(q.shape, np.int64)
    for row in range(len(q)):
        keys = rounds[live[:, row], row]
        z[row] = weights[live[:, row], row] @ head.v[keys]
    return dots, weights, saturate_array(round_shift_array(z, WEIGHT_FRAC), FX_BITS)[0]


def attention(head: Head, estimate_bits: int, balance: bool = False) -> Result:
    """Dynamic sparse attention of a head, bit for bit.

    Parameters
    ----------
    balance : bool
        Order of the rounds, see :func:`golden.dota.scheduler.schedule`; the output does not depend on it.

    Raises
    ------
    ValueError
        From :func:`estimate` and :func:`attend`.
    """
    estimates = estimate(head, estimate_bits)
    return _attention(head, estimates, [detect(estimates[first:first + QUERIES], head.keep, head.threshold)
                                        for first in range(0, head.queries, QUERIES)], balance)


def masked_attention(head: Head, mask) -> Result:
    """The same with a given mask, bool [queries, keys], in place of the estimate (whose scores are 0)."""
    mask = np.asarray(mask)
    padded = np.zeros((head.groups * QUERIES, head.keys), bool)
    padded[:head.queries] = mask
    return _attention(head, np.zeros(mask.shape, np.int64), list(padded.reshape(head.groups, QUERIES, head.keys)))


def _attention(head, estimates, masks, balance=False):
    rounds = [np.array(schedule(mask, balance), np.int64).reshape(-1, QUERIES) for mask in masks]
    parts = [attend(head, QUERIES * group, keys) for group, keys in enumerate(rounds)]
    return Result(estimates=estimates, masks=masks, rounds=rounds, dots=[p[0] for p in parts],
                  weights=[p[1] for p in parts], z=np.concatenate([p[2] for p in parts]))


def dense_attention(head: Head) -> np.ndarray:
    """All keys for every query, in the same integers: z, int64 [queries, d]."""
    rounds = np.repeat(np.arange(head.keys)[:, None], QUERIES, axis=1)
    parts = []
    for first in range(0, head.queries, QUERIES):
        group = rounds.copy()
        group[:, head.queries - first:] = IDLE
        parts.append(attend(head, first, group)[2])
    return np.concatenate(parts)


def float_scores(head: Head) -> np.ndarray:
    """Exact scores q . k / sqrt(d), float [queries, keys]."""
    return head.q @ head.k.T / 4.0**head.frac / np.sqrt(head.dim)


def float_attention(head: Head, mask=None) -> np.ndarray:
    """softmax(q k^T / sqrt(d)) v in float, over all keys or those of a mask: float [queries, d]."""
    scores = float_scores(head)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ (head.v / 2.0**head.frac)
