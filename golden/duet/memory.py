"""The memory off chip, with weights: what stands behind the memory port, in the cycle model and in the bench alike.

It takes a burst a cycle, and answers in order: the first beat LATENCY cycles after the burst at the earliest, then one
a cycle.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import VALUE_BITS
from .memory_port import beat_bits

#: Cycles from a burst to its first beat.
LATENCY = 40
#: Bursts that wait at most; the memory port has 8 outstanding.
DEPTH = 16


class MemoryState(NamedTuple):
    """Registers [1], or as said."""

    values: np.ndarray      # int16 [beats, values of a beat]
    queue: np.ndarray       # [DEPTH, 3]: first beat, beats less one, time
    head: np.ndarray
    level: np.ndarray
    beat: np.ndarray        # of the burst in front
    time: np.ndarray
    bytes: np.ndarray       # of a beat
    sent: np.ndarray        # beats that were taken since the beginning


def state(cfg: DuetConfig, words) -> MemoryState:
    """A memory with ``words`` [words, values] from address 0 on."""
    beat_values = beat_bits(cfg) // VALUE_BITS
    values = np.asarray(words, np.int16).reshape(-1, beat_values)
    if not len(values):
        values = np.zeros((1, beat_values), np.int16)
    return MemoryState(values, np.zeros((DEPTH, 3), np.int64), *(np.zeros(1, np.int64) for _ in range(4)),
                       np.full(1, beat_bits(cfg) // 8, np.int64), np.zeros(1, np.int64))


@jit
def show(s, ar_ready, r_valid, r_last, r_data):
    """Pins of this cycle, into arrays [cycles] of which the first is meant, and [cycles, values of a beat]."""
    ar_ready[0] = s.level[0] < DEPTH
    r_valid[0] = r_last[0] = 0
    if s.level[0] == 0:
        return
    first, length, when = s.queue[s.head[0]]
    if s.time[0] < when + LATENCY:
        return
    r_valid[0], r_last[0] = 1, s.beat[0] == length
    for value in range(r_data.shape[1]):
        r_data[0, value] = s.values[(first + s.beat[0]) % s.values.shape[0], value]


@jit
def clock(s, ar_valid, ar_addr, ar_len, r_ready):
    """One clock: what the port showed in this cycle."""
    first, length, when = s.queue[s.head[0]]
    takes = ar_valid and s.level[0] < DEPTH
    if s.level[0] > 0 and s.time[0] >= when + LATENCY and r_ready:
        s.sent[0] += 1
        s.beat[0] += 1
        if s.beat[0] > length:
            s.head[0], s.beat[0] = (s.head[0] + 1) % DEPTH, 0
            s.level[0] -= 1
    if takes:
        at = (s.head[0] + s.level[0]) % DEPTH
        s.queue[at, 0], s.queue[at, 1], s.queue[at, 2] = ar_addr // s.bytes[0], ar_len, s.time[0]
        s.level[0] += 1
    s.time[0] += 1
