"""Golden model of a multicast controller [Thesis 5.1, Fig. 5.1]: is a transfer meant for what stands behind it?"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

__all__ = ["EVENTS", "MulticastState", "clock", "match_of", "matches", "state"]

#: Situations that the tests must reach.
EVENTS = ("mine", "everyone", "another", "again", "left")
MINE, EVERYONE, ANOTHER, AGAIN, LEFT = range(len(EVENTS))


class MulticastState(NamedTuple):
    """Registers, [lanes]."""

    match: np.ndarray
    seen: np.ndarray


def state(count: int, lanes: int) -> MulticastState:
    """State after reset; ``count`` is the number of IDs."""
    del count
    return MulticastState(np.zeros(lanes, np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def matches(tag, own, count):
    """The definition: the tag is the own ID, or ``count``, which means all."""
    return tag == own or tag == count


@jit
def match_of(s, k):
    """The transfer of the cycle before was for this one."""
    return s.match[k] != 0


@jit
def clock(s, k, valid, tag, own, count):
    """One clock of lane ``k``; without ``valid`` there is no transfer."""
    match = valid and matches(tag, own, count)
    s.seen[MINE] += valid and tag == own
    s.seen[EVERYONE] += valid and tag == count
    s.seen[ANOTHER] += valid and not match
    s.seen[AGAIN] += match and s.match[k] != 0
    s.seen[LEFT] += s.match[k] != 0 and not match
    s.match[k] = match
