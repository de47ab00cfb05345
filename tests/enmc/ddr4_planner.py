"""Random legal traffic of DDR4: from each command on, the planner pushes forward the clocks at which others may come.

It works the other way round than ``sim.enmc.ddr4_rules``, which looks back from each command, so that the two check
each other: what comes at the planner's earliest clock is legal, one clock before it is not.
"""

from golden.enmc.formats import BANKS
from sim.enmc.ddr4_rules import DramCommand


class Planner:
    """Earliest clocks of one rank. ``open`` [16] has the row of each bank or None."""

    def __init__(self, cfg, rng):
        self.cfg, self.rng = cfg, rng
        self.now = -1
        self.open = [None] * BANKS
        self.free = {name: [0] * BANKS for name in ("ACT", "RD", "WR", "PRE")}
        self.refresh = 0
        self.acts = []
        self.refreshes = 0

    def earliest(self, name, bank=None):
        """First clock at which a command is legal."""
        if name == "REF":
            limit = self.refresh
        elif name == "PREA":
            limit = max(self.free["PRE"])
        else:
            limit = self.free[name.removesuffix("A") if name in ("RDA", "WRA") else name][bank]
        if name == "ACT" and len(self.acts) >= 4:
            limit = max(limit, self.acts[-4] + self.cfg.tfaw)
        return max(limit, self.now + 1)

    def choose(self):
        """(name, bank) of a next command that makes sense; refreshes when they are due."""
        if self.now >= (self.refreshes + 1) * self.cfg.trefi:
            return ("PREA", None) if any(row is not None for row in self.open) else ("REF", None)
        bank = self.rng.randrange(BANKS) if self.rng.random() < 0.5 else self.rng.choice((0, 1, 4))
        if self.open[bank] is None:
            return "ACT", bank
        names = ("RD", "WR", "RDA", "WRA", "PRE", "PREA")
        return self.rng.choices(names, (10, 10, 1, 1, 3, 0.2))[0], bank

    def command(self, ck, name, bank):
        """The command with a random row or column."""
        if bank is None or name == "PREA":
            return DramCommand(ck, name)
        place = bank // 4, bank % 4
        if name == "ACT":
            return DramCommand(ck, name, *place, self.rng.randrange(1 << self.cfg.row_bits))
        if name == "PRE":
            return DramCommand(ck, name, *place)
        return DramCommand(ck, name, *place, self.open[bank], 8 * self.rng.randrange(self.cfg.page_bursts))

    def _push(self, name, banks, clock):
        free = self.free[name]
        for bank in banks:
            free[bank] = max(free[bank], clock)

    def issue(self, command):
        """Carry out a legal command."""
        c, t, name = self.cfg, command.ck, command.command
        self.now, every = t, range(BANKS)
        if name == "REF":
            self.refreshes += 1
            self.refresh = max(self.refresh, t + c.trfc)
            for other in self.free:
                self._push(other, every, t + c.trfc)
            return
        if name == "PREA":
            for bank in every:
                self._close(bank, t)
            return
        bank = 4 * command.bank_group + command.bank
        group = [b for b in every if b // 4 == command.bank_group]
        others = [b for b in every if b // 4 != command.bank_group]
        if name == "ACT":
            self.open[bank] = command.row
            self.acts.append(t)
            self._push("RD", [bank], t + c.trcd)
            self._push("WR", [bank], t + c.trcd)
            self._push("PRE", [bank], t + c.tras)
            self._push("ACT", [bank], t + c.trc)
            self._push("ACT", group, t + c.trrd_l)
            self._push("ACT", others, t + c.trrd_s)
        elif name == "PRE":
            self._close(bank, t)
        elif name in ("RD", "RDA"):
            self._push("RD", group, t + c.tccd_l)
            self._push("RD", others, t + c.tccd_s)
            self._push("WR", group, t + c.tccd_l)
            self._push("WR", every, t + c.cl + 4 + 2 - c.cwl)
            self._push("PRE", [bank], t + c.trtp)
        else:
            done = t + c.cwl + 4
            self._push("WR", group, t + c.tccd_l)
            self._push("WR", others, t + c.tccd_s)
            self._push("RD", group, max(t + c.tccd_l, done + c.twtr_l))
            self._push("RD", others, max(t + c.tccd_s, done + c.twtr_s))
            self._push("PRE", [bank], done + c.twr)
        if name in ("RDA", "WRA"):
            self._close(bank, self.free["PRE"][bank])

    def _close(self, bank, t):
        self.open[bank] = None
        self._push("ACT", [bank], t + self.cfg.trp)
        self.refresh = max(self.refresh, t + self.cfg.trp)
