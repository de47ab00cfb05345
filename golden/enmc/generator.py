"""Golden model of the instruction generator [Thesis 6.4.2]: what becomes of a candidate."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import EnmcConfig
from .formats import INSTRUCTION_FIELDS, Buffer, Op

EVENTS = ("exact", "passed", "none", "sigmoid", "softmax", "candidate_waits", "stalled")
EXACT, PASSED, NONE, SIGMOID, SOFTMAX, CANDIDATE_WAITS, STALLED = range(len(EVENTS))

#: Cycles from a candidate to its first instruction, and from one candidate to the next: exact, and passed on.
LATENCY = 2
PERIODS = 4, 2
_MODE_EXACT = 4
_OP = INSTRUCTION_FIELDS["a"] + INSTRUCTION_FIELDS["b"]


def _word(op, a=0, b=0):
    return op << _OP | a << INSTRUCTION_FIELDS["b"] | b


_LOAD = _word(Op.LDR, Buffer.WEIGHT_FP32)
_MULTIPLY = _word(Op.MUL_ADD_FP32, Buffer.FEATURE_FP32, Buffer.WEIGHT_FP32)
_MOVE = _word(Op.MOVE, Buffer.PSUM_FP32, Buffer.OUTPUT)
_SIGMOID, _SOFTMAX = _word(Op.SIGMOID), _word(Op.SOFTMAX)
_PASS = _word(Op.MOVE, Buffer.INDEX, Buffer.OUTPUT)


class GeneratorState(NamedTuple):
    """Registers [ranks]. ``held``: a candidate; ``product``: its label times ``row_bursts``; ``number``: of the next of
    its instructions."""

    held: np.ndarray
    score: np.ndarray
    label: np.ndarray
    batch: np.ndarray
    product: np.ndarray
    number: np.ndarray
    valid: np.ndarray
    word: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seen: np.ndarray


def state(_cfg: EnmcConfig, ranks: int) -> GeneratorState:
    """State after reset; the same for every configuration."""
    return GeneratorState(*(np.zeros(ranks, np.int64) for _ in range(10)), np.zeros(len(EVENTS), np.int64))


def instructions(candidate, row_base, row_bursts, first_class, mode) -> list[tuple[int, int]]:
    """The definition: (13 bits, data) of the instructions of a candidate (score, label, input)."""
    score, label, batch = candidate
    tag = score & 0xFFFFFFFF | (label + first_class & 0xFFFFFF) << 32 | batch << 56
    if not mode & _MODE_EXACT:
        return [(_PASS, tag)]
    row = row_base + label * row_bursts & 0xFFFFFFFF | row_bursts << 32
    return [(_LOAD, row), (_MULTIPLY, tag), ((_MOVE, _SIGMOID, _SOFTMAX)[mode & 3], tag)]


@jit
def busy_of(s, k):
    """A candidate or an instruction of one is inside."""
    return s.held[k] != 0 or s.valid[k] != 0


@jit
def clock(s, k, i_valid, score, label, batch, o_ready, row_base, row_bursts, first_class, mode):
    """One clock of rank ``k``; a candidate is taken while ``held`` is 0."""
    held, number = s.held[k] != 0, s.number[k]
    s.seen[CANDIDATE_WAITS] += i_valid and held
    s.seen[STALLED] += s.valid[k] and not o_ready
    if not s.valid[k] or o_ready:
        s.valid[k] = held
        if held:
            exact, function = mode & _MODE_EXACT != 0, mode & 3
            last = number == 2 or not exact
            s.low[k] = s.score[k] & 0xFFFFFFFF
            s.high[k] = ((s.label[k] + first_class) & 0xFFFFFF) | s.batch[k] << 24
            if not exact:
                s.word[k] = _PASS
            elif number == 0:
                s.word[k] = _LOAD
                s.low[k], s.high[k] = (row_base + s.product[k]) & 0xFFFFFFFF, row_bursts
            elif number == 1:
                s.word[k] = _MULTIPLY
            else:
                s.word[k] = _SOFTMAX if function == 2 else _SIGMOID if function == 1 else _MOVE
                s.seen[NONE + min(function, 2)] += 1
            s.seen[EXACT] += exact and number == 0
            s.seen[PASSED] += not exact
            s.number[k] = 0 if last else number + 1
            s.held[k] = 0 if last else 1
    if i_valid and not held:
        s.held[k], s.number[k] = 1, 0
        s.score[k], s.label[k], s.batch[k] = score, label, batch
        s.product[k] = label * row_bursts
