"""What screening finds, costs and gets wrong."""

from typing import NamedTuple

import numpy as np

from .packing import Layout
from .spec import Screener, candidates_of, float_results, mixed

__all__ = ["CLOCK_HZ", "Quality", "Traffic", "agreement", "quality", "quality_of", "traffic"]

#: Clock of the logic [Thesis table 6.3].
CLOCK_HZ = 400e6
#: Results of an input that are compared with those of full classification.
TOP = 5


class Quality(NamedTuple):
    """How near the mixed results come to full classification.

    Attributes
    ----------
    candidates : float
        An input, on average.
    fewest, most : int
        Candidates of an input.
    top1 : float
        Share of the inputs whose likeliest class is the right one, that of full classification.
    top5 : float
        Share of the five likeliest classes of full classification that are among the five likeliest ones.
    bytes_share : float
        What is read for one input, over what full classification reads; features left out.
    accuracy, full_accuracy : float or None
        Share of the inputs whose likeliest class is the true one, with screening and without; None without labels.
    """

    candidates: float
    fewest: int
    most: int
    top1: float
    top5: float
    bytes_share: float
    accuracy: float | None = None
    full_accuracy: float | None = None


class Traffic(NamedTuple):
    """Bytes that all ranks read, padding included."""

    #: Biases and INT4 weights.
    screening: int
    #: Exact weights of candidates.
    candidates: int
    #: INT4 and FP32 features, by every rank.
    features: int
    #: Exact weights of all classes, once a batch: what full classification reads at least.
    full: int

    @property
    def share(self) -> float:
        """Of what full classification reads."""
        return (self.screening + self.candidates + self.features) / (self.full + self.features)


def top_of(results, count: int) -> np.ndarray:
    """Classes of the largest results of each input, of equal ones the lower classes: int64 [inputs, count]."""
    tops = []
    for row in np.asarray(results):
        least = np.partition(row, -min(count, len(row)))[-min(count, len(row))]
        among = np.flatnonzero(row >= least)
        tops.append(among[np.argsort(-row[among], kind="stable")][:count])
    return np.array(tops)


def agreement(results, full) -> tuple[float, float]:
    """(top-1, top-5) agreement of results with those of full classification, both [inputs, classes]."""
    ours, theirs = top_of(results, TOP), top_of(full, TOP)
    common = [len(np.intersect1d(a, b)) for a, b in zip(ours, theirs, strict=True)]
    return float((ours[:, 0] == theirs[:, 0]).mean()), float(np.mean(common) / ours.shape[1])


def quality_of(approximate, candidates, exact, full, screener: Screener, labels=None) -> Quality:
    """Quality of results of any origin.

    Parameters
    ----------
    approximate, candidates, exact
        As :class:`golden.enmc.classifier.Results`.
    full : float array, shape (inputs, classes)
        Results of full classification.
    labels : int array, shape (inputs,), optional
        True classes.
    """
    results = mixed(approximate, candidates, exact)
    counts = [len(classes) for classes in candidates]
    read = screener.classes * (4 + screener.size / 2) + np.mean(counts) * 4 * (screener.inputs + 1)
    right = [None if labels is None else float((top_of(z, 1)[:, 0] == labels).mean()) for z in (results, full)]
    return Quality(float(np.mean(counts)), min(counts), max(counts), *agreement(results, full),
                   float(read / (screener.classes * 4 * (screener.inputs + 1))), *right)


def quality(w, b, h, screener: Screener, labels=None, block: int = 64) -> Quality:
    """The same from the equations, ``block`` inputs at a time; exact results in the machine's order of additions."""
    parts, weights = [], []
    for first in range(0, len(h), block):
        own = slice(first, first + block)
        scores, full = screener.scores(h[own]), float_results(w, b, h[own])
        candidates = candidates_of(scores, screener.threshold)
        exact = [z[classes] for z, classes in zip(full, candidates, strict=True)]
        parts.append(quality_of(screener.results(h[own], scores), candidates, exact, full, screener,
                                None if labels is None else labels[own]))
        weights.append(len(full))
    mean = {name: None if getattr(parts[0], name) is None else
            float(np.average([getattr(part, name) for part in parts], weights=weights)) for name in Quality._fields}
    return Quality(**mean | {"fewest": min(p.fewest for p in parts), "most": max(p.most for p in parts)})


def traffic(layout: Layout, candidates) -> Traffic:
    """Bytes of all ranks.

    Parameters
    ----------
    candidates : list of int arrays
        Classes of every input.
    """
    cfg, ranks = layout.cfg, [rank for rank in range(layout.cfg.ranks) if layout.share(rank)]
    tiles = sum(map(layout.tiles_of, ranks))
    features = sum(-(-len(layout.batch_of(n)) * 2 * layout.screen_bursts // (2 * cfg.dq))
                   for n in range(layout.batches)) + layout.inputs * layout.row_bursts
    bursts = {"screening": layout.batches * tiles * layout.tile_bursts,
              "candidates": sum(map(len, candidates)) * layout.row_bursts, "features": len(ranks) * features,
              "full": layout.batches * layout.classes * layout.row_bursts}
    return Traffic(**{name: count * cfg.dq for name, count in bursts.items()})
