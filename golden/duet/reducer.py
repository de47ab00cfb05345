"""Golden model of the front of the Speculator [Thesis 5.1.1, steps 1 and 2]: the parts, wired.

What it computes is :func:`golden.duet.projection.reduce_map`, or ``reduce_vector``.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_step, fifo_valid
from golden.common.jit import jit

from . import activation_buffer, alignment, block_intake, window_walk
from .activation_buffer import BufferState
from .alignment import END, PIXEL, WORD, AlignmentState
from .block_intake import IntakeState
from .config import DuetConfig
from .formats import SPECULATE_FIELDS, Kind
from .window_walk import DEPTH, WalkState

__all__ = ["EVENTS", "PARTS", "ReducerState", "busy_of", "clock", "events", "latency", "o_field", "o_value", "ready_of",
           "state", "valid_of"]

#: Parts with events, by the name of their state.
PARTS = {"intake": block_intake, "walk": window_walk, "buffer": activation_buffer, "alignment": alignment}
#: Situations that the tests must reach, beside those of the parts.
EVENTS = ("held", "full")
HELD, FULL = range(len(EVENTS))

_JOB = list(SPECULATE_FIELDS)
_J_KIND, _J_SPAN, _J_SHIFT = _JOB.index("kind"), _JOB.index("span"), _JOB.index("reduce_shift")
_J_IN_HEIGHT, _J_IN_WIDTH = _JOB.index("in_height"), _JOB.index("in_width")
_VECTOR = Kind.VECTOR.value
#: Fields in front of the values of a vector in the queue.
_FIELDS = 3


class ReducerState(NamedTuple):
    """State of the parts; ``queue`` holds pixel, word, end, and the values of a vector."""

    intake: IntakeState
    walk: WalkState
    buffer: BufferState
    alignment: AlignmentState
    queue: FifoState
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> ReducerState:
    """State after reset."""
    queue = FifoState(np.zeros(lanes, np.int64), np.zeros(lanes, np.int64),
                      np.zeros((lanes, DEPTH, _FIELDS + cfg.trees), np.int64))
    return ReducerState(block_intake.state(cfg, lanes), window_walk.state(cfg, lanes),
                        activation_buffer.state(cfg, lanes), alignment.state(cfg, lanes), queue,
                        np.zeros(len(EVENTS), np.int64))


def latency(cfg: DuetConfig) -> int:
    """Cycles from the last window of a vector to the vector: walk, buffer, alignment, queue."""
    return 1 + activation_buffer.LATENCY + alignment.latency(cfg) + 1


def events(s: ReducerState) -> set[str]:
    """Events that were reached, those of the parts as ``part.event``."""
    found = {event for event, count in zip(EVENTS, s.seen, strict=True) if count}
    for name, part in PARTS.items():
        found |= {f"{name}.{event}" for event, count in zip(part.EVENTS, getattr(s, name).seen, strict=True) if count}
    return found


@jit
def busy_of(s, k):
    """A job runs, or vectors of it were not yet taken."""
    return window_walk.busy_of(s.walk, k)


@jit
def ready_of(s, k):
    """A word is taken in this cycle, if one is offered."""
    return window_walk.loading_of(s.walk, k)


@jit
def valid_of(s, k):
    """A vector is offered in this cycle."""
    return fifo_valid(s.queue, k)


@jit
def o_field(s, k, field):
    """Its pixel (0), its word (1), whether it is the last of its tile (2); only while :func:`valid_of`."""
    return fifo_front(s.queue, k, field)


@jit
def o_value(s, k, tree):
    """One of its elements; only while :func:`valid_of`."""
    return fifo_front(s.queue, k, _FIELDS + tree)


@jit
def _clock_queue(s, k, o_ready):
    queue, depth = s.queue, s.queue.items.shape[1]
    s.seen[HELD] += fifo_valid(queue, k) and not o_ready
    s.seen[FULL] += queue.level[k] == depth
    valid = alignment.valid_of(s.alignment, k)
    pixel, word, end = 0, 0, 0
    if valid:
        tail = (queue.head[k] + queue.level[k]) % depth
        for tree in range(queue.items.shape[2] - _FIELDS):
            queue.items[k, tail, _FIELDS + tree] = alignment.result_of(s.alignment, k, tree)
        pixel, word = alignment.tag_of(s.alignment, k, PIXEL), alignment.tag_of(s.alignment, k, WORD)
        end = alignment.tag_of(s.alignment, k, END)
    fifo_step(queue, k, valid, pixel, word, end, o_ready)


@jit
def clock(s, k, job, start, i_valid, i_block_y, i_block_x, i_word, i_last, i_values, w_en, w_addr, w_data, o_ready):
    """One clock of lane ``k``: from the consumer to the producer, each part sees the registers of the one before.

    Parameters
    ----------
    s : ReducerState
    k : int
    job : array, [len(SPECULATE_FIELDS)]
    start : bool
    i_valid, i_last : bool
    i_block_y, i_block_x, i_word : int
        Block and word of it, that are offered.
    i_values : array, [values]
        INT16.
    w_en : bool
        The host writes word ``w_addr`` of the projection: ``w_data``, [trees, values].
    o_ready : bool
    """
    vector = job[_J_KIND] == _VECTOR
    taken = valid_of(s, k) and o_ready
    accepted = i_valid and ready_of(s, k)
    _clock_queue(s, k, o_ready)
    buffer, walk, intake = s.buffer, s.walk, s.intake
    oldest = buffer.at[k]
    alignment.clock(s.alignment, k, job[_J_SHIFT], activation_buffer.valid_of(buffer, k), buffer.values[k, oldest],
                    buffer.tag[k, oldest], w_en, w_addr, w_data)
    activation_buffer.clock(buffer, k, vector, job[_J_SPAN], job[_J_IN_HEIGHT], job[_J_IN_WIDTH],
                            block_intake.valid_of(intake, k), intake.y[k], intake.x[k], intake.word[k],
                            block_intake.mask_of(intake, k), intake.quantizer.values[k], window_walk.valid_of(walk, k),
                            walk.o_y[k], walk.o_x[k], walk.o_word[k], walk.tag[k])
    block_intake.clock(intake, k, job, walk.top[k], walk.left[k], accepted, i_block_y, i_block_x, i_word, i_values)
    window_walk.clock(walk, k, job, start, accepted and i_last, taken)
