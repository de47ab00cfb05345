"""Proofs of the status registers: counters are exact, flags and answers stay."""

from amaranth import *

from golden.enmc.config import PRESETS
from hdl.enmc.status import COUNTER_BITS, Status
from sim.common.formal import proof

CFG = PRESETS["tiny"]
NAMES = {"executed": 11, "returned": 14}
SIZE = "2 inputs"


@proof("a counter reads the amounts until two cycles before, or 0 after CLR", size=SIZE, method="induction", depth=4,
       cases={name: (name, number) for name, number in NAMES.items()})
def exact(h, name, number):
    unit = h.place("unit", Status(CFG))
    h.assume(unit.query_valid & (unit.query_reg == number))
    clear = h.past(h.past(unit.clear, "clear_1"), "clear_2")
    amount = h.past(unit.amounts[name], "amount_1")
    for cycles in 2, 3:
        amount = h.past(amount, f"amount_{cycles}")
    before = h.past(unit.answer, "answer_before")
    h.prove(unit.answer == Mux(clear, 0, (before + amount)[:COUNTER_BITS]), "exact")
    h.reach(unit.answer == 2, "two")


@proof("an answer stays until the next QUERY", size=SIZE)
def answers(h):
    unit = h.place("unit", Status(CFG))
    asked = h.past(unit.query_valid, "asked")
    h.prove(asked | (unit.answer == h.past(unit.answer, "answer_before")), "answer stays")
    h.reach(unit.answer != 0, "an answer")


@proof("wrong: flags stay for ever", size=SIZE, fails="refused stays")
def flags(h):
    unit = h.place("unit", Status(CFG))
    h.assume(unit.query_valid & (unit.query_reg == 0))
    h.prove(~h.past(unit.answer[2], "flag_before") | unit.answer[2], "refused stays")
