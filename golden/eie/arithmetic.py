"""Golden model of the arithmetic unit [EIE IV "Arithmetic Unit", VI]: b_x = b_x + S[v] * a_j.

Six stages: (1) codebook lookup and address accumulation, (2) weight, (3) destination read and multiply, (4) shift,
(5) add, (6) write. The sums of the entries one, two and three ahead are not in the register file yet when stage 3
reads it: stage 4 takes those of two and three ahead in place of the register, stage 5 the one just ahead.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift, saturate
from golden.common.jit import jit

from .config import EieConfig

#: Situations that the tests must reach.
EVENTS = ("bypass_1", "bypass_2", "bypass_3", "read_fresh", "read_register", "clipped_high", "clipped_low", "padding",
          "row_error")
(BYPASS_1, BYPASS_2, BYPASS_3, READ_FRESH, READ_REGISTER, CLIPPED_HIGH, CLIPPED_LOW, PADDING,
 ROW_ERROR) = range(len(EVENTS))


class ArithmeticState(NamedTuple):
    """``codebook`` [lanes, codebooks * 16] is the memory; the others are registers, [lanes], by stage."""

    codebook: np.ndarray
    row: np.ndarray         # row of the entry before, regfile_words when it was out of range
    s2_valid: np.ndarray
    s2_row: np.ndarray
    s2_weight: np.ndarray   # at the output of the SRAM
    s2_value: np.ndarray
    s2_padding: np.ndarray
    s3_valid: np.ndarray
    s3_row: np.ndarray
    s3_weight: np.ndarray
    s3_value: np.ndarray
    s3_padding: np.ndarray
    s4_valid: np.ndarray
    s4_row: np.ndarray
    s4_product: np.ndarray
    s4_padding: np.ndarray
    s5_valid: np.ndarray
    s5_row: np.ndarray
    s5_scaled: np.ndarray
    s5_before: np.ndarray   # what it is added to, unless the entry just ahead has it
    s5_padding: np.ndarray
    w_valid: np.ndarray     # the architectural write
    w_row: np.ndarray
    w_sum: np.ndarray
    w_padding: np.ndarray
    old_valid: np.ndarray   # the write before it
    old_row: np.ndarray
    old_sum: np.ndarray
    saturated: np.ndarray   # sticky
    row_error: np.ndarray   # sticky
    seen: np.ndarray


def state(cfg: EieConfig, lanes: int) -> ArithmeticState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(len(ArithmeticState._fields) - 2)]
    return ArithmeticState(np.zeros((lanes, cfg.codebooks * 16), np.int64), *registers,
                           np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s, k):
    """An entry is in a stage from which its write is still to come when the status register of the PE is seen."""
    return s.s2_valid[k] or s.s3_valid[k] or s.s4_valid[k]


@jit
def read_of(s, k):
    """(enable, row) of the destination read in this cycle; the row that is being written is not read."""
    enable = s.s3_valid[k] and not (s.w_valid[k] and s.w_row[k] == s.s3_row[k])
    return enable, s.s3_row[k]


@jit
def clock(s, k, i_valid, i_first, i_v, i_z, i_value, codebook, shift, r_live, r_value, clear, words, bits):
    """One clock of lane ``k``.

    ``r_live``, ``r_value`` answer the destination read of the cycle before: whether that register was written
    since it was cleared, and its value. ``words``, ``bits``: registers in the file, width of an accumulator.
    """
    # Stage 5, before its operands move on.
    clipped = False
    total = 0
    if s.s5_valid[k]:
        before = s.s5_before[k]
        if s.w_valid[k] and s.w_row[k] == s.s5_row[k]:
            before = s.w_sum[k]
            s.seen[BYPASS_1] += 1
        total, clipped = saturate(before + s.s5_scaled[k], bits)
        s.seen[CLIPPED_HIGH] += clipped and total > 0
        s.seen[CLIPPED_LOW] += clipped and total < 0

    # Stage 4: scaled product, and the best that is known of the sum.
    scaled = 0
    known = 0
    if s.s4_valid[k]:
        scaled = round_shift(s.s4_product[k], shift)
        one_ahead = s.s5_valid[k] and s.s5_row[k] == s.s4_row[k]
        if s.w_valid[k] and s.w_row[k] == s.s4_row[k]:
            known = s.w_sum[k]
            s.seen[BYPASS_2] += not one_ahead
        elif s.old_valid[k] and s.old_row[k] == s.s4_row[k]:
            known = s.old_sum[k]
            s.seen[BYPASS_3] += not one_ahead
        elif r_live:
            known = r_value
            s.seen[READ_REGISTER] += not one_ahead
        else:
            s.seen[READ_FRESH] += not one_ahead

    # Clock edge, from the last register to the first.
    s.old_valid[k], s.old_row[k], s.old_sum[k] = s.w_valid[k], s.w_row[k], s.w_sum[k]
    s.w_valid[k], s.w_row[k], s.w_padding[k], s.w_sum[k] = s.s5_valid[k], s.s5_row[k], s.s5_padding[k], total
    s.s5_valid[k], s.s5_row[k], s.s5_padding[k] = s.s4_valid[k], s.s4_row[k], s.s4_padding[k]
    s.s5_scaled[k], s.s5_before[k] = scaled, known
    s.s4_valid[k], s.s4_row[k], s.s4_padding[k] = s.s3_valid[k], s.s3_row[k], s.s3_padding[k]
    s.s4_product[k] = s.s3_weight[k] * s.s3_value[k]
    s.s3_valid[k], s.s3_row[k], s.s3_padding[k] = s.s2_valid[k], s.s2_row[k], s.s2_padding[k]
    s.s3_weight[k], s.s3_value[k] = s.s2_weight[k], s.s2_value[k]

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
