"""Counters: each grows by exactly its amount, two cycles later."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.registers import AMOUNT_BITS, COUNTER_BITS, COUNTERS
from hdl.dota.counters import Counters
from sim.common.formal import proof

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4, estimate_bits=8)
SIZE = f"{len(COUNTERS)} counters of {COUNTER_BITS} bits, amounts of {AMOUNT_BITS}"


@proof("every counter grows by its amount of two cycles ago, or is 0 after a clear", size=SIZE, method="induction",
       depth=4)
def exact(h):
    unit = h.place("unit", Counters(CFG))
    clear = h.past(unit.clear, "cleared")
    for name in COUNTERS:
        amount = h.past(h.past(unit.amounts[name], f"{name}_1"), f"{name}_2")
        counter = getattr(unit, name)
        before = h.past(counter, f"{name}_before")
        h.prove(counter == Mux(clear, 0, (before + amount)[:COUNTER_BITS]), f"{name} is exact")
    h.reach((unit.macs == 3) & (unit.cycles == 2), "two counters")


@proof("wrong: what is on its way survives a clear", size=SIZE, fails="counts after a clear")
def survives(h):
    unit = h.place("unit", Counters(CFG))
    amount = h.past(h.past(unit.amounts["cycles"], "amount_1"), "amount_2")
    h.prove(~h.past(unit.clear, "cleared") | (unit.cycles == amount), "counts after a clear")
