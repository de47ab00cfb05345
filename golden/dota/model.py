"""The golden accelerator as a host sees it: carry out plans, look at results, cycles and traces."""

import dataclasses

import numpy as np

from . import top
from .compiler import Plan, Read, Run, Write
from .config import DotaConfig
from .formats import STEP_FIELDS, TRACE_LANE, TRACE_OUTPUTS
from .packing import unpack_fx

#: Cycles that are stepped in one compiled call.
BLOCK = 4096
#: Most cycles of a step.
MAX_CYCLES = 50_000_000


@dataclasses.dataclass
class HeadRun:
    """What became of one head.

    Attributes
    ----------
    z : int64 array, shape (queries, d)
    lane : int
    cycles : dict of str to int
        Cycles of its steps by phase.
    """

    z: np.ndarray
    lane: int
    cycles: dict

    @classmethod
    def empty(cls, plan: Plan, number: int):
        """Nothing yet."""
        phases = dict.fromkeys(command.phase for command in plan.commands if isinstance(command, Run))
        return cls(np.zeros(plan.head.q.shape, np.int64), number, dict.fromkeys(phases, 0))

    def store(self, cfg: DotaConfig, command: Read, words):
        """Put words that came back where they belong."""
        first = command.chunk * cfg.vector
        width = min(cfg.vector, self.z.shape[1] - first)
        rows = slice(command.first, command.first + command.count)
        self.z[rows, first:first + width] = unpack_fx(np.asarray(words)[None], width)


class Dota:
    """Cycle-accurate model of the whole accelerator.

    Parameters
    ----------
    cfg : DotaConfig
    """

    def __init__(self, cfg: DotaConfig):
        self.cfg = cfg
        self.reset()

    def reset(self):
        """State after reset, memories zero."""
        self.state = top.state(self.cfg)
        self._unseen = self.trace(BLOCK)

    def inputs(self, cycles: int) -> top.DotaInputs:
        """A block of idle pins."""
        pins = {name: np.zeros(cycles, np.int64) for name in top.DotaInputs._fields}
        return top.DotaInputs(**pins | {"step": np.zeros(len(STEP_FIELDS), np.int64)})

    def trace(self, cycles: int) -> top.DotaTrace:
        """Room for the trace of a block of cycles."""
        return top.DotaTrace(np.zeros((cycles, len(TRACE_OUTPUTS)), np.int64),
                             np.zeros((cycles, self.cfg.lanes, len(TRACE_LANE)), np.int64))

    def step(self, inputs: top.DotaInputs) -> top.DotaTrace:
        """Run the cycles of a block of pins; returns what each shows."""
        cycles = len(inputs.clear)
        trace = self.trace(cycles)
        top.advance(self.state, inputs, trace, 0, cycles, False)
        return trace

    def run_step(self, number: int, step: dict) -> int:
        """Run one step in one lane; the cycles in which the lane is busy.

        Raises
        ------
        RuntimeError
            If it does not end.
        """
        x, spent = self.inputs(BLOCK), self.state.lanes.spent[number]
        before = int(spent.sum())
        x.start[0] = 1 << number
        x.step[:] = [int(step.get(name, 0)) for name in STEP_FIELDS]
        while top.advance(self.state, x, self._unseen, 0, BLOCK, True) == BLOCK:
            x.start[0] = 0
            if spent.sum() > before + MAX_CYCLES:
                raise RuntimeError(f"step must end within {MAX_CYCLES} cycles")
        return int(spent.sum()) - before

    def run(self, plan: Plan, number: int = 0) -> HeadRun:
        """Carry out a plan in one lane, without the stream port."""
        words = self.state.lanes.sram.words[number]
        done = HeadRun.empty(plan, number)
        for command in plan.commands:
            if isinstance(command, Write):
                words[command.addr:command.addr + len(command.words)] = command.words
            elif isinstance(command, Run):
                done.cycles[command.phase] += self.run_step(number, command.step)
            else:
                done.store(self.cfg, command, words[command.addr:command.addr + command.count])
        return done


def warm_up():
    """Compile the model, whatever the configuration; later processes find it in the cache."""
    model = Dota(DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4))
    top.advance(model.state, model.inputs(1), model.trace(1), 0, 1, False)
