"""Proofs of the controller as a whole: handshake of what it hands to the units."""

from golden.enmc.config import PRESETS
from hdl.enmc.controller import Controller
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"].replace(row_bits=4, column_bits=4, instructions=2, results=2)
SIZE = "2 instructions, 2 places for records"


@proof("offered requests and commands stay until they are taken", size=SIZE)
def handshakes(h):
    h.trust_units()
    handshake(h, Controller(CFG))


@proof("wrong: a request comes a cycle after its instruction", size=SIZE, fails="a request after a cycle")
def at_once(h):
    h.trust_units()
    unit = h.place("unit", Controller(CFG))
    h.prove(~unit.request.valid | h.past(unit.i.valid | unit.candidates.valid | unit.request.valid, "came"),
            "a request after a cycle")
