"""Work for the executor: commands, the bursts that they need, and the records that have to come out, without time."""

from typing import NamedTuple

import numpy as np

from golden.common.fields import pack_fields
from golden.enmc import fp32, special
from golden.enmc.exact_dot import partial_sums
from golden.enmc.exact_finish import result_of
from golden.enmc.formats import RECORD_FIELDS, Execute, Function
from tests.enmc.fp32_cases import operands

__all__ = ["Command", "Work", "normal_bits"]


class Command(NamedTuple):
    """Fields of ``hdl.enmc.layouts.execute_layout``."""

    kind: int
    count: int = 0
    clear: int = 0
    ones: int = 0
    function: int = 0
    batch: int = 0
    label: int = 0
    score: int = 0


def normal_bits(rng, *shape):
    """Bit patterns of moderate numbers."""
    return fp32.bits_of(rng.normal(size=shape).astype(np.float32))


class Work:
    """Commands in order with all that follows from them.

    Attributes
    ----------
    commands : list of Command
    bursts : list of uint32 array, shape (words,)
    records : list of int
        Expected, 128 bits each.
    largest, sums : list of int
        Registers of softmax in the end.
    """

    def __init__(self, cfg, rng, row_bursts: int):
        self.cfg, self.rng, self.row_bursts = cfg, rng, row_bursts
        self.commands, self.bursts, self.records = [], [], []
        self.largest, self.sums = [special.LOWEST] * cfg.batch, [0] * cfg.batch
        self.inputs = min(cfg.batch, cfg.exact_features // cfg.burst_words // row_bursts)
        self._beats = []

    def features(self, *, strange=False):
        """Features of all inputs that there is room for."""
        self._features = self._vectors(self.inputs * self.row_bursts, strange)
        self.commands.append(Command(Execute.FEATURES, len(self._features)))
        self.bursts += list(self._features)

    def _vectors(self, count, strange):
        shape = count, self.cfg.burst_words
        return operands(self.rng, count * shape[1]).reshape(shape) if strange else normal_bits(self.rng, *shape)

    def multiply(self, batch=0, *, count=None, clear=False, ones=False, strange=False):
        """``count`` bursts of a row, by default all of it."""
        weights = self._vectors(count or self.row_bursts, strange)
        self.commands.append(Command(Execute.MULTIPLY, len(weights), int(clear), int(ones), batch=batch))
        self.bursts += list(weights)
        if clear:
            self._beats = []
        for burst in weights:
            vector = batch * self.row_bursts + len(self._beats) % self.row_bursts
            self._beats.append((burst, np.full_like(burst, fp32.ONE) if ones else self._features[vector]))

    def finish(self, function=Function.NONE, batch=0):
        """The end of a row."""
        weights, features = zip(*self._beats, strict=True) if self._beats else ([], [])
        shape = len(weights), self.cfg.burst_words
        exact = result_of(partial_sums(np.reshape(weights, shape).astype(np.uint32),
                                       np.reshape(features, shape).astype(np.uint32)))
        self._beats, value = [], 0
        if function == Function.SIGMOID:
            value = special.sigmoid(exact)
        elif function == Function.SOFTMAX:
            value, self.largest[batch], self.sums[batch] = special.softmax_step(exact, self.largest[batch],
                                                                               self.sums[batch])
        known = function if function in tuple(Function) else Function.NONE
        self._record(Execute.FINISH, batch, int(function), {"exacts": 1, "function": int(known), "exact": exact,
                                                           "value": int(value)})

    def passes(self, batch=0):
        """A candidate without exact result."""
        self._record(Execute.PASS, batch, int(self.rng.integers(4)), {})

    def _record(self, kind, batch, function, fields):
        label, score = int(self.rng.integers(1 << 24)), int(self.rng.integers(1 << 32))
        self.commands.append(Command(kind, function=function, batch=batch, label=label, score=score))
        self.records.append(pack_fields(RECORD_FIELDS, {"score": score, "label": label, "batch": batch, "valid": 1,
                                                        **fields}))

    def row(self, function=Function.NONE, batch=None, **options):
        """A row and its end."""
        batch = int(self.rng.integers(self.inputs)) if batch is None else batch
        self.multiply(batch, **options)
        self.finish(function, batch)
