"""Masks for the scheduler, as arrays and as words of its input stream."""

import numpy as np

from golden.dota.scheduler import owners_of

#: Connections of the source's examples, keys counted from 1 as in the figures.
FIG_7_14_ROWS = ((2, 3), (1, 2, 5), (2, 3), (1, 3, 5))
FIG_7_15_ROWS = ((1, 2, 3), (2, 3, 4), (2, 5, 6), (3, 4, 5))


def mask_of(*rows):
    """A mask from the keys of each query, counted from 1."""
    mask = np.zeros((4, max(map(max, rows))), bool)
    for row, keys in zip(mask, rows, strict=True):
        row[[key - 1 for key in keys]] = True
    return mask


FIG_7_14, FIG_7_15 = mask_of(*FIG_7_14_ROWS), mask_of(*FIG_7_15_ROWS)


def equal_rows(rng, keys, count, queries=4, clusters=0.0):
    """A mask with the same number of connections in each of the first rows; the others are empty.

    Parameters
    ----------
    clusters : float
        How much the rows prefer the same keys, 0..1.
    """
    mask = np.zeros((4, keys), bool)
    common = rng.normal(size=keys)
    for row in mask[:queries]:
        liking = clusters * common + (1 - clusters) * rng.normal(size=keys)
        row[np.argsort(liking)[:count]] = True
    return mask


def any_mask(rng, keys, most):
    """A mask with at least one connection, at most ``most`` of any query."""
    mask = rng.random((4, keys)) < rng.random()
    for row in mask:
        row[rng.permutation(np.flatnonzero(row))[most:]] = False
    if not mask.any():
        mask[rng.integers(4), rng.integers(keys)] = True
    return mask


def words_of(mask, block) -> list[tuple[list[int], bool]]:
    """Owners of the keys of each word, and whether it is the last one."""
    owners = owners_of(mask)
    count = -(-len(owners) // block)
    owners = np.concatenate([owners, np.zeros(count * block - len(owners), int)]).reshape(count, block)
    return [(word.tolist(), n == count - 1) for n, word in enumerate(owners)]


def fill_cycles(words) -> int:
    """Cycles that the FIFOs take for words: of each the largest number of keys with equal owners, at least 1."""
    return sum(max([1, *np.bincount(np.array(owners), minlength=2)[1:]]) for owners, _last in words)
