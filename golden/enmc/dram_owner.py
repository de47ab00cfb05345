"""Golden model of who has the DRAM, and of its refresh [Thesis 6.4.2, 6.4.3].

The host is locked out first; when what it sent is over, all banks are closed and ENMC works. Refreshes that fall due
are counted; each interrupts the work: all banks are closed, the refresh begins, the work goes on and opens its rows
again. Nothing is handed back before a refresh that is due.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import BURST_CLOCKS, PHASES

__all__ = ["CALIBRATION", "CLOSE", "HOST", "LOCK", "LOCK_CYCLES", "QUIET", "SETTLE", "WORK", "YIELD", "OwnerState",
           "clock", "is_owner", "lateness", "quiet_clocks", "runs", "state", "wants_close", "wants_refresh", "yields"]

#: States.
HOST, LOCK, QUIET, CLOSE, SETTLE, WORK, YIELD = range(7)
#: Cycles in which a command of the host may still be on its way to the DRAM after it was locked out.
LOCK_CYCLES = 4
#: A ZQ calibration of the host may take so long [clocks; JEDEC tZQCS]; a setting of a mode register, 24.
CALIBRATION = 128


def quiet_clocks(cfg: EnmcConfig) -> tuple[int, int]:
    """Clocks after which no rule reaches back to a command of the host, and to its refresh."""
    quiet = max(cfg.trc, cfg.tras, cfg.tfaw, cfg.cwl + BURST_CLOCKS + max(cfg.twr, cfg.twtr_l),
                cfg.cl + BURST_CLOCKS + max(cfg.trtp, 2 * PHASES), CALIBRATION)
    return quiet, max(quiet, cfg.trfc)


def lateness(cfg: EnmcConfig) -> int:
    """Most clocks from the cycle in which a refresh falls due while ENMC works to its command; JEDEC allows 8 trefi.

    Work stops two cycles later, then the last command must be over, then the precharge of all banks; the rest is the
    granularity of a cycle.
    """
    last = max(cfg.tras, cfg.trtp, cfg.cwl + BURST_CLOCKS + cfg.twr)
    return last + max(cfg.trp, cfg.trc - cfg.tras, cfg.tfaw - cfg.tras) + 6 * PHASES


class OwnerState(NamedTuple):
    """Registers [lanes]."""

    state: np.ndarray
    count: np.ndarray       # cycles in LOCK
    quiet: np.ndarray       # clocks until the host's last command is over
    timer: np.ndarray       # clocks since a refresh fell due
    owed: np.ndarray        # refreshes that are due
    shape: np.ndarray       # [3]: clocks of quiet after a command, after a refresh, between refreshes


def state(cfg: EnmcConfig, lanes: int) -> OwnerState:
    """State after reset: the host has the DRAM."""
    return OwnerState(*(np.zeros(lanes, np.int64) for _ in range(5)), np.array([*quiet_clocks(cfg), cfg.trefi]))


@jit
def is_owner(s, k):
    """The host is locked out."""
    return s.state[k] != HOST


@jit
def runs(s, k):
    """Rows may be opened, read and written."""
    return s.state[k] == WORK


@jit
def wants_close(s, k):
    """All banks are to be precharged."""
    return s.state[k] == CLOSE


@jit
def wants_refresh(s, k):
    """A refresh is to begin."""
    return s.state[k] == SETTLE and s.owed[k] > 0


@jit
def yields(s, k):
    """The host has the DRAM as soon as no rule reaches back."""
    return s.state[k] == YIELD


@jit
def clock(s, k, own, host_command, host_refresh, closed, refreshed, idle):
    """One clock of lane ``k``; ``closed`` and ``refreshed``: the command went out; ``idle``: no rule reaches back."""
    was, owed = s.state[k], s.owed[k]
    if was == HOST:
        s.count[k] = LOCK_CYCLES - 1
        if own:
            s.state[k] = LOCK
    elif was == LOCK:
        if s.count[k] == 0:
            s.state[k] = QUIET
        else:
            s.count[k] -= 1
    elif was == QUIET:
        if s.quiet[k] == 0:
            s.state[k] = CLOSE
    elif was == CLOSE:
        if closed:
            s.state[k] = SETTLE
    elif was == SETTLE:
        if refreshed or owed == 0:
            s.state[k] = WORK if own else YIELD
    elif was == WORK:
        if owed > 0 or not own:
            s.state[k] = CLOSE
    elif idle:  # YIELD
        s.state[k] = HOST

    quiet = max(s.quiet[k] - PHASES, 0)
    if host_refresh:
        quiet = s.shape[1]
    elif host_command:
        quiet = max(quiet, s.shape[0])
    s.quiet[k] = quiet

    expired = s.timer[k] + PHASES >= s.shape[2]
    s.timer[k] += PHASES - (s.shape[2] if expired else 0)
    if expired and not (was == HOST and owed > 0):
        owed += 1
    if refreshed or host_refresh:
        if owed > 0:
            owed -= 1
        else:
            s.timer[k] = 0
    s.owed[k] = owed
