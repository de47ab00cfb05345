"""Speculator: what it asks for stays until it is taken. Its writes are those of its store, see there."""

from hdl.duet.speculator import Speculator
from sim.common.formal import proof
from sim.common.rules import stream_rules
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h, unit):
    """Jobs begin only when none runs."""
    h.trust_units()
    h.assume(~unit.start | ~unit.busy)


@proof("requests stay until they are taken (12 cycles)", size=SIZE, method="bounded", depth=12)
def requests(h):
    unit = h.place("unit", Speculator(SMALL))
    environment(h, unit)
    stream_rules(h, unit.request, "request")
    h.reach(unit.request.valid & unit.request.ready, "a request is taken")
    h.reach(unit.request.valid & ~unit.request.ready, "a request waits")


@proof("wrong: never busy", size=SIZE, method="bounded", depth=12, fails="never busy")
def idle(h):
    unit = h.place("unit", Speculator(SMALL))
    environment(h, unit)
    h.prove(~unit.busy, "never busy")
