"""Golden model of the end of a row [Thesis 6.4.2]: its four partial sums become one."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import fp32
from .config import EnmcConfig
from .exact_control import MARK_FINISH, NO_MARK
from .formats import ADD_LATENCY, ROTATING
from .fp32 import add_bits

EVENTS = ("finished", "passed", "at_once", "waited_one", "waited_two", "closest")
FINISHED, PASSED, AT_ONCE, _, _, CLOSEST = range(len(EVENTS))

#: A row begins every third cycle at most.
INTERVAL = 3
#: Cycles from the begin to the result: two sums, two cycles apart, and their sum, with registers before the adder.
LATENCY = 2 + 2 * (1 + ADD_LATENCY)


def result_of(sums) -> int:
    """The definition: ``(s0 + s1) + (s2 + s3)`` of bit patterns."""
    return int(fp32.add(fp32.add(sums[0], sums[1]), fp32.add(sums[2], sums[3])))


class FinishState(NamedTuple):
    """``kept`` [ranks, ROTATING] are sums that wait, if ``mark`` [ranks] is set; rings [ranks, LATENCY] of results."""

    phase: np.ndarray
    mark: np.ndarray
    waited: np.ndarray
    at: np.ndarray
    kept: np.ndarray
    valid: np.ndarray
    result: np.ndarray
    seen: np.ndarray


def state(_cfg: EnmcConfig, ranks: int) -> FinishState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((ranks, *shape), np.int64)

    return FinishState(*(zeros() for _ in range(4)), zeros(ROTATING), zeros(LATENCY), zeros(LATENCY),
                       np.zeros(len(EVENTS), np.int64))


@jit
def valid_of(s, k):
    """A result is there in this cycle."""
    return s.valid[k, s.at[k]] != 0


@jit
def result_now(s, k):
    """It; 0 of a record without result."""
    return s.result[k, s.at[k]]


@jit
def clock(s, k, mark, s0, s1, s2, s3):
    """One clock of rank ``k``."""
    at, start = s.at[k], s.mark[k] != NO_MARK and s.phase[k] == 0
    s.valid[k, at], s.result[k, at] = start, 0
    if start:
        s.seen[AT_ONCE + s.waited[k]] += 1
        if s.mark[k] == MARK_FINISH:
            s.result[k, at] = add_bits(add_bits(s.kept[k, 0], s.kept[k, 1]), add_bits(s.kept[k, 2], s.kept[k, 3]))
        s.seen[FINISHED if s.mark[k] == MARK_FINISH else PASSED] += 1
        s.seen[CLOSEST] += mark != NO_MARK
        s.mark[k] = NO_MARK
    s.waited[k] += 1
    if mark != NO_MARK:
        s.mark[k], s.waited[k] = mark, 0
        s.kept[k, 0], s.kept[k, 1], s.kept[k, 2], s.kept[k, 3] = s0, s1, s2, s3
    s.phase[k] = (s.phase[k] + 1) % INTERVAL
    s.at[k] = (at + 1) % LATENCY
