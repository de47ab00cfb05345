"""Counters: every running cycle goes to exactly one cause."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import CAUSES, COUNTER_BITS
from hdl.eie.counters import Counters
from hdl.eie.sequencer import Cause
from sim.common.formal import proof

CFG = EieConfig(n_pe=2)
SIZE = "48 bits, 2 PEs"


def counters(h):
    unit = h.place("unit", Counters(CFG))
    h.assume(unit.cause.as_value() < len(Cause))
    return unit, [getattr(unit, name) for name in CAUSES]


@proof("a running cycle adds one to cycles and to exactly one cause: the causes add up", size=SIZE, method="induction",
       depth=4)
def one_cause(h):
    unit, causes = counters(h)
    ran = h.past(h.past(unit.running, "ran_1"), "ran_2")
    counts = ~h.past(unit.reset, "reset", init=1)
    steps = []
    for name, counter in zip(("cycles", *CAUSES), (unit.cycles, *causes), strict=True):
        before = h.past(counter, f"{name}_before")
        steps.append(counter != before)
        h.prove(~counts | ~steps[-1] | (counter == (before + 1)[:COUNTER_BITS]), f"{name} counts by one")
    h.prove(~counts | (steps[0] == ran), "cycles counts running cycles")
    h.prove(~counts | (sum(steps[1:]) == ran), "one cause a running cycle")
    h.prove(~h.past(unit.reset, "told") | (Cat(unit.cycles, *causes, unit.entries) == 0), "reset clears")
    h.reach(counts & steps[1] & (unit.stall_drain == 2), "two causes")


@proof("work of all PEs is added, also when several work in one cycle", size=SIZE, method="induction", depth=4)
def work(h):
    unit, _causes = counters(h)
    done = h.past(unit.events[0][0] + unit.events[1][0], "done_1")
    before = h.past(unit.entries, "before")
    reset = h.past(unit.reset, "reset", init=1)
    h.prove(reset | (unit.entries == (before + h.past(done, "done_2"))[:COUNTER_BITS]), "entries of all PEs")
    h.reach(unit.entries == 3, "three entries")


@proof("wrong: any value of the cause is counted", size=SIZE, fails="sum of the causes")
def any_cause(h):
    unit = h.place("unit", Counters(CFG))
    h.prove(sum(getattr(unit, name) for name in CAUSES)[:COUNTER_BITS] == unit.cycles, "sum of the causes")
