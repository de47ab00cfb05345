"""Golden model of the request queue and address generator of the DRAM controller [Thesis 6.4.2].

A request for consecutive bursts is cut into *visits*: bursts that lie in one pair of banks and one row of both.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EnmcConfig

__all__ = ["Visit", "VisitsState", "busy_of", "clock", "offset_bits", "ready_of", "state", "valid_of", "visits_of"]


class Visit(NamedTuple):
    """Bursts ``offset`` to ``last`` of a page: of the rows ``row`` of the two banks of ``pair``.

    ``pair`` is bit 1 of the bank group, and the bank shifted left by one. Bit 0 of an offset is bit 0 of the bank
    group.
    """

    offset: int
    last: int
    pair: int
    row: int
    write: int
    dest: int


def offset_bits(cfg: EnmcConfig) -> int:
    """Width of the number of a burst in a pair's rows."""
    return cfg.column_bits - 2


def visits_of(cfg: EnmcConfig, addr: int, count: int, write: int = 0, dest: int = 0) -> list[Visit]:
    """The definition; after the rank's last burst comes its first."""
    visits, size = [], 2 * cfg.page_bursts
    while count:
        page, offset = divmod(addr % cfg.bursts, size)
        bursts = min(count, size - offset)
        visits.append(Visit(offset, offset + bursts - 1, page % cfg.pairs, page // cfg.pairs, write, dest))
        addr, count = addr + bursts, count - bursts
    return visits


class VisitsState(NamedTuple):
    """Registers [lanes]: what is left of a request, and the visit that is offered."""

    queue: FifoState        # address, count, write + 2 * dest
    valid: np.ndarray
    page: np.ndarray        # pair + 8 * row
    offset: np.ndarray
    last: np.ndarray
    more: np.ndarray        # pages after this one
    end: np.ndarray         # last offset in the last of them
    flags: np.ndarray       # write + 2 * dest
    shape: np.ndarray       # [2]: width of an offset, pages


def state(cfg: EnmcConfig, lanes: int) -> VisitsState:
    """State after reset."""
    bits = offset_bits(cfg)
    return VisitsState(fifo_state(lanes, cfg.queue, 3), *(np.zeros(lanes, np.int64) for _ in range(7)),
                       np.array([bits, 1 << cfg.burst_bits - bits]))


@jit
def ready_of(s, k):
    """A request is accepted in this cycle."""
    return fifo_ready(s.queue, k)


@jit
def valid_of(s, k):
    """A visit is offered."""
    return s.valid[k] != 0


@jit
def busy_of(s, k):
    """A request is inside."""
    return s.valid[k] != 0 or fifo_valid(s.queue, k)


@jit
def clock(s, k, i_valid, addr, count, flags, o_ready):
    """One clock of lane ``k``; ``flags`` = write + 2 * dest."""
    bits, pages = s.shape[0], s.shape[1]
    full = (1 << bits) - 1
    taken = s.valid[k] != 0 and o_ready
    load = not s.valid[k] or (taken and s.more[k] == 0)
    if taken and s.more[k]:
        s.page[k] = (s.page[k] + 1) % pages
        s.offset[k] = 0
        s.last[k] = s.end[k] if s.more[k] == 1 else full
        s.more[k] -= 1
    elif load:
        s.valid[k] = fifo_valid(s.queue, k)
        if s.valid[k]:
            start, bursts = fifo_front(s.queue, k, 0), fifo_front(s.queue, k, 1)
            end = (start & full) + bursts - 1
            s.page[k] = start >> bits
            s.offset[k] = start & full
            s.more[k] = end >> bits
            s.end[k] = end & full
            s.last[k] = full if s.more[k] else s.end[k]
            s.flags[k] = fifo_front(s.queue, k, 2)
    fifo_step(s.queue, k, i_valid, addr, count, flags, load)
