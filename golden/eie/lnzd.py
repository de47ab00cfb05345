"""Golden model of a leading non-zero detection node [EIE IV, "Distributed Leading Non-Zero Detection"].

A node merges four children, each in ascending order of the activation index, into one such stream. Every child
ends a scan with a token marked ``last``: its last element, or a ``null`` when it has nothing (more) to say. A skid
buffer at each input lets the children see a register as their ``ready``.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit
from golden.common.skid import SkidState, skid_field, skid_ready, skid_state, skid_step, skid_valid

from .config import EieConfig
from .formats import CHILDREN

#: Situations that the tests must reach.
EVENTS = ("null_absorbed", "only_nulls", "last_with_element", "null_after_elements", "stalled", "child_unknown")
NULL_ABSORBED, ONLY_NULLS, LAST_WITH_ELEMENT, NULL_AFTER, STALLED, CHILD_UNKNOWN = range(len(EVENTS))


#: Fields of a token in a skid buffer.
INDEX, VALUE, NULL, LAST = range(4)


class LnzdState(NamedTuple):
    """Registers of all nodes of the tree, [lanes]; ``done`` [lanes, 4]. A node's outputs are inputs of its parent."""

    valid: np.ndarray
    index: np.ndarray
    value: np.ndarray
    null: np.ndarray
    last: np.ndarray
    done: np.ndarray
    skid: SkidState         # child c of node k in lane 4 k + c
    sent: np.ndarray        # bookkeeping of the coverage: an element went out in this scan
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> LnzdState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(5)]
    return LnzdState(*registers, np.zeros((lanes, CHILDREN), np.int64), skid_state(CHILDREN * lanes, 4),
                     np.zeros(lanes, np.int64), np.zeros(len(EVENTS), np.int64))


def merged(children: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """Untimed specification: all (index, value) of the children in ascending order of index."""
    return sorted(element for child in children for element in child)


@jit
def ready_of(s, k, c):
    """The node takes what its child ``c`` offers in this cycle."""
    return skid_ready(s.skid, CHILDREN * k + c)


@jit
def clock(s, k, i_valid, i_index, i_value, i_null, i_last, o_ready):
    """One clock of node ``k``; ``i_*`` [4] are the children's outputs."""
    skid, first = s.skid, CHILDREN * k
    slot_free = not s.valid[k] or o_ready
    unknown = False
    best = -1
    best_index = 0
    for c in range(CHILDREN):
        if not s.done[k, c]:
            if not skid_valid(skid, first + c, i_valid[c]):
                unknown = True
            elif not skid_field(skid, first + c, NULL, i_null[c]):
                index = skid_field(skid, first + c, INDEX, i_index[c])
                if best < 0 or index < best_index:
                    best, best_index = c, index
    s.seen[STALLED] += not slot_free
    s.seen[CHILD_UNKNOWN] += slot_free and unknown
    fire = slot_free and not unknown
    if slot_free:
        s.valid[k] = fire
    if fire:
        s.null[k] = best < 0
        if best >= 0:
            s.index[k] = best_index
            s.value[k] = skid_field(skid, first + best, VALUE, i_value[best])

    taken = 0
    last = True
    for c in range(CHILDREN):
        take = fire and not s.done[k, c] and (c == best or skid_field(skid, first + c, NULL, i_null[c]) != 0)
        if take:
            s.done[k, c] = skid_field(skid, first + c, LAST, i_last[c])
            taken += 1
        last = last and s.done[k, c]
        if skid_step(skid, first + c, i_valid[c], take):
            skid.item[first + c, INDEX] = i_index[c]
            skid.item[first + c, VALUE] = i_value[c]
            skid.item[first + c, NULL] = i_null[c]
            skid.item[first + c, LAST] = i_last[c]
    if not fire:
        return
    s.last[k] = last
    s.seen[NULL_ABSORBED] += best >= 0 and taken > 1
    s.seen[LAST_WITH_ELEMENT] += best >= 0 and last
    s.seen[ONLY_NULLS] += best < 0 and not s.sent[k]
    s.seen[NULL_AFTER] += best < 0 and s.sent[k]
    s.sent[k] = not last and (best >= 0 or s.sent[k])
    if last:
        for c in range(CHILDREN):
            s.done[k, c] = 0
