"""Golden model of the estimate unit: the order of the low-precision work of a lane.

Rows of low-precision matrices lie in blocks of as many as the lower half of the array has rows. A word of a block has,
for each of ``keys_per_word`` of its rows, ``units_per_key`` units of 32 bits; where a word is too short for all rows
of the block, several words follow each other. The units of four rows, a group, are loaded into the PEs and stay there;
the units of a block stream past them: row r of the array makes the four sums of row r of the block.

An estimate [Thesis 7.6.3] does this with the query side of the predictor stationary and its key side streaming, and
the sums go to the detector. A transformation of the predictor (eq. 7.5) does it with four tokens stationary and
columns of a weight matrix streaming; the sums are quantised and written back as low-precision rows.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import saturate
from golden.common.jit import jit

from .config import DotaConfig
from .formats import (
    ELEMENT_BITS,
    PE_LATENCY,
    QUANTIZE_LATENCY,
    QUERIES,
    ROW_LATENCY,
    SRAM_LATENCY,
    STEP_FIELDS,
    UNIT_BITS,
    Precision,
    Step,
)

#: States. GROUP waits for the detector, STATIONARY and STREAM read operands, FLUSH waits for the sums, PACK writes.
IDLE, GROUP, STATIONARY, STREAM, FLUSH, PACK = range(6)

#: Cycles from a fire to the quantised sums, and from the last read of a block.
SUMS = PE_LATENCY + ROW_LATENCY
FLUSH_CYCLES = SRAM_LATENCY + SUMS + QUANTIZE_LATENCY
#: Cycles of changing a word: read, wait, write.
PACK_CYCLES = SRAM_LATENCY + 1

EVENTS = ("int8", "int4", "int2", "detector_waits", "several_fires", "several_blocks", "partly_filled", "transform",
          "clipped", "several_words", "short_block")
(INT8, INT4, INT2, DETECTOR_WAITS, SEVERAL_FIRES, SEVERAL_BLOCKS, PARTLY_FILLED, TRANSFORM, CLIPPED,
 SEVERAL_WORDS, SHORT_BLOCK) = range(len(EVENTS))

F = {name: position for position, name in enumerate(STEP_FIELDS)}
(_STEP, _PRECISION, _OUT_PRECISION, _QUERIES, _KEYS, _Z_BASE, _Z_STRIDE, _LOW_Q_BASE, _LOW_K_BASE, _LOW_WORDS,
 _BLOCKS) = (F[name] for name in ("step", "precision", "out_precision", "queries", "keys", "z_base", "z_stride",
                                  "low_q_base", "low_k_base", "low_words", "blocks"))
_BITS = np.array([ELEMENT_BITS[p] for p in Precision], np.int64)

#: Sizes that the unit needs.
(S_BLOCK, S_COLUMNS, S_KEYS_PER_WORD, S_UNITS_PER_KEY, S_PARTS, S_TOGETHER) = range(6)

#: What is on its way from the SRAM: nothing, a word for the stationary operands, a word that streams.
NOTHING, LOADS, STREAMS = range(3)
#: Fields of a word on its way.
(A_WHAT, A_GROUP_PART, A_WORD, A_SLOT, A_KEY, A_PART, A_WORDS, A_FIRE, A_FIRST, A_FINAL,
 A_LAST) = range(11)
ARRIVAL = 11


class EstimateState(NamedTuple):
    """``step`` [lanes, fields] is the step at work, ``sizes`` constants; others are registers, [lanes]."""

    sizes: np.ndarray
    step: np.ndarray
    state: np.ndarray
    group: np.ndarray
    rows: np.ndarray        # queries of the group, one bit each
    block: np.ndarray
    fire: np.ndarray        # words of the rows before this fire
    part: np.ndarray        # of the group (STATIONARY, PACK) or of a word's rows (STREAM)
    word: np.ndarray        # of this fire
    slot: np.ndarray
    piece: np.ndarray       # word of a result
    wait: np.ndarray
    q_key: np.ndarray       # row of its block that the group begins with ...
    q_block: np.ndarray     # ... and the address of that block
    q_key_now: np.ndarray   # the same for the part at work
    q_block_now: np.ndarray
    k_addr: np.ndarray      # next word that streams
    z_block: np.ndarray     # address of the result's block that the group begins with
    z_block_now: np.ndarray
    arrivals: np.ndarray    # [lanes, SRAM_LATENCY, ARRIVAL], newest first
    sums: np.ndarray        # [lanes, SUMS]: 1 sums of a block are on their way, 2 the last of the group; newest first
    last: np.ndarray        # [lanes, QUANTIZE_LATENCY], the same in the quantiser
    result: np.ndarray      # [lanes, block, 4]
    seen: np.ndarray


def state(cfg: DotaConfig, lanes: int) -> EstimateState:
    """State after reset."""
    sizes = np.zeros(6, np.int64)
    sizes[[S_BLOCK, S_COLUMNS, S_KEYS_PER_WORD, S_UNITS_PER_KEY, S_PARTS, S_TOGETHER]] = (
        cfg.block, cfg.columns, cfg.keys_per_word, cfg.units_per_key, cfg.block // cfg.keys_per_word,
        min(QUERIES, cfg.keys_per_word))
    shapes = dict.fromkeys(EstimateState._fields, ())
    shapes |= {"step": (len(STEP_FIELDS),), "arrivals": (SRAM_LATENCY, ARRIVAL), "sums": (SUMS,),
               "last": (QUANTIZE_LATENCY,), "result": (cfg.block, QUERIES)}
    arrays = {name: np.zeros((lanes, *shape), np.int64) for name, shape in shapes.items()}
    return EstimateState(**arrays | {"sizes": sizes, "seen": np.zeros(len(EVENTS), np.int64)})


@jit
def segment_of(precision, columns):
    """PEs that share a sum."""
    return columns >> (Precision.INT2.value - precision)


@jit
def busy_of(s, k):
    """A step is at work."""
    return s.state[k] != IDLE


@jit
def words_of(s, k):
    """Words of this fire: a PE has a unit of one of them."""
    most = segment_of(s.step[k, _PRECISION], s.sizes[S_COLUMNS]) // s.sizes[S_UNITS_PER_KEY]
    return min(most, s.step[k, _LOW_WORDS] - s.fire[k])


@jit
def slots_of(s, k):
    """Slots of the stationary operands: 1 (INT8), 2 (INT4) or 4 (INT2)."""
    return 1 << s.step[k, _PRECISION] - 1


@jit
def _pieces(s, k):
    """Words over which the elements of a result spread, for one row."""
    bits = s.sizes[S_BLOCK] * _BITS[s.step[k, _OUT_PRECISION]]
    return max(1, bits // (UNIT_BITS * s.sizes[S_UNITS_PER_KEY]))


@jit
def _bit_of(s, k):
    """First bit of the results of this block in its row."""
    return s.block[k] * s.sizes[S_BLOCK] * _BITS[s.step[k, _OUT_PRECISION]]


@jit
def read_of(s, k):
    """Address that is read in this cycle, or -1."""
    parts = s.sizes[S_PARTS]
    within = s.q_key_now[k] // s.sizes[S_KEYS_PER_WORD]
    if s.state[k] == STATIONARY:
        return s.q_block_now[k] + (s.fire[k] + s.word[k]) * parts + within
    if s.state[k] == STREAM:
        return s.k_addr[k]
    if s.state[k] == PACK and s.wait[k] == 0:
        return _pack_address(s, k)
    return -1


@jit
def write_of(s, k):
    """Address that is written in this cycle, or -1: what was read SRAM_LATENCY before, changed by :func:`merge`."""
    return _pack_address(s, k) if s.state[k] == PACK and s.wait[k] == SRAM_LATENCY else -1


@jit
def _word_of(s, k):
    """Word of a row of results that this piece goes to."""
    return _bit_of(s, k) // (UNIT_BITS * s.sizes[S_UNITS_PER_KEY]) + s.piece[k]


@jit
def _pack_address(s, k):
    return s.z_block_now[k] + _word_of(s, k) * s.sizes[S_PARTS] + s.q_key_now[k] // s.sizes[S_KEYS_PER_WORD]


@jit
def merge(s, k, word):
    """Put the results of the part at work into ``word`` [units], which was read; what comes first clears the rest."""
    bits = _BITS[s.step[k, _OUT_PRECISION]]
    per_key = UNIT_BITS * s.sizes[S_UNITS_PER_KEY]
    elements = s.sizes[S_BLOCK] // _pieces(s, k)
    offset = _bit_of(s, k) % per_key
    if offset == 0 and s.q_key_now[k] % s.sizes[S_KEYS_PER_WORD] == 0:
        word[:] = 0
    for t in range(s.sizes[S_TOGETHER]):
        query = s.part[k] * s.sizes[S_TOGETHER] + t
        key = (s.q_key_now[k] + t) % s.sizes[S_KEYS_PER_WORD]
        for e in range(elements):
            value, clipped = saturate(s.result[k, s.piece[k] * elements + e, query], bits)
            s.seen[CLIPPED] += clipped
            bit = key * per_key + offset + e * bits
            shift = bit % UNIT_BITS
            mask = ((1 << bits) - 1) << shift
            unit = bit // UNIT_BITS
            word[unit] = (word[unit] & ~mask) | ((value << shift) & mask)


@jit
def clock(s, k, start, step, detector_ready, sums_valid, sums):
    """One clock of lane ``k``.

    Parameters
    ----------
    s : EstimateState
    k : int
    start : bool
        A step for this unit begins.
    step : int64 array, shape (fields,)
    detector_ready : bool
    sums_valid : bool
        Quantised sums come out of the quantiser in this cycle.
    sums : int64 array, shape (block, 4)
    """
    fires = s.arrivals[k, SRAM_LATENCY - 1, A_FIRE] and s.arrivals[k, SRAM_LATENCY - 1, A_FINAL]
    sums_now = 1 + s.arrivals[k, SRAM_LATENCY - 1, A_LAST] if fires else 0
    for stage in range(SRAM_LATENCY - 1, 0, -1):
        for field in range(ARRIVAL):
            s.arrivals[k, stage, field] = s.arrivals[k, stage - 1, field]
    for stage in range(QUANTIZE_LATENCY - 1, 0, -1):
        s.last[k, stage] = s.last[k, stage - 1]
    s.last[k, 0] = s.sums[k, SUMS - 1]
    for stage in range(SUMS - 1, 0, -1):
        s.sums[k, stage] = s.sums[k, stage - 1]
    s.sums[k, 0] = sums_now
    here = s.state[k]
    transforms = s.step[k, _STEP] == Step.LOW.value
    if sums_valid and transforms:
        for row in range(s.sizes[S_BLOCK]):
            for query in range(QUERIES):
                s.result[k, row, query] = sums[row, query]
    _describe(s, k, s.arrivals[k, 0])

    if here == IDLE:
        if start:
            for field in range(len(step)):
                s.step[k, field] = step[field]
            s.group[k] = s.q_key[k] = 0
            s.q_block[k], s.z_block[k] = step[_LOW_Q_BASE], step[_Z_BASE]
            s.state[k] = GROUP
    elif here == GROUP:
        s.seen[DETECTOR_WAITS] += not transforms and not detector_ready
        if transforms or detector_ready:
            s.seen[INT8 + s.step[k, _PRECISION] - 1] += 1
            s.seen[TRANSFORM] += transforms
            s.block[k] = s.fire[k] = 0
            s.k_addr[k] = s.step[k, _LOW_K_BASE]
            _rewind(s, k)
            s.rows[k] = (1 << min(QUERIES, s.step[k, _QUERIES] - QUERIES * s.group[k])) - 1
            s.state[k] = STATIONARY
    elif here == STATIONARY:
        _next_load(s, k)
    elif here == STREAM:
        _next_word(s, k, transforms)
    elif here == FLUSH:
        s.wait[k] += 1
        if s.wait[k] == FLUSH_CYCLES:
            s.wait[k] = 0
            if transforms:
                _rewind(s, k)
                s.piece[k] = 0
                s.state[k] = PACK
            else:
                _next_group(s, k)
    elif here == PACK:
        s.wait[k] += 1
        if s.wait[k] == PACK_CYCLES:
            s.wait[k] = 0
            _next_piece(s, k)


@jit
def _describe(s, k, new):
    """What the word that is read in this cycle is for."""
    new[A_WHAT] = NOTHING
    new[A_FIRE] = 0
    if s.state[k] != STATIONARY and s.state[k] != STREAM:
        return
    words = words_of(s, k)
    new[A_WHAT] = LOADS if s.state[k] == STATIONARY else STREAMS
    new[A_GROUP_PART] = new[A_PART] = s.part[k]
    new[A_WORD], new[A_SLOT], new[A_WORDS] = s.word[k], s.slot[k], words
    new[A_KEY] = s.q_key_now[k] % s.sizes[S_KEYS_PER_WORD]
    new[A_FIRE] = s.state[k] == STREAM and s.word[k] + 1 == words and s.part[k] + 1 == s.sizes[S_PARTS]
    new[A_FIRST] = s.fire[k] == 0
    new[A_FINAL] = s.fire[k] + words == s.step[k, _LOW_WORDS]
    new[A_LAST] = _last_block(s, k)


@jit
def _last_block(s, k):
    if s.step[k, _STEP] == Step.LOW.value:
        return s.block[k] + 1 == s.step[k, _BLOCKS]
    return (s.block[k] + 1) * s.sizes[S_BLOCK] >= s.step[k, _KEYS]


@jit
def _rewind(s, k):
    """Go back to the first row of the group."""
    s.part[k] = s.word[k] = s.slot[k] = 0
    s.q_key_now[k], s.q_block_now[k], s.z_block_now[k] = s.q_key[k], s.q_block[k], s.z_block[k]


@jit
def _next_part(s, k):
    """Go to the next rows of the group."""
    s.part[k] += 1
    s.q_key_now[k] += s.sizes[S_TOGETHER]
    if s.q_key_now[k] == s.sizes[S_BLOCK]:
        s.q_key_now[k] = 0
        s.q_block_now[k] += s.step[k, _LOW_WORDS] * s.sizes[S_PARTS]
        s.z_block_now[k] += s.step[k, _Z_STRIDE] * s.sizes[S_PARTS]


@jit
def _next_load(s, k):
    """Slots inside words inside parts of the group."""
    s.slot[k] += 1
    if s.slot[k] < slots_of(s, k):
        return
    s.slot[k] = 0
    s.word[k] += 1
    if s.word[k] < words_of(s, k):
        return
    s.word[k] = 0
    if (s.part[k] + 1) * s.sizes[S_TOGETHER] < QUERIES:
        _next_part(s, k)
        return
    s.part[k] = 0
    s.state[k] = STREAM


@jit
def _next_word(s, k, transforms):
    """Parts inside words of a fire; then the next fire, block or group."""
    s.k_addr[k] += 1
    s.part[k] += 1
    s.seen[SEVERAL_WORDS] += s.word[k] > 0
    if s.part[k] < s.sizes[S_PARTS]:
        return
    s.part[k] = 0
    s.word[k] += 1
    words = words_of(s, k)
    if s.word[k] < words:
        return
    s.seen[PARTLY_FILLED] += words < segment_of(s.step[k, _PRECISION], s.sizes[S_COLUMNS]) // s.sizes[S_UNITS_PER_KEY]
    s.word[k] = 0
    s.fire[k] += words
    several = s.step[k, _LOW_WORDS] > words
    if s.fire[k] < s.step[k, _LOW_WORDS]:
        s.seen[SEVERAL_FIRES] += 1
        _rewind(s, k)
        s.state[k] = STATIONARY
        return
    s.fire[k] = 0
    if transforms or _last_block(s, k):
        s.wait[k] = 0
        s.state[k] = FLUSH
        return
    s.seen[SEVERAL_BLOCKS] += 1
    s.block[k] += 1
    if several:
        _rewind(s, k)
        s.state[k] = STATIONARY


@jit
def _next_piece(s, k):
    """Words of a result, those that a row has, inside parts of the group; then the next block or group."""
    s.piece[k] += 1
    if s.piece[k] < _pieces(s, k) and _word_of(s, k) < s.step[k, _Z_STRIDE]:
        return
    s.seen[SHORT_BLOCK] += s.piece[k] < _pieces(s, k)
    s.piece[k] = 0
    if (s.part[k] + 1) * s.sizes[S_TOGETHER] < QUERIES:
        _next_part(s, k)
    elif _last_block(s, k):
        _next_group(s, k)
    else:
        s.block[k] += 1
        _rewind(s, k)
        s.state[k] = STATIONARY


@jit
def _next_group(s, k):
    _rewind(s, k)
    s.group[k] += 1
    moved = QUERIES
    while moved > 0:
        _next_part(s, k)
        moved -= s.sizes[S_TOGETHER]
    s.q_key[k], s.q_block[k], s.z_block[k] = s.q_key_now[k], s.q_block_now[k], s.z_block_now[k]
    s.state[k] = GROUP if s.group[k] * QUERIES < s.step[k, _QUERIES] else IDLE
