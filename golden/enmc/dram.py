"""Storage of the DRAM without its timing: what the bursts of every rank hold.

A burst is ``dq`` bytes, ``cfg.burst_words`` words of 32 bits, the first beat lowest; for its address see
``golden.enmc.address``. A rank of the paper has 8 GB, so memory is taken by pages of ``2 * page_bursts``
bursts with adjacent addresses (a row of each of two banks) when something is first written there.

Golden models read and write bursts with the ``@jit`` functions; :class:`Dram` owns the arrays, loads and dumps.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig

__all__ = ["Dram", "DramState", "read", "write"]


class DramState(NamedTuple):
    """Contents of several ranks, one lane each."""

    table: np.ndarray   #: int32 [lanes, pages]: the slot of a page, or -1
    data: np.ndarray    #: uint32 [slots, bursts of a page, words of a burst]
    used: np.ndarray    #: int64 [1]: slots taken so far
    fill: np.ndarray    #: uint32 [1]: words that were never written


@jit
def read(s, k, burst, words):
    """Copy a burst of rank ``k`` into ``words``, an array of ``burst_words`` integers."""
    page_bursts = s.data.shape[1]
    slot = s.table[k, burst // page_bursts]
    for w in range(s.data.shape[2]):
        words[w] = s.data[slot, burst % page_bursts, w] if slot >= 0 else s.fill[0]


@jit
def write(s, k, burst, words):
    """Write a burst of rank ``k``. Returns False, and writes nothing, if its page is new and no slot is free."""
    page_bursts = s.data.shape[1]
    slot = s.table[k, burst // page_bursts]
    if slot < 0:
        if s.used[0] == s.data.shape[0]:
            return False
        slot = s.used[0]
        s.table[k, burst // page_bursts] = slot
        s.used[0] += 1
    for w in range(s.data.shape[2]):
        s.data[slot, burst % page_bursts, w] = words[w]
    return True


class Dram:
    """Memory of the ranks of a DIMM.

    ``state`` is what the ``@jit`` functions take. :meth:`load`, :meth:`reserve` and :meth:`write_burst` may replace its
    arrays by larger ones: take it after them.

    Parameters
    ----------
    cfg : EnmcConfig
    lanes : int
        Ranks.
    fill : int
        32-bit word that is read where nothing was written.
    spare : int
        Pages that :func:`write` may add on its own.
    """

    def __init__(self, cfg: EnmcConfig, lanes: int = 1, *, fill: int = 0, spare: int = 0):
        if not isinstance(cfg, EnmcConfig):
            raise TypeError(f"cfg must be an EnmcConfig, not {cfg!r}")
        if not 0 <= fill < 1 << 32:
            raise ValueError(f"fill must be in 0..{(1 << 32) - 1}, not {fill!r}")
        self.cfg, self._spare = cfg, spare
        page = 2 * cfg.page_bursts
        self.state = DramState(np.full((lanes, cfg.bursts // page), -1, np.int32),
                               np.zeros((0, page, cfg.burst_words), np.uint32), np.zeros(1, np.int64),
                               np.full(1, fill, np.uint32))
        self._grow(spare)

    def _grow(self, slots: int):
        """At least ``slots`` slots in all. Memory that nobody touches costs nothing."""
        old = self.state.data
        if slots > len(old):
            data = np.zeros((slots, *old.shape[1:]), np.uint32)
            data[:len(old)] = old
            if self.state.fill[0]:
                data[len(old):] = self.state.fill[0]
            self.state = self.state._replace(data=data)

    def reserve(self, burst: int, count: int, lane: int = 0):
        """Give pages to bursts ``burst`` to ``burst + count - 1``, so that :func:`write` of them succeeds.

        Raises
        ------
        ValueError
            If the rank has no such bursts.
        """
        self._check(burst, count)
        page_bursts = self.state.data.shape[1]
        first, last = burst // page_bursts, (burst + count - 1) // page_bursts
        fresh = first + np.flatnonzero(self.state.table[lane, first:last + 1] < 0)
        used = int(self.state.used[0])
        need = used + len(fresh)
        if need + self._spare > len(self.state.data):
            # Twice as much for a single page, so that burst after burst does not copy everything each time.
            self._grow(need + self._spare + (need if count == 1 else 0))
        self.state.table[lane, fresh] = np.arange(used, need)
        self.state.used[0] = need

    def load(self, burst: int, data, lane: int = 0):
        """Write an array from a burst on: its bytes as they lie in memory, whole bursts.

        Raises
        ------
        ValueError
            If the bytes are no whole bursts, or the rank ends before them.
        """
        octets = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        if octets.size % self.cfg.dq:
            raise ValueError(f"data must be whole bursts of {self.cfg.dq} bytes, not {octets.size} bytes")
        words = octets.view(np.uint32).reshape(-1, self.cfg.burst_words)
        if len(words):
            self.reserve(burst, len(words), lane)
            for slot, inside, outside in self._parts(burst, len(words), lane):
                self.state.data[slot, inside] = words[outside]

    def dump(self, burst: int, count: int, lane: int = 0) -> np.ndarray:
        """Bursts ``burst`` to ``burst + count - 1`` as uint32 [count, burst_words], a copy."""
        self._check(burst, count)
        words = np.empty((count, self.cfg.burst_words), np.uint32)
        for slot, inside, outside in self._parts(burst, count, lane):
            words[outside] = self.state.data[slot, inside] if slot >= 0 else self.state.fill[0]
        return words

    def read_burst(self, burst: int, lane: int = 0) -> int:
        """A burst as one integer, the first beat lowest."""
        page_bursts = self.state.data.shape[1]
        slot = self.state.table[lane, burst // page_bursts]
        if slot < 0:
            return int.from_bytes(self.state.fill.tobytes() * self.cfg.burst_words, "little")
        return int.from_bytes(self.state.data[slot, burst % page_bursts].tobytes(), "little")

    def write_burst(self, burst: int, value: int, lane: int = 0):
        """Write a burst given as one integer."""
        page_bursts = self.state.data.shape[1]
        if self.state.table[lane, burst // page_bursts] < 0:
            self.reserve(burst, 1, lane)
        words = np.frombuffer(value.to_bytes(self.cfg.dq, "little"), np.uint32)
        self.state.data[self.state.table[lane, burst // page_bursts], burst % page_bursts] = words

    def _check(self, burst, count):
        if count < 1 or not 0 <= burst <= self.cfg.bursts - count:
            raise ValueError(f"bursts must be in 0..{self.cfg.bursts - 1}, not {burst!r}..{burst + count - 1!r}")

    def _parts(self, burst, count, lane):
        """(slot, bursts in its page, the same bursts of the whole) for each page that the bursts touch."""
        page_bursts, done = self.state.data.shape[1], 0
        while done < count:
            offset = (burst + done) % page_bursts
            part = min(page_bursts - offset, count - done)
            yield (self.state.table[lane, (burst + done) // page_bursts], slice(offset, offset + part),
                   slice(done, done + part))
            done += part
