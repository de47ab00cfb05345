"""Golden model of the timing rules of the DRAM controller: when each command may go out [Thesis 6.4.2, table 6.3].

The model keeps the clock of the last command of each kind and bank; the hardware counts down. Clocks are
numbered from the reset on, three to a cycle. Commands to rows are decided for the clocks of this cycle, reads and
writes for those of the next one; all of them reach the pins one register later.

Banks are numbered bank_group + 4 * bank, so that banks of a number modulo 4 share a group.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import BANK_GROUPS, BANKS, BURST_CLOCKS, PHASES

__all__ = ["RULES", "TimingState", "act_due", "all_act_due", "all_pre_due", "idle_due", "issue_act",
           "issue_all_pre", "issue_cas", "issue_pre", "issue_ref", "now_of", "pre_due", "read_due", "rules_of", "state",
           "tick", "write_due"]

#: Distances [clocks] in the order of ``rules``.
RULES = ("trcd", "trp", "tras", "trc", "tccd_s", "tccd_l", "trrd_s", "trrd_l", "tfaw", "twr", "trtp", "twtr_s",
         "twtr_l", "turnaround", "trfc")
(TRCD, TRP, TRAS, TRC, TCCD_S, TCCD_L, TRRD_S, TRRD_L, TFAW, TWR, TRTP, TWTR_S, TWTR_L, TURNAROUND,
 TRFC) = range(len(RULES))
#: Before the reset: no rule reaches so far.
NEVER = -(1 << 20)


class TimingState(NamedTuple):
    """Clocks of the last commands."""

    rules: np.ndarray   # [RULES]; those after the end of write data count from the command on
    now: np.ndarray     # [lanes], first clock of this cycle
    act: np.ndarray     # [lanes, BANKS]
    pre: np.ndarray     # [lanes, BANKS]
    read: np.ndarray    # [lanes, BANKS]
    write: np.ndarray   # [lanes, BANKS]
    acts: np.ndarray    # [lanes, 4], of any bank, the latest last
    ref: np.ndarray     # [lanes]


def rules_of(cfg: EnmcConfig) -> np.ndarray:
    """The distances of ``RULES`` from command to command; data of a write are cwl + 4 clocks long in the way."""
    written = cfg.cwl + BURST_CLOCKS
    return np.array([getattr(cfg, name) + (written if name in ("twr", "twtr_s", "twtr_l") else 0) for name in RULES])


def state(cfg: EnmcConfig, lanes: int) -> TimingState:
    """State after reset."""
    def never(*shape):
        return np.full((lanes, *shape), NEVER)

    banks = [never(BANKS) for _ in range(4)]
    return TimingState(rules_of(cfg), np.zeros(lanes, np.int64), *banks, never(4), never())


@jit
def now_of(s, k):
    """First clock of this cycle: of commands to rows; reads and writes are decided for a cycle later."""
    return s.now[k]


@jit
def act_due(s, k, bank):
    """First clock in which the bank may be activated."""
    r = s.rules
    due = max(s.act[k, bank] + r[TRC], s.pre[k, bank] + r[TRP], s.acts[k, 0] + r[TFAW], s.ref[k] + r[TRFC])
    for other in range(BANKS):
        near = other % BANK_GROUPS == bank % BANK_GROUPS
        due = max(due, s.act[k, other] + (r[TRRD_L] if near else r[TRRD_S]))
    return due


@jit
def pre_due(s, k, bank):
    """First clock in which the bank may be precharged."""
    r = s.rules
    return max(s.act[k, bank] + r[TRAS], s.read[k, bank] + r[TRTP], s.write[k, bank] + r[TWR], s.ref[k] + r[TRFC])


@jit
def read_due(s, k, bank):
    """First clock in which the bank may be read if it is open."""
    r = s.rules
    due = s.act[k, bank] + r[TRCD]
    for other in range(BANKS):
        near = other % BANK_GROUPS == bank % BANK_GROUPS
        last = max(s.read[k, other], s.write[k, other])
        due = max(due, last + (r[TCCD_L] if near else r[TCCD_S]),
                  s.write[k, other] + (r[TWTR_L] if near else r[TWTR_S]))
    return due


@jit
def write_due(s, k, bank):
    """First clock in which the bank may be written if it is open."""
    r = s.rules
    due = s.act[k, bank] + r[TRCD]
    for other in range(BANKS):
        near = other % BANK_GROUPS == bank % BANK_GROUPS
        last = max(s.read[k, other], s.write[k, other])
        due = max(due, last + (r[TCCD_L] if near else r[TCCD_S]), s.read[k, other] + r[TURNAROUND])
    return due


@jit
def all_pre_due(s, k):
    """First clock in which all banks may be precharged."""
    due = NEVER
    for bank in range(BANKS):
        due = max(due, pre_due(s, k, bank))
    return due


@jit
def all_act_due(s, k):
    """First clock in which any bank might be activated; a refresh may begin then."""
    due = NEVER
    for bank in range(BANKS):
        due = max(due, act_due(s, k, bank))
    return due


@jit
def idle_due(s, k):
    """First clock from which on no rule reaches back."""
    r = s.rules
    due = max(all_act_due(s, k), all_pre_due(s, k), s.acts[k, 3] + r[TFAW])
    for bank in range(BANKS):
        due = max(due, read_due(s, k, bank) - PHASES, write_due(s, k, bank) - PHASES)
    return due


@jit
def issue_act(s, k, bank, clock):
    """The bank is activated."""
    s.act[k, bank] = clock
    for place in range(3):
        s.acts[k, place] = s.acts[k, place + 1]
    s.acts[k, 3] = clock


@jit
def issue_pre(s, k, bank, clock):
    """The bank is precharged."""
    s.pre[k, bank] = clock


@jit
def issue_all_pre(s, k, clock):
    """All banks are precharged."""
    for bank in range(BANKS):
        s.pre[k, bank] = clock


@jit
def issue_ref(s, k, clock):
    """A refresh begins."""
    s.ref[k] = clock


@jit
def issue_cas(s, k, bank, is_write, clock):
    """The bank is read or written."""
    if is_write:
        s.write[k, bank] = clock
    else:
        s.read[k, bank] = clock


@jit
def tick(s, k):
    """The next cycle."""
    s.now[k] += PHASES
