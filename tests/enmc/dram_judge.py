"""Judges of the commands that a DRAM controller sends: the recorder of these tests, and the rules of the DRAM model."""

from collections import Counter

from sim.enmc.ddr4_rules import Ddr4Rules
from tests.enmc.dram_recorder import Command, Recorder, Violation

__all__ = ["Both", "Independent"]

#: Rules about the number of refreshes: a random host does not keep them.
_REFRESHES = ("tREFI", "16 REF")


class Independent:
    """The rules of ``sim.enmc.ddr4_rules``. Raises Violation; a host that keeps no order may refresh as it likes."""

    def __init__(self, cfg, *, count_refreshes=True):
        self.rules = Ddr4Rules(cfg)
        self.counts = Counter()
        self._ignored = () if count_refreshes else _REFRESHES

    @property
    def open(self):
        """(bank group, bank) to its open row."""
        return {divmod(index, 4): row for index, row in enumerate(self.rules.rows) if row is not None}

    def command(self, c: Command):
        """Check a command."""
        row = c.value if c.name == "ACT" else None
        column = c.value if c.name in ("RD", "WR") else None
        self.rules.command(c.clock, c.name, *c.bank, row, column)
        self.counts[c.name] += 1
        self._raise()

    def finish(self, clock: int):
        """The clocks up to this one are over."""
        self.rules.finish(clock)
        self._raise()

    def _raise(self):
        for violation in self.rules.violations:
            if violation.rule not in self._ignored:
                raise Violation(f"{violation.rule}: {violation.text}")


class Both(Recorder):
    """Both judges; what the recorder has is there."""

    def __init__(self, cfg, *, count_refreshes=True):
        super().__init__(cfg)
        self.independent = Independent(cfg, count_refreshes=count_refreshes)

    def command(self, c: Command):
        super().command(c)
        self.independent.command(c)
