"""Golden model of the step control [Thesis 5.1.2, 5.2.1]: all PEs begin a step together; sums leave after a group."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "SETTLE", "STEP_OVERHEAD", "StepControlState", "busy_of", "clock", "start_of", "state",
           "step_ready_of"]

#: Cycles of a step in which the PE that has most to do does nothing.
STEP_OVERHEAD = 1
#: Cycles from the end of a group's last step until its sums are complete.
SETTLE = 4
#: Steps that may wait.
STEPS = 2

#: Situations that the tests must reach.
EVENTS = ("at_once", "waits_for_tags", "waits_for_step", "waits_for_sums", "empty_step", "drain_waits", "drains_touch",
          "one_pixel", "drain_beside_step")
(AT_ONCE, WAITS_FOR_TAGS, WAITS_FOR_STEP, WAITS_FOR_SUMS, EMPTY_STEP, DRAIN_WAITS, DRAINS_TOUCH, ONE_PIXEL,
 DRAIN_BESIDE_STEP) = range(len(EVENTS))


class StepControlState(NamedTuple):
    """Registers [lanes]."""

    steps: FifoState        # input bank, weight bank, last
    built_s1: np.ndarray
    prepared: np.ndarray    # steps whose tags are there
    active: np.ndarray      # a step runs
    last: np.ndarray        # it is the last of its group
    first: np.ndarray       # this is its first cycle
    input_bank: np.ndarray
    weight_bank: np.ndarray
    sum_bank: np.ndarray
    next_bank: np.ndarray   # sum bank of the next step
    owed: np.ndarray        # [lanes, 2], sums that have to leave before the bank is used again
    settle: np.ndarray      # bit n: a group ended n + 1 cycles ago
    ripe: np.ndarray        # groups whose sums are complete
    drain: np.ndarray       # command to the first column
    drain_bank: np.ndarray
    drain_pixel: np.ndarray
    drain_last: np.ndarray
    drain_start: np.ndarray
    next_drain: np.ndarray  # bank of the next group
    step_done: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> StepControlState:
    """State after reset."""
    del cfg

    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return StepControlState(fifo_state(lanes, STEPS, 3), *(zeros() for _ in range(9)), zeros(2),
                            *(zeros() for _ in range(9)), np.zeros(len(EVENTS), np.int64))


@jit
def step_ready_of(s, k):
    """A step is taken in this cycle if it is offered."""
    return fifo_ready(s.steps, k)


@jit
def start_of(s, k, any_busy):
    """The next cycle is the first of a step; ``any_busy``: a PE issues an instruction in this one."""
    return (fifo_valid(s.steps, k) and s.prepared[k] != 0 and s.owed[k, s.next_bank[k]] == 0
            and not (s.active[k] and any_busy))


@jit
def busy_of(s, k):
    """A step waits or runs, or sums have not left."""
    return fifo_valid(s.steps, k) or s.active[k] != 0 or s.owed[k, 0] != 0 or s.owed[k, 1] != 0


@jit
def cover(s, k, over, start, begins):
    """Raise the events of a cycle."""
    free = not s.active[k] or over
    s.seen[AT_ONCE] += over and start
    s.seen[WAITS_FOR_TAGS] += free and fifo_valid(s.steps, k) and s.prepared[k] == 0
    s.seen[WAITS_FOR_STEP] += free and not fifo_valid(s.steps, k) and s.prepared[k] != 0
    s.seen[WAITS_FOR_SUMS] += (free and fifo_valid(s.steps, k) and s.prepared[k] != 0
                               and s.owed[k, s.next_bank[k]] != 0)
    s.seen[EMPTY_STEP] += over and s.first[k] != 0
    s.seen[DRAIN_WAITS] += s.ripe[k] != 0 and not s.drain[k] and not begins
    s.seen[DRAINS_TOUCH] += begins and s.drain[k] != 0
    s.seen[ONE_PIXEL] += s.drain_start[k] != 0 and s.drain_last[k] != 0
    s.seen[DRAIN_BESIDE_STEP] += s.drain[k] != 0 and s.active[k] != 0 and not over


@jit
def clock(s, k, step, input_bank, weight_bank, last, built, any_busy, drain_ready, pixels, drained, drained_bank):
    """One clock of lane ``k``.

    Parameters
    ----------
    step, input_bank, weight_bank, last : int
        A step is offered.
    built : bool
        The last word of tags of a step goes to the PEs in this cycle.
    any_busy : bool
        A PE issues an instruction.
    drain_ready : bool
        The store can take the sums of a group.
    pixels : int
        Sums of a group.
    drained, drained_bank : int
        The last column has given its last sum of a bank.
    """
    over = s.active[k] != 0 and not any_busy
    start = start_of(s, k, any_busy)
    free = not s.drain[k] or (s.drain_last[k] != 0 and not s.drain_start[k])
    begins = s.ripe[k] != 0 and drain_ready and free
    cover(s, k, over, start, begins)

    s.step_done[k] = over
    settled = s.settle[k] >> (SETTLE - 2) & 1
    s.ripe[k] += settled - (1 if begins else 0)
    s.settle[k] = (s.settle[k] << 1 | (over and s.last[k] != 0)) & ((1 << (SETTLE - 1)) - 1)
    if drained:
        s.owed[k, drained_bank] = 0
    if begins:
        s.drain[k], s.drain_bank[k], s.drain_pixel[k], s.drain_last[k] = 1, s.next_drain[k], 0, pixels == 1
        s.next_drain[k] = 1 - s.next_drain[k]
    elif s.drain[k]:
        s.drain[k] = not s.drain_last[k]
        if s.drain[k]:
            s.drain_pixel[k] += 1
            s.drain_last[k] = s.drain_pixel[k] + 1 == pixels
    s.drain_start[k] = begins
    s.prepared[k] += s.built_s1[k] - (1 if start else 0)
    s.built_s1[k] = built
    s.active[k] = start or (s.active[k] != 0 and any_busy)
    s.first[k] = start
    if start:
        s.input_bank[k], s.weight_bank[k] = fifo_front(s.steps, k, 0), fifo_front(s.steps, k, 1)
        s.last[k] = fifo_front(s.steps, k, 2)
        s.sum_bank[k] = s.next_bank[k]
        if s.last[k]:
            s.owed[k, s.next_bank[k]] = 1
            s.next_bank[k] = 1 - s.next_bank[k]
    fifo_step(s.steps, k, step, input_bank, weight_bank, last, start)
