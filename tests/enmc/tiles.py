"""Tiles of screening weights and the bursts that they become."""

from typing import NamedTuple

import numpy as np


class Tile(NamedTuple):
    """``weights`` [classes, columns] in -8..7, ``bias`` [classes]."""

    weights: np.ndarray
    bias: np.ndarray


def words_of(burst: int, words: int):
    """The 32-bit words of a burst."""
    return np.array([burst >> 32 * k & 0xFFFFFFFF for k in range(words)], np.int64)


def _nibbles(values) -> int:
    return sum((int(value) & 15) << 4 * k for k, value in enumerate(values))


def bursts_of_weights(cfg, weights) -> list[int]:
    """Column 2 j + e of class c is nibble 2 c + e of burst j."""
    return [_nibbles(weights[:, 2 * j:2 * j + 2].reshape(-1)) for j in range(weights.shape[1] // 2)]


def bursts_of_features(cfg, values) -> list[int]:
    """Inputs one after another, ``2 * dq`` elements a burst."""
    flat = np.concatenate([values.reshape(-1), np.zeros(-values.size % (2 * cfg.dq), np.int64)])
    return [_nibbles(part) for part in flat.reshape(-1, 2 * cfg.dq)]


def bursts_of_sums(cfg, sums) -> list[int]:
    """32-bit numbers, ``dq / 4`` a burst."""
    return [sum((int(value) & 0xFFFFFFFF) << 32 * k for k, value in enumerate(part))
            for part in np.asarray(sums).reshape(-1, cfg.burst_words)]
