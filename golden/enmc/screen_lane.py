"""Golden model of the lanes of the screener [Thesis 6.4.2]: INT4 MACs, partial sums, comparators, a class each.

An INT4 pair is 8 bits, the first element in the low ones.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig

EVENTS = ("added", "cleared", "biased", "above", "equal_to_threshold", "most_negative_product")
ADDED, CLEARED, BIASED, ABOVE, EQUAL, MOST = range(len(EVENTS))


class LanesState(NamedTuple):
    """``sums`` [ranks, 2 * batch, classes]; the other registers [ranks, classes]."""

    sums: np.ndarray
    products: np.ndarray
    scores: np.ndarray
    above: np.ndarray
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> LanesState:
    """State after reset."""
    return LanesState(np.zeros((ranks, 2 * cfg.batch, cfg.classes), np.int64),
                      *(np.zeros((ranks, cfg.classes), np.int64) for _ in range(3)), np.zeros(len(EVENTS), np.int64))


@jit
def signed4(value):
    """A number of 4 bits as two's complement."""
    return (value & 15 ^ 8) - 8


@jit
def product_of(weights, features):
    """Sum of the products of two pairs."""
    return signed4(weights) * signed4(features) + signed4(weights >> 4) * signed4(features >> 4)


@jit
def wrap32(value):
    """The 32 bits of a sum as two's complement; the compiler sees to it that none is exceeded."""
    return (value + (1 << 31) & 0xFFFFFFFF) - (1 << 31)


@jit
def clock(s, k, weights, features, add, clear, set_bias, at, view, threshold):
    """One clock of the lanes of rank ``k``.

    ``weights`` [words] is a burst, two elements for each lane, or biases for the fourths of the lanes that the bits of
    ``set_bias`` name.
    """
    words, classes = weights.shape[0], s.sums.shape[2]
    for c in range(classes):
        old, score = s.sums[k, at, c], s.sums[k, view, c]
        s.above[k, c] = s.scores[k, c] > threshold
        s.seen[EQUAL] += s.scores[k, c] == threshold
        s.scores[k, c] = score
        if set_bias >> (4 * c // classes) & 1:
            s.sums[k, at, c] = wrap32(weights[c % words])
        elif add:
            s.sums[k, at, c] = wrap32((0 if clear else old) + s.products[k, c])
        s.products[k, c] = product_of(weights[c // 4] >> 8 * (c % 4) & 0xFF, features)
        s.seen[ABOVE] += s.above[k, c]
        s.seen[MOST] += s.products[k, c] == 128
    s.seen[ADDED] += add and not clear
    s.seen[CLEARED] += add and clear
    s.seen[BIASED] += set_bias != 0
