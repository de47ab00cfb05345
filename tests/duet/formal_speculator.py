"""Speculator: what it asks for and what it writes stays until it is taken."""

from hdl.duet.speculator import Speculator
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h, unit):
    """Jobs begin only when none runs."""
    h.trust_units()
    h.assume(~unit.start | ~unit.busy)


@proof("requests and writes stay until they are taken (12 cycles)", size=SIZE, method="bounded", depth=12)
def handshakes(h):
    environment(h, handshake(h, Speculator(SMALL)))


@proof("wrong: never busy", size=SIZE, method="bounded", depth=12, fails="never busy")
def idle(h):
    unit = h.place("unit", Speculator(SMALL))
    environment(h, unit)
    h.prove(~unit.busy, "never busy")
