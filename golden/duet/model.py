"""The golden accelerator as a host sees it: carry out programs, look at results, cycles and traces."""

import dataclasses

import numpy as np

from . import host, memory, top
from .config import DuetConfig
from .formats import BEAT_BITS, TRACE_OUTPUTS, VALUE_BITS, Target
from .memory_port import beat_bits
from .packing import Write
from .program import Program, Stage
from .registers import COUNTERS

#: Most cycles of a stage.
MAX_CYCLES = 200_000_000


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of an input.

    Attributes
    ----------
    output : int64 array
    counts : list of dict of str to int
        Counters of every stage, by the names of ``golden.duet.registers``.
    """

    output: np.ndarray
    counts: list


class Duet:
    """Cycle-accurate model of the whole accelerator.

    Parameters
    ----------
    cfg : DuetConfig
    """

    def __init__(self, cfg: DuetConfig):
        self.cfg = cfg
        self.reset()

    def reset(self):
        """State after reset, memories zero."""
        self.state = top.state(self.cfg)

    def inputs(self, cycles: int) -> top.DuetInputs:
        """A block of idle pins."""
        pins = {name: np.zeros(cycles, np.int64) for name in top.DuetInputs._fields}
        return top.DuetInputs(**pins | {"r_data": np.zeros((cycles, beat_bits(self.cfg) // VALUE_BITS), np.int64)})

    def step(self, inputs: top.DuetInputs) -> np.ndarray:
        """Run the cycles of a block of pins; returns what each shows, int64 [cycles, TRACE_OUTPUTS]."""
        cycles = len(inputs.clear)
        trace = np.zeros((cycles, len(TRACE_OUTPUTS)), np.int64)
        top.advance(self.state, inputs, trace, cycles)
        return trace

    def counters(self) -> dict[str, int]:
        """Counters, with what is on its way to them."""
        return {name: int(total + amount) for name, total, amount in zip(COUNTERS, self.state.totals,
                                                                         self.state.amounts, strict=True)}

    def write(self, write: Write):
        """Words for a memory, without the stream port."""
        s, words = self.state, np.asarray(write.words, np.int64)
        rows = slice(write.addr, write.addr + len(words))
        if write.target == Target.GLB:
            s.glb.data[0, rows] = words
        elif write.target == Target.MAP:
            s.glb.map[0, rows] = words
        elif write.target == Target.PROJECTION:
            store = s.speculator.reducer.alignment.projection
            store[0, rows] = words.reshape(len(words), *store.shape[2:])
        elif write.target == Target.LOW_WEIGHTS:
            store = s.speculator.approximator.systolic.weights
            store[0, rows] = words.reshape(len(words), *store.shape[2:])
        elif write.target == Target.LOW_BIAS:
            s.speculator.approximator.low_output.bias[0, rows] = words
        else:
            self._write_lut(rows, words.reshape(-1))

    def _write_lut(self, rows, instructions):
        """All copies of the program."""
        s = self.state.executor
        _, inputs, pixel = s.mac_lut.shifts[0]
        s.pes.lut[:, rows] = instructions
        s.mac_lut.lut_input[0, rows] = instructions & (1 << inputs) - 1
        s.mac_lut.lut_pixel[0, rows] = instructions >> pixel

    def run_stage(self, stage: Stage, chip) -> dict[str, int]:
        """Run a stage beside the memory ``chip``; its counters.

        Raises
        ------
        RuntimeError
            If it does not end.
        """
        for write in stage.writes:
            self.write(write)
        beats = [beat - (beat >> BEAT_BITS - 1 << BEAT_BITS) for beat in host.chain_of(self.cfg, stage)]
        self.state.chain.chain[:] = beats
        before = self.counters()
        x, y = self.inputs(1), np.zeros((1, len(TRACE_OUTPUTS)), np.int64)
        if top.run_stage(self.state, chip, x, y, MAX_CYCLES) == MAX_CYCLES:
            raise RuntimeError(f"stage must end within {MAX_CYCLES} cycles")
        return {name: count - before[name] for name, count in self.counters().items()}

    def load(self, program: Program):
        """What the host writes once; returns the memory off chip."""
        for write in program.load:
            self.write(write)
        return memory.state(self.cfg, program.memory)

    def run(self, program: Program, x, chip) -> Run:
        """Carry out a loaded program on an input, without the stream port."""
        for write in program.input_writes(x):
            self.write(write)
        counts = [self.run_stage(stage, chip) for stage in program.stages]
        place = program.outputs[-1]
        words = self.state.glb.data[0, place.base:place.base + place.words].astype(np.int64)
        return Run(program.result(words), counts)


def warm_up():
    """Compile the model, whatever the configuration; later processes find it in the cache."""
    cfg = DuetConfig(rows=2, columns=2, side=2, lut=32, tags=8, input_words=2, weight_words=2, glb_words=64,
                     channels=16, trees=4, systolic_columns=2, activation_words=16, projection_words=16, low_tiles=16,
                     reduced_words=2, buckets=2)
    model = Duet(cfg)
    model.step(model.inputs(1))
    chip = memory.state(cfg, np.zeros((0, cfg.values)))
    model.run_stage(Stage("", [], None, None, None, (None, None)), chip)
