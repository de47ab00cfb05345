"""Special function unit: handshake, and what does not depend on the numbers."""

from hdl.enmc.special import LOWEST, Special
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.enmc.launch import TINY

CFG = TINY


def environment(h):
    """Results of inputs that exist; a new batch only while nothing is inside."""
    unit = h.place("unit", Special(CFG))
    h.trust_units()
    contract(h, unit)
    return unit


def contract(h, unit):
    h.assume(~unit.i.valid | (unit.i.p.batch < CFG.batch))
    h.assume(~unit.new_batch | ~unit.busy)


@proof("an offered record stays until it is taken", size="2 inputs", method="induction", depth=3)
def handshakes(h):
    unit = handshake(h, Special(CFG))
    h.trust_units()
    contract(h, unit)


@proof("a new batch begins without largest results and sums", size="2 inputs", method="bounded", depth=6)
def fresh(h):
    unit = environment(h)
    begun = h.past(unit.new_batch, "begun")
    for k in range(CFG.batch):
        h.prove(~begun | ((unit.largest[k] == LOWEST) & (unit.sums[k] == 0)), f"nothing of input {k}")
    h.reach(begun, "a new batch")


@proof("wrong: a result without function waits for the next interval", size="2 inputs", fails="nothing so soon")
def no_shortcut(h):
    unit = environment(h)
    h.prove(~unit.o.valid | ~h.past(h.past(unit.i.valid & unit.i.ready, "taken"), "taken_before"), "nothing so soon")


@proof("the divider is free when a sum comes, its quotient is there when a record leaves, and there is room for it",
       size="2 inputs")
def timing(h):
    unit = h.place("unit", Special(CFG))
    contract(h, unit)
    h.reach(unit.o.valid, "a record")
