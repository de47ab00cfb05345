"""Golden model of the command generator of the DRAM controller: which commands go out, and when [Thesis 6.4.2].

In each cycle at most one read or write and one command to rows is sent, in different ones of the three clocks; each
goes out in the first clock in which all rules allow it. Bursts are read and written in the order of the requests. They
are decided a cycle ahead; commands to rows take another clock then.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from . import dram_data, dram_owner, dram_rows, dram_timing
from .config import EnmcConfig
from .dram_rows import FLAGS, LAST, OFFSET, PAIR, ROW
from .formats import ALL, BANK_GROUPS, BURST_LENGTH, DESELECT, PHASES, PIN_FIELDS, WE_N, Command, Dest

__all__ = ["CHOP_N", "CommandsState", "cas_due", "front_bank_of", "issue_cas", "issue_row", "pins_of", "send",
           "slot_of", "state", "take_back"]

#: A12 of a read or write: high for a whole burst.
CHOP_N = 12
_LSB = {name: sum(list(PIN_FIELDS.values())[:place]) for place, name in enumerate(PIN_FIELDS)}
_ACT_N, _BG, _BA, _A = (1 << _LSB[name] for name in ("act_n", "bg", "ba", "a"))
_RD, _WR, _PRE, _REF = (_ACT_N + (int(command) << WE_N) * _A
                        for command in (Command.RD, Command.WR, Command.PRE, Command.REF))
_RD, _WR = _RD + (1 << CHOP_N) * _A, _WR + (1 << CHOP_N) * _A
_PREA = _PRE + (1 << ALL) * _A
#: A clock that never comes.
FAR = 1 << 40


class CommandsState(NamedTuple):
    """Registers."""

    begun: np.ndarray       # [lanes], a burst of the front visit was sent
    at: np.ndarray          # [lanes], offset of the next one
    credit: np.ndarray      # [lanes, dests], free places in the readers' buffers
    next_slot: np.ndarray   # [lanes], clock of the read or write that goes out next, or -1
    next_pins: np.ndarray   # [lanes], its pins
    next_write: np.ndarray  # [lanes], it writes
    pins: np.ndarray        # [lanes, PHASES], commands; fields as in PIN_FIELDS
    read: np.ndarray        # [lanes], a read is at the pins
    written: np.ndarray     # [lanes], a write is
    refreshed: np.ndarray   # [lanes], a refresh is


def state(cfg: EnmcConfig, lanes: int) -> CommandsState:
    """State after reset."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    return CommandsState(zeros(), zeros(), zeros(len(Dest)) + cfg.weights, zeros() - 1, zeros(), zeros(),
                         zeros(PHASES) + DESELECT, zeros(), zeros(), zeros())


@jit
def pins_of(s, k, slot):
    """Command pins of a clock of this cycle."""
    return s.pins[k, slot]


@jit
def _offset_of(s, k, rows):
    return s.at[k] if s.begun[k] else dram_rows.front_of(rows, k, OFFSET)


@jit
def front_bank_of(s, k, rows):
    """Bank of the next burst of the front visit."""
    return 2 * dram_rows.front_of(rows, k, PAIR) + (_offset_of(s, k, rows) & 1)


@jit
def cas_due(s, k, rows, owner, data, timing):
    """First clock in which the next burst may be read or written; FAR if it has to wait for something else."""
    if not dram_owner.runs(owner, k) or not dram_rows.front_valid(rows, k):
        return FAR
    bank, flags = front_bank_of(s, k, rows), dram_rows.front_of(rows, k, FLAGS)
    if not dram_rows.is_open(rows, k, bank):
        return FAR
    if flags & 1:
        return dram_timing.write_due(timing, k, bank) if dram_data.has_data(data, k) else FAR
    return dram_timing.read_due(timing, k, bank) if s.credit[k, flags >> 1] > 0 else FAR


@jit
def slot_of(due, now, taken):
    """First clock of this cycle, but ``taken``, that is not before ``due``; -1 if there is none."""
    slot = max(due - now, 0)
    if slot == taken:
        slot += 1
    return slot if slot < PHASES else -1


@jit
def send(s, k):
    """The read or write that was decided a cycle ago goes to the pins. Returns its clock, or -1."""
    for slot in range(PHASES):
        s.pins[k, slot] = DESELECT
    slot = s.next_slot[k]
    if slot >= 0:
        s.pins[k, slot] = s.next_pins[k]
    s.read[k] = slot >= 0 and not s.next_write[k]
    s.written[k] = slot >= 0 and s.next_write[k]
    s.refreshed[k] = 0
    s.next_slot[k] = -1
    return slot


@jit
def _address(bank):
    return bank % BANK_GROUPS * _BG + bank // BANK_GROUPS * _BA


@jit
def issue_cas(s, k, rows, timing, slot):
    """Decide to send the next burst of the front visit; True if it is the last one."""
    bank, flags, offset = front_bank_of(s, k, rows), dram_rows.front_of(rows, k, FLAGS), _offset_of(s, k, rows)
    is_write = flags & 1
    done = offset == dram_rows.front_of(rows, k, LAST)
    dram_timing.issue_cas(timing, k, bank, is_write, dram_timing.now_of(timing, k) + PHASES + slot)
    s.next_slot[k] = slot
    s.next_write[k] = is_write
    s.next_pins[k] = (_WR if is_write else _RD) + _address(bank) + (offset >> 1) * BURST_LENGTH * _A
    if not is_write:
        s.credit[k, flags >> 1] -= 1
    s.begun[k] = not done
    s.at[k] = offset + 1
    return done


@jit
def issue_row(s, k, rows, owner, timing, taken):
    """Send a command to rows, if one is due in another clock than ``taken``.

    Precharging and refreshing all banks go before the rest, which waits then; opening goes before closing.

    Returns
    -------
    (int, int, int, bool, bool)
        Clock of the cycle or -1; bank opened or -1; bank closed or -1; all closed; refresh.
    """
    now = dram_timing.now_of(timing, k)
    if dram_owner.wants_close(owner, k):
        slot = slot_of(dram_timing.all_pre_due(timing, k), now, taken)
        if slot >= 0:
            dram_timing.issue_all_pre(timing, k, now + slot)
            s.pins[k, slot] = _PREA
        return slot, -1, -1, slot >= 0, False
    if dram_owner.wants_refresh(owner, k):
        slot = slot_of(dram_timing.all_act_due(timing, k), now, taken)
        if slot >= 0:
            dram_timing.issue_ref(timing, k, now + slot)
            s.pins[k, slot] = _REF
            s.refreshed[k] = 1
        return slot, -1, -1, False, slot >= 0
    if not dram_owner.runs(owner, k):
        return -1, -1, -1, False, False
    bank = dram_rows.act_bank_of(rows, k)
    slot = slot_of(dram_timing.act_due(timing, k, bank), now, taken) if bank >= 0 else -1
    if slot >= 0:
        dram_timing.issue_act(timing, k, bank, now + slot)
        s.pins[k, slot] = _address(bank) + rows.ring[k, rows.target[k], ROW] * _A
        return slot, bank, -1, False, False
    bank = dram_rows.pre_bank_of(rows, k)
    slot = slot_of(dram_timing.pre_due(timing, k, bank), now, taken) if bank >= 0 else -1
    if slot >= 0:
        dram_timing.issue_pre(timing, k, bank, now + slot)
        s.pins[k, slot] = _PRE + _address(bank)
        return slot, -1, bank, False, False
    return -1, -1, -1, False, False


@jit
def take_back(s, k, freed):
    """Places that the readers gave back, a mask."""
    for reader in range(s.credit.shape[1]):
        s.credit[k, reader] += freed >> reader & 1
