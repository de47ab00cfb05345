"""Golden model of the tag queue of a PE [Thesis 5.1.2]: the next valid micro-instruction, without a lost cycle."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "LATENCY", "TagQueueState", "clock", "idle_of", "instruction_of", "instructions", "issue_of",
           "state"]

#: Cycles from a word of tags until its first instruction can be issued.
LATENCY = 3

#: Situations that the tests must reach.
EVENTS = ("empty_word", "single_tag", "full_word", "border", "prefetched", "ring_waits")
EMPTY_WORD, SINGLE_TAG, FULL_WORD, BORDER, PREFETCHED, RING_WAITS = range(len(EVENTS))


def instructions(words, tags, width) -> list[int]:
    """The definition: numbers of the valid instructions, in the order in which they are issued.

    Parameters
    ----------
    words, tags : sequence of int
        Words of the program, and their tags: a bit an instruction, the first lowest.
    width : int
        Instructions of a word.
    """
    return [word * width + bit for word, mask in zip(words, tags, strict=True) for bit in range(width)
            if mask >> bit & 1]


class TagQueueState(NamedTuple):
    """Memory and registers, [PEs, ...]. An entry is: tags, word of the program, phase."""

    ring: np.ndarray        # [PEs, 2 * tag_words, 3]
    w_at: np.ndarray        # entries written and read so far, modulo twice the size
    r_at: np.ndarray
    front_valid: np.ndarray
    front: np.ndarray       # [PEs, 3], the entry that was read last
    head_valid: np.ndarray
    head: np.ndarray        # [PEs, 3], what is left of the one before
    phase: np.ndarray       # of the step
    width: np.ndarray       # [1], a constant: instructions of a word
    seen: np.ndarray


def state(cfg: DuetConfig, pes: int) -> TagQueueState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((pes, *shape), np.int64)

    return TagQueueState(zeros(2 * cfg.tag_words, 3), zeros(), zeros(), zeros(), zeros(3), zeros(), zeros(3), zeros(),
                         np.array([cfg.tags]), np.zeros(len(EVENTS), np.int64))


@jit
def issue_of(s, p):
    """An instruction is valid in this cycle."""
    return s.head_valid[p] != 0 and s.head[p, 2] == s.phase[p]


@jit
def instruction_of(s, p):
    """Its number in the program; only while :func:`issue_of`."""
    lowest = s.head[p, 0] & -s.head[p, 0]
    number = 0
    while lowest >> number != 1:
        number += 1
    return s.head[p, 1] * s.width[0] + number


@jit
def idle_of(s, p):
    """No word of tags is inside."""
    return s.head_valid[p] == 0 and s.front_valid[p] == 0 and s.r_at[p] == s.w_at[p]


@jit
def advance(s, p):
    """The instruction of this cycle leaves; words of tags move up."""
    issue = issue_of(s, p)
    bits = s.head[p, 0]
    gone = issue and bits & (bits - 1) == 0
    if issue:
        s.head[p, 0] = bits & (bits - 1)
    room = gone or not s.head_valid[p]
    moves = room and s.front_valid[p] != 0
    waits = s.r_at[p] != s.w_at[p]
    s.seen[BORDER] += gone and moves and s.front[p, 2] == s.phase[p]
    s.seen[PREFETCHED] += s.head_valid[p] != 0 and not issue
    if moves:
        for field in range(3):
            s.head[p, field] = s.front[p, field]
        s.front_valid[p] = 0
    if room:
        s.head_valid[p] = moves
    if waits and not s.front_valid[p]:
        at = s.r_at[p] & s.ring.shape[1] - 1
        for field in range(3):
            s.front[p, field] = s.ring[p, at, field]
        s.r_at[p] = s.r_at[p] + 1 & 2 * s.ring.shape[1] - 1
        s.front_valid[p] = 1
    elif waits:
        s.seen[RING_WAITS] += 1


@jit
def load(s, p, word, phase, tags):
    """A word of tags, if any is set, goes to the end of the ring."""
    s.seen[EMPTY_WORD] += tags == 0
    if tags != 0:
        at = s.w_at[p] & s.ring.shape[1] - 1
        s.ring[p, at, 0], s.ring[p, at, 1], s.ring[p, at, 2] = tags, word, phase
        s.w_at[p] = s.w_at[p] + 1 & 2 * s.ring.shape[1] - 1
        s.seen[SINGLE_TAG] += tags & (tags - 1) == 0
        s.seen[FULL_WORD] += tags == (1 << s.width[0]) - 1


@jit
def clock(s, p, valid, word, phase, tags, start):
    """One clock of PE ``p``: a word of tags, if ``valid``; the next cycle is the first of a step, if ``start``."""
    if not idle_of(s, p):
        advance(s, p)
    if valid:
        load(s, p, word, phase, tags)
    if start:
        s.phase[p] = s.phase[p] + 1 & 3
