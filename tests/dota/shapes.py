"""Parameters of units of DOTA that do not follow from its configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class QuantizeShape:
    """Numbers at a time, their width, width of the results."""

    n: int
    in_bits: int
    out_bits: int


@dataclass(frozen=True)
class Nothing:
    """A unit without parameters."""
