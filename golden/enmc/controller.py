"""Golden model of the controller of a rank [Thesis 6.4.2], stepped once a clock: its parts, from sink to source."""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_front, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from . import dispatch, generator, status
from .config import EnmcConfig
from .decoder import Tables, control_of, tables

EVENTS = ("full", "left_out", "generated_full", "overrun")
FULL, LEFT_OUT, GENERATED_FULL, OVERRUN = range(len(EVENTS))

#: Generated instructions that wait.
GENERATED = 8
#: Fields of a FIFO of instructions.
WORD, LOW, HIGH = range(3)


class ControllerState(NamedTuple):
    """State of its parts; ``amounts`` [counters] and ``size`` [1], places for the host's instructions."""

    tables: Tables
    host: FifoState
    generated: FifoState
    generator: generator.GeneratorState
    dispatch: dispatch.DispatchState
    status: status.StatusState
    amounts: np.ndarray
    size: np.ndarray
    seen: np.ndarray


class Events(NamedTuple):
    """What happened in a cycle, for counters and flags; 0 or 1 but ``popped``, at most a burst of records."""

    read: int = 0
    written: int = 0
    refreshed: int = 0
    screening: int = 0
    executing: int = 0
    finished: int = 0
    popped: int = 0
    filtered: int = 0
    overrun: int = 0
    refused: int = 0


class Units(NamedTuple):
    """What the units say in a cycle."""

    screen_busy: int = 0
    execute_busy: int = 0
    dram_busy: int = 0
    owner: int = 0
    ready: int = 0


def state(cfg: EnmcConfig, ranks: int) -> ControllerState:
    """State after reset."""
    return ControllerState(tables(cfg), fifo_state(ranks, cfg.instructions, 3), fifo_state(ranks, GENERATED, 3),
                           generator.state(cfg, ranks), dispatch.state(cfg, ranks), status.state(cfg, ranks),
                           np.zeros(len(status.COUNTERS), np.int64), np.array([cfg.instructions]),
                           np.zeros(len(EVENTS), np.int64))


@jit
def candidate_ready_of(s, k):
    """A candidate is taken in this cycle."""
    return s.generator.held[k] == 0


@jit
def register_of(s, k, number):
    """A register that INIT writes."""
    return s.status.registers[k, number]


@jit
def clock(s, k, i_valid, word, low, high, query, number, candidate, score, label, batch, events, units, request_ready,
          screen_ready, execute_ready, largest, sums):
    """One clock of rank ``k``.

    Parameters
    ----------
    s : ControllerState
    k : int
        Rank.
    i_valid, word, low, high : int
        Instruction of the host: 13 bits, halves of its data.
    query, number : int
        QUERY of a register.
    candidate, score, label, batch : int
        Candidate that is offered.
    events : Events
    units : Units
    request_ready, screen_ready, execute_ready : bool
    largest, sums : int arrays, shape (cfg.batch,)
    """
    d, st, g = s.dispatch, s.status, s.generator
    host_valid, generated_valid = fifo_valid(s.host, k), fifo_valid(s.generated, k)
    host_control = generated_control = 0
    if host_valid:
        host_control = control_of(s.tables, fifo_front(s.host, k, WORD), fifo_front(s.host, k, LOW),
                                  fifo_front(s.host, k, HIGH))
    if generated_valid:
        generated_control = control_of(s.tables, fifo_front(s.generated, k, WORD), fifo_front(s.generated, k, LOW),
                                       fifo_front(s.generated, k, HIGH))
    screen_bursts, row_bursts = st.registers[k, status.SCREEN_BURSTS], st.registers[k, status.ROW_BURSTS]
    row_base, first_class = st.registers[k, status.ROW_BASE], st.registers[k, status.FIRST_CLASS]
    inputs, mode = st.registers[k, status.BATCH], st.registers[k, status.MODE]
    choice = dispatch.choice_of(d, k, host_valid, host_control, fifo_front(s.host, k, HIGH), generated_valid,
                                generated_control, inputs, screen_bursts, row_bursts, mode)
    take_generated = choice == dispatch.TAKE_GENERATED
    take_host = choice == dispatch.TAKE_HOST or choice == dispatch.SKIP_HOST
    source = s.generated if take_generated else s.host
    i_ready, generated_ready = fifo_ready(s.host, k), fifo_ready(s.generated, k)
    accepted, found = i_valid and i_ready, candidate and candidate_ready_of(s, k)
    _coverage(s, i_valid, i_ready, generated_ready, events.overrun)

    amounts = s.amounts
    amounts[0], amounts[1], amounts[2], amounts[3] = accepted, d.executed[k], found, events.finished
    amounts[4], amounts[5], amounts[6], amounts[7] = events.popped, events.read, events.written, events.refreshed
    amounts[8], amounts[9], amounts[10] = units.owner, events.screening, events.executing
    level = s.host.level[k]
    status.clock(st, k, query, number, d.init[k], d.init_reg[k], d.init_data[k], d.clear[k], amounts, events.refused,
                 i_valid and not i_ready or events.overrun, d.illegal[k],
                 1 if i_valid or host_valid or not dispatch.settled_of(d, k) else 0, units.owner, units.ready,
                 s.size[0] - level - (1 if accepted else 0), level, largest, sums)
    units_busy = (units.screen_busy or units.execute_busy or units.dram_busy or candidate or generated_valid
                  or generator.busy_of(g, k))
    dispatch.clock(d, k, choice, generated_control if take_generated else host_control, fifo_front(source, k, LOW),
                   fifo_front(source, k, HIGH), screen_bursts, row_bursts, events.filtered, events.popped, units_busy,
                   request_ready, screen_ready, execute_ready)
    fifo_step(s.generated, k, g.valid[k] != 0, g.word[k], g.low[k], g.high[k], take_generated)
    generator.clock(g, k, candidate, score, label, batch, generated_ready, row_base, row_bursts, first_class, mode)
    fifo_step(s.host, k, i_valid, word, low, high, take_host)


@jit
def _coverage(s, i_valid, i_ready, generated_ready, overrun):
    s.seen[FULL] += not i_ready
    s.seen[LEFT_OUT] += i_valid and not i_ready
    s.seen[GENERATED_FULL] += not generated_ready
    s.seen[OVERRUN] += overrun
