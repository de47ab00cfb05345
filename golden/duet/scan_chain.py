"""Golden model of the scan chain: the jobs of a stage, shifted in beat by beat [Thesis 5.2.1]."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig
from .formats import BEAT_BITS, chain_beats, chain_fields

#: Situations that the tests must reach.
EVENTS = ("shift", "update", "shift_after_update")
SHIFTS, UPDATES, AFTER = range(len(EVENTS))


class ScanChainState(NamedTuple):
    """Beats of 64 bits as two's complement, the lowest first."""

    chain: np.ndarray       # [beats], what is being shifted in
    held: np.ndarray        # [beats], what holds
    updated: np.ndarray     # [1], there was an update
    seen: np.ndarray


def state(cfg: DuetConfig) -> ScanChainState:
    """State after reset."""
    beats = chain_beats(cfg)
    return ScanChainState(np.zeros(beats, np.int64), np.zeros(beats, np.int64), np.zeros(1, np.int64),
                          np.zeros(len(EVENTS), np.int64))


def lsbs(cfg: DuetConfig) -> dict[str, tuple[int, int]]:
    """Lowest bit and width of every field."""
    lsb, found = 0, {}
    for name, bits in chain_fields(cfg).items():
        found[name] = lsb, bits
        lsb += bits
    return found


def table(cfg: DuetConfig, prefix: str) -> np.ndarray:
    """Lowest bit and width of the fields whose names begin with ``prefix``: int64 [fields, 2]."""
    return np.array([place for name, place in lsbs(cfg).items() if name.startswith(prefix)], np.int64)


@jit
def extract(held, places, values):
    """Fields that hold, unsigned, into ``values`` [fields]; ``places`` as :func:`table` gives them."""
    for k in range(places.shape[0]):
        lsb, bits = places[k, 0], places[k, 1]
        beat, offset = lsb // BEAT_BITS, lsb % BEAT_BITS
        value = held[beat] >> offset
        if offset:
            value &= (1 << (BEAT_BITS - offset)) - 1
            if offset + bits > BEAT_BITS:
                value |= held[beat + 1] << (BEAT_BITS - offset)
        values[k] = value & ((1 << bits) - 1)


@jit
def clock(s, shift, beat, update):
    """One clock: ``beat`` goes in from above; what is in the chain holds from the next cycle on after ``update``."""
    n = s.chain.shape[0]
    if update:
        for k in range(n):
            s.held[k] = s.chain[k]
    s.seen[UPDATES] += update
    if shift:
        for k in range(n - 1):
            s.chain[k] = s.chain[k + 1]
        s.chain[n - 1] = beat
        s.seen[SHIFTS] += 1
        s.seen[AFTER] += s.updated[0] != 0
    s.updated[0] |= update
