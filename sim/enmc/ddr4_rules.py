"""The timing rules of DDR4 (JESD79-4), checked on a list of commands: :data:`RULES` has all that are distances.

Written from the standard's table, not from any controller. What is checked besides the table:

=============== =====================================================================================================
one command     a clock carries one command
open            ACT of a bank whose row is open
closed          RD or WR of a bank without an open row, also after a column command with auto-precharge
row             RD or WR that names another row than the open one (only files can; pins carry no row there)
idle            REF, MRS or ZQ while a row is open
address         a row or column that the rank does not have, or a column that is not the first of a burst
data bus        the data of two column commands overlap
tREFI           a refresh is late, see below
=============== =====================================================================================================

How the standard is read where it leaves room:

- Distances after a write count from the clock after its last data: ``CWL + 4`` after the command.
- tCCD is between any two column commands ("CAS to CAS"), reads and writes mixed as well.
- Write after read: two clocks in which nobody drives lie between the read's last data and the write's first.
- PRE of an idle bank is allowed and begins a new tRP: the last precharge of a bank counts. PREA is a PRE of each bank.
- Auto-precharge takes place at the first clock at which a PRE would be legal (the device waits for tRAS, tRTP and tWR
  itself); tRP counts from there. A PRE before that clock is too early, as ever.
- tRFC keeps away every command but NOP. MRS and ZQ have no effect and no time of their own.
- Refresh: one is due at every multiple of tREFI. At no time are more than 8 postponed; at most 8 in advance are
  credited; two follow each other after at most 9 tREFI, the first after the begin of counting likewise; a REF at the
  very clock is in time. At most 16 come within 2 tREFI.
"""

import enum
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from golden.enmc.config import EnmcConfig
from golden.enmc.formats import BANK_GROUPS, BANKS, BURST_CLOCKS, BURST_LENGTH

__all__ = ["COMMANDS", "RULES", "DramCommand", "Ddr4Rules", "Rule", "Scope", "Violation"]

#: RDA and WRA: with auto-precharge.
COMMANDS = ("ACT", "RD", "RDA", "WR", "WRA", "PRE", "PREA", "REF", "MRS", "ZQ", "NOP")
#: Most refreshes that may be postponed, and that are credited in advance.
POSTPONED = 8
#: Violations that are kept; all are counted.
KEPT = 1000
NEVER = -(1 << 40)
BANKS_OF_GROUP = BANKS // BANK_GROUPS


class DramCommand(NamedTuple):
    """A command at a clock of the DRAM; None where a field does not apply."""

    ck: int
    command: str
    bank_group: int | None = None
    bank: int | None = None
    row: int | None = None
    column: int | None = None


class Violation(NamedTuple):
    """A rule that was broken at a clock; the text has the needed and the seen distance."""

    ck: int
    rule: str
    text: str


class Scope(enum.Enum):
    """To which earlier commands the distance is kept."""

    BANK = "of the same bank"
    GROUP = "in the same bank group"
    OTHERS = "in another bank group"
    RANK = "of the rank"


class Rule(NamedTuple):
    """``after`` must come at least ``clocks`` after the ``count``-th last ``before`` within ``scope``."""

    name: str
    before: str
    after: str
    scope: Scope
    clocks: Callable[[EnmcConfig], int]
    count: int = 1


RULES = (
    # One bank.
    Rule("tRCD", "ACT", "RD WR", Scope.BANK, lambda c: c.trcd),
    Rule("tRAS", "ACT", "PRE", Scope.BANK, lambda c: c.tras),
    Rule("tRC", "ACT", "ACT", Scope.BANK, lambda c: c.trc),
    Rule("tRP", "PRE", "ACT", Scope.BANK, lambda c: c.trp),
    Rule("tRTP", "RD", "PRE", Scope.BANK, lambda c: c.trtp),
    Rule("tWR", "WR", "PRE", Scope.BANK, lambda c: c.cwl + BURST_CLOCKS + c.twr),
    # Activations.
    Rule("tRRD_L", "ACT", "ACT", Scope.GROUP, lambda c: c.trrd_l),
    Rule("tRRD_S", "ACT", "ACT", Scope.OTHERS, lambda c: c.trrd_s),
    Rule("tFAW", "ACT", "ACT", Scope.RANK, lambda c: c.tfaw, 4),
    # Columns and the data pins.
    Rule("tCCD_L", "RD WR", "RD WR", Scope.GROUP, lambda c: c.tccd_l),
    Rule("tCCD_S", "RD WR", "RD WR", Scope.OTHERS, lambda c: c.tccd_s),
    Rule("tWTR_L", "WR", "RD", Scope.GROUP, lambda c: c.cwl + BURST_CLOCKS + c.twtr_l),
    Rule("tWTR_S", "WR", "RD", Scope.OTHERS, lambda c: c.cwl + BURST_CLOCKS + c.twtr_s),
    Rule("tRTW", "RD", "WR", Scope.RANK, lambda c: c.cl + BURST_CLOCKS + 2 - c.cwl),
    # The whole rank.
    Rule("tRP", "PRE", "REF MRS ZQ", Scope.RANK, lambda c: c.trp),
    Rule("tRFC", "REF", "ACT RD WR PRE REF MRS ZQ", Scope.RANK, lambda c: c.trfc),
    Rule("16 REF", "REF", "REF", Scope.RANK, lambda c: 2 * c.trefi, 2 * POSTPONED),
)
_BASE = {"RDA": "RD", "WRA": "WR", "PREA": "PRE"}


class Ddr4Rules:
    """Checks the commands of one rank, in their order.

    ``violations`` has the first :data:`KEPT`, ``total`` counts all; ``rows`` [16] has the open row of bank
    ``4 * bank_group + bank``, or None.

    Parameters
    ----------
    cfg : EnmcConfig
    begin : int
        Clock from which refreshes are counted; all banks are idle then.
    """

    def __init__(self, cfg: EnmcConfig, begin: int = 0):
        if not isinstance(cfg, EnmcConfig):
            raise TypeError(f"cfg must be an EnmcConfig, not {cfg!r}")
        self.cfg = cfg
        self.violations: list[Violation] = []
        self.total = 0
        self.restart(begin)

    def restart(self, begin: int):
        """All banks are idle and nothing is under way at clock ``begin``; violations are kept."""
        self._begin, self._ck = begin, begin - 1
        self.rows = [None] * BANKS
        self._times = {name: [NEVER] * BANKS for name in ("ACT", "RD", "WR", "PRE", "REF")}
        self._recent = {rule.before: deque([NEVER] * rule.count, rule.count) for rule in RULES if rule.count > 1}
        self._checks = {name: [] for name in ("ACT", "RD", "WR", "PRE", "REF", "MRS", "ZQ")}
        for rule in RULES:
            for after in rule.after.split():
                self._checks[after] += [(rule, before, rule.clocks(self.cfg)) for before in rule.before.split()]
        self._bursts = deque()
        # Refreshes counted so far, and the clock by which the next must come.
        self._refreshes = 0
        self._due = begin + (POSTPONED + 1) * self.cfg.trefi

    def report(self, ck: int, rule: str, text: str):
        """Note a violation."""
        self.total += 1
        if len(self.violations) < KEPT:
            self.violations.append(Violation(ck, rule, text))

    def command(self, ck: int, command: str, bank_group=None, bank=None, row=None, column=None):
        """Check one command and carry it out.

        Raises
        ------
        ValueError
            If the command or the bank is none, or the clock lies before that of the last command.
        """
        if command not in COMMANDS:
            raise ValueError(f"command must be one of {', '.join(COMMANDS)}, not {command!r}")
        if ck < self._ck:
            raise ValueError(f"ck must be at least {self._ck}, that of the last command, not {ck!r}")
        if ck == self._ck:
            self.report(ck, "one command", f"{command} must be the only command of its clock")
        self._ck = ck
        if ck > self._due:
            self._late(ck)
        if command == "NOP":
            return
        base = _BASE.get(command, command)
        if command in ("PREA", "REF", "MRS", "ZQ"):
            self._check(ck, command, base, None)
            getattr(self, f"_{base.lower()}")(ck, None)
            return
        for name, value in (("bank_group", bank_group), ("bank", bank)):
            if value not in (0, 1, 2, 3):
                raise ValueError(f"{name} must be in 0..3, not {value!r}")
        index = BANKS_OF_GROUP * bank_group + bank
        self._check(ck, command, base, index)
        if base == "ACT":
            self._act(ck, index, row)
        elif base == "PRE":
            self._pre(ck, index)
        else:
            self._column(ck, command, base, index, row, column)

    def finish(self, ck: int) -> list[Violation]:
        """The clocks up to and with ``ck`` are over; the violations of all of them."""
        if ck > self._due:
            self._late(ck)
        return self.violations

    def _check(self, ck, command, base, index):
        """Every rule of the table that ends at this command; ``index`` is its bank, or None for all."""
        for rule, before, clocks in self._checks[base]:
            times, scope = self._times[before], rule.scope
            if rule.count > 1:
                seen = self._recent[before][0]
            elif scope is Scope.RANK or index is None:
                seen = max(times)
            elif scope is Scope.BANK:
                seen = times[index]
            else:
                low = index & -BANKS_OF_GROUP
                if scope is Scope.GROUP:
                    seen = max(times[low:low + BANKS_OF_GROUP])
                else:
                    seen = max(times[:low] + times[low + BANKS_OF_GROUP:])
            if ck - seen < clocks:
                nth = f"the {rule.count}th last " if rule.count > 1 else ""
                self.report(ck, rule.name, f"{command}{_name(index)} must come at least {clocks} clocks after "
                                           f"{nth}{before} {scope.value} at {seen}, not {ck - seen}")

    def _act(self, ck, index, row):
        if self.rows[index] is not None:
            self.report(ck, "open", f"ACT{_name(index)} must find it precharged, not with row {self.rows[index]} open")
        if not 0 <= row < 1 << self.cfg.row_bits:
            self.report(ck, "address", f"row must be in 0..{(1 << self.cfg.row_bits) - 1}, not {row}")
        self.rows[index] = row
        self._times["ACT"][index] = ck
        self._recent["ACT"].append(ck)

    def _pre(self, ck, index):
        times = self._times["PRE"]
        for i in range(BANKS) if index is None else (index,):
            self.rows[i] = None
            times[i] = ck

    def _column(self, ck, command, base, index, row, column):
        cfg = self.cfg
        if self.rows[index] is None:
            self.report(ck, "closed", f"{command}{_name(index)} must find a row open, not none")
        elif row is not None and row != self.rows[index]:
            self.report(ck, "row", f"{command}{_name(index)} must be of the open row {self.rows[index]}, not {row}")
        if not 0 <= column < 1 << cfg.column_bits or column % BURST_LENGTH:
            self.report(ck, "address", f"column must be a multiple of {BURST_LENGTH} in "
                                       f"0..{(1 << cfg.column_bits) - 1}, not {column}")
        self._times[base][index] = ck
        self._data_pins(ck, command, index, ck + (cfg.cl if base == "RD" else cfg.cwl))
        if command != base:
            self.rows[index] = None
            ready = [self._times[before][index] + clocks for rule, before, clocks in self._checks["PRE"]
                     if rule.scope is Scope.BANK]
            self._times["PRE"][index] = max(ready)

    def _data_pins(self, ck, command, index, first):
        """The data of this command, from clock ``first`` on, meets no other."""
        bursts = self._bursts
        while bursts and bursts[0] + BURST_CLOCKS <= ck:
            bursts.popleft()
        for other in bursts:
            if abs(first - other) < BURST_CLOCKS:
                self.report(ck, "data bus", f"data of {command}{_name(index)} from {first} on must be at least "
                                            f"{BURST_CLOCKS} clocks from that at {other}, not {abs(first - other)}")
        bursts.append(first)

    def _idle(self, ck, command):
        for index, row in enumerate(self.rows):
            if row is not None:
                self.report(ck, "idle", f"{command} must find all banks precharged, not row {row}{_name(index)} open")

    def _ref(self, ck, _index):
        self._idle(ck, "REF")
        self._times["REF"][0] = ck
        self._recent["REF"].append(ck)
        passed = (ck - self._begin) // self.cfg.trefi
        self._refreshes = min(self._refreshes + 1, passed + POSTPONED)
        self._due = min(self._begin + (self._refreshes + POSTPONED + 1) * self.cfg.trefi,
                        ck + (POSTPONED + 1) * self.cfg.trefi)

    def _late(self, ck):
        """Refreshes that should have come before ``ck``: they are reported once and then forgiven."""
        missing = -((self._due - ck) // self.cfg.trefi)
        self.report(self._due, "tREFI", f"REF must come by clock {self._due} (at most {POSTPONED} postponed, at most "
                                        f"{POSTPONED + 1} tREFI apart), not later: {missing} missing before {ck}")
        self._refreshes += missing
        self._due += missing * self.cfg.trefi

    def _mrs(self, ck, _index):
        self._idle(ck, "MRS")

    def _zq(self, ck, _index):
        self._idle(ck, "ZQ")


def _name(index):
    return "" if index is None else f" of bank {index % BANKS_OF_GROUP} of group {index // BANKS_OF_GROUP}"
