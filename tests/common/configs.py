"""Configurations of the units under test; pytest hands them to the benches as JSON."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FifoConfig:
    depth: int
    width: int = 12


@dataclass(frozen=True)
class SkidConfig:
    width: int


@dataclass(frozen=True)
class BeatsConfig:
    word_bits: int
    beat_bits: int


@dataclass(frozen=True)
class SramConfig:
    ports: str  # "1rw", "1r1w" or "1r1w_masked"
    depth: int
    width: int
    parts: int = 1


@dataclass(frozen=True)
class Widths:
    """The operand widths of a probe, each with ports of its own."""

    widths: tuple[int, ...]
