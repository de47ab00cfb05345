"""Golden model of a leading non-zero detection node [EIE IV, "Distributed Leading Non-Zero Detection"].

A node merges four children, each in ascending order of the activation index, into one such stream. Every child
ends a scan with a token marked ``last``: its last element, or a ``null`` when it has nothing (more) to say.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig
from .formats import CHILDREN

#: Situations that the tests must reach.
EVENTS = ("null_absorbed", "only_nulls", "last_with_element", "null_after_elements", "stalled", "child_unknown")
NULL_ABSORBED, ONLY_NULLS, LAST_WITH_ELEMENT, NULL_AFTER, STALLED, CHILD_UNKNOWN = range(len(EVENTS))


class LnzdState(NamedTuple):
    """Registers of all nodes of the tree, [lanes]; ``done`` [lanes, 4]. A node's outputs are inputs of its parent."""

    valid: np.ndarray
    index: np.ndarray
    value: np.ndarray
    null: np.ndarray
    last: np.ndarray
    done: np.ndarray
    sent: np.ndarray        # bookkeeping of the coverage: an element went out in this scan
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> LnzdState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(5)]
    return LnzdState(*registers, np.zeros((lanes, CHILDREN), np.int64), np.zeros(lanes, np.int64),
                     np.zeros(len(EVENTS), np.int64))


def merged(children: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Untimed specification: all (index, value) of the children in ascending order of index."""
    return sorted(element for child in children for element in child)


@jit
def clock(s, k, i_valid, i_index, i_value, i_null, i_last, o_ready, take):
    """One clock of node ``k``; ``i_*`` [4] are the children's outputs, ``take`` [4] receives which ones are taken."""
    slot_free = not s.valid[k] or o_ready
    unknown = False
    best = -1
    for c in range(CHILDREN):
        take[c] = 0
        if not s.done[k, c]:
            if not i_valid[c]:
                unknown = True
            elif not i_null[c] and (best < 0 or i_index[c] < i_index[best]):
                best = c
    s.seen[STALLED] += not slot_free
    s.seen[CHILD_UNKNOWN] += slot_free and unknown
    if not slot_free:
        return
    s.valid[k] = 0
    if unknown:
        return
    for c in range(CHILDREN):
        if not s.done[k, c] and (c == best or i_null[c]):
            take[c] = 1
            s.done[k, c] = i_last[c]
    s.seen[NULL_ABSORBED] += best >= 0 and take.sum() > 1
    last = True
    for c in range(CHILDREN):
        last = last and s.done[k, c]
    s.valid[k] = 1
    s.null[k] = best < 0
    s.last[k] = last
    if best >= 0:
        s.index[k] = i_index[best]
        s.value[k] = i_value[best]
    s.seen[LAST_WITH_ELEMENT] += best >= 0 and last
    s.seen[ONLY_NULLS] += best < 0 and not s.sent[k]
    s.seen[NULL_AFTER] += best < 0 and s.sent[k]
    s.sent[k] = best >= 0 or (s.sent[k] and not last)
    if last:
        s.sent[k] = 0
        for c in range(CHILDREN):
            s.done[k, c] = 0
