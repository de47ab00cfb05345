"""Golden model of the DRAM controller of a rank [Thesis 6.4.2]: request queue, address and command generators.

Requests are cut into visits (``dram_visits``) whose rows are opened ahead (``dram_rows``); commands go out when the
rules allow it (``dram_commands``, ``dram_timing``), data follow them (``dram_data``), the host and refreshes interrupt
(``dram_owner``).
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import dram_commands, dram_data, dram_owner, dram_rows, dram_timing, dram_visits
from .config import EnmcConfig
from .formats import BANK_GROUPS, PHASES

__all__ = ["EVENTS", "DramControllerState", "busy_of", "clock", "load_dest_of", "load_valid", "load_word_of",
           "owner_of", "pins_of", "ready_of", "state", "store_ready_of"]

#: Situations that the tests must reach.
EVENTS = ("next_page", "one_bank", "row_hit", "row_closed", "row_in_use", "ring_full", "two_commands", "no_credit",
          "no_data", "write_after_read", "read_after_write", "same_group", "refresh", "refresh_in_visit",
          "refresh_on_grant", "refresh_on_release", "refresh_by_host", "granted", "released", "waited_for_host",
          "late_host", "queue_full", "store_full", "four_activates")
(NEXT_PAGE, ONE_BANK, ROW_HIT, ROW_CLOSED, ROW_IN_USE, RING_FULL, TWO_COMMANDS, NO_CREDIT, NO_DATA, WRITE_AFTER_READ,
 READ_AFTER_WRITE, SAME_GROUP, REFRESH, REFRESH_IN_VISIT, REFRESH_ON_GRANT, REFRESH_ON_RELEASE, REFRESH_BY_HOST,
 GRANTED, RELEASED, WAITED_FOR_HOST, LATE_HOST, QUEUE_FULL, STORE_FULL, FOUR_ACTIVATES) = range(len(EVENTS))


class DramControllerState(NamedTuple):
    """Parts."""

    visits: dram_visits.VisitsState
    rows: dram_rows.RowsState
    owner: dram_owner.OwnerState
    timing: dram_timing.TimingState
    commands: dram_commands.CommandsState
    data: dram_data.DataState
    last: np.ndarray        # [lanes, 2], for the coverage plan: the last burst was a write, its bank
    seen: np.ndarray


def state(cfg: EnmcConfig, lanes: int) -> DramControllerState:
    """State after reset."""
    parts = [part.state(cfg, lanes)
             for part in (dram_visits, dram_rows, dram_owner, dram_timing, dram_commands, dram_data)]
    return DramControllerState(*parts, np.zeros((lanes, 2), np.int64), np.zeros(len(EVENTS), np.int64))


@jit
def ready_of(s, k):
    """A request is accepted in this cycle."""
    return dram_visits.ready_of(s.visits, k)


@jit
def store_ready_of(s, k):
    """A burst to be written is accepted in this cycle."""
    return dram_data.ready_of(s.data, k)


@jit
def owner_of(s, k):
    """ENMC has the DRAM."""
    return dram_owner.is_owner(s.owner, k)


@jit
def pins_of(s, k, slot):
    """Command pins of a clock of this cycle."""
    return dram_commands.pins_of(s.commands, k, slot)


@jit
def load_valid(s, k):
    """A burst that was read is handed on."""
    return dram_data.load_valid(s.data, k)


@jit
def load_dest_of(s, k):
    """Who takes it."""
    return s.data.dest[k]


@jit
def load_word_of(s, k, word):
    """A word of it."""
    return s.data.load[k, word]


@jit
def busy_of(s, k):
    """Requests, commands or data are on their way."""
    return dram_visits.busy_of(s.visits, k) or dram_rows.busy_of(s.rows, k) or dram_data.busy_of(s.data, k)


@jit
def clock(s, k, request_valid, addr, count, flags, own, host_command, host_refresh, freed, words, store_valid, store):
    """One clock of lane ``k``.

    Parameters
    ----------
    request_valid, addr, count, flags : bool, int
        A request is offered; ``flags`` = write + 2 * dest.
    own, host_command, host_refresh : bool
    freed : int
        Mask of dests that gave a place back.
    words : int array, shape (words of a cycle,)
        Data pins of the three clocks, 32 bits unsigned.
    store_valid, store : bool, int array of shape (words of a burst,)
        A burst to be written is offered.
    """
    now = dram_timing.now_of(s.timing, k)
    idle = dram_owner.yields(s.owner, k) and dram_timing.idle_due(s.timing, k) <= now
    flags_now = dram_rows.front_of(s.rows, k, dram_rows.FLAGS)
    bank = dram_commands.front_bank_of(s.commands, k, s.rows)
    due = dram_commands.cas_due(s.commands, k, s.rows, s.owner, s.data, s.timing)
    cas_slot = dram_commands.slot_of(due, now + PHASES, -1)
    _observe(s, k, own, host_command, host_refresh, request_valid, store_valid, idle)

    sent_slot = dram_commands.send(s.commands, k)
    row_slot, act, pre, closed, refreshed = dram_commands.issue_row(s.commands, k, s.rows, s.owner, s.timing, sent_slot)
    done = False
    if cas_slot >= 0:
        _observe_cas(s, k, flags_now & 1, bank)
        done = dram_commands.issue_cas(s.commands, k, s.rows, s.timing, cas_slot)
    _observe_row(s, k, now + row_slot, act, pre, refreshed, own, row_slot >= 0 and sent_slot >= 0)

    entered = dram_rows.ready_of(s.rows, k)
    dram_rows.clock(s.rows, k, s.visits, done, act, pre, closed)
    dram_visits.clock(s.visits, k, request_valid, addr, count, flags, entered)
    dram_data.clock(s.data, k, cas_slot, flags_now & 1 != 0, flags_now >> 1, words, store_valid, store)
    dram_owner.clock(s.owner, k, own, host_command, host_refresh, closed, refreshed, idle)
    dram_commands.take_back(s.commands, k, freed)
    dram_timing.tick(s.timing, k)


@jit
def _observe(s, k, own, host_command, host_refresh, request_valid, store_valid, idle):
    """Events of the parts, from the state before the edge."""
    visits, rows, owner = s.visits, s.rows, s.owner
    passed = dram_rows.passes(rows, k)
    pair = rows.enter[k, dram_rows.PAIR]
    flags = dram_rows.front_of(rows, k, dram_rows.FLAGS)
    waits = dram_rows.front_valid(rows, k) and dram_owner.runs(owner, k)
    ends = owner.state[k] == dram_owner.QUIET and owner.quiet[k] == 0
    s.seen[NEXT_PAGE] += visits.valid[k] != 0 and visits.more[k] != 0
    s.seen[ONE_BANK] += passed and rows.enter[k, dram_rows.OFFSET] == rows.enter[k, dram_rows.LAST]
    s.seen[ROW_HIT] += passed and (rows.open[k, 2 * pair] != 0 or rows.open[k, 2 * pair + 1] != 0)
    s.seen[ROW_IN_USE] += dram_rows.must_wait(rows, k)
    s.seen[RING_FULL] += rows.level[k] == dram_rows.AHEAD
    s.seen[NO_DATA] += waits and flags & 1 != 0 and not dram_data.has_data(s.data, k)
    s.seen[NO_CREDIT] += waits and flags & 1 == 0 and s.commands.credit[k, flags >> 1] == 0
    s.seen[QUEUE_FULL] += request_valid and not ready_of(s, k)
    s.seen[STORE_FULL] += store_valid and not store_ready_of(s, k)
    s.seen[GRANTED] += ends
    s.seen[REFRESH_ON_GRANT] += ends and owner.owed[k] > 0
    s.seen[WAITED_FOR_HOST] += owner.state[k] == dram_owner.QUIET and owner.quiet[k] > 0
    s.seen[LATE_HOST] += host_command and owner.state[k] == dram_owner.LOCK
    s.seen[REFRESH_BY_HOST] += host_refresh and owner.owed[k] > 0
    s.seen[RELEASED] += idle


@jit
def _observe_cas(s, k, is_write, bank):
    """Events of a read or write."""
    s.seen[WRITE_AFTER_READ] += is_write > s.last[k, 0]
    s.seen[READ_AFTER_WRITE] += is_write < s.last[k, 0]
    s.seen[SAME_GROUP] += bank % BANK_GROUPS == s.last[k, 1] % BANK_GROUPS
    s.last[k, 0] = is_write
    s.last[k, 1] = bank


@jit
def _observe_row(s, k, clock_number, act, pre, refreshed, own, both):
    """Events of a command to rows; it was sent already, so that the fourth last activation is now the third."""
    s.seen[TWO_COMMANDS] += both
    s.seen[ROW_CLOSED] += pre >= 0
    s.seen[REFRESH] += refreshed
    s.seen[REFRESH_IN_VISIT] += refreshed and s.commands.begun[k] != 0
    s.seen[REFRESH_ON_RELEASE] += refreshed and not own
    s.seen[FOUR_ACTIVATES] += act >= 0 and s.timing.acts[k, 3] - s.timing.acts[k, 0] < s.timing.rules[dram_timing.TFAW]
