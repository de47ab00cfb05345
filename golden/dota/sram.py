"""Golden model of the memory of a lane: ten banks behind one row of addresses [Thesis 7.6.1].

With B words in a bank, addresses 0..4B-1 are the key banks, word ``a`` in bank ``a % 4``; 4B..8B-1 the value banks in
the same way; 8B..9B-1 bank 8 and 9B..10B-1 bank 9. So four keys that follow each other are read in one cycle.

A cycle of lane ``k``: any number of :func:`gather`, :func:`read` and :func:`write`, in any order and while the outputs
of the cycle are still looked at, then :func:`clock`. A bank serves one access a cycle; what else is asked of it is
refused here, counted in ``conflicts``, and an assertion in the hardware.

Words are arrays of unsigned 32-bit units, low first.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import BANKS, FX_BITS, KEY_BANKS, SRAM_LATENCY, VALUE_BANKS

#: Situations that the tests must reach.
EVENTS = ("gather_all", "gather_beside_flat", "three_flat", "write_beside_read", "read_after_write", "back_to_back",
          "held")
GATHER_ALL, GATHER_BESIDE_FLAT, THREE_FLAT, WRITE_BESIDE_READ, READ_AFTER_WRITE, BACK_TO_BACK, HELD = range(len(EVENTS))

#: Flat ports.
PORTS = ("exact", "estimate", "host")
EXACT, ESTIMATE, HOST = range(len(PORTS))
#: Banks that are gathered from.
GATHER_BANKS = KEY_BANKS + VALUE_BANKS
#: Cycles from a read to its data.
GATHER_LATENCY = 1
FLAT_LATENCY = SRAM_LATENCY


class SramState(NamedTuple):
    """``words`` [lanes, 10 B, units] is the memory; the others are registers and the accesses of this cycle."""

    words: np.ndarray
    data: np.ndarray        # [lanes, BANKS, units], read data of the banks
    rdata: np.ndarray       # [lanes, PORTS, units], read data of the flat ports
    source: np.ndarray      # [lanes, PORTS], bank whose read data is the port's; -1: no read in the cycle before
    read_at: np.ndarray     # [lanes, BANKS], address that is read in this cycle, or -1
    written: np.ndarray     # [lanes, BANKS], address that is written in this cycle, or -1
    reader: np.ndarray      # [lanes, PORTS], bank that the port reads in this cycle, or -1
    before: np.ndarray      # [lanes], address written in the cycle before, or -1
    conflicts: np.ndarray   # [lanes], accesses that were refused
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> SramState:
    """State after reset; the memory is 0."""
    units = cfg.units_per_word

    def idle(width):
        return np.full((lanes, width), -1, np.int64)

    return SramState(np.zeros((lanes, cfg.words, units), np.int64), np.zeros((lanes, BANKS, units), np.int64),
                     np.zeros((lanes, len(PORTS), units), np.int64), idle(len(PORTS)), idle(BANKS), idle(BANKS),
                     idle(len(PORTS)), np.full(lanes, -1, np.int64), np.zeros(lanes, np.int64),
                     np.zeros(len(EVENTS), np.int64))


def place(cfg: DotaConfig, addr: int) -> tuple[int, int]:
    """Untimed: bank and row of an address.

    Raises
    ------
    ValueError
        If there is no such word.
    """
    if not 0 <= addr < cfg.words:
        raise ValueError(f"addr must be in 0..{cfg.words - 1}, not {addr!r}")
    keys, values = KEY_BANKS * cfg.bank_words, VALUE_BANKS * cfg.bank_words
    if addr < keys:
        return addr % KEY_BANKS, addr // KEY_BANKS
    if addr < keys + values:
        return KEY_BANKS + (addr - keys) % VALUE_BANKS, (addr - keys) // VALUE_BANKS
    rest = addr - keys - values
    return GATHER_BANKS + rest // cfg.bank_words, rest % cfg.bank_words


def bank_rows(cfg: DotaConfig, words) -> np.ndarray:
    """Contents of the banks, [BANKS, bank_words, ...], for ``words`` [10 bank_words, ...] in the order of addresses."""
    words = np.asarray(words)
    keys, values, rest = np.split(words, [KEY_BANKS * cfg.bank_words, GATHER_BANKS * cfg.bank_words])
    interleaved = [part.reshape(cfg.bank_words, KEY_BANKS, *words.shape[1:]).swapaxes(0, 1) for part in (keys, values)]
    return np.concatenate([*interleaved, rest.reshape(BANKS - GATHER_BANKS, cfg.bank_words, *words.shape[1:])])


@jit
def bank_of(s, addr):
    """Bank of an address that exists."""
    bank_words = s.words.shape[1] // BANKS
    if addr < GATHER_BANKS * bank_words:
        return addr // (KEY_BANKS * bank_words) * KEY_BANKS + addr % KEY_BANKS
    return addr // bank_words


@jit
def address_of(s, bank, row):
    """Address of a row of a bank: the inverse of :func:`place`."""
    bank_words = s.words.shape[1] // BANKS
    if bank < GATHER_BANKS:
        return bank // KEY_BANKS * KEY_BANKS * bank_words + KEY_BANKS * row + bank % KEY_BANKS
    return bank * bank_words + row


@jit
def element(unit, e):
    """FX16 element ``e`` of a word, of which ``unit`` is unit ``e // 2``: signed."""
    raw = unit >> FX_BITS * (e % 2) & ((1 << FX_BITS) - 1)
    return raw - (raw >> (FX_BITS - 1) << FX_BITS)


@jit
def gathered(s, k, bank, e):
    """FX16 element ``e`` of ``gather_data[bank]``."""
    return element(s.data[k, bank, e // 2], e)


@jit
def flat(s, k, port, e):
    """FX16 element ``e`` of ``rdata`` of a flat port."""
    return element(s.rdata[k, port, e // 2], e)


@jit
def _is_free(s, k, bank):
    """Whether a bank can take an access in this cycle; counts a conflict if not."""
    free = s.read_at[k, bank] < 0 and s.written[k, bank] < 0
    s.conflicts[k] += not free
    return free


@jit
def gather(s, k, bank, row):
    """Read a row of one of the banks 0..7 in this cycle."""
    if _is_free(s, k, bank):
        s.read_at[k, bank] = address_of(s, bank, row)


@jit
def read(s, k, port, addr):
    """Read through a flat port in this cycle."""
    if addr < 0 or addr >= s.words.shape[1]:
        s.conflicts[k] += 1
        return
    bank = bank_of(s, addr)
    if _is_free(s, k, bank):
        s.read_at[k, bank] = addr
        s.reader[k, port] = bank


@jit
def write(s, k, addr, word):
    """Write ``word`` [units] through a flat port in this cycle; nobody else sees this bank before the next one."""
    if addr < 0 or addr >= s.words.shape[1]:
        s.conflicts[k] += 1
        return
    bank = bank_of(s, addr)
    if _is_free(s, k, bank):
        s.written[k, bank] = addr
        for i in range(s.words.shape[2]):
            s.words[k, addr, i] = word[i]


@jit
def clock(s, k):
    """The clock edge that ends the cycle: carries out its accesses."""
    units, flats, gathers, writes = s.words.shape[2], 0, 0, 0
    for port in range(len(PORTS)):
        source = s.source[k, port]
        if source >= 0:
            for i in range(units):
                s.rdata[k, port, i] = s.data[k, source, i]
        reader = s.reader[k, port]
        s.seen[BACK_TO_BACK] += source >= 0 and reader >= 0 and source != reader
        s.seen[HELD] += source < 0 and reader >= 0
        flats += reader >= 0
        s.source[k, port] = reader
        s.reader[k, port] = -1
    before, after = s.before[k], -1
    for bank in range(BANKS):
        addr = s.read_at[k, bank]
        if addr >= 0:
            for i in range(units):
                s.data[k, bank, i] = s.words[k, addr, i]
            s.seen[READ_AFTER_WRITE] += addr == before
            gathers += 1
        if s.written[k, bank] >= 0:
            after = s.written[k, bank]
            writes += 1
        s.read_at[k, bank] = -1
        s.written[k, bank] = -1
    gathers -= flats
    s.before[k] = after
    s.seen[GATHER_ALL] += gathers == GATHER_BANKS
    s.seen[GATHER_BESIDE_FLAT] += gathers > 0 and flats + writes > 0
    s.seen[THREE_FLAT] += flats + writes == len(PORTS)
    s.seen[WRITE_BESIDE_READ] += writes > 0 and gathers + flats > 0
