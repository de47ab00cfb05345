"""Golden model of the loader [Thesis 5.1.2, 5.2.1]: the parts, wired; and what a job sends, without time."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import groups, reader, row_walk, step_loads, weight_requests
from .config import DuetConfig
from .groups import FETCH, WORK, GroupsState
from .reader import ROWS, STEPS, ReaderState
from .row_walk import RowWalkState
from .step_loads import StepLoadsState
from .weight_requests import WeightRequestsState

__all__ = ["EVENTS", "PARTS", "LoaderState", "busy_of", "clock", "state"]

#: Parts with events, by the name of their state.
PARTS = {"reader": reader, "rows": row_walk, "groups": groups, "steps": step_loads, "requests": weight_requests}
#: Situations that the tests must reach, beside those of the parts.
EVENTS = ("job", "job_done")
JOB, JOB_DONE = range(len(EVENTS))


class LoaderState(NamedTuple):
    """State of the parts; one lane."""

    reader: ReaderState
    rows: RowWalkState
    groups: GroupsState
    steps: StepLoadsState
    requests: WeightRequestsState
    was_busy: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int = 1) -> LoaderState:
    """State after reset."""
    return LoaderState(*(part.state(cfg, lanes) for part in PARTS.values()), np.zeros(lanes, np.int64),
                       np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, k):
    """A job runs: until the last step is over and all groups are with the store."""
    return (row_walk.busy_of(s.rows, k) or groups.busy_of(s.groups, k) or step_loads.busy_of(s.steps, k)
            or weight_requests.busy_of(s.requests, k))


@jit
def clock(s, k, job, start, request_ready, data, map_, group_ready, build_ready, step_ready, step_done, fetch_ready,
          memory_valid, memory_data):
    """One clock of lane ``k``.

    Parameters
    ----------
    job : int array, [len(EXECUTE_FIELDS)]
    start : bool
    request_ready : bool
        Of the global buffer's port; its words ``data`` and ``map_`` are arrays [values].
    group_ready : bool
        Of the store.
    build_ready, step_ready, step_done : bool
        Of the Executor.
    fetch_ready, memory_valid, memory_data
        Of the memory port: it takes a request; a word, array [values], is offered.
    """
    read, rows, group, steps = s.reader, s.rows, s.groups, s.steps
    s.seen[JOB] += start
    s.seen[JOB_DONE] += s.was_busy[k] and not busy_of(s, k)
    s.was_busy[k] = busy_of(s, k)
    rows_valid, steps_valid = row_walk.valid_of(rows, k), step_loads.op_valid_of(steps, k)
    rows_ready = reader.ready_of(read, k, ROWS, rows_valid, request_ready)
    steps_ready = reader.ready_of(read, k, STEPS, rows_valid, request_ready)
    rows_answer, steps_answer = reader.answer_of(read, k, ROWS), reader.answer_of(read, k, STEPS)
    tag, reads = read.tag_s2[k], read.reads_s2[k]
    work_valid, fetch_valid = groups.valid_of(group, k, WORK), groups.valid_of(group, k, FETCH)
    work_ready, fetch_taken = step_loads.ready_of(steps, k), weight_requests.ready_of(s.requests, k)
    freed = groups.freed_of(group, k)
    reader.clock(read, k, rows_valid, rows.addr[k], rows.map_addr[k], rows.reads[k], rows.tag[k], steps_valid,
                 steps.o_addr[k], steps.o_map_addr[k], steps.o_reads[k], steps.o_tag[k], request_ready)
    weight_requests.clock(s.requests, k, job, fetch_valid, group.sensitive[k], group.empty[k] != 0, group.place[k],
                          fetch_ready)
    step_loads.clock(steps, k, job, start, work_valid, group.sensitive[k], group.empty[k] != 0,
                     group.tile_done[k] != 0, group.place[k], steps_ready, steps_answer, tag, reads, data, map_,
                     memory_valid, memory_data, build_ready, step_ready, step_done)
    groups.clock(group, k, job, start, rows_answer, tag, data, map_, group_ready, work_ready, fetch_taken)
    row_walk.clock(rows, k, job, start, freed, rows_answer, tag, data, map_, rows_ready)
