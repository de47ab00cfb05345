"""What happened at the pins of the DRAM: decodes commands, holds them against the rules of JEDEC, keeps the open rows.

Written from the table of rules, for the bench of the DRAM controller: it knows nothing of how the controller decides.
"""

from collections import Counter, deque
from typing import NamedTuple

#: Names of {RAS_n, CAS_n, WE_n}.
_NAMES = {0b001: "REF", 0b010: "PRE", 0b100: "WR", 0b101: "RD"}


class Command(NamedTuple):
    """A command at a clock; ``bank`` is (bank group, bank), ``value`` a row or column."""

    clock: int
    name: str
    bank: tuple[int, int]
    value: int


class Violation(AssertionError):
    """A command broke a rule."""


def decode(clock: int, pins: int) -> Command | None:
    """The command on the pins of a clock."""
    cs_n, act_n, group, bank, a = pins & 1, pins >> 1 & 1, pins >> 2 & 3, pins >> 4 & 3, pins >> 6
    if cs_n:
        return None
    if not act_n:
        return Command(clock, "ACT", (group, bank), a)
    name = _NAMES.get(a >> 14 & 7)
    if name is None:
        raise Violation(f"clock {clock}: command must be one of {', '.join(_NAMES.values())}, ACT, not pins {pins:#x}")
    if name == "PRE" and a >> 10 & 1:
        name = "PREA"
    if name in ("RD", "WR") and (a >> 10 & 1 or a & 7 or not a >> 12 & 1):
        raise Violation(f"clock {clock}: {name} must be a whole burst from its first column on, without precharge")
    return Command(clock, name, (group, bank), a & 0x3FF)


class Recorder:
    """Checks commands as they come.

    Attributes
    ----------
    open : dict
        (bank group, bank) to its open row.
    counts : Counter
        Commands by name.
    tightest : dict of str to int
        Rule to the least number of clocks that a command had to spare.
    refreshes : list of int
        Their clocks.
    """

    def __init__(self, cfg):
        self.cfg = cfg
        self.open, self.counts, self.tightest, self.refreshes = {}, Counter(), {}, []
        self._last = {}
        self._acts = deque(maxlen=4)

    def command(self, c: Command):
        """Check a command and remember it. Raises Violation."""
        self._check_state(c)
        for earlier in self._last.values():
            for rule, distance in self._rules(earlier, c):
                self._check(rule, c, earlier, distance)
        if c.name == "ACT":
            if len(self._acts) == 4:
                self._check("tfaw", c, self._acts[0], self.cfg.tfaw)
            self._acts.append(c)
        self.counts[c.name] += 1
        if c.name == "ACT":
            self.open[c.bank] = c.value
        elif c.name == "PRE":
            self.open.pop(c.bank, None)
        elif c.name == "PREA":
            self.open.clear()
        elif c.name == "REF":
            self.refreshes.append(c.clock)
        for bank in [(g, b) for g in range(4) for b in range(4)] if c.name == "PREA" else [c.bank]:
            self._last["PRE" if c.name == "PREA" else c.name, bank] = c._replace(bank=bank)

    def _check(self, rule, c, earlier, distance):
        spare = c.clock - earlier.clock - distance
        if spare < 0:
            raise Violation(f"{rule}: {c} comes {c.clock - earlier.clock} clocks after {earlier}, must be {distance}")
        self.tightest[rule] = min(spare, self.tightest.get(rule, spare))

    def _check_state(self, c):
        if c.name == "ACT" and c.bank in self.open:
            raise Violation(f"{c}: bank must be closed, not open with row {self.open[c.bank]}")
        if c.name in ("RD", "WR") and c.bank not in self.open:
            raise Violation(f"{c}: bank must be open")
        if c.name == "REF" and self.open:
            raise Violation(f"{c}: all banks must be closed, not {self.open} open")

    def _rules(self, a, b):
        """(rule, clocks) that must lie between the commands ``a`` and ``b``."""
        cfg = self.cfg
        same_bank, near = a.bank == b.bank, a.bank[0] == b.bank[0]
        cas = ("RD", "WR")
        closes = b.name == "PREA" or (b.name == "PRE" and same_bank)
        if a.name == "ACT":
            if b.name == "ACT":
                yield ("trc", cfg.trc) if same_bank else ("trrd_l", cfg.trrd_l) if near else ("trrd_s", cfg.trrd_s)
            if b.name in cas and same_bank:
                yield "trcd", cfg.trcd
            if closes:
                yield "tras", cfg.tras
            if b.name == "REF":
                yield "trc", cfg.trc
        if a.name in cas:
            if b.name in cas:
                yield ("tccd_l", cfg.tccd_l) if near else ("tccd_s", cfg.tccd_s)
            if (a.name, b.name) == ("RD", "WR"):
                yield "turnaround", cfg.cl + 4 + 2 - cfg.cwl
            if (a.name, b.name) == ("WR", "RD"):
                rule = "twtr_l" if near else "twtr_s"
                yield rule, cfg.cwl + 4 + getattr(cfg, rule)
            if closes:
                yield ("trtp", cfg.trtp) if a.name == "RD" else ("twr", cfg.cwl + 4 + cfg.twr)
        if a.name == "PRE" and (b.name == "REF" or (b.name == "ACT" and same_bank)):
            yield "trp", cfg.trp
        if a.name == "REF":
            yield "trfc", cfg.trfc
