"""Golden model of the performance counters, the two registers between an event and its count included.

The model of the whole accelerator counts without them: when the host reads, no program runs and both agree.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig
from .formats import CAUSES, COUNTER_BITS, COUNTERS, WORK

#: Situations that the tests must reach.
EVENTS = ("not_running", "all_at_once", "reset_drops_step")
NOT_RUNNING, ALL_AT_ONCE, RESET_DROPS_STEP = range(len(EVENTS))


class CountersState(NamedTuple):
    """``step`` [13] is added to ``total`` [13] at the next clock; both as COUNTERS."""

    step: np.ndarray
    total: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig) -> CountersState:
    """State after reset; the same for every configuration."""
    return CountersState(np.zeros(len(COUNTERS), np.int64), np.zeros(len(COUNTERS), np.int64),
                         np.zeros(len(EVENTS), np.int64))


def totals(history) -> dict[str, int]:
    """Untimed specification: the counters after a ``history`` of (running, cause, events [n_pe, WORK]) by cycle."""
    total = dict.fromkeys(COUNTERS, 0)
    for running, cause, events in history:
        total["cycles"] += running
        total[CAUSES[cause]] += running
        for name, happened in zip(WORK, np.sum(events, axis=0), strict=True):
            total[name] += int(happened)
    return total


@jit
def clock(s, reset, running, cause, events):
    """One clock. ``events`` [n_pe, WORK] holds 0 or 1; ``cause`` is an index into CAUSES."""
    causes, work = len(CAUSES), len(WORK)
    for i in range(s.total.shape[0]):
        s.seen[RESET_DROPS_STEP] += reset and s.step[i] > 0
        s.total[i] = 0 if reset else (s.total[i] + s.step[i]) % (1 << COUNTER_BITS)
    s.step[0] = running
    for i in range(causes):
        s.step[1 + i] = running and cause == i
    everything = True
    for i in range(work):
        happened = 0
        for k in range(events.shape[0]):
            happened += events[k, i]
        s.step[1 + causes + i] = happened
        everything = everything and happened == events.shape[0]
    s.seen[NOT_RUNNING] += not running
    s.seen[ALL_AT_ONCE] += everything
