"""Golden model of the requests for weights that are off chip: row by row, ahead of the loads [Thesis 5.2.2]."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import row_pick
from .config import DuetConfig
from .formats import EXECUTE_FIELDS
from .row_pick import RowPickState

__all__ = ["EVENTS", "WeightRequestsState", "busy_of", "clock", "ready_of", "state", "valid_of"]

#: Situations that the tests must reach.
EVENTS = ("request", "short_step", "next_step", "not_needed", "memory_waits")
REQUEST, SHORT_STEP, NEXT_STEP, NOT_NEEDED, MEMORY_WAITS = range(len(EVENTS))

_JOB = list(EXECUTE_FIELDS)
_OFF_CHIP, _DEPTH, _CHUNK, _PASSES = (_JOB.index(name) for name in ("off_chip", "depth", "chunk", "passes"))


class WeightRequestsState(NamedTuple):
    """Registers [lanes]."""

    run: np.ndarray         # rows of a group are requested
    step: np.ndarray
    word: np.ndarray        # first word of the step
    left: np.ndarray        # words from there on
    pick: RowPickState
    valid: np.ndarray       # the request that is offered
    addr: np.ndarray
    count: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> WeightRequestsState:
    """State after reset."""
    registers = {name: np.zeros(lanes, np.int64) for name in WeightRequestsState._fields}
    return WeightRequestsState(**registers | {"pick": row_pick.state(cfg, lanes),
                                              "seen": np.zeros(len(EVENTS), np.int64)})


@jit
def ready_of(s, k):
    """A group is taken in this cycle."""
    return not s.run[k]


@jit
def valid_of(s, k):
    """A request is offered: ``count`` words from ``addr`` on."""
    return s.valid[k] != 0


@jit
def busy_of(s, k):
    """Requests are to come."""
    return s.run[k] != 0 or s.valid[k] != 0


@jit
def clock(s, k, job, valid, sensitive, empty, places, request_ready):
    """One clock of lane ``k``: a group is offered, with arrays [rows]; the request that is offered is taken."""
    take = valid and ready_of(s, k)
    load = take and job[_OFF_CHIP] != 0 and not empty
    free = not s.valid[k] or request_ready
    goes = s.run[k] != 0 and free and row_pick.valid_of(s.pick, k)
    again = load
    s.seen[MEMORY_WAITS] += not free
    s.seen[NOT_NEEDED] += take and not load
    if free:
        s.valid[k] = goes
    if goes:
        s.addr[k] = s.pick.place[k] + s.word[k] & 0xFFFFFFFF
        s.count[k] = min(s.left[k], job[_CHUNK])
        s.seen[REQUEST] += 1
        s.seen[SHORT_STEP] += s.left[k] < job[_CHUNK]
        if s.pick.last[k]:
            again = s.step[k] + 1 != job[_PASSES]
            s.run[k] = again
            s.seen[NEXT_STEP] += again
            s.step[k] += 1
            s.word[k] += job[_CHUNK]
            s.left[k] -= job[_CHUNK]
    row_pick.clock(s.pick, k, load, sensitive, places, again, goes)
    if load:
        s.run[k], s.step[k], s.word[k], s.left[k] = 1, 0, 0, job[_DEPTH]
