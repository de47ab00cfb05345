"""How the ranks of a DIMM spend their time: cycles by what goes on, counted from what they show in each."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import rank
from .config import EnmcConfig
from .formats import BURST_CLOCKS, PHASES, PIN_FIELDS, WE_N, Command, Dest

__all__ = ["QUANTITIES", "STAGES", "Occupation", "counts", "occupation", "take"]

#: What a rank does in a cycle: only the screener has work, screener and executor have, only the executor has, ENMC has
#: the DRAM and neither has (the host is slow, or data are on their way), the rank rests.
STAGES = ("screening", "both", "executing", "waiting", "resting")
SCREENING, BOTH, EXECUTING, WAITING, RESTING = range(len(STAGES))
#: What is counted in each: cycles, bursts that came for screener and executor, writes and refreshes of ENMC, cycles in
#: which the MACs worked.
QUANTITIES = ("cycles", "screen_bursts", "exact_bursts", "writes", "refreshes", "int4", "fp32")
CYCLES, SCREEN, EXACT, WRITES, REFRESHES, INT4, FP32 = range(len(QUANTITIES))
_A = sum(bits for name, bits in PIN_FIELDS.items() if name != "a") + WE_N
_REFRESH, _WRITE, _SCREENER = int(Command.REF), int(Command.WR), int(Dest.SCREENER)


class Occupation(NamedTuple):
    """Of a rank in one of the stages, or in some of them together.

    Attributes
    ----------
    cycles : int
    bursts : int
        Read and written.
    pins : float
        Share of the clocks in which the data pins carried them.
    possible : float
        The same, of the clocks that the refreshes left.
    int4, fp32 : float
        Share of the cycles in which those MACs worked.
    """

    cycles: int
    bursts: int
    pins: float
    possible: float
    int4: float
    fp32: float


def counts(cfg: EnmcConfig) -> np.ndarray:
    """Nothing counted yet: int64 [ranks, stages, quantities]."""
    return np.zeros((cfg.ranks, len(STAGES), len(QUANTITIES)), np.int64)


@jit
def take(total, y):
    """Add the cycles of a block [cycles, ranks, fields of ``golden.enmc.formats.trace_of``]."""
    for t in range(y.shape[0]):
        for k in range(y.shape[1]):
            row = y[t, k]
            screens, executes = row[rank.T_SCREEN_BUSY] != 0, row[rank.T_EXECUTE_BUSY] != 0
            stage = (BOTH if screens and executes else SCREENING if screens else EXECUTING if executes
                     else WAITING if row[rank.T_OWNER] else RESTING)
            total[k, stage, CYCLES] += 1
            if row[rank.T_LOAD]:
                total[k, stage, SCREEN if row[rank.T_LOAD_DEST] == _SCREENER else EXACT] += 1
            total[k, stage, INT4] += row[rank.T_SCREENING]
            total[k, stage, FP32] += row[rank.T_EXECUTING]
            if row[rank.T_OWNER]:
                for slot in range(PHASES):
                    pins = row[rank.T_PINS[slot]]
                    if pins & 3 == 2:
                        command = pins >> _A & 7
                        total[k, stage, REFRESHES] += command == _REFRESH
                        total[k, stage, WRITES] += command == _WRITE


def occupation(cfg: EnmcConfig, total, stages=STAGES) -> Occupation:
    """From counts of a rank [stages, quantities]; ``stages``: those that are looked at."""
    some = np.asarray(total)[[STAGES.index(name) for name in stages]].sum(axis=0).tolist()
    cycles, bursts = some[CYCLES], some[SCREEN] + some[EXACT] + some[WRITES]
    clocks, busy = PHASES * cycles, BURST_CLOCKS * bursts
    return Occupation(cycles, bursts, busy / max(clocks, 1), busy / max(clocks - some[REFRESHES] * cfg.trfc, 1),
                      some[INT4] / max(cycles, 1), some[FP32] / max(cycles, 1))
