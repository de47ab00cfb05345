"""Proofs of the dispatcher: handshake, and the rules that make it certain that what is requested is taken."""

from amaranth import *
from amaranth.lib import data

from golden.enmc.config import PRESETS
from golden.enmc.formats import Dest, Execute, Screen
from hdl.enmc.decoder import step_layout
from hdl.enmc.dispatch import Dispatch
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, stream_rules

CFG = PRESETS["tiny"].replace(row_bits=4, column_bits=4, results=2)
SIZE = "bursts of 16 bytes, 2 places for records"


def screens(c, kind):
    return c.screen & (c.screen_kind == kind)


def executes(c, kind):
    return c.execute & (c.execute_kind == kind)


class Surroundings:
    """The dispatcher, instructions as the decoder makes them (see formal_decoder), and units that keep their contract.

    What was carried out is seen a cycle later, with ``past``: the controls of the instruction that was taken.
    """

    def __init__(self, h):
        self.h, m = h, h.m
        self.unit = unit = h.place("unit", Dispatch(CFG))
        for name in "host", "generated":
            self._instructions(name)
        taken = h.past(Mux(unit.generated.ready & unit.generated.valid, Value.cast(unit.generated.payload),
                           Value.cast(unit.host.payload)), "taken")
        self.was_generated = h.past(unit.generated.ready & unit.generated.valid, "was_generated")
        self.past = data.View(step_layout(), taken).control
        self.carried_out = Signal()
        m.d.comb += self.carried_out.eq(unit.executed | unit.clear)
        self._screener()
        self._records()

    def _instructions(self, name):
        h, port = self.h, getattr(self.unit, name)
        assume_stream_rules(h, port, name)
        c = port.p.control
        h.assume(~(c.screen & c.execute))
        h.assume(~c.row | (c.request & ~c.write & (c.dest == Dest.EXECUTOR) & ~c.screen & ~c.execute))
        h.assume(~c.write | (c.request & screens(c, Screen.STORE)))
        h.assume(~(c.request & c.execute) | (c.execute_kind == Execute.FEATURES))
        h.assume(~(c.clr | c.init) | c.settle)
        h.assume(~(c.clr & c.init))
        h.assume(~c.settle | ~(c.request | c.screen | c.execute))
        if name == "generated":
            open_ = Signal(name="generated_row")
            with h.m.If(port.valid & port.ready):
                h.m.d.sync += open_.eq((open_ | c.row) & ~executes(c, Execute.FINISH))
            h.assume(~open_ | self.unit.work | port.valid)      # the generator has the rest of the row
            h.assume(~port.valid | (c.row & ~open_) | (executes(c, Execute.MULTIPLY) & open_)
                     | (executes(c, Execute.FINISH) & open_) | (executes(c, Execute.PASS) & ~open_))

    def _screener(self):
        """FILTERs that went and are not finished."""
        unit, went = self.unit, self.carried_out & screens(self.past, Screen.FILTER)
        self.unfinished = Signal(3, name="filters_unfinished")
        self.h.m.d.sync += self.unfinished.eq(self.unfinished + went - unit.filtered)
        self.h.assume(~unit.filtered | (self.unfinished != 0))

    def _records(self):
        """Records that may have come into the output buffer: all whose FINISH or PASS went, less those taken out."""
        unit = self.unit
        self.records = Signal(4, name="records")
        went = self.carried_out & (executes(self.past, Execute.FINISH) | executes(self.past, Execute.PASS))
        self.h.m.d.sync += self.records.eq(Mux(unit.clear, 0, self.records + went - unit.popped))
        self.h.assume(unit.popped <= self.records)


@proof("offered requests and commands stay until they are taken", size=SIZE)
def handshakes(h):
    unit = Surroundings(h).unit
    h.trust_units()
    for name in "request", "screen", "execute":
        stream_rules(h, getattr(unit, name), name)
        h.reach(getattr(unit, name).valid & ~getattr(unit, name).ready, f"{name}: a wait")


@proof("bursts for the screener are requested while at most one FILTER is unfinished, stored while none is", size=SIZE)
def filters(h):
    s = Surroundings(h)
    h.trust_units()
    c = s.past
    load = c.request & ~c.write & (c.dest == Dest.SCREENER)
    h.prove(~(s.carried_out & load) | (s.unfinished <= Dispatch.MOST_AHEAD), "loads wait for the filter")
    h.prove(~(s.carried_out & c.write) | (s.unfinished == 0), "stores wait for the filter")
    h.prove(s.unfinished <= Dispatch.MOST_FILTERS, "three FILTERs at most")
    h.reach(s.carried_out & load & (s.unfinished == 1), "a load beside a filter")
    h.reach(s.unfinished == Dispatch.MOST_FILTERS, "three FILTERs")


@proof("wrong: bursts for the screener wait until no FILTER is unfinished", size=SIZE, fails="no load beside a filter")
def no_overlap(h):
    s = Surroundings(h)
    h.trust_units()
    load = s.past.request & ~s.past.write & (s.past.dest == Dest.SCREENER)
    h.prove(~(s.carried_out & load) | (s.unfinished == 0), "no load beside a filter")


@proof("every record finds a place in the output buffer", size=SIZE)
def places(h):
    s = Surroundings(h)
    h.prove(s.records <= CFG.results, "records find a place")
    h.reach(s.records == CFG.results, "all places taken")


@proof("the DRAM is wanted while a request is offered; it is one instruction a cycle", size=SIZE)
def ownership(h):
    s = Surroundings(h)
    h.trust_units()
    unit = s.unit
    h.prove(~unit.request.valid | unit.own, "own with a request")
    h.prove(~(unit.host.valid & unit.host.ready & unit.generated.valid & unit.generated.ready), "one at a time")
    h.prove(~s.was_generated | unit.executed, "generated ones are carried out")
    h.prove(~(unit.executed & unit.illegal) | s.was_generated, "the host's is carried out or skipped")
    h.reach(unit.own & ~unit.request.valid & unit.settled, "own for a while")


@proof("INIT, BARRIER and CLR wait until nothing has moved for a while", size=SIZE)
def settling(h):
    s = Surroundings(h)
    h.trust_units()
    unit = s.unit
    moved = unit.work | unit.request.valid | unit.screen.valid | unit.execute.valid
    for cycles in range(1, Dispatch.SETTLED + 2):
        moved = h.past(moved, f"moved_{cycles}", init=1)
        if cycles > 1:      # in the first one it went
            h.prove(~(unit.executed | unit.clear) | ~s.past.settle | ~moved, f"nothing moved {cycles} cycles before")
    h.reach(unit.clear, "a CLR")
