"""The golden DIMM as a host sees it: a backend of ``Classifier``, cycle by cycle, with its DRAM."""

import numpy as np

from golden.common.jit import jit

from . import activity, device, rank
from .config import PRESETS, EnmcConfig
from .dram import Dram
from .formats import DESELECT, PHASES, trace_of
from .host import QUANTUM, Host
from .interpret import Answer, Job

#: Most cycles of a batch.
MAX_CYCLES = 200_000_000


@jit
def advance(s, d, memory, x, y, cycle):
    """Run the cycles of a quantum with the DRAM; its data are recorded in ``x``, what is shown in ``y``."""
    for t in range(y.shape[0]):
        for k in range(y.shape[1]):
            device.drive(d, k, cycle + t, x.dram_dq_i[t, k])
        rank.advance(s, x, y, t, 1)
        # The DRAM sees the pins of this cycle, that is those before the edge; ``y`` has them.
        for k in range(y.shape[1]):
            rank.pins_of(y[t, k], s.enmc_pins, s.enmc_data, s.columns[0])
            device.take(d, memory, k, cycle + t, s.enmc_pins, s.enmc_data)


class Dimm:
    """Cycle-accurate model of a DIMM and its DRAM.

    Parameters
    ----------
    cfg : EnmcConfig

    Attributes
    ----------
    dram : Dram
    host : Host
    activity : int64 array, shape (ranks, stages, quantities)
        What was done since the reset, see :mod:`golden.enmc.activity`.
    """

    def __init__(self, cfg: EnmcConfig):
        self.cfg = cfg
        self.dram = Dram(cfg, cfg.ranks, spare=4)
        self.reset()

    def reset(self):
        """State after reset; the DRAM keeps its contents."""
        self.host, self.state, self._device = Host(self.cfg), rank.state(self.cfg), device.state(self.cfg)
        self.activity = activity.counts(self.cfg)
        self._outputs = list(trace_of(self.cfg))

    @property
    def cycles(self) -> int:
        """Cycles since the reset."""
        return self.host.cycle

    def step(self, inputs: rank.RanksInputs) -> np.ndarray:
        """Run the cycles of a block of pins, the DRAM's data among them; what each shows [cycles, ranks, fields]."""
        trace = np.zeros((len(inputs.dq_i), self.cfg.ranks, len(self._outputs)), np.int64)
        rank.advance(self.state, inputs, trace, 0, len(trace))
        activity.take(self.activity, trace)
        return trace

    def carry_out(self, task, on_cycles=None):
        """Carry out a task of the host; returns its result.

        Raises
        ------
        RuntimeError
            If it does not end.
        """
        begun = self.cycles
        self.host.begin(task)
        while not self.host.done:
            pins = self.host.plan()
            x = rank.RanksInputs(pins.pins, pins.dq, np.zeros((QUANTUM, self.cfg.ranks, PHASES, self.cfg.phase_words),
                                                              np.int64))
            y = np.zeros((QUANTUM, self.cfg.ranks, len(self._outputs)), np.int64)
            advance(self.state, self._device, self.dram.state, x, y, self.host.cycle)
            activity.take(self.activity, y)
            self.host.see(*bus_of(self.cfg, y))
            if on_cycles is not None:
                on_cycles(self.cycles)
            if self.cycles - begun > MAX_CYCLES:
                raise RuntimeError(f"a batch must end within {MAX_CYCLES} cycles")
        return self.host.result

    def run(self, jobs: list[Job], on_cycles=None) -> list[Answer]:
        """One batch: a job for each rank. The DRAM keeps what was written before."""
        for k, job in enumerate(jobs):
            for segment in job.memory:
                self.dram.load(segment.addr, segment.words, k)
            if len(job.read):
                self.dram.reserve(job.read.start, len(job.read), k)
        return self.carry_out(self.host.batch(jobs), on_cycles)


def bus_of(cfg: EnmcConfig, y) -> tuple[np.ndarray, np.ndarray]:
    """What the host sees of a block [cycles, ranks, fields]: data [cycles, PHASES, phase_words] and enables."""
    columns = (y.shape[2] - rank.T_DATA) // 2
    each, words = columns // PHASES, cfg.phase_words
    oe = y[:, :, rank.T_OE]
    data = np.zeros((len(y), PHASES, words), np.int64)
    for slot in range(PHASES):
        cycles, ranks = np.nonzero(oe >> slot & 1)
        for word in range(words if len(cycles) else 0):
            column = y[cycles, ranks, rank.T_DATA + columns + slot * each + word // 2]
            np.bitwise_or.at(data, (cycles, slot, word), column >> 32 * (word % 2) & 0xFFFFFFFF)
    return data, np.bitwise_or.reduce(oe, axis=1)


def warm_up():
    """Compile the model, whatever the configuration; later processes find it in the cache."""
    cfg = PRESETS["tiny"]
    Dimm(cfg).run([Job([], [])])
    data = [np.zeros((QUANTUM, *ranks, PHASES, cfg.phase_words), np.int64) for ranks in ((), (1,))]
    Dimm(cfg).step(rank.RanksInputs(np.full((QUANTUM, 1, PHASES), DESELECT), *data))
