"""Golden model of the screener [Thesis 6.4.2]: weight buffer, lanes, filter and index buffer, stepped once a clock."""

from typing import NamedTuple

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from . import screen_control, screen_filter, screen_lane
from .bursts import BurstsState, bursts_clock, bursts_state, bursts_valid
from .config import EnmcConfig

#: Fields of the index buffer.
SCORE, LABEL, BATCH = range(3)


class ScreenerState(NamedTuple):
    """State of its parts."""

    weights: BurstsState
    control: screen_control.ControlState
    lanes: screen_lane.LanesState
    filter: screen_filter.FilterState
    indices: FifoState


def state(cfg: EnmcConfig, ranks: int) -> ScreenerState:
    """State after reset."""
    return ScreenerState(bursts_state(ranks, cfg.weights, cfg.burst_words), screen_control.state(cfg, ranks),
                         screen_lane.state(cfg, ranks), screen_filter.state(cfg, ranks),
                         fifo_state(ranks, cfg.indices, 3))


@jit
def freed_of(s, k, batch):
    """A burst leaves the weight buffer in this cycle."""
    return bursts_valid(s.weights, k) and screen_control.front_ready_of(s.control, k, batch)


@jit
def valid_of(s, k):
    """A candidate is offered."""
    return fifo_valid(s.indices, k)


@jit
def candidate_of(s, k, field):
    """SCORE, LABEL or BATCH of it."""
    return fifo_front(s.indices, k, field)


@jit
def busy_of(s, k):
    """A command, a product, a candidate or a partial sum is on its way."""
    return (s.control.busy[k] != 0 or s.control.filter_start[k] != 0 or s.filter.busy[k] != 0
            or bursts_valid(s.weights, k) or fifo_valid(s.indices, k))


@jit
def clock(s, k, i_valid, i_kind, i_count, i_clear, i_ones, load_valid, load, o_ready, store_ready, batch, screen_bursts,
          classes, threshold, new_batch):
    """One clock of rank ``k``; ``load`` [words] is a burst that arrives."""
    c, f, lanes = s.control, s.filter, s.lanes
    at, filtering, indices_ready = screen_control.at_of(c, k), f.busy[k] != 0, fifo_ready(s.indices, k)
    view = f.shown[k] if filtering else screen_control.view_of(c, k)
    operand, add, clear, set_bias = c.operand[k], c.add[k], c.clear_s2[k], c.bias_s1[k]
    start, set_, base = c.filter_start[k], c.filter_set[k], c.filter_base[k]
    candidate, label, item, score = f.valid[k] != 0, f.label[k], f.batch[k], f.score[k]
    front_ready = screen_control.front_ready_of(c, k, batch)

    screen_filter.clock(f, k, start != 0, set_, base, classes, batch, c.most[k], lanes.scores[k], lanes.above[k],
                        indices_ready)
    # The lanes see the operands from before this edge, the control the scores.
    weights = s.weights.scratch
    for word in range(weights.shape[0]):
        weights[word] = c.weights[k, word]
    screen_control.clock(c, k, i_valid, i_kind, i_count, i_clear, i_ones, bursts_valid(s.weights, k),
                         s.weights.items[k, s.weights.head[k]], batch, screen_bursts, new_batch, lanes.scores[k],
                         filtering, store_ready)
    screen_lane.clock(lanes, k, weights, operand, add != 0, clear != 0, set_bias, at, view, threshold)
    bursts_clock(s.weights, k, load_valid, load, front_ready)
    fifo_step(s.indices, k, candidate, score, label, item, o_ready)
