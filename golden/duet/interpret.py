"""What a program means, without time: every job on the memories, in numpy [Thesis 5.1, 5.2].

Between the equations of ``spec.py`` and the cycle model: it knows addresses, tiles, steps and tags, but no queue and no
clock. It is the definition of the jobs.
"""

import numpy as np

from .config import DuetConfig
from .formats import Cell, Target, target_words
from .interpret_execute import Counts, execute
from .interpret_speculate import speculate
from .program import Program, Stage
from .spec import gru_cell, lstm_cell, reset_cell

__all__ = ["Counts", "Machine", "run"]


class Machine:
    """The memories of an accelerator, words as int64 arrays of their elements."""

    def __init__(self, cfg: DuetConfig, memory=None):
        self.cfg = cfg
        words = target_words(cfg)
        elements = {Target.GLB: (cfg.columns, cfg.pixels), Target.MAP: (cfg.columns, cfg.pixels), Target.LUT: (),
                    Target.PROJECTION: (cfg.trees, cfg.columns * cfg.pixels),
                    Target.LOW_WEIGHTS: (cfg.trees, cfg.systolic_columns), Target.LOW_BIAS: (cfg.systolic_columns,)}
        self.data = {target: np.zeros((words[target], *shape), np.int64) for target, shape in elements.items()}
        self.memory = np.zeros((0, cfg.values), np.int64) if memory is None else memory

    def write(self, write) -> None:
        """The host writes words."""
        store = self.data[write.target]
        if write.addr + len(write.words) > len(store):
            raise ValueError(f"addr must be in 0..{len(store) - len(write.words)}, not {write.addr!r}")
        store[write.addr:write.addr + len(write.words)] = write.words.reshape(-1, *store.shape[1:])

    def read(self, addr: int, words: int) -> np.ndarray:
        """Words of the global buffer, int64 [words, values]."""
        return self.data[Target.GLB][addr:addr + words].reshape(words, -1).copy()

    def stage(self, stage: Stage) -> Counts:
        """What the host writes before, and the jobs. The Speculator comes after the Executor, on which it may depend,
        and never changes what that reads in this stage."""
        for write in stage.writes:
            self.write(write)
        counts = execute(self, stage.execute) if stage.execute else Counts()
        if stage.speculate:
            speculate(self, stage.speculate)
        if stage.cell:
            self.cell(stage.cell)
        return counts

    def cell(self, job: dict) -> None:
        """A job of the cell unit; elements from ``length`` on do not change."""
        cfg, e = self.cfg, np.arange(job["length"])
        word, column, pixel = e // cfg.values, e % cfg.columns, e // cfg.columns % cfg.pixels
        data = self.data[Target.GLB]

        def vector(name):
            return data[job[name] + word, column, pixel]

        def put(name, values):
            data[job[name] + word, column, pixel] = values

        if job["op"] == Cell.LSTM:
            c, h = lstm_cell(*(vector(name) for name in ("a", "b", "c", "d", "state")))
            put("state", c)
            put("hidden", h)
        elif job["op"] == Cell.RESET:
            put("d", reset_cell(vector("a"), vector("hidden")))
        elif job["op"] == Cell.GRU:
            put("d", gru_cell(vector("a"), vector("b"), vector("hidden")))


def run(program: Program, inputs) -> tuple[np.ndarray, list[list[Counts]], Machine]:
    """A program on inputs: outputs [count, ...], counts of every stage of every input, and the memories at the end."""
    machine = Machine(program.cfg, program.memory)
    for write in program.load:
        machine.write(write)
    outputs, counts = [], []
    for x in inputs:
        for write in program.input_writes(x):
            machine.write(write)
        counts.append([machine.stage(stage) for stage in program.stages])
        place = program.outputs[-1]
        outputs.append(program.result(machine.read(place.base, place.words)))
    return np.stack(outputs), counts, machine
