"""Work for a PE: a program, steps with their operands and tags, drains; one as soon as possible after the other."""

from collections import deque
from typing import NamedTuple

import numpy as np

from golden.duet.executor_pe import MAC_LATENCY, step_sums
from golden.duet.formats import SUM_BITS
from golden.duet.tag_queue import instructions
from hdl.duet.layouts import Load
from tests.duet.executor_model import pack_lanes
from tests.duet.executor_traffic import random_program, values
from tests.duet.tag_traffic import TagFeeder, random_words

__all__ = ["Inputs", "PeFeeder", "PeStep", "random_steps"]


class Inputs(NamedTuple):
    take: bool = False
    kind: int | None = None
    bank: int | None = None
    index: int | None = None
    word: int | None = None
    tags_valid: bool = False
    tags_word: int | None = None
    tags_phase: int | None = None
    itags: int | None = None
    otags: int | None = None
    start: bool = False
    input_bank: int = 0
    weight_bank: int = 0
    sum_bank: int = 0
    drain: int = 0
    chain_in: int = 0


class PeStep(NamedTuple):
    """``inputs``, ``weights`` [words, pixels]; ``words``: (word of the program, its tags); ``group``: its number."""

    inputs: np.ndarray
    weights: np.ndarray
    words: list
    group: int


def random_steps(cfg, rng, count, p_tag):
    """Program, and steps of groups of one to three; ``p_tag`` is the part of instructions that is valid."""
    random = np.random.default_rng(rng.getrandbits(32))
    program = random_program(cfg, random, cfg.input_words, cfg.weight_words)
    steps, group = [], 0
    for _ in range(count):
        steps.append(PeStep(values(random, cfg.input_words, cfg.pixels), values(random, cfg.weight_words, cfg.pixels),
                            random_words(cfg, rng, rng.randint(1, cfg.tag_words), p_tag), group))
        group += rng.random() < 0.5
    return program, steps


class PeFeeder:
    """Inputs of a PE, cycle by cycle. It knows when steps are over, from the number of their instructions.

    Attributes
    ----------
    expected : list of int
        What ``chain`` shows, in the order of the commands.
    """

    def __init__(self, cfg, program, steps, rng, p=1.0):
        self._cfg, self._rng, self._p, self._steps = cfg, rng, p, steps
        self._loads = deque((0, Load.LUT, 0, index, source | weight << cfg.input_bits
                             | pixel << cfg.input_bits + cfg.weight_bits)
                            for index, (source, weight, pixel) in enumerate(program.tolist()))
        for n, step in enumerate(steps):
            for kind, words in (Load.INPUT, step.inputs), (Load.WEIGHT, step.weights):
                self._loads += [(n, kind, n % 2, index, pack_lanes(word)) for index, word in enumerate(words)]
        self._groups = steps[-1].group + 1
        self._last = [max(n for n, step in enumerate(steps) if step.group == g) for g in range(self._groups)]
        self._sums = self._spec(program)
        self._drained_at, self._draining = {}, None
        self._banks = {}
        self.tags = TagFeeder([step.words for step in steps], rng, p, self._may_start)
        self.expected, self._chain_in = [], deque([0, 0], 2)

    @property
    def done(self):
        """Everything was drained."""
        return len(self._drained_at) == self._groups

    def _spec(self, program):
        sums = np.zeros((self._groups, self._cfg.pixels), np.int64)
        for step in self._steps:
            tags = np.zeros(len(program), bool)
            tags[instructions(*zip(*step.words, strict=True), self._cfg.tags)] = True
            sums[step.group] = step_sums(step.inputs.ravel(), step.weights.ravel(), program, tags, sums[step.group])
        return sums

    def _may_start(self, number):
        """Its data are there, and its bank of sums is free."""
        group = self._steps[number].group
        loaded = not self._loads or self._loads[0][0] > number
        return loaded and (group < 2 or self._drained_at.get(group - 2, self.tags.cycle) < self.tags.cycle)

    def _may_load(self, number):
        """The last instruction of the step that had the bank has read its operands, a cycle after its issue."""
        return number < 2 or (self.tags.over > number - 2 and self.tags.over_at[number - 2] < self.tags.cycle)

    def offer(self) -> Inputs:
        """The inputs of this cycle."""
        offer, x = self.tags.offer(), Inputs(**self._banks)
        if self._loads and self._may_load(self._loads[0][0]) and self._rng.random() < self._p:
            _step, kind, bank, index, word = self._loads.popleft()
            x = x._replace(take=True, kind=kind.value, bank=bank, index=index, word=word)
        if offer["word"] is not None:
            (word, tags), cover = offer["word"], self._rng.getrandbits(self._cfg.tags)
            itags, otags = tags | cover, tags | ~cover & (1 << self._cfg.tags) - 1
            x = x._replace(tags_valid=True, tags_word=word, tags_phase=offer["phase"], itags=itags, otags=otags)
        if offer["start"]:
            number = self.tags.started - 1
            self._banks = {"input_bank": number % 2, "weight_bank": number % 2,
                           "sum_bank": self._steps[number].group % 2}
        return x._replace(start=offer["start"], drain=self._drain(), chain_in=self._rng.getrandbits(SUM_BITS))

    def _drain(self):
        """Command to drain, packed as ``drain_layout``."""
        group = len(self._drained_at)
        if self._draining is None and group < self._groups:
            end = self.tags.over_at[self._last[group]] if self.tags.over > self._last[group] else None
            if end is not None and self.tags.cycle >= end + MAC_LATENCY - 1 and self._rng.random() < self._p:
                self._draining = 0
        if self._draining is None:
            return 0
        pixel = self._draining
        last = pixel == self._cfg.pixels - 1
        self.expected.append(int(self._sums[group][pixel]))
        self._draining = None if last else pixel + 1
        if last:
            self._drained_at[group] = self.tags.cycle
        return 1 | group % 2 << 1 | last << 2 | pixel << 3

    def tick(self):
        """End of the cycle."""
        self.tags.tick()
