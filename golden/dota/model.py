"""The golden accelerator as a host sees it: carry out plans, look at results, cycles and traces."""

import dataclasses

import numpy as np

from . import host, io_port, top
from .compiler import Plan, Read, Run, Write
from .config import DotaConfig
from .formats import STEP_FIELDS, TRACE_LANE, TRACE_OUTPUTS
from .linear import RunAll
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


@dataclasses.dataclass
class ProgramRun:
    """What became of a program.

    Attributes
    ----------
    results : dict of str to int64 array
        What the program returned.
    cycles : dict of str to int
        By phase: those of the lane that took longest in each batch.
    """

    results: dict
    cycles: dict

    @classmethod
    def empty(cls):
        """Nothing yet."""
        return cls({}, {})

    def count(self, batch, spent):
        """Add the cycles of a batch; ``spent`` [lanes, steps] is what the lanes were busy with in it."""
        runs = [on.command for on in batch if isinstance(on.command, Run)]
        if runs:
            phase, kind = runs[0].phase, int(runs[0].step["step"])
            self.cycles[phase] = self.cycles.get(phase, 0) + int(spent[:, kind].max())


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
        spent = self.state.lanes.spent[number]
        before = int(spent.sum())
        for _ in self._blocks(1 << number, step):
            pass
        return int(spent.sum()) - before

    def _blocks(self, lanes, step):
        """Run one step in the lanes of a mask; yields the cycles of each block, whose outputs are in ``_unseen``."""
        x, cycles, total = self.inputs(BLOCK), BLOCK, 0
        x.start[0] = lanes
        x.m_ready[:] = 1
        x.step[:] = [int(step.get(name, 0)) for name in STEP_FIELDS]
        while cycles == BLOCK:
            cycles = top.advance(self.state, x, self._unseen, 0, BLOCK, True)
            yield cycles
            x.start[0] = 0
            total += cycles
            if total > MAX_CYCLES:
                raise RuntimeError(f"step must end within {MAX_CYCLES} cycles")

    def run_all(self, lanes: int, command: RunAll) -> np.ndarray:
        """Run one step in the lanes of a mask; the words that the accumulator sent: int64 [words, units].

        Raises
        ------
        RuntimeError
            If it does not end, or does not send what it should.
        """
        beats, ends = [], []

        def collect(cycles):
            out = self._unseen.outputs[:cycles]
            taken = out[out[:, top.M_VALID] != 0]
            beats.extend(taken[:, top.M_DATA].tolist())
            ends.extend(taken[:, top.M_LAST].tolist())

        for cycles in self._blocks(lanes, command.step):
            collect(cycles)
        # The last word is on its way to the host when no lane is busy any more.
        x = self.inputs(BLOCK)
        x.m_ready[:] = 1
        while self.state.io.replies.busy[0] or io_port.valid_of(self.state.io):
            collect(top.advance(self.state, x, self._unseen, 0, 1, False))
        words = host.words_of_beats(self.cfg, np.array(beats, np.int64).astype(np.uint64))
        if len(words) != command.words or sum(ends) != (command.words > 0) or ends[-1:] == [0]:
            raise RuntimeError(f"step must send {command.words} words and TLAST after them, not {len(words)}")
        return words

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

    def run_program(self, program) -> ProgramRun:
        """Carry out a program, without the stream port for commands.

        Runs of a batch are made one after the other: what they take does not depend on other lanes, unless lanes wait
        for each other in the accumulator, and those are one run.
        """
        done, answers, spent = ProgramRun.empty(), None, self.state.lanes.spent
        while True:
            try:
                batch = program.send(answers)
            except StopIteration as end:
                done.results = end.value
                return done
            before = spent.copy()
            answers = [answer for answer in (self._carry_out(on) for on in batch) if answer is not None]
            done.count(batch, spent - before)

    def _carry_out(self, on):
        """One command; the words that come back, or None."""
        command = on.command
        words = self.state.lanes.sram.words
        lanes = [k for k in range(self.cfg.lanes) if on.lanes >> k & 1]
        if isinstance(command, Write):
            words[lanes, command.addr:command.addr + len(command.words)] = command.words
        elif isinstance(command, RunAll):
            answer = self.run_all(on.lanes, command)
            return answer if command.words else None
        elif isinstance(command, Run):
            for _ in self._blocks(on.lanes, command.step):
                pass
        else:
            return words[lanes[0], command.addr:command.addr + command.count].copy()
        return None


def warm_up():
    """Compile the model, whatever the configuration; later processes find it in the cache."""
    model = Dota(DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4))
    top.advance(model.state, model.inputs(1), model.trace(1), 0, 1, False)
