"""Bandwidth of the DRAM controller for a list of reads, measured on its cycle model [Thesis 6.4.2].

The readers free each burst at once, requests never run out: what is lost is lost by the DRAM and its controller.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import dram_controller, dram_visits
from .config import EnmcConfig
from .formats import BURST_CLOCKS, PHASES, Dest

__all__ = ["Bandwidth", "bandwidth"]


class Bandwidth(NamedTuple):
    """What was measured.

    Attributes
    ----------
    bursts : int
    cycles : int
        From the first read command to the last.
    refreshes : int
    of_peak : float
        Share of the data pins' clocks that carry data.
    of_reachable : float
        The same, of the clocks that refreshes leave: 1 - trfc / trefi.
    """

    bursts: int
    cycles: int
    refreshes: int
    of_peak: float
    of_reachable: float


def bandwidth(cfg: EnmcConfig, addr, count, dest=0) -> Bandwidth:
    """Measure reads.

    Parameters
    ----------
    addr, count, dest : int arrays, shape (requests,)
        Requests; ``count`` in 1..65535. One number stands for all.

    Raises
    ------
    ValueError
        If there are fewer than two bursts, or a value is out of range.
    """
    addr, count, dest = (np.array(column, np.int64).ravel() for column in np.broadcast_arrays(addr, count, dest))
    for name, column, low, high in (("addr", addr, 0, cfg.bursts - 1), ("count", count, 1, 2**16 - 1),
                                    ("dest", dest, 0, len(Dest) - 1)):
        for value in column:
            if not low <= value <= high:
                raise ValueError(f"{name} must be in {low}..{high}, not {value.item()!r}")
    bursts = int(count.sum())
    if bursts < 2:
        raise ValueError(f"count must add up to at least 2, not {bursts!r}")
    s = dram_controller.state(cfg, 1)
    words = np.zeros(PHASES * cfg.phase_words, np.int64), np.zeros(cfg.burst_words, np.int64)
    cycles = int(_serve(s, 0, True, False, 0, addr, count, dest, bursts, *words))
    of_peak = (bursts - 1) * BURST_CLOCKS / (PHASES * cycles)
    refreshes = int(s.seen[dram_controller.EVENTS.index("refresh")])
    return Bandwidth(bursts, cycles, refreshes, of_peak, of_peak / (1 - cfg.trfc / cfg.trefi))


@jit
def _serve(s, k, own, host, freed, addr, count, dest, bursts, words, burst):
    """Cycles from the first read to the last.

    ``own``, ``host`` and ``freed`` are arguments: Numba would compile the controller once more for constants.
    """
    sent = reads = first = cycle = 0
    while reads < bursts:
        offers = sent < addr.size
        at = min(sent, addr.size - 1)
        accepted = offers and dram_visits.ready_of(s.visits, k)
        dram_controller.clock(s, k, offers, addr[at], count[at], dest[at] << 1, own, host, host, freed, words, host,
                              burst)
        freed = 1 << dram_controller.load_dest_of(s, k) if dram_controller.load_valid(s, k) else 0
        cycle += 1
        sent += accepted
        if s.commands.read[k]:
            if reads == 0:
                first = cycle
            reads += 1
    return cycle - first
