"""Golden model of one activation register file [EIE IV, "Activation Read/Write"].

Beside the values it keeps two flags a register: ``live`` (written since the last flush, so a flush is one
cycle) and ``nonzero`` (what the leading non-zero detection looks at; with ReLU only positive values count).
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("flush", "relu_hides_negative", "write_zero", "read_hidden")
FLUSH, RELU_HIDES, WRITE_ZERO, READ_HIDDEN = range(len(EVENTS))


class RegFileState(NamedTuple):
    """``words``, ``live``, ``nonzero``: [lanes, regfile_words]; the read port's registers: [lanes]."""

    words: np.ndarray
    live: np.ndarray
    nonzero: np.ndarray
    r_value: np.ndarray
    r_live: np.ndarray
    r_nonzero: np.ndarray
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> RegFileState:
    """State after reset."""
    words = [np.zeros((lanes, cfg.regfile_words), np.int64) for _ in range(3)]
    registers = [np.zeros(lanes, np.int64) for _ in range(3)]
    return RegFileState(*words, *registers, np.zeros(len(EVENTS), np.int64))


@jit
def read(s, k, row):
    """What a read of ``row`` shows to the outside: zero unless the register counts as non-zero."""
    return s.words[k, row] if s.nonzero[k, row] else 0


@jit
def write(s, k, row, value, relu):
    """Write one register."""
    s.words[k, row] = value
    s.live[k, row] = 1
    s.nonzero[k, row] = value > 0 if relu else value != 0
    s.seen[RELU_HIDES] += relu and value < 0
    s.seen[WRITE_ZERO] += value == 0


@jit
def clock(s, k, flush, w_en, w_row, w_value, w_relu, r_en, r_row, s_en, s_row):
    """One clock of file ``k``. Reading and writing the same row in one cycle is not allowed, nor are two reads.

    ``s_en``, ``s_row``: read of the scan, which knows that the register counts and leaves the flags alone.
    """
    if r_en:
        s.r_value[k] = s.words[k, r_row]
        s.r_live[k] = s.live[k, r_row]
        s.r_nonzero[k] = s.nonzero[k, r_row]
        s.seen[READ_HIDDEN] += not s.r_nonzero[k]
    if s_en:
        s.r_value[k] = s.words[k, s_row]
    if flush:
        s.live[k, :] = 0
        s.nonzero[k, :] = 0
        s.seen[FLUSH] += 1
    if w_en:
        write(s, k, w_row, w_value, w_relu)
