"""Golden model of the data of the DRAM controller: bursts from the pins of three clocks a cycle, and onto them.

What was read comes ``cl`` clocks and the two registers of the pins after its command, what is written goes out ``cwl``
clocks after it. Both may begin in any of the three clocks.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EnmcConfig
from .formats import BURST_CLOCKS, PHASES

__all__ = ["STORE_BURSTS", "DataState", "busy_of", "clock", "has_data", "load_valid", "ready_of", "state"]

#: Bursts to be written that wait for their command, or for its data to go out.
STORE_BURSTS = 4
#: Commands whose data are on their way: more than the longest latency has.
ON_THE_WAY = 16


class DataState(NamedTuple):
    """Words are unsigned, 32 bits, in arrays with a leading axis of lanes."""

    now: np.ndarray         # [lanes], cycle
    reads: FifoState        # cycle and clock of it in which the data come; who takes them
    writes: FifoState       # cycle before that in which the data go out, and clock of it
    before: np.ndarray      # [lanes, words of a cycle], of the cycle before
    load: np.ndarray        # [lanes, words of a burst]
    valid: np.ndarray       # [lanes], ``load`` was read just now
    dest: np.ndarray        # [lanes], who takes it
    store: FifoState        # counts the bursts of ``stored``
    stored: np.ndarray      # [lanes, STORE_BURSTS, words of a burst]
    free: np.ndarray        # [lanes], bursts of ``store`` that no command was sent for
    out: np.ndarray         # [lanes, words of a cycle], at the pins
    enabled: np.ndarray     # [lanes, PHASES], they are driven
    rest: np.ndarray        # [lanes, words of a burst], whose end is still to go out ...
    rest_slot: np.ndarray   # [lanes], and the clock in which it began, or -1
    latency: np.ndarray     # [2]: clocks from a decision to the first data, of a read and of a write


def state(cfg: EnmcConfig, lanes: int) -> DataState:
    """State after reset. A decision is at the pins two cycles later."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    cycle = PHASES * cfg.phase_words
    return DataState(zeros(), fifo_state(lanes, ON_THE_WAY, 3), fifo_state(lanes, ON_THE_WAY, 2), zeros(cycle),
                     zeros(cfg.burst_words), zeros(), zeros(), fifo_state(lanes, STORE_BURSTS),
                     zeros(STORE_BURSTS, cfg.burst_words), zeros(), zeros(cycle), zeros(PHASES), zeros(cfg.burst_words),
                     zeros() - 1, np.array([2 * PHASES + cfg.cl + 2 * PHASES, 2 * PHASES + cfg.cwl]))


@jit
def ready_of(s, k):
    """A burst to be written is taken in this cycle."""
    return fifo_ready(s.store, k)


@jit
def has_data(s, k):
    """There is a burst for one more write."""
    return s.free[k] > 0


@jit
def load_valid(s, k):
    """``load`` and ``dest`` are a burst that was read."""
    return s.valid[k] != 0


@jit
def busy_of(s, k):
    """Data are on their way."""
    return fifo_valid(s.reads, k) or s.valid[k] != 0 or fifo_valid(s.writes, k) or s.rest_slot[k] >= 0


@jit
def _collect(s, k, words):
    """What was read: three clocks of this cycle behind three of the one before; True if a burst is complete."""
    per_clock = words.size // PHASES
    complete = fifo_valid(s.reads, k) and fifo_front(s.reads, k, 0) == s.now[k] - 1
    if complete:
        skipped = fifo_front(s.reads, k, 1) * per_clock
        for word in range(s.load.shape[1]):
            at = skipped + word
            s.load[k, word] = s.before[k, at] if at < words.size else words[at - words.size]
        s.dest[k] = fifo_front(s.reads, k, 2)
    s.valid[k] = complete
    if fifo_valid(s.reads, k):
        for word in range(words.size):
            s.before[k, word] = words[word]
    return complete


@jit
def _put_out(s, k, starts, slot):
    """What is at the pins in the next cycle: the end of one burst, and perhaps the beginning of another."""
    size = s.load.shape[1]
    per_clock = size // BURST_CLOCKS
    place = s.store.head[k]
    for clock_number in range(PHASES):
        at = -1
        if starts and clock_number >= slot:
            at = (clock_number - slot) * per_clock
        begun = clock_number <= s.rest_slot[k]
        behind = (PHASES - s.rest_slot[k] + clock_number) * per_clock
        s.enabled[k, clock_number] = at >= 0 or begun
        if at >= 0 or begun:
            for word in range(per_clock):
                s.out[k, clock_number * per_clock + word] = (s.stored[k, place, at + word] if at >= 0
                                                             else s.rest[k, behind + word])
    s.rest_slot[k] = slot if starts else -1
    if starts:
        for word in range(size):
            s.rest[k, word] = s.stored[k, place, word]


@jit
def clock(s, k, cas_slot, is_write, dest, words, i_valid, burst):
    """One clock of lane ``k``.

    Parameters
    ----------
    cas_slot : int
        Clock of the next cycle for which a read or write was decided, or -1.
    words : int array, shape (words of a cycle,)
        Data pins.
    i_valid : bool
        A burst to be written is offered.
    burst : int array, shape (words of a burst,)
    """
    complete = _collect(s, k, words)
    starts = fifo_valid(s.writes, k) and fifo_front(s.writes, k, 0) == s.now[k]
    _put_out(s, k, starts, fifo_front(s.writes, k, 1))

    take = i_valid and ready_of(s, k)
    if take:
        place = (s.store.head[k] + s.store.level[k]) % STORE_BURSTS
        for word in range(burst.size):
            s.stored[k, place, word] = burst[word]
    fifo_step(s.store, k, take, 0, 0, 0, starts)
    sent = cas_slot >= 0 and is_write
    s.free[k] += take
    s.free[k] -= sent

    comes = cas_slot + s.latency[0]
    fifo_step(s.reads, k, cas_slot >= 0 and not is_write, s.now[k] + comes // PHASES, comes % PHASES, dest, complete)
    goes = cas_slot + s.latency[1]
    fifo_step(s.writes, k, sent, s.now[k] + goes // PHASES - 1, goes % PHASES, 0, starts)
    s.now[k] += 1
