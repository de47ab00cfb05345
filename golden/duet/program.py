"""What the compiler hands to the host: memories, stages, where inputs go and where the output is."""

from typing import NamedTuple

import numpy as np

from golden.common.fields import pack_fields

from .config import DuetConfig
from .formats import CELL_FIELDS, EXECUTE_FIELDS, SPECULATE_FIELDS, Target
from .packing import Write, pack, unpack

__all__ = ["STAGE_FIELDS", "Input", "Place", "Program", "Stage", "job", "packed"]


class Place(NamedTuple):
    """A vector or feature map in the global buffer.

    Attributes
    ----------
    base, map_base : int
        First word, and first word of its map in the map buffer.
    words : int
    positions : int64 array
        Value index of every value, counted from ``base`` on.
    shape : tuple
    mapped : bool
        Its map is kept up to date, so that it serves as an IMap.
    """

    base: int
    map_base: int
    words: int
    positions: np.ndarray
    shape: tuple
    mapped: bool


class Input(NamedTuple):
    """A part of an input, ``input[index]``, and where it goes; its map too if ``map_base`` is not None."""

    base: int
    map_base: int | None
    words: int
    positions: np.ndarray
    index: tuple


class Stage(NamedTuple):
    """A RUN: the three jobs (None: no job), and what the host writes before.

    Attributes
    ----------
    name : str
    writes : list of Write
    execute, speculate, cell : dict of str to int, or None
        By the fields of :mod:`golden.duet.formats`; ``threshold`` is signed.
    layers : (int or None, int or None)
        Layers of the Executor and of the Speculator.
    """

    name: str
    writes: list
    execute: dict | None
    speculate: dict | None
    cell: dict | None
    layers: tuple


class Program(NamedTuple):
    """A network on an accelerator.

    Attributes
    ----------
    cfg : DuetConfig
    mode : str
    load : list of Write
        Once, before the first input.
    inputs : list of Input
    zero : list of Write
        Before every input, as the input itself.
    stages : list of Stage
        For every input.
    memory : int64 array, shape (words, values)
        Weights that are off chip.
    outputs : list of Place
        Of every layer; a recurrent one: its last hidden state.
    """

    cfg: DuetConfig
    mode: str
    load: list
    inputs: list
    zero: list
    stages: list
    memory: np.ndarray
    outputs: list

    def input_writes(self, x) -> list[Write]:
        """What the host writes for an input."""
        writes = list(self.zero)
        for part in self.inputs:
            words = pack(self.cfg, x[part.index], part.positions, part.words)
            writes.append(Write(Target.GLB, part.base, words))
            if part.map_base is not None:
                writes.append(Write(Target.MAP, part.map_base, (words != 0).astype(np.int64)))
        return writes

    def result(self, words) -> np.ndarray:
        """The output of the network from the words of its place."""
        place = self.outputs[-1]
        return unpack(words, place.positions).reshape(place.shape)


def job(fields, **values) -> dict:
    """All fields of a job as a dict; those that are not named are 0.

    Raises
    ------
    ValueError
        If a value does not fit its field.
    """
    packed(fields, values)
    return {name: int(values.get(name, 0)) for name in fields}


def packed(fields, values) -> int:
    """A job as one word."""
    unsigned = dict(values)
    if unsigned.get("threshold", 0) < 0:
        unsigned["threshold"] += 1 << fields["threshold"]
    return pack_fields(fields, unsigned)


#: Fields by job of a stage.
STAGE_FIELDS = {"execute": EXECUTE_FIELDS, "speculate": SPECULATE_FIELDS, "cell": CELL_FIELDS}
