"""Choices for the scheduler [Thesis 7.6.3], compared: key loads of Algorithm 4, of others, and the fewest possible.

``python -m golden.dota.policies`` prints the comparison. Only the number of keys in each FIFO matters for the loads, so
the choices here work on those.

The fewest loads, for rows with equally many connections
--------------------------------------------------------
Every load serves some queries in a round, and the loads of a round divide the four queries among them. A key is loaded
once, or its queries are split: then once for each part. So loads = keys + splits, and what is needed is a number of
splits after which all keys can be arranged in rounds without any more. With S connections a row, let there be n(q) keys
with the owners q, and for each of the three ways to divide the queries into two pairs a and b, let m = max(n(a), n(b))
and i = |n(a) - n(b)|. A key of three or four queries needs a round of its own, and so does each of m; the others fit
beside them. What needs a round of its own, less the rounds there are:

    D = n(1111) + sum of n(three queries) + sum of m - S.

If D <= 0 no split is needed: keys of a single query fill up, of which there are enough, as rows are equal. A split of a
pair of the larger side, or of a three that adds to the smaller side, takes 1 from D and 1 from I = sum of i. Every
other split leaves D as it is and adds at most 1 to I. So D splits are needed, and D - I more if I is smaller than D:

    fewest loads = keys + max(0, D) + max(0, D - I).

Splitting pairs of the larger side while there are any reaches this: that is ``schedule(mask, balance=True)``.
"""

from collections.abc import Callable

import numpy as np

from .scheduler import EVERYBODY, PAIRS, QUERIES, in_order, loads, owners_of

__all__ = ["CHOICES", "clustered_mask", "fewest_loads", "loads_by", "study"]


def fewest_loads(mask) -> int:
    """Key loads of the best schedule of a mask, of any size.

    Raises
    ------
    ValueError
        If two rows with connections have different numbers of them.
    """
    sums = np.asarray(mask).sum(axis=1)
    length = int(sums.max(initial=0))
    if not set(sums.tolist()) <= {0, length}:
        raise ValueError(f"rows must have equally many connections, not {sums.tolist()}")
    counts = _counts(mask)
    keys = sum(counts)
    for query in range(QUERIES):
        if sums[query] == 0:    # as if it had keys of its own, which are not loaded
            counts[1 << QUERIES - 1 - query] = length
    pairs = [(counts[a], counts[EVERYBODY ^ a]) for a in PAIRS if a > EVERYBODY ^ a]
    large = sum(count for owners, count in enumerate(counts) if owners.bit_count() > 2)
    excess = large + sum(map(max, pairs)) - length
    imbalance = sum(abs(a - b) for a, b in pairs)
    return keys + max(0, excess) + max(0, excess - imbalance)


def _algorithm_4(counts, owners):
    return owners


def _fullest(counts, owners):
    return -counts[owners] * (EVERYBODY + 1) + owners


def _balanced(counts, owners):
    is_longer = owners in PAIRS and counts[owners] > counts[EVERYBODY ^ owners]
    return owners - is_longer * (EVERYBODY + 1)


#: Among FIFOs of equally many queries whose keys have to be split: the one with the smallest value is taken.
CHOICES: dict[str, Callable] = {"Algorithm 4": _algorithm_4, "fullest": _fullest, "balanced": _balanced}


def loads_by(choice: Callable, mask) -> int:
    """Key loads of the greedy search of Algorithm 4 with a choice of :data:`CHOICES`."""
    counts, total = _counts(mask), 0
    while any(counts):
        before = list(counts)
        waiting = 0
        for owners, count in enumerate(counts):
            waiting |= owners if count else 0
        while waiting:
            useful = [owners for owners, count in enumerate(counts) if count and owners & waiting]
            if alone := [owners for owners in useful if not owners & ~waiting]:
                owners = max(alone, key=lambda owners: (owners.bit_count(), owners))
            else:
                owners = min(useful, key=lambda owners: (owners.bit_count(), choice(before, owners)))
            counts[owners] -= 1
            counts[owners & ~waiting] += owners & ~waiting != 0
            waiting &= ~owners
            total += 1
    return total


def clustered_mask(rng, keys, count, likeness) -> np.ndarray:
    """A mask with ``count`` connections in each of four rows, bool [4, keys].

    Parameters
    ----------
    likeness : float
        Correlation of the queries' scores, 0..1: 0 is random, at 1 all choose the same keys.
    """
    common, own = rng.normal(size=keys), rng.normal(size=(QUERIES, keys))
    scores = likeness ** 0.5 * common + (1 - likeness) ** 0.5 * own
    mask = np.zeros((QUERIES, keys), bool)
    np.put_along_axis(mask, np.argsort(-scores, axis=1)[:, :count], True, axis=1)
    return mask


def study(keys, count, likeness, masks=200, seed=1) -> dict[str, float]:
    """Mean key loads of groups with ``count`` of ``keys`` connections a row: in order, of each choice, the fewest."""
    rng = np.random.default_rng(seed)
    drawn = [clustered_mask(rng, keys, count, likeness) for _ in range(masks)]
    means = {"in order": np.mean([loads(in_order(mask)) for mask in drawn])}
    means |= {name: np.mean([loads_by(choice, mask) for mask in drawn]) for name, choice in CHOICES.items()}
    return {name: float(mean) for name, mean in means.items()} | {
        "fewest": float(np.mean([fewest_loads(mask) for mask in drawn]))}


def _counts(mask) -> list[int]:
    """Number of keys in each FIFO; none in number 0."""
    return [0, *np.bincount(owners_of(mask), minlength=EVERYBODY + 1)[1:].tolist()]


def main():
    """Print how far above the fewest loads the choices are."""
    names = ["in order", *CHOICES]
    print(f"{'keys':>5}{'a row':>7}{'likeness':>10}{'fewest':>9}" + "".join(f"{name:>15}" for name in names))
    cases = [(8, 3, 0), (12, 5, 0), *((keys, round(keys * share), likeness)
             for share in (0.1, 0.3, 0.6) for keys in (64, 128, 384) for likeness in (0, 0.6, 0.9))]
    for keys, count, likeness in cases:
        means = study(keys, count, likeness)
        fewest = means["fewest"]
        print(f"{keys:5}{count:7}{likeness:10}{fewest:9.2f}" + "".join(f"{100 * (means[name] / fewest - 1):+14.2f}%"
                                                                      for name in names), flush=True)


if __name__ == "__main__":
    main()
