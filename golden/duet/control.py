"""Golden model of the global control: a stage, Executor and Speculator in parallel, then the cell unit [Thesis 5.1]."""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

#: States.
IDLE, BEGIN, SETTLE, RUN, CELL_BEGIN, CELL_SETTLE, CELL = range(7)
#: Cycles from a start until ``busy`` of the unit counts.
SETTLED = 2

#: Situations that the tests must reach.
EVENTS = ("execute", "speculate", "both", "cell", "cell_alone", "nothing", "execute_ends_first", "speculate_ends_first",
          "tile_done")
EXECUTES, SPECULATES, BOTH, CELLS, CELL_ALONE, NOTHING, EXECUTE_FIRST, SPECULATE_FIRST, TILES = range(len(EVENTS))


class ControlState(NamedTuple):
    """Registers, [1] each."""

    state: np.ndarray
    wait: np.ndarray
    execute: np.ndarray         # starts
    speculate: np.ndarray
    cell: np.ndarray
    executed: np.ndarray        # the Executor has nothing more to do in this stage
    tiles_done: np.ndarray      # that the Executor has stored since its start
    seen: np.ndarray


def state(_cfg) -> ControlState:
    """State after reset; the same for every configuration."""
    return ControlState(*(np.zeros(1, np.int64) for _ in range(7)), np.zeros(len(EVENTS), np.int64))


@jit
def busy_of(s):
    """A stage runs."""
    return s.state[0] != IDLE


@jit
def _begin(s, execute, speculate, cell):
    s.execute[0], s.speculate[0], s.tiles_done[0] = execute, speculate, 0
    s.executed[0] = 0
    s.wait[0], s.state[0] = SETTLED, SETTLE
    s.seen[EXECUTES] += execute
    s.seen[SPECULATES] += speculate
    s.seen[BOTH] += execute and speculate
    s.seen[CELLS] += cell
    s.seen[CELL_ALONE] += cell and not execute and not speculate
    s.seen[NOTHING] += not (execute or speculate or cell)


@jit
def clock(s, update, execute, speculate, cell, execute_busy, speculate_busy, cell_busy, tile_done):
    """One clock; ``execute``, ``speculate``, ``cell``: the stage has a job for them."""
    here = s.state[0]
    s.tiles_done[0] += tile_done
    s.seen[TILES] += tile_done
    s.execute[0] = s.speculate[0] = s.cell[0] = 0
    if here == IDLE:
        if update:
            s.state[0] = BEGIN
    elif here == BEGIN:
        _begin(s, execute, speculate, cell)
    elif here == SETTLE or here == CELL_SETTLE:
        s.wait[0] -= 1
        if s.wait[0] == 0:
            s.state[0] = here + 1
    elif here == RUN:
        s.seen[EXECUTE_FIRST] += execute and speculate_busy and not execute_busy
        s.seen[SPECULATE_FIRST] += speculate and execute_busy and not speculate_busy
        s.executed[0] = not execute_busy
        if not execute_busy and not speculate_busy:
            s.state[0] = CELL_BEGIN if cell else IDLE
    elif here == CELL_BEGIN:
        s.cell[0] = 1
        s.wait[0], s.state[0] = SETTLED, CELL_SETTLE
    elif not cell_busy:
        s.state[0] = IDLE
