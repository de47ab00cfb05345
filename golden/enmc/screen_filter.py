"""Golden model of the threshold filter [Thesis 6.4.2]: which classes of a tile are candidates."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig

EVENTS = ("no_hit", "all_hit", "cut_tile", "stalled", "next_input")
NO_HIT, ALL_HIT, CUT_TILE, STALLED, NEXT_INPUT = range(len(EVENTS))

#: Cycles from a new ``view`` to its mask.
LOOK = 3


class FilterState(NamedTuple):
    """Registers [ranks]; ``mask`` and ``inside`` [ranks, classes]."""

    busy: np.ndarray
    done: np.ndarray
    wait: np.ndarray
    scan: np.ndarray
    b: np.ndarray
    base: np.ndarray
    shown: np.ndarray
    hit: np.ndarray
    hit_lane: np.ndarray
    valid: np.ndarray
    label: np.ndarray
    batch: np.ndarray
    score: np.ndarray
    mask: np.ndarray
    inside: np.ndarray
    seen: np.ndarray


def candidates(scores, threshold, classes, base=0):
    """The definition: (input, class, score) of those above the threshold, in order; ``scores`` [batch, lanes]."""
    return [(b, base + c, int(score)) for b, row in enumerate(scores) for c, score in enumerate(row)
            if score > threshold and base + c < classes]


def state(cfg: EnmcConfig, ranks: int) -> FilterState:
    """State after reset."""
    return FilterState(*(np.zeros(ranks, np.int64) for _ in range(13)),
                       *(np.zeros((ranks, cfg.classes), np.int64) for _ in range(2)), np.zeros(len(EVENTS), np.int64))


@jit
def lowest(mask):
    """First lane with a hit, or -1."""
    for lane in range(mask.shape[0]):
        if mask[lane]:
            return lane
    return -1


@jit
def clock(s, k, start, set_, base, classes, batch, most, scores, above, o_ready):
    """One clock of rank ``k``; ``scores`` and ``above`` [classes] are those of the lanes, ``most`` is ``cfg.batch``."""
    lanes = s.mask.shape[1]
    move = not s.valid[k] or o_ready
    s.seen[STALLED] += not move
    wait, scan, hit = s.wait[k], s.scan[k], s.hit[k]
    lane = lowest(s.mask[k])
    if move:
        s.valid[k], s.batch[k], s.label[k] = hit, s.b[k], s.base[k] + s.hit_lane[k] & 0xFFFFFF
        s.score[k] = scores[s.hit_lane[k]]
        s.hit[k], s.hit_lane[k] = scan and lane >= 0, max(lane, 0)
        if scan and lane >= 0:
            s.mask[k, lane] = 0
    s.done[k] = 0
    if start:
        s.busy[k], s.b[k], s.shown[k], s.wait[k], s.base[k] = 1, 0, most * set_, LOOK, base
        for c in range(lanes):
            s.inside[k, c] = base + c < classes
        s.seen[CUT_TILE] += base + lanes > classes
    if wait:
        s.wait[k] = wait - 1
    if wait == 1:
        hits = 0
        for c in range(lanes):
            s.mask[k, c] = above[c] and s.inside[k, c]
            hits += s.mask[k, c]
        s.scan[k] = 1
        s.seen[NO_HIT] += hits == 0
        s.seen[ALL_HIT] += hits == lanes
    if scan and lane < 0 and not hit and move:
        s.scan[k] = 0
        s.b[k] += 1
        s.shown[k] += 1
        if s.b[k] == batch:
            s.busy[k], s.done[k] = 0, 1
        else:
            s.wait[k] = LOOK
            s.seen[NEXT_INPUT] += 1
