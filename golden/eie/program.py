"""Golden model of the program reader: fetches passes ahead of the sequencer and checks each one.

An illegal pass is handed on with its mark, and nothing is fetched after it. While no program runs, the first word
stands at the output of the memory already.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig
from .formats import BEAT_BITS, PASS_FIELDS

#: Situations that the tests must reach.
EVENTS = ("illegal_pass", "illegal_length", "last_pass", "stalled")
ILLEGAL_PASS, ILLEGAL_LENGTH, LAST_PASS, STALLED = range(len(EVENTS))

#: Positions of the fields in a decoded pass.
(LOAD, CLEAR, FINISH, STORE, SWAP, RELU, BIAS, ZERO, CODEBOOK, SHIFT, IN_ROWS, IN_BASE, OUT_ROWS, OUT_BASE,
 COLUMN_BASE, BIAS_COLUMN, BIAS_VALUE) = range(len(PASS_FIELDS))

_WIDTH = np.array(list(PASS_FIELDS.values()))
_LSB = np.cumsum(_WIDTH) - _WIDTH
_BEAT, _SHIFT = _LSB // BEAT_BITS, _LSB % BEAT_BITS


class ProgramState(NamedTuple):
    """``words`` [program_words, 3] is the memory, in beats; ``fields`` [17] the pass at the output; others [1]."""

    words: np.ndarray
    limits: np.ndarray      # constants of the configuration, see state()
    running: np.ndarray
    at: np.ndarray
    left: np.ndarray
    fetching: np.ndarray    # a word stands at the output of the SRAM
    valid: np.ndarray
    illegal: np.ndarray
    last: np.ndarray
    fields: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig) -> ProgramState:
    """State after reset."""
    limits = np.array([cfg.regfile_words, cfg.act_words, cfg.codebooks, 2 * cfg.data_bits, cfg.ptr_words], np.int64)

    def register():
        return np.zeros(1, np.int64)

    return ProgramState(np.zeros((cfg.program_words, 3), np.int64), limits, register(), register(), register(),
                        register(), register(), register(), register(), np.zeros(len(PASS_FIELDS), np.int64),
                        np.zeros(len(EVENTS), np.int64))


@jit
def decode(beats, fields):
    """Split the three beats of a program word into ``fields``."""
    for i in range(fields.shape[0]):
        fields[i] = (beats[_BEAT[i]] >> _SHIFT[i]) & ((1 << _WIDTH[i]) - 1)


@jit
def is_illegal(p, last, limits):
    """The rules of a pass: ranges inside the memories, results kept only by a finished pass, the last one finished."""
    words, act_words, codebooks, shifts, ptr_words = limits[0], limits[1], limits[2], limits[3], limits[4]
    load = p[LOAD] and (p[IN_ROWS] == 0 or p[IN_ROWS] > words or p[IN_BASE] + p[IN_ROWS] > act_words)
    store = p[STORE] and (p[OUT_ROWS] == 0 or p[OUT_ROWS] > words or p[OUT_BASE] + p[OUT_ROWS] > act_words)
    unfinished = not p[FINISH] and (p[STORE] or p[SWAP] or last)
    columns = p[COLUMN_BASE] > ptr_words - 2 or (p[BIAS] and p[BIAS_COLUMN] > ptr_words - 2)
    return load or store or unfinished or columns or p[ZERO] != 0 or p[CODEBOOK] >= codebooks or p[SHIFT] >= shifts


@jit
def clock(s, start, length, o_ready):
    """One clock. ``start`` begins a program of ``length`` passes; a pass leaves when ``o_ready``."""
    slot_free = not s.valid[0] or o_ready
    s.seen[STALLED] += not slot_free
    fetch = s.running[0] and slot_free and not s.fetching[0]
    if slot_free:
        s.valid[0] = 0
    if start:
        s.at[0] = 0
        s.left[0] = length
    if start or s.fetching[0]:
        decode(s.words[s.at[0]], s.fields)
        s.last[0] = s.left[0] == 1
        bad_length = s.left[0] == 0 or s.left[0] > s.words.shape[0]
        s.illegal[0] = bad_length or is_illegal(s.fields, s.last[0], s.limits)
        s.valid[0] = 1
        s.running[0] = not s.last[0] and not s.illegal[0]
        s.at[0] += 1
        s.left[0] -= 1
        s.seen[ILLEGAL_PASS] += s.illegal[0] and not bad_length
        s.seen[ILLEGAL_LENGTH] += bad_length
        s.seen[LAST_PASS] += s.last[0]
    s.fetching[0] = fetch and not start
