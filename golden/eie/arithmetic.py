"""Golden model of the arithmetic unit [EIE IV "Arithmetic Unit", VI]: b_x = b_x + S[v] * a_j.

Four stages: (1) codebook lookup and address accumulation, (2) destination read and multiply, (3) shift and
add, (4) write. The write of the entry one or two ahead is not in the register file yet when stage 3 adds:
both are bypassed.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift, saturate
from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("bypass_1", "bypass_2", "read_fresh", "read_register", "clipped_high", "clipped_low", "padding",
          "row_error")
BYPASS_1, BYPASS_2, READ_FRESH, READ_REGISTER, CLIPPED_HIGH, CLIPPED_LOW, PADDING, ROW_ERROR = range(len(EVENTS))


class ArithmeticState(NamedTuple):
    """``codebook`` [lanes, codebooks * 16] is the memory; the others are registers, [lanes], by stage."""

    codebook: np.ndarray
    row: np.ndarray         # row of the entry before, regfile_words when it was out of range
    s2_valid: np.ndarray
    s2_row: np.ndarray
    s2_weight: np.ndarray
    s2_value: np.ndarray
    s2_padding: np.ndarray
    s3_valid: np.ndarray
    s3_row: np.ndarray
    s3_product: np.ndarray
    s3_padding: np.ndarray
    s4_valid: np.ndarray    # the architectural write
    s4_row: np.ndarray
    s4_sum: np.ndarray
    s4_padding: np.ndarray
    s5_valid: np.ndarray    # the write before it
    s5_row: np.ndarray
    s5_sum: np.ndarray
    saturated: np.ndarray   # sticky
    row_error: np.ndarray   # sticky
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> ArithmeticState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(len(ArithmeticState._fields) - 2)]
    return ArithmeticState(np.zeros((lanes, cfg.codebooks * 16), np.int64), *registers,
                           np.zeros(len(EVENTS), np.int64))


@jit
def read_of(s, k):
    """(enable, row) of the destination read in this cycle; the row that is being written is not read."""
    enable = s.s2_valid[k] and not (s.s4_valid[k] and s.s4_row[k] == s.s2_row[k])
    return enable, s.s2_row[k]


@jit
def clock(s, k, i_valid, i_first, i_v, i_z, i_value, codebook, shift, r_live, r_value, clear, words, bits):
    """One clock of lane ``k``.

    ``r_live``, ``r_value`` answer the destination read of the cycle before: whether that register was written
    since it was cleared, and its value. ``words``, ``bits``: registers in the file, width of an accumulator.
    """
    # Stage 3, before its operands move on.
    clipped = False
    total = 0
    if s.s3_valid[k]:
        if s.s4_valid[k] and s.s4_row[k] == s.s3_row[k]:
            before = s.s4_sum[k]
            s.seen[BYPASS_1] += 1
        elif s.s5_valid[k] and s.s5_row[k] == s.s3_row[k]:
            before = s.s5_sum[k]
            s.seen[BYPASS_2] += 1
        elif r_live:
            before = r_value
            s.seen[READ_REGISTER] += 1
        else:
            before = 0
            s.seen[READ_FRESH] += 1
        total, clipped = saturate(before + round_shift(s.s3_product[k], shift), bits)
        s.seen[CLIPPED_HIGH] += clipped and total > 0
        s.seen[CLIPPED_LOW] += clipped and total < 0

    s.s5_valid[k] = s.s4_valid[k]
    s.s5_row[k] = s.s4_row[k]
    s.s5_sum[k] = s.s4_sum[k]

    s.s4_valid[k] = s.s3_valid[k]
    s.s4_row[k] = s.s3_row[k]
    s.s4_sum[k] = total
    s.s4_padding[k] = s.s3_padding[k]

    s.s3_valid[k] = s.s2_valid[k]
    s.s3_row[k] = s.s2_row[k]
    s.s3_product[k] = s.s2_weight[k] * s.s2_value[k]
    s.s3_padding[k] = s.s2_padding[k]

    s.s2_valid[k] = 0
    bad = False
    if i_valid:
        row = i_z if i_first else s.row[k] + 1 + i_z
        bad = row >= words
        s.row[k] = words if bad else row
        s.s2_valid[k] = not bad
        s.s2_row[k] = row % words
        s.s2_weight[k] = s.codebook[k, codebook * 16 + i_v]
        s.s2_value[k] = i_value
        s.s2_padding[k] = i_v == 0
        s.seen[PADDING] += i_v == 0
        s.seen[ROW_ERROR] += bad

    s.saturated[k] = (s.saturated[k] and not clear) or clipped
    s.row_error[k] = (s.row_error[k] and not clear) or bad
