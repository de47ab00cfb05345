"""Sizes of units of DUET that have no configuration."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MulticastShape:
    """Argument of ``hdl.duet.multicast.Multicast``."""

    count: int
