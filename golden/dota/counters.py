"""Golden model of the performance counters, the register between an amount and its counter included."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .registers import AMOUNT_BITS, COUNTER_BITS, COUNTERS

#: Cycles from an amount to its counter.
LATENCY = 2

#: Situations that the tests must reach.
EVENTS = ("nothing", "largest_amount", "all_at_once", "clear_drops_amount")
NOTHING, LARGEST, ALL_AT_ONCE, CLEAR_DROPS = range(len(EVENTS))


class CountersState(NamedTuple):
    """``amount`` [12] is added to ``total`` [12] at the next clock; both as COUNTERS."""

    amount: np.ndarray
    total: np.ndarray
    seen: np.ndarray


def state(_cfg: DotaConfig) -> CountersState:
    """State after reset; the same for every configuration."""
    return CountersState(np.zeros(len(COUNTERS), np.int64), np.zeros(len(COUNTERS), np.int64),
                         np.zeros(len(EVENTS), np.int64))


def totals(history) -> dict[str, int]:
    """Untimed: the counters after the amounts of a ``history`` of cycles, int array [cycles, counters]."""
    sums = np.asarray(history, np.int64).reshape(-1, len(COUNTERS)).sum(axis=0)
    return {name: int(value) % (1 << COUNTER_BITS) for name, value in zip(COUNTERS, sums, strict=True)}


@jit
def clock(s, clear, amounts):
    """One clock. ``amounts`` [12] are unsigned, below 2**AMOUNT_BITS; what came before ``clear`` does not count."""
    zeros = 0
    for i in range(s.total.shape[0]):
        s.seen[CLEAR_DROPS] += clear and s.amount[i] > 0
        s.seen[LARGEST] += amounts[i] == (1 << AMOUNT_BITS) - 1
        s.total[i] = 0 if clear else (s.total[i] + s.amount[i]) % (1 << COUNTER_BITS)
        s.amount[i] = amounts[i]
        zeros += amounts[i] == 0
    s.seen[NOTHING] += zeros == s.total.shape[0]
    s.seen[ALL_AT_ONCE] += zeros == 0
