"""Surroundings of the step control: PEs that are busy for a while, tags, a last column that hands commands on."""

import random
from collections import deque
from typing import NamedTuple

__all__ = ["Inputs", "StepFeeder", "StepPlan", "random_plan"]


class Inputs(NamedTuple):
    step: tuple | None = None
    built: bool = False
    busy: int = 0
    pixels: int = 1
    drain_ready: bool = False
    drained: int = 0


class StepPlan(NamedTuple):
    """``macs`` of the PEs; the banks; whether it is the last step of its group."""

    macs: list
    input_bank: int
    weight_bank: int
    last: int


def random_plan(rng, pes, count, most) -> list[StepPlan]:
    """Steps; now and then one without work, or work for one PE only."""
    plan = []
    for n in range(count):
        size = rng.choice([0, 1, most])
        macs = [rng.randint(0, size) for _ in range(pes)] if rng.random() < 0.7 else [0] * (pes - 1) + [size]
        plan.append(StepPlan(macs, rng.randrange(2), rng.randrange(2), int(n == count - 1 or rng.random() < 0.5)))
    return plan


class StepFeeder:
    """Inputs of the step control, cycle by cycle; what it does must be what the surroundings allow.

    Parameters
    ----------
    cfg
    plan : list of StepPlan
    rng : random.Random
    p, p_drain : float
        Probability that a step, tags are offered; that the store is ready.
    pixels : int
    """

    def __init__(self, cfg, plan, rng: random.Random, p=1.0, p_drain=1.0, pixels=None):
        self._rng, self._p, self._p_drain = rng, p, p_drain
        self._plan, self._steps, self._offered = plan, deque(plan), False
        self._pixels = cfg.pixels if pixels is None else pixels
        self._column = deque([0] * cfg.columns, cfg.columns)    # commands on their way along a row
        self._left, self._banks_free = [0] * (cfg.rows * cfg.columns), [True, True]
        self._tagged = self._bank = 0
        self.cycle = self.started = self.over = self.drained = 0
        self.starts, self.drains, self.ends = [], [], []

    @property
    def groups(self):
        """Groups of outputs."""
        return sum(step.last for step in self._plan)

    @property
    def done(self):
        """All sums have left."""
        return self.drained == self.groups and self.over == len(self._plan)

    def offer(self) -> Inputs:
        """The inputs of this cycle."""
        busy = sum(1 << k for k, left in enumerate(self._left) if left)
        self._offered = self._offered or bool(self._steps and self._rng.random() < self._p)
        tagged = self._tagged < min(self.over + 2, len(self._plan)) and self._rng.random() < self._p
        self._tagged += tagged
        return Inputs(self._steps[0][1:] if self._offered else None, tagged, busy, self._pixels,
                      self._rng.random() < self._p_drain, self._column[0])

    def taken(self, x, y):
        """End of the cycle: checks what the step control did."""
        if x.step is not None and y.step_ready:
            self._steps.popleft()
            self._offered = False
        self._left = [max(left - 1, 0) for left in self._left]
        if y.step_done:
            self.over += 1
            self.ends.append(self.cycle)
        if x.drained & 1 and x.drained >> 2 & 1:
            self._banks_free[x.drained >> 1 & 1] = True
            self.drained += 1
        if y.start:
            self._start(x)
        elif self.started and self.over < self.started:
            step = self._plan[self.started - 1]
            assert (y.input_bank, y.weight_bank) == (step.input_bank, step.weight_bank)
        if y.drain_start:
            self.drains.append(self.cycle)
        self._column.append(y.drain)
        self.cycle += 1

    def _start(self, x):
        """A step starts: nobody is busy, its tags are there, its bank of sums is free."""
        step = self._plan[self.started]
        assert not x.busy
        assert self.started < self._tagged
        assert self._banks_free[self._bank]
        self.starts.append(self.cycle)
        self._left = list(step.macs)
        self.started += 1
        if step.last:
            self._banks_free[self._bank] = False
            self._bank = 1 - self._bank
