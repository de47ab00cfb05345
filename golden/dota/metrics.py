"""What sparse attention keeps, costs and gets wrong, from a head and its result."""

from typing import NamedTuple

import numpy as np

from .head import Head
from .scheduler import in_order, loads, row_by_row
from .spec import float_attention, float_scores


class Loads(NamedTuple):
    """Key vectors that are loaded; values are loaded in the same order [Thesis 7.6.3]."""

    #: Query after query [Thesis Fig. 7.14].
    row_by_row: int
    #: Four queries at once, each from left to right.
    in_order: int
    #: In the rounds of the scheduler.
    scheduled: int
    #: The different keys of each group: no order needs fewer.
    distinct: int


class Macs(NamedTuple):
    """Multiply-accumulates; those of the transformations and of the estimate are of low precision."""

    #: Every query with every key: scores and weighted sums.
    dense: int
    #: The same for the connections alone.
    sparse: int
    #: Q~ K~^T.
    estimate: int
    #: X P, and from it Q~ and K~.
    transform: int


class OutputError(NamedTuple):
    """Difference from dense attention in float."""

    #: Norm of the difference over the norm of the dense output; 0 if both are zero.
    relative: float
    #: Largest difference.
    largest: float


def true_top(head: Head, count) -> np.ndarray:
    """The largest exact scores of each row, of equal ones those of the lower keys: bool [queries, keys].

    Parameters
    ----------
    count : int, or int array of shape (queries,)
    """
    order = np.argsort(-(head.q @ head.k.T), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(head.keys)[None], axis=1)
    return rank < np.broadcast_to(count, head.queries)[:, None]


def retention(mask) -> float:
    """Share of the connections that are kept."""
    return float(np.mean(mask))


def recall(head: Head, mask) -> float:
    """Share of the truly largest scores that a mask contains, as many of each row as the mask has there."""
    top = true_top(head, mask.sum(axis=1))
    return float((top & mask).sum() / max(1, top.sum()))


def mass(head: Head, mask) -> float:
    """Share of the dense softmax that the kept connections have, on average over the queries."""
    scores = float_scores(head)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return float(((e * mask).sum(axis=1) / e.sum(axis=1)).mean())


def output_error(head: Head, z) -> OutputError:
    """Error of an output.

    Parameters
    ----------
    z : array, shape (queries, d)
        FX16 integers with the fraction bits of the head, or floats.
    """
    z = np.asarray(z)
    real = z / 2.0**head.frac if z.dtype.kind in "iu" else z
    dense = float_attention(head)
    difference, norm = real - dense, np.linalg.norm(dense)
    size = np.linalg.norm(difference)
    relative = 0.0 if not size else np.inf if not norm else float(size / norm)
    return OutputError(relative, float(np.abs(difference).max()))


def key_loads(masks, rounds) -> Loads:
    """Loads of some groups.

    Parameters
    ----------
    masks : list of bool arrays, shape (4, keys)
    rounds : list of int arrays, shape (rounds, 4)
        The schedules of these masks.
    """
    return Loads(row_by_row=sum(map(row_by_row, masks)), in_order=sum(loads(in_order(mask)) for mask in masks),
                 scheduled=sum(loads(np.asarray(keys).tolist()) for keys in rounds),
                 distinct=sum(int(mask.any(axis=0).sum()) for mask in masks))


def macs(head: Head, mask) -> Macs:
    """Multiply-accumulates of a head."""
    predictor, pairs = head.predictor, head.queries * head.keys
    # X P once if queries and keys have the same X.
    rows = head.keys if np.array_equal(head.x_q, head.x_k) else head.queries + head.keys
    transform = rows * predictor.inputs * predictor.size + (head.queries + head.keys) * predictor.size**2
    return Macs(dense=2 * pairs * head.dim, sparse=2 * int(mask.sum()) * head.dim, estimate=pairs * predictor.size,
                transform=transform)
