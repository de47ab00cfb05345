"""Golden model of the dispatcher [Thesis 6.4.2]: which instruction goes to which unit, and when it has to wait.

Whatever is requested from the DRAM is always taken: no instruction goes before what it needs is certain to become free,
and weights that are loaded must be multiplied before anything else but NOP is legal. So no program can hang a rank.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fifo import FifoState, fifo_ready, fifo_state, fifo_step, fifo_valid
from golden.common.jit import jit

from .config import EnmcConfig
from .decoder import (
    CLEAR,
    CLR,
    DEST,
    EXECUTE,
    EXECUTE_KIND,
    FUNCTION,
    INIT,
    LEGAL,
    ONES,
    QUARTERS,
    REG,
    REQUEST,
    ROW,
    SCREEN,
    SCREEN_KIND,
    SETTLE,
    WRITE,
)
from .formats import Dest, Execute, Screen

EVENTS = ("generated", "host", "host_passes_generated", "generated_first", "skipped", "load_waits", "store_waits",
          "filter_waits", "place_waits", "settle_waits", "no_room", "own_again", "clear", "init", "wrong_generated")
(GENERATED, HOST, HOST_PASSES, GENERATED_FIRST, SKIPPED, LOAD_WAITS, STORE_WAITS, FILTER_WAITS, PLACE_WAITS,
 SETTLE_WAITS, NO_ROOM, OWN_AGAIN, CLEARED, INITIALISED, WRONG_GENERATED) = range(len(EVENTS))

#: Places of the FIFOs behind the dispatcher.
REQUESTS, SCREENS, EXECUTES = 2, 4, 8
#: FILTERs that may be unfinished: when bursts are requested for the screener, and when another FILTER goes.
MOST_AHEAD, MOST_FILTERS = 1, 3
#: Cycles in which nothing moves until all is settled, and until the DRAM is given back.
SETTLED, RESTED = 4, 8

_EXECUTOR = int(Dest.EXECUTOR)
_MULTIPLY, _FILTER, _STORE = int(Screen.MULTIPLY), int(Screen.FILTER), int(Screen.STORE)
_EX_MULTIPLY, _EX_FINISH, _EX_PASS = int(Execute.MULTIPLY), int(Execute.FINISH), int(Execute.PASS)
#: What :func:`choice_of` may choose.
NOTHING, TAKE_GENERATED, TAKE_HOST, SKIP_HOST = range(4)


class DispatchState(NamedTuple):
    """FIFOs to the units and registers [ranks]; ``shape`` [2]: ``cfg.results``, ``cfg.bursts``.

    ``unfinished``: FILTERs; ``reserved``: places of the output buffer; ``tile_loaded``, ``row_loaded``: the host loaded
    weights that it has not multiplied; ``row_open``: a row of the host is not finished; ``filtered``: candidates may
    come until all is settled; ``rest``: cycles in which nothing moved.
    """

    request: FifoState      # addr; count; write, dest
    screen: FifoState       # kind; count; clear, ones
    execute: FifoState      # kind, clear, ones, function, count; label, batch; score
    unfinished: np.ndarray
    reserved: np.ndarray
    tile_loaded: np.ndarray
    row_loaded: np.ndarray
    row_open: np.ndarray
    filtered: np.ndarray
    rest: np.ndarray
    own: np.ndarray
    clear: np.ndarray
    init: np.ndarray
    init_reg: np.ndarray
    init_data: np.ndarray
    executed: np.ndarray
    illegal: np.ndarray
    shape: np.ndarray
    seen: np.ndarray


def state(cfg: EnmcConfig, ranks: int) -> DispatchState:
    """State after reset."""
    fifos = (fifo_state(ranks, depth, 3) for depth in (REQUESTS, SCREENS, EXECUTES))
    return DispatchState(*fifos, *(np.zeros(ranks, np.int64) for _ in range(14)), np.array([cfg.results, cfg.bursts]),
                         np.zeros(len(EVENTS), np.int64))


@jit
def _has(control, bit):
    return (control >> bit) & 1 != 0


@jit
def _screens(control, kind):
    return _has(control, SCREEN) and (control >> SCREEN_KIND) & 7 == kind


@jit
def _executes(control, kind):
    return _has(control, EXECUTE) and (control >> EXECUTE_KIND) & 3 == kind


@jit
def _loads_tile(control):
    return (_has(control, REQUEST) and not _has(control, SCREEN) and not _has(control, EXECUTE)
            and not _has(control, ROW))


@jit
def legal_of(s, k, control, high, batch, screen_bursts, row_bursts, mode):
    """An instruction of the host has a meaning as things are."""
    asks = _has(control, REQUEST) or _has(control, SCREEN) or _has(control, EXECUTE)
    if not _has(control, LEGAL) or asks and batch == 0:
        return False
    if _screens(control, _MULTIPLY):
        return s.tile_loaded[k] != 0
    if _executes(control, _EX_MULTIPLY):
        return s.row_loaded[k] != 0 and (high >> 24) & 15 < batch
    if (asks or _has(control, SETTLE)) and (s.tile_loaded[k] or s.row_loaded[k]):
        return False
    if _loads_tile(control) and high & 0xFFFF != screen_bursts or _has(control, ROW) and high & 0xFFFF != row_bursts:
        return False
    if _screens(control, _FILTER) and (s.row_open[k] or mode & 4 and row_bursts == 0):
        return False
    if _screens(control, _STORE) and high & 0xFFFF != QUARTERS * batch:
        return False
    if (_has(control, EXECUTE) or _has(control, ROW)) and s.filtered[k]:
        return False
    if _has(control, EXECUTE) and not _has(control, REQUEST) and (high >> 24) & 15 >= batch:
        return False
    return not _executes(control, _EX_FINISH) or s.row_open[k] != 0


@jit
def _reserves(s, k, control, generated):
    """It needs a place in the output buffer."""
    return _has(control, ROW) and (generated or not s.row_open[k]) or _executes(control, _EX_PASS)


@jit
def _may_go(s, k, control, generated):
    """What it needs is there, or certain to be."""
    s_load = _has(control, REQUEST) and not _has(control, WRITE) and (control >> DEST) & 1 != _EXECUTOR
    if (_has(control, REQUEST) and not fifo_ready(s.request, k) or _has(control, SCREEN) and not fifo_ready(s.screen, k)
            or _has(control, EXECUTE) and not fifo_ready(s.execute, k)):
        s.seen[NO_ROOM] += 1
        return False
    if s_load and s.unfinished[k] > MOST_AHEAD:
        s.seen[LOAD_WAITS] += 1
        return False
    if _has(control, WRITE) and s.unfinished[k] > 0:
        s.seen[STORE_WAITS] += 1
        return False
    if _screens(control, _FILTER) and s.unfinished[k] == MOST_FILTERS:
        s.seen[FILTER_WAITS] += 1
        return False
    if _reserves(s, k, control, generated) and s.reserved[k] == s.shape[0]:
        s.seen[PLACE_WAITS] += 1
        return False
    if _has(control, SETTLE) and s.rest[k] < SETTLED:
        s.seen[SETTLE_WAITS] += 1
        return False
    return True


@jit
def choice_of(s, k, host_valid, host_control, host_high, generated_valid, generated_control, batch, screen_bursts,
              row_bursts, mode):
    """What happens in this cycle. Generated instructions go first, and the host's while those have to wait."""
    if s.clear[k] or s.init[k]:
        return NOTHING
    if generated_valid and _may_go(s, k, generated_control, True):
        s.seen[GENERATED_FIRST] += host_valid
        return TAKE_GENERATED
    if not host_valid:
        return NOTHING
    if not legal_of(s, k, host_control, host_high, batch, screen_bursts, row_bursts, mode):
        return SKIP_HOST
    if _may_go(s, k, host_control, False):
        s.seen[HOST_PASSES] += generated_valid
        return TAKE_HOST
    return NOTHING


@jit
def settled_of(s, k):
    """Nothing moves, nor has moved lately."""
    return s.rest[k] >= SETTLED


@jit
def clock(s, k, choice, control, low, high, screen_bursts, row_bursts, filtered, popped, units_busy, request_ready,
          screen_ready, execute_ready):
    """One clock of rank ``k``.

    Parameters
    ----------
    s : DispatchState
    k : int
        Rank.
    choice : int
        Of :func:`choice_of`; ``control``, ``low`` and ``high`` are of that instruction.
    screen_bursts, row_bursts : int
        Registers.
    filtered, popped : int
        A FILTER is finished; so many records left the output buffer.
    units_busy : bool
        Generated instructions wait, or generator, screener, executor or DRAM controller work.
    request_ready, screen_ready, execute_ready : bool
        Of the units.
    """
    go = choice == TAKE_GENERATED or choice == TAKE_HOST
    requests, screens = go and _has(control, REQUEST), go and _has(control, SCREEN)
    executes = go and _has(control, EXECUTE)
    quiet = not (units_busy or fifo_valid(s.request, k) or fifo_valid(s.screen, k) or fifo_valid(s.execute, k)
                 or s.unfinished[k])
    filters, reserves = go and _screens(control, _FILTER), go and _reserves(s, k, control, choice == TAKE_GENERATED)
    _send(s, k, requests, screens, executes, control, low, high, screen_bursts, row_bursts, request_ready, screen_ready,
          execute_ready)
    s.seen[OWN_AGAIN] += requests and s.own[k] and s.rest[k] > 0
    if requests:
        s.own[k] = 1
    elif s.rest[k] == RESTED:
        s.own[k] = 0
    s.rest[k] = min(s.rest[k] + 1, RESTED) if quiet and not (requests or screens or executes) else 0
    if filters:
        s.unfinished[k] += 1
    if filtered:
        s.unfinished[k] -= 1
    s.reserved[k] += reserves - popped
    if s.clear[k]:
        s.reserved[k], s.row_open[k] = 0, 0
    if choice == TAKE_HOST:
        if _loads_tile(control):
            s.tile_loaded[k] = 1
        elif _screens(control, _MULTIPLY):
            s.tile_loaded[k] = 0
        elif _has(control, ROW):
            s.row_loaded[k] = s.row_open[k] = 1
        elif _executes(control, _EX_MULTIPLY):
            s.row_loaded[k] = 0
        elif _executes(control, _EX_FINISH):
            s.row_open[k] = 0
        if filters:
            s.filtered[k] = 1
        elif _has(control, SETTLE):
            s.filtered[k] = 0
    s.clear[k], s.init[k] = go and _has(control, CLR), go and _has(control, INIT)
    if s.init[k]:
        s.init_reg[k], s.init_data[k] = (control >> REG) & 31, low
    wrong = choice == TAKE_GENERATED and not _has(control, LEGAL)
    s.executed[k], s.illegal[k] = go and not s.clear[k], choice == SKIP_HOST or wrong
    s.seen[GENERATED] += choice == TAKE_GENERATED
    s.seen[HOST] += choice == TAKE_HOST
    s.seen[SKIPPED] += choice == SKIP_HOST
    s.seen[WRONG_GENERATED] += wrong
    s.seen[CLEARED] += s.clear[k]
    s.seen[INITIALISED] += s.init[k]


@jit
def _send(s, k, requests, screens, executes, control, low, high, screen_bursts, row_bursts, request_ready, screen_ready,
          execute_ready):
    """The FIFOs to the units; fields as in ``hdl.enmc.layouts``."""
    clear, ones = (control >> CLEAR) & 1, (control >> ONES) & 1
    count = high & 0xFFFF if _has(control, REQUEST) else 0
    fifo_step(s.request, k, requests, low % s.shape[1], count,
              ((control >> WRITE) & 1) | ((control >> DEST) & 1) << 1, request_ready)
    kind = (control >> SCREEN_KIND) & 7
    burst_count = screen_bursts if kind == _MULTIPLY else count
    fifo_step(s.screen, k, screens, kind, burst_count, clear | ones << 1, screen_ready)
    kind, tagged = (control >> EXECUTE_KIND) & 3, not _has(control, REQUEST)
    burst_count = row_bursts if kind == _EX_MULTIPLY else count
    fifo_step(s.execute, k, executes,
              kind | clear << 2 | ones << 3 | ((control >> FUNCTION) & 3) << 4 | burst_count << 6,
              high & 0xFFFFFFF if tagged else 0, low if tagged else 0, execute_ready)
