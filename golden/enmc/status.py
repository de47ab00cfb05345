"""Golden model of the status registers and counters of a rank [Thesis 6.4.2]; what they are: ``registers.py``."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .registers import REGISTERS

#: Counters, in the order of their registers.
COUNTERS = tuple(name for name, r in REGISTERS.items() if r.width == 48)
COUNTER_BITS = 48
#: Cycles from an amount to its counter, and from a QUERY to its answer.
COUNTER_LATENCY, ANSWER_LATENCY = 2, 1
#: Numbers of the first counter, of the first register of the softmax, and some others.
FIRST_COUNTER, SOFTMAX = REGISTERS[COUNTERS[0]].number, REGISTERS["softmax_0"].number
STATUS, LEVEL, BATCH, CLASSES, FIRST_CLASS, SCREEN_BURSTS, THRESHOLD, ROW_BASE, ROW_BURSTS, MODE = (
    REGISTERS[name].number for name in ("status", "level", "batch", "classes", "first_class", "screen_bursts",
                                        "threshold", "row_base", "row_bursts", "mode"))

EVENTS = ("refused", "overflow", "illegal", "cleared", "unknown", "counter", "softmax", "new_batch", "cut")
REFUSED, OVERFLOW, ILLEGAL, CLEARED, UNKNOWN, COUNTER, READ_SOFTMAX, NEW_BATCH, CUT = range(len(EVENTS))


class StatusState(NamedTuple):
    """``registers`` [ranks, 32]; ``amount``, ``total`` [ranks, counters]; ``sticky`` [ranks, 3], in the order refused,
    overflow, illegal; ``answer`` [ranks, 2], low half first; ``new_batch`` [ranks]. ``width`` [32]: bits that INIT
    writes."""

    registers: np.ndarray
    amount: np.ndarray
    total: np.ndarray
    sticky: np.ndarray
    answer: np.ndarray
    new_batch: np.ndarray
    width: np.ndarray
    seen: np.ndarray


def state(_cfg: EnmcConfig, ranks: int) -> StatusState:
    """State after reset; the same for every configuration."""
    def zeros(*shape):
        return np.zeros((ranks, *shape), np.int64)

    width = np.zeros(32, np.int64)
    for r in REGISTERS.values():
        width[r.number] = r.width if r.access == "rw" else 0
    return StatusState(zeros(32), zeros(len(COUNTERS)), zeros(len(COUNTERS)), zeros(3), zeros(2), zeros(), width,
                       np.zeros(len(EVENTS), np.int64))


@jit
def threshold_of(s, k):
    """The register, two's complement."""
    raw = s.registers[k, THRESHOLD]
    return raw - ((raw >> 31) << 32)


@jit
def _read(s, k, number, busy, owner, ready, free, level, largest, sums):
    low, high = s.registers[k, number], 0
    counter, batch = number - FIRST_COUNTER, number - SOFTMAX
    if number == STATUS:
        low = busy | owner << 1 | s.sticky[k, 0] << 2 | s.sticky[k, 1] << 3 | s.sticky[k, 2] << 4
        high = ready | free << 16
    elif number == LEVEL:
        low = level
    elif 0 <= counter < s.total.shape[1]:
        low, high = s.total[k, counter] & 0xFFFFFFFF, s.total[k, counter] >> 32
        s.seen[COUNTER] += 1
    elif 0 <= batch < largest.shape[0]:
        low, high = largest[batch], sums[batch]
        s.seen[READ_SOFTMAX] += 1
    elif s.width[number] == 0:
        s.seen[UNKNOWN] += 1
    s.answer[k, 0], s.answer[k, 1] = low, high


@jit
def clock(s, k, query, number, init, init_reg, init_data, clear, amounts, refused, overflow, illegal, busy, owner,
          ready, free, level, largest, sums):
    """One clock of rank ``k``.

    Parameters
    ----------
    s : StatusState
    k : int
        Rank.
    query, number : int
        QUERY of a register.
    init, init_reg, init_data : int
        INIT of a register that has write access; bits above its width are left out.
    clear : int
        CLR.
    amounts : int array, shape (counters,)
    refused, overflow, illegal : int
        Happened in this cycle.
    busy, owner, ready, free, level : int
        As in ``STATUS_FIELDS``; instructions that wait.
    largest, sums : int arrays, shape (batch,)
        Bit patterns.
    """
    if query:
        _read(s, k, number, busy, owner, ready, free, level, largest, sums)
    for n in range(amounts.shape[0]):
        s.total[k, n] = 0 if clear else (s.total[k, n] + s.amount[k, n]) % (1 << COUNTER_BITS)
        s.amount[k, n] = amounts[n]
    if clear:
        for n in range(s.registers.shape[1]):
            s.registers[k, n] = 0
        for n in range(s.sticky.shape[1]):
            s.sticky[k, n] = 0
        s.seen[CLEARED] += 1
    s.new_batch[k] = init and init_reg == BATCH
    if init:
        s.registers[k, init_reg] = init_data % (1 << s.width[init_reg])
        s.seen[CUT] += s.registers[k, init_reg] != init_data
        s.seen[NEW_BATCH] += s.new_batch[k]
    if refused:
        s.sticky[k, 0] = 1
    if overflow:
        s.sticky[k, 1] = 1
    if illegal:
        s.sticky[k, 2] = 1
    s.seen[REFUSED] += refused
    s.seen[OVERFLOW] += overflow
    s.seen[ILLEGAL] += illegal
