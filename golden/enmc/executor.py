"""Golden model of the executor [Thesis 6.4.2]: FP32 MACs, special functions and output buffer, stepped once a clock."""

from typing import NamedTuple

from golden.common.fifo import FifoState, fifo_front, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from . import exact_control, exact_dot, exact_finish, output_buffer, special
from .bursts import BurstsState, bursts_clock, bursts_state, bursts_valid
from .config import EnmcConfig
from .exact_control import NO_RESULT


class ExecutorState(NamedTuple):
    """State of its parts. Tags wait for their results."""

    weights: BurstsState
    control: exact_control.ControlState
    dot: exact_dot.DotState
    finish: exact_finish.FinishState
    tags: FifoState         # score, tag
    results: FifoState
    special: special.SpecialState
    output: output_buffer.OutputState


def state(cfg: EnmcConfig, ranks: int) -> ExecutorState:
    """State after reset."""
    return ExecutorState(bursts_state(ranks, cfg.weights, cfg.burst_words), exact_control.state(cfg, ranks),
                         exact_dot.state(cfg, ranks), exact_finish.state(cfg, ranks),
                         fifo_state(ranks, cfg.results, 2), fifo_state(ranks, cfg.results), special.state(cfg, ranks),
                         output_buffer.state(cfg, ranks))


@jit
def ready_of(s, k):
    """A command is taken in this cycle."""
    return exact_control.ready_of(s.control, k)


@jit
def freed_of(s, k):
    """A burst leaves the weight buffer in this cycle."""
    return bursts_valid(s.weights, k) and exact_control.front_ready_of(s.control, k)


@jit
def working_of(s, k):
    """The multipliers work."""
    return exact_dot.working_of(s.dot, k)


@jit
def busy_of(s, k):
    """Anything is inside before the output buffer."""
    return (bursts_valid(s.weights, k) or exact_control.busy_of(s.control, k) or exact_dot.busy_of(s.dot, k)
            or fifo_valid(s.tags, k) or special.busy_of(s.special, k))


@jit
def _shared_word(tag):
    """Word 1 of the record of a tag."""
    function = tag >> special.FUNCTION_AT
    has_result = function != NO_RESULT
    return (tag & (1 << special.FUNCTION_AT) - 1 | has_result << 28 | 1 << 29 | (function if has_result else 0) << 30)


@jit
def clock(s, k, i_valid, i, label, score, load_valid, load, row_bursts, new_batch, clear, take):
    """One clock of rank ``k``.

    ``i``: ``exact_control.packed``, with ``label`` and ``score``, 32 bits without sign; ``load`` [words] is a burst
    that arrives.
    """
    c, dot, finish = s.control, s.dot, s.finish
    front_valid, front_ready = bursts_valid(s.weights, k), exact_control.front_ready_of(c, k)
    tag_valid = exact_control.tag_valid_of(c, k)
    tag_score, tag = (exact_control.tag_field(c, k, 0), exact_control.tag_field(c, k, 1)) if tag_valid else (0, 0)
    result_valid, result = exact_finish.valid_of(finish, k), exact_finish.result_now(finish, k)
    arrives, exact = fifo_valid(s.results, k), fifo_front(s.results, k, 0)
    arrives_score, arrives_tag = fifo_front(s.tags, k, 0), fifo_front(s.tags, k, 1)
    enters = arrives and special.ready_of(s.special, k)
    pushes = special.valid_of(s.special, k)
    w0 = w1 = w2 = w3 = 0
    if pushes:
        w0, w1 = special.field_of(s.special, k, 1), _shared_word(special.field_of(s.special, k, 2))
        w2, w3 = special.field_of(s.special, k, 0), special.value_of(s.special, k)

    output_buffer.clock(s.output, k, pushes, w0, w1, w2, w3, take, clear)
    special.clock(s.special, k, arrives, exact, arrives_score, arrives_tag, new_batch or clear, True)
    fifo_step(s.results, k, result_valid, result, 0, 0, enters)
    fifo_step(s.tags, k, tag_valid, tag_score, tag, 0, enters)
    exact_finish.clock(finish, k, exact_dot.mark_of(dot, k), exact_dot.sum_of(dot, k, 0), exact_dot.sum_of(dot, k, 1),
                       exact_dot.sum_of(dot, k, 2), exact_dot.sum_of(dot, k, 3))
    exact_dot.clock(dot, k, c.burst[k], c.beat[k], c.write[k], c.addr[k], c.use_ones[k], c.first[k], c.mark[k])
    exact_control.clock(c, k, i_valid, i, label, score, front_valid, s.weights.items[k, s.weights.head[k]], row_bursts,
                        new_batch)
    bursts_clock(s.weights, k, load_valid, load, front_ready)
