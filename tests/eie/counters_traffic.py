"""Model and stimuli of the performance counters, for the bench and for plain Python."""

from typing import NamedTuple

import numpy as np

from golden.eie import counters
from golden.eie.config import EieConfig
from golden.eie.formats import CAUSES, COUNTERS, WORK
from tests.eie.central import CompiledModel

CONFIGS = [EieConfig(n_pe=n) for n in (1, 2, 8, 256)]


class CountersInputs(NamedTuple):
    reset: bool
    running: bool
    cause: int
    events: tuple[int, ...]     # of each PE, WORK from bit 0 on


CountersOutputs = NamedTuple("CountersOutputs", [(name, int) for name in COUNTERS])


def idle(cfg):
    return CountersInputs(False, False, 0, (0,) * cfg.n_pe)


class CountersModel(CompiledModel):
    def __init__(self, cfg):
        super().__init__(counters, lambda: counters.state(cfg))

    def step(self, x):
        y = CountersOutputs(*map(int, self.s.total))
        counters.clock(self.s, x.reset, x.running, x.cause, as_array(x.events))
        return y


def as_array(events):
    """Events of all PEs as the model takes them, [n_pe, WORK]."""
    return np.array(events, np.int64)[:, None] >> np.arange(len(WORK)) & 1


def random_cycle(cfg, rng, density):
    """A cycle in which each PE does each kind of work with probability ``density``."""
    events = tuple(sum((rng.random() < density) << bit for bit in range(len(WORK))) for _ in range(cfg.n_pe))
    return CountersInputs(False, rng.random() < 0.8, rng.randrange(len(CAUSES)), events)


def expected(history):
    """The counters after the inputs of all cycles since the reset."""
    return CountersOutputs(**counters.totals((x.running, x.cause, as_array(x.events)) for x in history))
