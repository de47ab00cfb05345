"""Proofs of the command generator: one command in a clock, only allowed ones, and no more reads than places."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import PHASES, Dest
from hdl.common.primitives import popcount
from hdl.enmc.dram_commands import DramCommands
from hdl.enmc.dram_timing import Row
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = PRESETS["tiny"].replace(weights=4)
SIZE = "4 places for each reader"


def placed(h):
    """The unit; readers give back only what they got, the owner wants one thing."""
    unit = h.place("unit", DramCommands(CFG))
    assume_stream_rules(h, unit.visit, "visit")
    h.assume(unit.run + unit.close + unit.refresh <= 1)
    held = []
    for dest in Dest:
        count = Signal(range(CFG.weights + 2), name=f"held_{dest}")
        h.m.d.sync += count.eq(count + (unit.cas.valid & ~unit.cas.write & (unit.cas.dest == dest)) - unit.freed[dest])
        h.assume(~unit.freed[dest] | (count != 0))
        held.append(count)
    return unit, held


@proof("no reader gets more bursts than it has places", size=SIZE)
def credits(h):     # noqa: A001
    unit, held = placed(h)
    for dest, count in zip(Dest, held, strict=True):
        h.prove(count <= CFG.weights, f"places of {dest.name}")
        h.reach(count == CFG.weights, f"all places of {dest.name} are taken")
    h.reach(unit.cas.valid & unit.cas.write, "a write")


@proof("at most one command in a clock, one of each kind in a cycle, all at the pins", size=SIZE)
def slots(h):
    unit, _held = placed(h)
    goes = h.past(unit.cas.valid, "goes")
    slot = h.past(unit.cas.slot, "goes_slot")
    selected = Cat(~pins.cs_n for pins in unit.pins)
    before = h.past(popcount(unit.row.kind) + goes, "commands_before")
    h.prove(popcount(unit.row.kind) <= 1, "one command to rows")
    h.prove(~(goes & unit.row.kind.any()) | (slot != unit.row.slot), "different clocks")
    h.prove(popcount(selected) == before, "as many at the pins")
    h.reach((before == 2) & selected[2], "two commands in a cycle")


@proof("reads, writes and commands to rows go out only when they are allowed", size=SIZE)
def allowed(h):
    unit, _held = placed(h)
    cas, row = unit.cas, unit.row
    may = Mux(cas.write, unit.may_write[cas.bank], unit.may_read[cas.bank]).bit_select(cas.slot, 1)
    h.prove(~cas.valid | unit.open.bit_select(cas.bank, 1), "no access to a closed bank")
    h.prove(~cas.valid | (unit.run & may), "an access that the rules allow")
    h.prove(~(cas.valid & cas.write) | unit.has_data, "a write has its data")
    for kind, rules in ((Row.ACT, unit.may_act[unit.act.bank]), (Row.PRE, unit.may_pre[unit.pre.bank]),
                        (Row.PREA, unit.may_pre_all), (Row.REF, unit.may_ref)):
        h.prove(~row.kind[kind] | rules.bit_select(row.slot, 1), f"{kind.name} that the rules allow")
        h.reach(row.kind[kind] & (row.slot == PHASES - 1), f"{kind.name} in the last clock")


@proof("a visit's bursts are sent once each, in order", size=SIZE)
def bursts(h):
    unit, _held = placed(h)
    visit, cas = unit.visit.p, unit.cas
    h.assume(~unit.visit.valid | (visit.offset <= visit.last))
    sent = Signal(len(visit.offset) + 1, name="sent")
    offset = Signal(len(visit.offset) + 1, name="offset")
    h.m.d.comb += offset.eq(visit.offset + sent)
    with h.m.If(cas.valid):
        h.m.d.sync += sent.eq(Mux(unit.visit.ready, 0, sent + 1))
    h.prove(~cas.valid | (cas.bank == Cat(offset[0], visit.pair)), "the bank of the burst")
    h.prove(~cas.valid | (unit.visit.ready == (offset == visit.last)), "done after the last burst")
    h.reach(unit.visit.ready & (sent == 2), "a visit of three bursts")


@proof("wrong: a row is opened whenever the rules allow it", size=SIZE, fails="opened at once")
def opened(h):
    unit, _held = placed(h)
    may_act = unit.run & unit.act.valid & unit.may_act[unit.act.bank].any()
    h.prove(~may_act | unit.row.kind[Row.ACT], "opened at once")
