"""Proofs of the row activator: visits keep their order, and whoever reads finds the row of its visit."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import BANKS
from hdl.enmc.dram_rows import DramRows
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, follow, handshake

CFG = PRESETS["tiny"].replace(row_bits=4, column_bits=4)
SIZE = "16 rows, 4 bursts a page"
#: Visits inside, and cycles until one is offered when commands are taken at once.
CAPACITY, LATENCY = DramRows.AHEAD + 1, 8


def commands(h, unit):
    """What the command generator keeps to: one command a cycle, only if it is wanted; a visit ends in an open bank."""
    visit = unit.o.p
    h.assume(~unit.act_taken | unit.act.valid)
    h.assume(~unit.pre_taken | unit.pre.valid)
    h.assume(unit.act_taken + unit.pre_taken + unit.closed <= 1)
    ends = unit.o.valid & unit.o.ready
    h.assume(~ends | (~unit.closed & unit.open.bit_select(Cat(visit.last[0], visit.pair), 1)))
    both = visit.offset != visit.last
    h.assume(~ends | ~both | unit.open.bit_select(Cat(~visit.last[0], visit.pair), 1))
    return unit


@proof("an offered visit stays until it is taken", size=SIZE)
def handshakes(h):
    commands(h, handshake(h, DramRows(CFG)))


def few(h, unit):
    """Two pairs of banks and two rows: what happens between visits does not depend on how many others there are."""
    h.assume((unit.i.p.pair < 2) & (unit.i.p.row < 2))


def shadow(h, unit):
    """A bank of the solver's choice: whether its row is open, and which, from the commands alone."""
    bank = h.constant("bank", range(BANKS))
    is_open = Signal(name="shadow_open")
    row = Signal(CFG.row_bits, name="shadow_row")
    with h.m.If(unit.act_taken & (unit.act.bank == bank)):
        h.m.d.sync += [is_open.eq(1), row.eq(unit.act.row)]
    with h.m.Elif(unit.closed | (unit.pre_taken & (unit.pre.bank == bank))):
        h.m.d.sync += is_open.eq(0)
    return bank, is_open, row


@proof("open says which banks are; only closed ones are opened, only open ones closed", size=SIZE)
def banks(h):
    unit = commands(h, h.place("unit", DramRows(CFG)))
    bank, is_open, _row = shadow(h, unit)
    h.prove(unit.open.bit_select(bank, 1) == is_open, "open is what the commands say")
    h.prove(~(unit.act.valid & (unit.act.bank == bank)) | ~is_open, "a closed bank is opened")
    h.prove(~(unit.pre.valid & (unit.pre.bank == bank)) | is_open, "an open bank is closed")
    h.reach(unit.pre_taken & (unit.pre.bank == bank), "a row in the way")


@proof("an open bank has the row of the visit that reads it", size=SIZE + ", 2 pairs", method="bounded", depth=10)
def rows(h):
    unit = commands(h, h.place("unit", DramRows(CFG)))
    h.trust_units()
    assume_stream_rules(h, unit.i, "i")
    few(h, unit)
    bank, is_open, row = shadow(h, unit)
    mine = unit.o.valid & (unit.o.p.pair == bank[1:])
    h.prove(~(mine & is_open) | (row == unit.o.p.row), "the row is that of the visit")
    h.reach(mine & is_open & (row == 1), "a visit reads")


@proof("every visit leaves in its turn, unchanged", size=SIZE + ", 2 pairs, commands taken at once", method="bounded",
       depth=10)
def order(h):
    unit = commands(h, h.place("unit", DramRows(CFG)))
    h.trust_units()
    assume_stream_rules(h, unit.i, "i")
    few(h, unit)
    h.assume(unit.act_taken == unit.act.valid)
    h.assume(unit.pre_taken == (unit.pre.valid & ~unit.act.valid))
    h.assume(~unit.closed)
    follow(h, unit.i, unit.o, CAPACITY, LATENCY)


@proof("wrong: a bank is open as soon as its visit is offered", size=SIZE, fails="open at once")
def at_once(h):
    unit = commands(h, h.place("unit", DramRows(CFG)))
    assume_stream_rules(h, unit.i, "i")
    h.prove(~unit.o.valid | unit.open.bit_select(Cat(unit.o.p.offset[0], unit.o.p.pair), 1), "open at once")
