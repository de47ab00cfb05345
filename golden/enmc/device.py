"""DRAM of the ranks as the golden model sees it: what commands and data on the pins do, without checking any rule.

The checker of rules is ``sim.enmc.ddr4_device``, which simulations of the hardware use in this place.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import address, dram
from .config import EnmcConfig
from .formats import ALL, BANK_GROUPS, BANKS, BURST_CLOCKS, PHASES, PIN_FIELDS, WE_N, Command

#: Bursts on their way to or from a rank.
ON_THE_WAY = 16
_LSB = {name: sum(list(PIN_FIELDS.values())[:place]) for place, name in enumerate(PIN_FIELDS)}
_BG, _BA, _A = _LSB["bg"], _LSB["ba"], _LSB["a"]
_READ, _WRITE = int(Command.RD), int(Command.WR)
_COLUMNS = (1 << ALL) - 1
_burst_of = jit(address.join)


class DeviceState(NamedTuple):
    """State of the DRAM of all ranks.

    Attributes
    ----------
    rows : int64 array, shape (ranks, banks)
        Row that was opened last.
    at : int64 array, shape (ranks, 2, ON_THE_WAY)
        First clock of the data of reads and of writes.
    addr : int64 array, shape (ranks, ON_THE_WAY)
        Bursts to be written.
    data : int64 array, shape (ranks, 2, ON_THE_WAY, words)
        Data of reads; what has come of writes.
    head, level : int64 arrays, shape (ranks, 2)
    shape : int64 array, shape (2,)
        cl, cwl.
    lsb : int64 array
        See ``golden.enmc.address.lsb_of``.
    """

    rows: np.ndarray
    at: np.ndarray
    addr: np.ndarray
    data: np.ndarray
    head: np.ndarray
    level: np.ndarray
    shape: np.ndarray
    lsb: np.ndarray


def state(cfg: EnmcConfig) -> DeviceState:
    """Nothing on its way."""
    n = cfg.ranks
    return DeviceState(np.zeros((n, BANKS), np.int64), np.zeros((n, 2, ON_THE_WAY), np.int64),
                       np.zeros((n, ON_THE_WAY), np.int64), np.zeros((n, 2, ON_THE_WAY, cfg.burst_words), np.int64),
                       np.zeros((n, 2), np.int64), np.zeros((n, 2), np.int64),
                       np.array([cfg.cl, cfg.cwl]), np.array(address.lsb_of(cfg)))


@jit
def drive(s, k, cycle, dq):
    """Data of rank ``k`` in a cycle: ``dq`` [PHASES, phase_words], 0 where nothing is driven."""
    words = dq.shape[1]
    for slot in range(PHASES):
        clock = PHASES * cycle + slot
        while s.level[k, 0] and s.at[k, 0, s.head[k, 0]] + BURST_CLOCKS <= clock:
            s.head[k, 0] = (s.head[k, 0] + 1) % ON_THE_WAY
            s.level[k, 0] -= 1
        part = clock - s.at[k, 0, s.head[k, 0]]
        for word in range(words):
            dq[slot, word] = s.data[k, 0, s.head[k, 0], part * words + word] if s.level[k, 0] and part >= 0 else 0


@jit
def take(s, memory, k, cycle, pins, dq):
    """Commands [PHASES] and data [PHASES, phase_words] at the pins of rank ``k`` in a cycle."""
    words, cl, cwl = dq.shape[1], s.shape[0], s.shape[1]
    for slot in range(PHASES):
        clock, value = PHASES * cycle + slot, pins[slot]
        head = s.head[k, 1]
        if s.level[k, 1] and s.at[k, 1, head] <= clock:
            part = clock - s.at[k, 1, head]
            for word in range(words):
                s.data[k, 1, head, part * words + word] = dq[slot, word]
            if part == BURST_CLOCKS - 1:
                if not dram.write(memory, k, s.addr[k, head], s.data[k, 1, head]):
                    raise MemoryError
                s.head[k, 1] = (head + 1) % ON_THE_WAY
                s.level[k, 1] -= 1
        if value & 1:
            continue
        group, bank, a = value >> _BG & 3, value >> _BA & 3, value >> _A
        command, place = a >> WE_N & 7, BANK_GROUPS * group + bank
        if not value & 2:
            s.rows[k, place] = a
        elif command == _READ or command == _WRITE:
            kind = 1 if command == _WRITE else 0
            burst = _burst_of(s.lsb, group, bank, s.rows[k, place], a & _COLUMNS)
            tail = (s.head[k, kind] + s.level[k, kind]) % ON_THE_WAY
            s.at[k, kind, tail] = clock + (cwl if kind else cl)
            s.level[k, kind] += 1
            if kind:
                s.addr[k, tail] = burst
            else:
                dram.read(memory, k, burst, s.data[k, 0, tail])
