"""Golden model of the operand network: which PE takes what [Thesis Fig. 7.13 (a), "Databus"].

It holds the vectors of the four queries ("Operand-1 Buffer") and has no other registers: what the banks read in the
cycle before stands at the operands of the array in this one.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import estimate, fetch, sram
from .config import DotaConfig
from .estimate import A_FIRE, A_FIRST, A_GROUP_PART, A_KEY, A_PART, A_SLOT, A_WHAT, A_WORD, A_WORDS, LOADS, STREAMS
from .exact import DENSE, SCORE
from .formats import FX_BITS, MOST_CHUNKS, QUERIES, Precision

EVENTS = ("score", "sum", "dense", "mixed_precision")
SCORE_EVENT, SUM_EVENT, DENSE_EVENT, MIXED = range(len(EVENTS))

_LOW = (1 << FX_BITS) - 1


class OperandsState(NamedTuple):
    """``queries`` [lanes, 4, chunks, units] are the vectors; ``chunk`` [lanes] is the word of them that was read."""

    queries: np.ndarray
    chunk: np.ndarray
    seen: np.ndarray


class Drive(NamedTuple):
    """Inputs of the array, of one lane: [rows, columns] and [rows]."""

    operands: np.ndarray
    take: np.ndarray
    load: np.ndarray
    precision: np.ndarray
    fire: np.ndarray
    first: np.ndarray
    slot: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> OperandsState:
    """State after reset; vectors are 0."""
    return OperandsState(np.zeros((lanes, QUERIES, MOST_CHUNKS, cfg.units_per_word), np.int64),
                         np.zeros(lanes, np.int64), np.zeros(len(EVENTS), np.int64))


def drive_state(cfg: DotaConfig) -> Drive:
    """An array that rests."""
    return Drive(*(np.zeros((cfg.rows, cfg.columns), np.int64) for _ in range(3)),
                 *(np.zeros(cfg.rows, np.int64) for _ in range(4)))


@jit
def clock(s, k, load, token, load_chunk, words, chunk_en, chunk):
    """One clock of lane ``k``: with ``load`` a word of a vector, ``words`` [units], arrives for query ``token``."""
    if load:
        for unit in range(s.queries.shape[3]):
            s.queries[k, token, load_chunk, unit] = words[unit]
    if chunk_en:
        s.chunk[k] = chunk


@jit
def _weight(s, k, kind, f, t, e):
    """What an element of the vector for query ``t`` is multiplied by."""
    if kind == SCORE:
        return sram.element(s.queries[k, t, s.chunk[k], e // 2], e)
    if kind == DENSE:
        e = f.out_tags[k, fetch.ELEMENT]
        return sram.element(s.queries[k, t, s.chunk[k], e // 2], e)
    return f.out_weight[k, t]


@jit
def _drive_exact(s, k, kind, wide, f, memory, d):
    """FX16: query ``t`` of a half has as many PEs as a word has elements."""
    columns = d.take.shape[1]
    vector = 2 * s.queries.shape[3]
    values = 0 if kind == SCORE else 4
    halves = 2 if kind == DENSE and wide else 1
    half_rows = d.take.shape[0] // 2
    for half in range(halves):
        for t in range(QUERIES):
            if not f.take[k] >> t & 1:
                continue
            if half:
                bank = 4 + f.out_other[k] % 4
            else:
                bank = (0 if kind == DENSE else values) + f.bank[k, t]
            for e in range(vector):
                pe = t * vector + e
                weight = _weight(s, k, kind, f, t, e)
                value = sram.gathered(memory, k, bank, e)
                d.operands[half * half_rows + pe // columns, pe % columns] = (weight & _LOW) | (value & _LOW) << FX_BITS
                d.take[half * half_rows + pe // columns, pe % columns] = 1
    for row in range(halves * half_rows):
        d.precision[row] = Precision.FX16.value
        d.fire[row], d.first[row] = f.fire[k], f.out_tags[k, fetch.FIRST]


@jit
def _drive_low(k, est, memory, d):
    """Low precision: row ``r`` of the lower half is row ``r`` of a block."""
    a = est.arrivals[k, est.arrivals.shape[1] - 1]
    precision = est.step[k, 1]
    rows, columns = d.take.shape
    per_word, per_key = est.sizes[estimate.S_KEYS_PER_WORD], est.sizes[estimate.S_UNITS_PER_KEY]
    together = est.sizes[estimate.S_TOGETHER]
    segment = estimate.segment_of(precision, columns) if precision else columns
    slots = 1 << max(0, precision - 1)
    word = memory.rdata[k, sram.ESTIMATE]
    for row in range(rows // 2, rows):
        key = row - rows // 2
        d.precision[row], d.slot[row] = precision, a[A_SLOT]
        d.fire[row] = a[A_WHAT] == STREAMS and a[A_FIRE]
        d.first[row] = a[A_FIRST]
        if a[A_WHAT] == LOADS:
            for p in range(columns):
                unit = p % segment
                query = p // segment * slots + a[A_SLOT]
                beyond = unit >= a[A_WORDS] * per_key
                if query // together == a[A_GROUP_PART] and (unit // per_key == a[A_WORD] or a[A_WORD] == 0 and beyond):
                    d.load[row, p] = 1
                    at = (a[A_KEY] + query % together) % per_word * per_key + unit % per_key
                    d.operands[row, p] = 0 if beyond else word[at]
        elif a[A_WHAT] == STREAMS and key // per_word == a[A_PART]:
            for p in range(columns):
                if p % segment // per_key == a[A_WORD]:
                    d.take[row, p] = 1
                    d.operands[row, p] = word[key % per_word * per_key + p % per_key]


@jit
def drive(s, k, kind, wide, f, est, memory, d):
    """Put what stands at the operands of lane ``k`` in this cycle into ``d``.

    Parameters
    ----------
    s : OperandsState
    k : int
    kind : int
        Of the exact unit: SCORE, SUM or DENSE.
    wide : bool
        A linear layer uses both halves.
    f : FetchState
    est : EstimateState
    memory : SramState
    d : Drive
    """
    d.take[:] = 0
    d.load[:] = 0
    d.fire[:] = 0
    if f.take[k] or f.fire[k]:
        _drive_exact(s, k, kind, wide, f, memory, d)
        s.seen[SCORE_EVENT + kind] += 1
    if kind != DENSE and est.arrivals[k, est.arrivals.shape[1] - 1, A_WHAT]:
        _drive_low(k, est, memory, d)
        s.seen[MIXED] += f.fire[k] and est.arrivals[k, est.arrivals.shape[1] - 1, A_FIRE]
