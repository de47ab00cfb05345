"""Golden model of the global buffer [Thesis 5.1]: a memory of values and one of maps behind four read and four write
ports with fixed priority.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import GLB_LATENCY

__all__ = ["EVENTS", "LATENCY", "PORTS", "GlbState", "clock", "first_of", "ready_of", "state", "valid_of",
           "write_word"]

#: Cycles from the transfer of a request to its answer.
LATENCY = GLB_LATENCY
#: Ports of a kind; lower numbers first. Reads: Speculator, loader, cell, host. Writes: store, Speculator, cell, host.
PORTS = 4

#: Situations that the tests must reach; the first eight also count transfers of each port.
EVENTS = ("read_0", "read_1", "read_2", "read_3", "write_0", "write_1", "write_2", "write_3", "read_waits",
          "write_waits", "values_alone", "map_alone", "values_collide", "map_collides")
READ, WRITE, READ_WAITS, WRITE_WAITS, VALUES_ALONE, MAP_ALONE, VALUES_COLLIDE, MAP_COLLIDES = 0, 4, 8, 9, 10, 11, 12, 13


def write_word(memory, addr, mask, values):
    """The definition of a write: ``values`` where ``mask`` is set, in row ``addr`` of ``memory`` [words, values]."""
    memory[addr] = np.where(np.asarray(mask) != 0, values, memory[addr])


class GlbState(NamedTuple):
    """Memories, and what is between the ports and them.

    Attributes
    ----------
    data : int16 array, shape (lanes, words, values)
    map : uint8 array, shape (lanes, words, values)
    r_port : array, shape (lanes,)
        Port whose request is in the address register; -1 if none is.
    answer : array, shape (lanes,)
        Port whose answer is offered; -1 if none is.
    out_data, out_map : arrays, shape (lanes, values)
        Answer.
    w_values, w_map : arrays, shape (lanes,)
        A write is in the write register, with values, with map bits.
    """

    data: np.ndarray
    map: np.ndarray
    r_port: np.ndarray
    r_addr: np.ndarray
    r_map_addr: np.ndarray
    answer: np.ndarray
    out_data: np.ndarray
    out_map: np.ndarray
    w_values: np.ndarray
    w_map: np.ndarray
    w_addr: np.ndarray
    w_map_addr: np.ndarray
    mask: np.ndarray
    map_mask: np.ndarray
    in_data: np.ndarray
    in_map: np.ndarray
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> GlbState:
    """State after reset; the memories hold zeros (hardware: anything)."""
    def row(dtype=np.int64):
        return np.zeros((lanes, cfg.values), dtype)

    def register(value=0):
        return np.full(lanes, value, np.int64)

    shape = lanes, cfg.glb_words, cfg.values
    return GlbState(np.zeros(shape, np.int16), np.zeros(shape, np.uint8), register(-1), register(), register(),
                    register(-1), row(), row(), register(), register(), register(), register(), row(), row(), row(),
                    row(), np.zeros(len(EVENTS), np.int64))


@jit
def first_of(valid_0, valid_1, valid_2, valid_3):
    """The port that has its turn; -1 if none asks."""
    if valid_0:
        return 0
    if valid_1:
        return 1
    if valid_2:
        return 2
    return 3 if valid_3 else -1


@jit
def ready_of(port, valid_0, valid_1, valid_2):
    """``ready`` of ``port`` in this cycle: no lower one asks."""
    return not (port > 0 and valid_0 or port > 1 and valid_1 or port > 2 and valid_2)


@jit
def valid_of(s, k, port):
    """The answer in ``out_data`` and ``out_map`` is for ``port``."""
    return s.answer[k] == port


@jit
def _count(s, base, waits, port, asking):
    if port >= 0:
        s.seen[base + port] += 1
        s.seen[waits] += asking > 1


@jit
def _read(s, k):
    """Second half of a read. What is written in this cycle is not read: the answer before stays."""
    s.answer[k] = s.r_port[k]
    if s.r_port[k] < 0:
        return
    addr, map_addr = s.r_addr[k], s.r_map_addr[k]
    if s.w_values[k] and s.w_addr[k] == addr:
        s.seen[VALUES_COLLIDE] += 1
    else:
        for value in range(s.out_data.shape[1]):
            s.out_data[k, value] = s.data[k, addr, value]
    if s.w_map[k] and s.w_map_addr[k] == map_addr:
        s.seen[MAP_COLLIDES] += 1
    else:
        for value in range(s.out_map.shape[1]):
            s.out_map[k, value] = s.map[k, map_addr, value]


@jit
def _write(s, k):
    """Second half of a write."""
    if s.w_values[k]:
        addr = s.w_addr[k]
        for value in range(s.mask.shape[1]):
            if s.mask[k, value]:
                s.data[k, addr, value] = s.in_data[k, value]
    if s.w_map[k]:
        addr = s.w_map_addr[k]
        for value in range(s.map_mask.shape[1]):
            if s.map_mask[k, value]:
                s.map[k, addr, value] = s.in_map[k, value]


@jit
def clock(s, k, r_port, r_asking, r_addr, r_map_addr, w_port, w_asking, w_addr, w_map_addr, mask, map_mask, data, map_):
    """One clock of lane ``k``.

    Parameters
    ----------
    r_port, w_port : int
        :func:`first_of` the ports that ask; what follows is the payload of that one, looked at only if not -1.
    r_asking, w_asking : int
        Ports that ask.
    mask, map_mask, data, map_ : arrays, shape (values,)
        What is written; not zero: a set bit. ``data`` signed 16 bits.
    """
    words = s.data.shape[1]
    _read(s, k)
    _write(s, k)
    _count(s, READ, READ_WAITS, r_port, r_asking)
    _count(s, WRITE, WRITE_WAITS, w_port, w_asking)
    s.r_port[k] = r_port
    if r_port >= 0:
        s.r_addr[k], s.r_map_addr[k] = r_addr % words, r_map_addr % words
    s.w_values[k] = s.w_map[k] = 0
    if w_port < 0:
        return
    s.w_addr[k], s.w_map_addr[k] = w_addr % words, w_map_addr % words
    for value in range(s.mask.shape[1]):
        s.mask[k, value], s.map_mask[k, value] = mask[value], map_mask[value]
        s.in_data[k, value], s.in_map[k, value] = data[value], map_[value]
        s.w_values[k] |= mask[value] != 0
        s.w_map[k] |= map_mask[value] != 0
    s.seen[VALUES_ALONE] += s.w_values[k] and not s.w_map[k]
    s.seen[MAP_ALONE] += s.w_map[k] and not s.w_values[k]
