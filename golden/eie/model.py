"""The golden accelerator as a host sees it: load an image, run vectors, look at outputs, cycles and traces."""

import dataclasses
from typing import NamedTuple

import numpy as np

from . import regfile, top
from .config import EieConfig
from .formats import COUNTERS, TRACE_OUTPUTS, Mem

#: Cycles that are stepped in one compiled call.
BLOCK = 4096


class PassStats(NamedTuple("PassStats", [(name, int) for name in COUNTERS])):
    """What one pass took; the causes from ``broadcasts`` to ``control`` add up to ``cycles``."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Run:
    """One program run.

    Attributes
    ----------
    outputs : int64 array, shape (out,)
    saturated : bool array, shape (n_pe,)
        PEs in which an accumulator was clipped.
    cycles : int
        From the cycle after the start to the last one in which the program runs.
    passes : list of PassStats
        One for every pass of the program.
    pe_entries : int64 array, shape (n_pe,)
        Entries that each PE retired.
    """

    outputs: np.ndarray
    saturated: np.ndarray
    cycles: int
    passes: list
    pe_entries: np.ndarray


class Eie:
    """Cycle-accurate model of the whole accelerator.

    Parameters
    ----------
    cfg : EieConfig
    """

    def __init__(self, cfg: EieConfig):
        self.cfg = cfg
        self.reset()

    def reset(self):
        """State after reset, memories zero."""
        self.state = top.state(self.cfg)

    def inputs(self, cycles: int) -> top.EieInputs:
        """A block of idle pins."""
        return top.EieInputs(*(np.zeros(cycles, np.int64) for _ in top.EieInputs._fields))

    def trace(self, cycles: int) -> top.EieTrace:
        """Room for the trace of a block of cycles."""
        n_pe = self.cfg.n_pe
        return top.EieTrace(np.zeros((cycles, len(TRACE_OUTPUTS)), np.int64), np.zeros((cycles, n_pe), np.uint8),
                            np.zeros((cycles, n_pe), np.int16), np.zeros((cycles, n_pe), np.int32))

    def step(self, inputs: top.EieInputs) -> top.EieTrace:
        """Run the cycles of a block of pins; returns what each shows."""
        cycles = len(inputs.start)
        trace = self.trace(cycles)
        top.advance(self.state, inputs, trace, 0, cycles, False)
        return trace

    def load(self, image):
        """Fill the memories at once, as the stream port would one by one."""
        if image.cfg != self.cfg:
            raise ValueError(f"image must be packed for {self.cfg!r}, not {image.cfg!r}")
        s = self.state
        self.load_matrix(image)
        s.arithmetic.codebook[:, :image.codebooks.size] = image.codebooks.reshape(-1)
        for number, p in enumerate(image.program):
            word = p.word()
            for beat in range(3):
                s.program.words[number, beat] = np.uint64(word >> 64 * beat & 2**64 - 1).astype(np.int64)

    def load_matrix(self, image):
        """Fill only the sparse-matrix and pointer SRAMs."""
        size = image.rows.shape[1] * image.rows.shape[2]
        self.state.entries.spmat[:, :size] = image.rows.reshape(self.cfg.n_pe, size)
        self.state.pointers.ptr[:, :image.pointers.shape[1]] = image.pointers

    def put(self, image, activations):
        """Place an input vector, as the stream port would."""
        s, words = self.state, image.input_words(activations)
        if image.input.mem is Mem.ACT_SRAM:
            s.acts.sram[:, image.input.addr:image.input.addr + len(words)] = words.T
            return
        which = int(image.input.mem is Mem.ACT1)
        s.files.live[which::2] = 0
        s.files.nonzero[which::2] = 0
        for row, of_row in enumerate(words):
            for k, value in enumerate(of_row):
                regfile.write(s.files, 2 * k + which, row, int(value), 0)

    def get(self, image) -> np.ndarray:
        """The output vector."""
        place, s = image.output, self.state
        rows = -(-place.length // self.cfg.n_pe)
        if place.mem is Mem.ACT_SRAM:
            words = s.acts.sram[:, place.addr:place.addr + rows]
        else:
            which = int(place.mem is Mem.ACT1)
            words = np.where(s.files.nonzero[which::2, :rows], s.files.words[which::2, :rows], 0)
        return words.T.reshape(-1)[:place.length].copy()

    def run(self, image, activations, max_cycles: int = 100_000_000) -> Run:
        """Start the program on one vector and step it to its end.

        Raises
        ------
        RuntimeError
            If the program is refused or does not end within ``max_cycles``.
        """
        self.put(image, activations)
        x, y = self.inputs(BLOCK), self.trace(BLOCK)
        x.start[0], x.clear[0], x.length[0] = 1, 1, len(image.program)
        top.advance(self.state, x, y, 0, 1, False)
        x.start[0] = x.clear[0] = 0
        cycles = 0
        while (ran := top.advance(self.state, x, y, 0, BLOCK, True)) == BLOCK:
            cycles += ran
            if cycles > max_cycles:
                raise RuntimeError(f"program must end within {max_cycles} cycles")
        if self.state.sequencer.program_error[0]:
            raise RuntimeError(f"pass {int(self.state.sequencer.number[0])} of the program was refused")
        return self.result(image)

    def result(self, image) -> Run:
        """Outputs and statistics of the program that ended last."""
        s = self.state
        passes = [PassStats(*map(int, s.pass_counters[i])) for i in range(len(image.program))]
        return Run(self.get(image), s.arithmetic.saturated != 0, int(s.counters[top.CYCLES]), passes,
                   s.pe_entries.copy())


def warm_up():
    """Compile the model, whatever the configuration; later processes find it in the cache."""
    model = Eie(EieConfig(n_pe=1, spmat_words=2, ptr_words=4, act_words=2, program_words=2))
    top.advance(model.state, model.inputs(1), model.trace(1), 0, 1, False)


def run(image, activations) -> Run:
    """Run one vector on a fresh model."""
    model = Eie(image.cfg)
    model.load(image)
    return model.run(image, activations)
