"""Model and stimuli of the performance counters, for the bench and for plain Python."""

from typing import NamedTuple

import numpy as np

from golden.dota import counters
from golden.dota.registers import AMOUNT_BITS, COUNTERS

LARGEST = (1 << AMOUNT_BITS) - 1


class Inputs(NamedTuple):
    clear: bool = False
    amounts: tuple[int, ...] = (0,) * len(COUNTERS)


Outputs = NamedTuple("Outputs", [(name, int) for name in COUNTERS])


class Model:
    """The compiled model behind the interface of a bench."""

    NAME, INPUTS, OUTPUTS = "dota_counters", Inputs, Outputs

    def __init__(self, cfg):
        self._cfg, self.io = cfg, {}
        self.reset()

    def reset(self):
        self.s = counters.state(self._cfg)

    @property
    def seen(self):
        return {name for name, count in zip(counters.EVENTS, self.s.seen, strict=True) if count}

    def unknown(self):
        return set()

    def step(self, x):
        """Outputs of the current cycle; then advance by one clock edge."""
        y = Outputs(*map(int, self.s.total))
        counters.clock(self.s, x.clear, np.array(x.amounts, np.int64))
        return y


def random_cycle(rng, density, clear=False):
    """A cycle in which each counter grows with probability ``density``; sometimes by 1, or by the most that it can."""
    return Inputs(clear, tuple(rng.choice([1, LARGEST, rng.randrange(LARGEST)]) if rng.random() < density else 0
                               for _ in COUNTERS))


def expected(history):
    """The counters after the inputs of all cycles since the reset."""
    return Outputs(**counters.totals([x.amounts for x in history]))
