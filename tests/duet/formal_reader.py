"""Reader: a request stays; every operation is answered, in order, three cycles after it is taken at the earliest."""

from amaranth import *

from hdl.duet.reader import Reader
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h):
    """The global buffer answers two cycles after a request."""
    unit = handshake(h, Reader(SMALL))
    sent = h.past(unit.request.valid & unit.request.ready, "sent")
    h.assume(unit.answer == h.past(sent, "sent_before"))
    return unit


@proof("an offered request stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("answers: one for each operation, to the client that had it; one at a time", size=SIZE)
def answers(h):
    unit = environment(h)
    for name in ("rows", "steps"):
        port = getattr(unit, name)
        inside = Signal(range(5), name=f"{name}_inside")
        answer = getattr(unit, f"{name}_answer")
        h.m.d.sync += inside.eq(inside + (port.valid & port.ready) - answer)
        h.prove(inside <= 3, f"{name}: three inside at most")
        h.prove(~answer | (inside != 0), f"{name}: nothing is invented")
        h.reach(answer & (inside == 3), f"{name}: three inside")
    h.prove(~(unit.rows_answer & unit.steps_answer), "one at a time")
    h.prove(~unit.answer | unit.rows_answer | unit.steps_answer, "an answer is somebody's")


@proof("wrong: the steps are never kept waiting", size=SIZE, fails="steps go on")
def priority(h):
    unit = environment(h)
    h.prove(~unit.steps.valid | unit.steps.ready, "steps go on")
