"""Work for the Executor: random programs, tiles, maps; a loader that keeps to its rules, a store that takes sums."""

from typing import NamedTuple

import numpy as np

from golden.duet.executor import group_spec, step_spec
from hdl.duet.layouts import Load
from tests.common.units import make
from tests.duet.executor_model import Inputs, fields, pack_lanes

__all__ = ["Feeder", "Group", "Step", "Work", "operands", "random_build", "random_program", "random_work", "resolve",
           "values"]


class Step(NamedTuple):
    """Operands of a step: ``inputs`` [words, columns, pixels], ``weights`` [rows, words, columns, pixels], ``imap``
    bool like ``inputs``; fields of its build."""

    inputs: np.ndarray
    weights: np.ndarray
    imap: np.ndarray
    build: dict


class Group(NamedTuple):
    """Steps of a group of outputs; ``omap`` bool [rows, pixels]."""

    steps: list
    omap: np.ndarray


class Work(NamedTuple):
    """``program`` [lut, 3], all of it, whatever steps use; sums of each group, [groups][rows, pixels]; cycles of each
    step."""

    program: np.ndarray
    groups: list
    sums: list
    cycles: list


def values(rng, *shape):
    """Values of 16 bits, often the extremes."""
    extremes = rng.choice([-0x8000, 0x7FFF, -1, 0, 1], shape)
    return np.where(rng.random(shape) < 0.2, extremes, rng.integers(-0x8000, 0x8000, shape))


def random_program(cfg, rng, input_words, weight_words):
    """Any instructions on so many words; runs of the same output, as programs have them, and any order."""
    n = cfg.lut
    outputs = np.where(rng.random(n) < 0.5, np.arange(n) // 9 % cfg.pixels, rng.integers(cfg.pixels, size=n))
    return np.stack([rng.integers(input_words * cfg.pixels, size=n), rng.integers(weight_words * cfg.pixels, size=n),
                     outputs], axis=1)


def random_build(cfg, rng, length=None):
    """Fields of a build, but for the banks."""
    words = int(rng.integers(1, cfg.tag_words + 1)) if length is None else -(-length // cfg.tags)
    base = int(rng.integers(cfg.tag_words - words + 1))
    length = int(rng.integers((words - 1) * cfg.tags, words * cfg.tags + 1)) if length is None else length
    inside = (1 << cfg.pixels) - 1 if rng.random() < 0.7 else int(rng.integers(1 << cfg.pixels))
    return {"base": base, "words": words, "length": length, "use_imap": int(rng.random() < 0.8),
            "use_omap": int(rng.random() < 0.8), "inside": inside}


def random_work(cfg, rng, groups, *, density=(0.0, 0.1, 0.5, 1.0), most_steps=3, length=None):
    """Groups of steps whose maps are sparse in all degrees, and what becomes of them."""
    input_words, weight_words = (int(rng.integers(1, most + 1)) for most in (cfg.input_words, cfg.weight_words))
    program = random_program(cfg, rng, input_words, weight_words)
    made = []
    for _ in range(groups):
        omap = rng.random((cfg.rows, cfg.pixels)) < rng.choice(density)
        omap[rng.random(cfg.rows) < 0.2] = False
        group = Group([], omap)
        for _ in range(int(rng.integers(1, most_steps + 1))):
            shape = input_words, cfg.columns, cfg.pixels
            group.steps.append(Step(values(rng, *shape), values(rng, cfg.rows, weight_words, *shape[1:]),
                                    rng.random(shape) < rng.choice(density), random_build(cfg, rng, length)))
        made.append(group)
    return resolve(cfg, program, made)


def resolve(cfg, program, groups) -> Work:
    """The work of these groups: what becomes of them."""
    sums, cycles = [], []
    for group in groups:
        total = np.zeros((cfg.rows, cfg.columns, cfg.pixels), np.int64)
        for step in group.steps:
            total, taken = step_spec(*operands(cfg, program, group, step), total)
            cycles.append(taken)
        sums.append(group_spec(total))
    return Work(program, groups, sums, cycles)


def operands(cfg, program, group, step):
    """Arguments of ``step_spec`` for a step."""
    build = step.build
    first = build["base"] * cfg.tags
    inside = np.array([build["inside"] >> v & 1 for v in range(cfg.pixels)], bool)
    imap = step.imap if build["use_imap"] else np.ones_like(step.imap)
    omap = group.omap if build["use_omap"] else np.ones_like(group.omap)

    def by_column(words):
        return np.moveaxis(words, -2, -3).reshape(*words.shape[:-3], cfg.columns, -1)

    return (by_column(step.inputs), by_column(step.weights), program[first:first + build["length"]], by_column(imap),
            omap & inside)


def mask(bits) -> int:
    """Bits as a number, the first lowest."""
    return sum(1 << k for k, bit in enumerate(np.ravel(bits)) if bit)


class Feeder:
    """Offers a work to the Executor, cycle by cycle, and takes the sums.

    Parameters
    ----------
    cfg, work
    rng : random.Random
    p, p_drain : float
        Probability that something is offered, that the store is ready when it may be.
    pixels : int
        Sums of a group.
    """

    def __init__(self, cfg, work, rng, *, p=1.0, p_drain=1.0, pixels=None):
        self.cfg, self.rng, self.p, self.p_drain = cfg, rng, p, p_drain
        self.pixels = pixels or cfg.pixels
        self.form = fields(cfg)
        self.ids = {"row_ids": ids(cfg.rows), "column_ids": ids(cfg.columns)}
        self.plan = self._plan(work)        # (steps that must be over, inputs of a cycle), last first
        self.offered = False
        self.over = self.due = 0            # steps; groups of which the store knows
        self.sums, self.starts, self.done_at, self.cycle = [], 0, [], 0

    @property
    def done(self):
        """Everything was sent; what is inside is another matter."""
        return not self.plan

    def offer(self) -> Inputs:
        """The inputs of this cycle."""
        x = Inputs(**self.ids, pixels=self.pixels, drain_ready=self.rng.random() < self.p_drain)
        if self.plan and not self.offered:
            self.offered = self.over >= self.plan[-1][0] and self.rng.random() < self.p
        return x._replace(**self.plan[-1][1]) if self.offered else x

    def taken(self, x, y):
        """End of the cycle."""
        waits = (x.build is not None and not y.build_ready) or (x.step is not None and not y.step_ready)
        if self.offered and not waits:
            self.plan.pop()
            self.offered = False
        self.over += y.step_done
        self.starts += y.drain_start
        if y.step_done:
            self.done_at.append(self.cycle)
        if y.sums is not None:
            self.sums.append(y.sums)
        self.cycle += 1

    def _plan(self, work):
        cfg, plan = self.cfg, []
        everywhere = {"row": cfg.rows, "column": cfg.columns}
        for index, (source, weight, pixel) in enumerate(work.program.tolist()):
            instruction = source | weight << cfg.input_bits | pixel << cfg.input_bits + cfg.weight_bits
            word = sum(instruction << cfg.lane_bits * c for c in range(cfg.columns))
            plan.append((0, {"i": self._make("i", kind=Load.LUT.value, bank=0, index=index, data=word, **everywhere)}))
        number = 0
        for g, group in enumerate(work.groups):
            for k, step in enumerate(group.steps):
                cycles = self._step(step, number % 2)
                if k == 0:
                    rows = [{"omap": self._make("omap", bank=g % 2, row=r, bits=mask(bits))}
                            for r, bits in enumerate(group.omap)]
                    cycles = [a | b for a, b in zip(cycles + [{}] * (len(rows) - len(cycles)),
                                                    rows + [{}] * (len(cycles) - len(rows)), strict=True)]
                banks = {"bank": number % 2, "omap_bank": g % 2}
                cycles.append({"build": self._make("build", **step.build, **banks)})
                cycles.append({"step": self._make("step", input_bank=number % 2, weight_bank=number % 2,
                                                  last=int(k == len(group.steps) - 1))})
                plan += [(max(number - 1, 0), x) for x in cycles]
                number += 1
        return plan[::-1]

    def _step(self, step, bank):
        """Cycles that bring the operands of a step."""
        cfg, cycles = self.cfg, []
        for index, (word, bits) in enumerate(zip(step.inputs, step.imap, strict=True)):
            cycles.append({"i": self._make("i", kind=Load.INPUT.value, row=cfg.rows, column=cfg.columns, bank=bank,
                                           index=index, data=pack_lanes(word)),
                           "imap": self._make("imap", bank=bank, word=index, bits=mask(bits))})
        for r, words in enumerate(step.weights):
            cycles += [{"i": self._make("i", kind=Load.WEIGHT.value, row=r, column=cfg.columns, bank=bank, index=index,
                                        data=pack_lanes(word))} for index, word in enumerate(words)]
        return cycles

    def _make(self, name, **values):
        return make(self.form[name], **values)


def ids(count) -> int:
    """IDs 0, 1, ... side by side."""
    bits = (count - 1).bit_length()
    return sum(k << bits * k for k in range(count))
