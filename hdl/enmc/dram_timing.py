"""Timing rules of the DRAM: one counter for each rule, and bank or bank group."""

import enum

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import BANK_GROUPS, BANKS, BURST_CLOCKS, PHASES, Dest
from hdl.common.emit import unit
from hdl.common.primitives import popcount

from .layouts import check_cfg

__all__ = ["DramTiming", "Row", "cas_layout", "row_layout"]


class Row(enum.IntEnum):
    """Kinds of commands to rows, a bit each."""

    ACT = 0
    PRE = 1
    PREA = 2
    REF = 3


def cas_layout() -> data.StructLayout:
    """A read or write that goes out in clock ``slot`` of the next cycle."""
    return data.StructLayout({"valid": 1, "slot": range(PHASES), "bank": range(BANKS), "write": 1,
                              "dest": Shape.cast(range(len(Dest)))})


def row_layout() -> data.StructLayout:
    """Commands to rows: a bit for each ``Row``, at most one of them, in clock ``slot`` of the cycle."""
    return data.StructLayout({"kind": len(Row), "slot": range(PHASES), "bank": range(BANKS)})


class DramTiming(wiring.Component):
    """Timing rules of JEDEC [Thesis 6.4.2, table 6.3].

    Commands to rows are decided for the three clocks of this cycle, reads and writes for those of the next one; outputs
    have a bit for each of them: whether a command may go out in it. A counter holds the clocks until its rule allows a
    command, and loses three in a cycle.

    Latency: 1 cycle; a cycle has at most one command of each of the two kinds, and not both for one bank.

    Banks are numbered bank group + 4 * bank.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    cas : In(cas_layout())
    row : In(row_layout())
    may_read, may_write : Out(BANKS of PHASES bits)
        If the bank is open.
    may_act, may_pre : Out(BANKS of PHASES bits)
    may_pre_all, may_ref : Out(PHASES)
    idle : Out(1)
        No rule reaches into this cycle.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        banks = data.ArrayLayout(PHASES, BANKS)
        super().__init__({
            "cas": In(cas_layout()),
            "row": In(row_layout()),
            "may_read": Out(banks),
            "may_write": Out(banks),
            "may_act": Out(banks),
            "may_pre": Out(banks),
            "may_pre_all": Out(PHASES),
            "may_ref": Out(PHASES),
            "idle": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        rules = _Rules(m, platform)
        written = cfg.cwl + BURST_CLOCKS
        cas, row = self.cas, self.row
        reads = Signal()
        writes = Signal()
        acts = row.kind[Row.ACT]
        m.d.comb += [reads.eq(cas.valid & ~cas.write), writes.eq(cas.valid & cas.write)]

        # Rules of all banks.
        refresh = rules.add("rfc", cfg.trfc, row.kind[Row.REF], row.slot)
        cas_s = rules.add("ccd_s", cfg.tccd_s, cas.valid, cas.slot)
        read_s = cas_s & rules.add("wtr_s", written + cfg.twtr_s, writes, cas.slot)
        write_s = cas_s & rules.add("rtw", cfg.turnaround, reads, cas.slot)
        act_s = refresh & rules.add("rrd_s", cfg.trrd_s, acts, row.slot) & rules.add_four(cfg.tfaw, acts, row.slot)

        # Rules of a group.
        read_l, write_l, act_l = [], [], []
        for group in range(BANK_GROUPS):
            here, acts_here = cas.bank[:2] == group, acts & (row.bank[:2] == group)
            near = rules.add(f"ccd_l_{group}", cfg.tccd_l, cas.valid & here, cas.slot)
            wtr = rules.add(f"wtr_l_{group}", written + cfg.twtr_l, writes & here, cas.slot)
            rrd = rules.add(f"rrd_l_{group}", cfg.trrd_l, acts_here, row.slot)
            read_l.append(_named(m, f"read_group_{group}", read_s & near & wtr))
            write_l.append(_named(m, f"write_group_{group}", write_s & near))
            act_l.append(_named(m, f"act_group_{group}", act_s & rrd))

        # Rules of a bank. Those from rows to reads and back know that reads and writes are decided a cycle ahead.
        for bank in range(BANKS):
            group = bank % BANK_GROUPS
            act = _named(m, f"act_{bank}", acts & (row.bank == bank))
            pre = _named(m, f"pre_{bank}", row.kind[Row.PREA] | (row.kind[Row.PRE] & (row.bank == bank)))
            here = cas.bank == bank
            rcd = rules.add(f"rcd_{bank}", max(cfg.trcd - PHASES, 0), act, row.slot)
            ras = rules.add(f"ras_{bank}", cfg.tras, act, row.slot)
            rc = rules.add(f"rc_{bank}", cfg.trc, act, row.slot)
            rp = rules.add(f"rp_{bank}", cfg.trp, pre, row.slot)
            rtp = rules.add(f"rtp_{bank}", cfg.trtp + PHASES, reads & here, cas.slot)
            wr = rules.add(f"wr_{bank}", written + cfg.twr + PHASES, writes & here, cas.slot)
            m.d.comb += [
                self.may_read[bank].eq(rcd & read_l[group]),
                self.may_write[bank].eq(rcd & write_l[group]),
                self.may_act[bank].eq(act_l[group] & rc & rp),
                self.may_pre[bank].eq(refresh & ras & rtp & wr),
            ]
        for slot in range(PHASES):
            m.d.comb += [
                self.may_pre_all[slot].eq(Cat(self.may_pre[bank][slot] for bank in range(BANKS)).all()),
                self.may_ref[slot].eq(Cat(self.may_act[bank][slot] for bank in range(BANKS)).all()),
            ]
        m.d.comb += self.idle.eq(Cat(rules.idle).all())
        m.d.sync += Assert(popcount(row.kind) <= 1, "at most one command to rows in a cycle")
        return m


class _Rules:
    """Counters of a module; a later command always reaches further, so that nothing has to be compared."""

    def __init__(self, m, platform):
        self._m, self._platform = m, platform
        #: Whether each rule is over in the first clock of the cycle.
        self.idle = []

    def add(self, name, clocks, sent, slot):
        """Counter of a rule that begins when a command is sent; the clocks of this cycle in which it is over."""
        self._m.submodules[name] = rule = unit(self._platform, _Rule(clocks), name=f"enmc_dram_rule_{clocks}")
        self._m.d.comb += [rule.sent.eq(sent), rule.slot.eq(slot)]
        self.idle.append(rule.over[0])
        return rule.over

    def add_four(self, clocks, sent, slot):
        """tFAW: counters of the last four activations; the oldest of them says when there may be a fifth."""
        lefts = [Signal(range(clocks), name=f"left_faw_{age}") for age in range(4)]
        over = Signal(PHASES, init=~0, name="over_faw")
        for left, younger in zip(lefts, [*(_later(left) for left in lefts[1:]), _after(clocks, slot)], strict=True):
            with self._m.If(sent):
                self._m.d.sync += left.eq(younger)
            with self._m.Else():
                self._m.d.sync += left.eq(_later(left))
            self.idle.append(left == 0)
        self._m.d.sync += over.eq(Mux(sent, _over_later(lefts[1]), _over_later(lefts[0])))
        return over


class _Rule(wiring.Component):
    """A rule of ``clocks`` clocks that a command begins; ``over``: the clocks in which it is over."""

    def __init__(self, clocks):
        self._clocks = clocks
        super().__init__({"sent": In(1), "slot": In(range(PHASES)), "over": Out(PHASES, init=(1 << PHASES) - 1)})

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(max(self._clocks, PHASES + 1)))
        with m.If(self.sent):
            m.d.sync += [left.eq(_after(self._clocks, self.slot)), self.over.eq(_over_after(self._clocks, self.slot))]
        with m.Else():
            m.d.sync += [left.eq(_later(left)), self.over.eq(_over_later(left))]
        return m


def _named(m, name, value):
    """A value that is used more than once, as a signal."""
    signal = Signal(Value.cast(value).shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal


def _first(clocks, slot):
    """Clocks that are left in the cycle after a command."""
    return max(clocks + slot - PHASES, 0)


def _after(clocks, slot):
    """Counter of a rule in the cycle after a command in clock ``slot``."""
    return Array([_first(clocks, number) for number in range(PHASES)])[slot]


def _over_after(clocks, slot):
    """Whether the rule is over in each clock of that cycle."""
    return Array([sum((_first(clocks, number) <= clock) << clock for clock in range(PHASES))
                  for number in range(PHASES)])[slot]


def _later(left):
    """A counter a cycle later."""
    return Mux(left < PHASES, 0, left - PHASES)


def _over_later(left):
    """Whether the rule is over in each clock of the next cycle."""
    return Cat(left <= clock + PHASES for clock in range(PHASES))
