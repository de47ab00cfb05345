"""Approximate module: handshake."""

from hdl.duet.approximator import Approximator
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


@proof("offered approximations stay until they are taken", size=SIZE, depth=30)
def handshakes(h):
    h.trust_units()
    environment(h)


def environment(h):
    """A job of one word and one group of outputs."""
    unit = handshake(h, Approximator(SMALL))
    for name, value in ("reduced", 1), ("tiles_n", 1), ("channels", 2):
        h.assume(unit.job[name] == value)
    return unit


@proof("wrong: no output is ever sensitive", size=SIZE, fails="insensitive", depth=30)
def insensitive(h):
    unit = environment(h)
    h.trust_units()
    h.prove(~unit.o.valid | (unit.o.p.sensitive == 0), "insensitive")
