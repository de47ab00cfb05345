"""Proofs of the address generator: visits are the bursts of the requests, in order, each in one row."""

from amaranth import *

from golden.enmc.config import PRESETS
from hdl.enmc.dram_visits import DramVisits
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

#: Pages of four bursts.
CFG = PRESETS["tiny"].replace(row_bits=4, column_bits=4, queue=2)
SIZE = "4 bursts a page, queue of 2"
#: Bursts that a request may have here: over several pages.
MOST = 10


def counted(h, unit):
    """Requests are for at least one burst."""
    h.assume(~unit.i.valid | (unit.i.p.count != 0))


@proof("an offered visit stays until it is taken", size=SIZE)
def handshakes(h):
    counted(h, handshake(h, DramVisits(CFG)))


def alone(h):
    """One request of the solver's choice; first burst of the visit that is offered, and of the next one that is due."""
    unit = h.place("unit", DramVisits(CFG))
    assume_stream_rules(h, unit.i, "i")
    counted(h, unit)
    asked, given = Signal(name="asked"), Signal(CFG.burst_bits, name="given")
    first = Signal(CFG.burst_bits, name="first")
    end = Signal(CFG.burst_bits, name="end")
    visit = unit.o.p
    h.m.d.comb += first.eq(Cat(visit.offset, visit.pair, visit.row))
    h.assume(~unit.i.valid | (~asked & (unit.i.p.count <= MOST)))
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += [asked.eq(1), given.eq(unit.i.p.addr), end.eq(unit.i.p.addr + unit.i.p.count)]
    with h.m.If(unit.o.valid & unit.o.ready):
        h.m.d.sync += given.eq(first + (visit.last - visit.offset)[:len(visit.offset)] + 1)
    return unit, first, given, end


@proof("a request becomes visits that join, each in one row, and all of its bursts come", method="bounded", depth=9,
       size=f"{SIZE}, one request of up to {MOST} bursts")
def bursts(h):
    unit, first, given, end = alone(h)
    visit = unit.o.p
    h.prove(~unit.o.valid | (first == given), "a visit begins where the one before ended")
    h.prove(~unit.o.valid | (visit.offset <= visit.last), "a visit has a burst")
    h.prove(unit.busy | (given == end), "nothing is left behind")
    h.prove(~unit.busy | (given != end), "nothing comes that was not requested")
    h.reach(unit.o.valid & (visit.offset == 0) & (first != 0) & (visit.last == 2), "a request of several pages")


@proof("wrong: every visit begins with the first bank of its pair", size=SIZE, fails="even offsets")
def even(h):
    unit, _first, _given, _end = alone(h)
    h.prove(~unit.o.valid | ~unit.o.p.offset[0], "even offsets")
