"""Cycle model of ``hdl.common.beats``: words that leave as stream beats, low part first."""

from typing import NamedTuple

import numpy as np

from golden.common.fields import beats_of
from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

__all__ = ["BeatsState", "WordsToBeatsInputs", "WordsToBeatsModel", "WordsToBeatsOutputs", "beats_data", "beats_last",
           "beats_ready", "beats_state", "beats_step", "beats_valid"]

#: Beats that wait behind the word.
QUEUE_BEATS = 2


class BeatsState(NamedTuple):
    """State of ``lanes`` units, changed in place.

    Attributes
    ----------
    busy : int64 array, shape (lanes,)
        A word is being cut.
    beat : int64 array, shape (lanes,)
        Which of its beats is the next one.
    last : int64 array, shape (lanes,)
        It is the last word of its row.
    word : int64 array, shape (lanes, beats)
        The word, its low beat first; beats of 64 bits as two's complement.
    queue : FifoState
        Beats (data, last) on their way out.
    """

    busy: np.ndarray
    beat: np.ndarray
    last: np.ndarray
    word: np.ndarray
    queue: FifoState


def beats_state(lanes, beats) -> BeatsState:
    """Empty units for words of ``beats`` beats."""
    return BeatsState(*(np.zeros(lanes, np.int64) for _ in range(3)), np.zeros((lanes, beats), np.int64),
                      fifo_state(lanes, QUEUE_BEATS, 2))


@jit
def beats_ready(s, k):
    """``i.ready`` of lane ``k`` in this cycle."""
    return not s.busy[k] or (s.beat[k] + 1 == s.word.shape[1] and fifo_ready(s.queue, k))


@jit
def beats_valid(s, k):
    """``o.valid`` of lane ``k`` in this cycle."""
    return fifo_valid(s.queue, k)


@jit
def beats_data(s, k):
    """``o.payload.data`` of lane ``k``; only while :func:`beats_valid`."""
    return fifo_front(s.queue, k, 0)


@jit
def beats_last(s, k):
    """``o.payload.last`` of lane ``k``; only while :func:`beats_valid`."""
    return fifo_front(s.queue, k, 1)


@jit
def beats_step(s, k, i_valid, i_last, o_ready):
    """One clock edge of lane ``k``. Returns whether the caller has to store ``i.payload.word`` in ``word[k]``."""
    take = i_valid and beats_ready(s, k)
    is_final = s.beat[k] + 1 == s.word.shape[1]
    push = s.busy[k] and fifo_ready(s.queue, k)
    data = s.word[k, s.beat[k]]
    fifo_step(s.queue, k, s.busy[k] != 0, data, s.last[k] and is_final, 0, o_ready)
    if take:
        s.busy[k], s.beat[k], s.last[k] = 1, 0, i_last
    elif push and is_final:
        s.busy[k] = 0
    elif push:
        s.beat[k] += 1
    return take


class WordsToBeatsInputs(NamedTuple):
    i: tuple[int, bool] | None = None   # (word, last); None when i_valid is 0
    o_ready: bool = False


class WordsToBeatsOutputs(NamedTuple):
    i_ready: bool
    o: tuple[int, bool] | None          # (data, last); None when o_valid is 0


class WordsToBeatsModel:
    """One unit, with beats of up to 64 bits: call :meth:`step` once per clock cycle."""

    #: Situations that a test run must reach at least once (the coverage plan).
    EVENTS = frozenset({"first_word", "without_a_gap", "offer_while_busy", "stalled", "last"})

    def __init__(self, word_bits, beat_bits):
        self._beats, self._beat_bits = beats_of(word_bits, beat_bits), beat_bits
        self.reset()

    def reset(self):
        self._state = beats_state(1, self._beats)
        self.seen = set()

    def step(self, x: WordsToBeatsInputs) -> WordsToBeatsOutputs:
        """Outputs of the current cycle; then advance the state by one clock edge."""
        s, mask = self._state, (1 << self._beat_bits) - 1
        valid, ready, busy = bool(beats_valid(s, 0)), bool(beats_ready(s, 0)), bool(s.busy[0])
        y = WordsToBeatsOutputs(ready, (int(beats_data(s, 0)) & mask, bool(beats_last(s, 0))) if valid else None)
        reached = {
            "first_word": x.i is not None and not busy,
            "without_a_gap": x.i is not None and busy and ready,
            "offer_while_busy": x.i is not None and not ready,
            "stalled": valid and not x.o_ready,
            "last": valid and y.o[1],
        }
        self.seen |= {event for event, happened in reached.items() if happened}
        word, last = x.i or (0, False)
        if beats_step(s, 0, x.i is not None, last, x.o_ready):
            for i in range(self._beats):
                beat = word >> self._beat_bits * i & mask
                s.word[0, i] = beat - (beat >> 63 << 64)
        return y
