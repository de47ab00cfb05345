"""Proofs of the threshold filter: handshake, and that it ends."""

from golden.enmc.config import PRESETS
from hdl.enmc.screen_filter import ScreenFilter
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"]
SIZE = "16 classes, 2 inputs"


def environment(h):
    """It is started only while it rests, for as many inputs as there are."""
    unit = handshake(h, ScreenFilter(CFG))
    h.assume(~unit.start | ~unit.busy)
    batch = h.constant("batch", 4)
    h.assume((batch != 0) & (batch <= CFG.batch) & (unit.batch == batch))
    return unit


@proof("candidates stay until they are taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("it shows only sums that there are, and says once that it is done", size=SIZE)
def views(h):
    unit = environment(h)
    h.prove(~unit.busy | (unit.view < 2 * CFG.batch), "a set and an input")
    h.prove(~unit.done | ~unit.busy, "done when it rests")
    h.prove(~h.past(unit.done, "done_before") | ~unit.done | h.past(unit.start, "started"), "it is said once")
    h.reach(unit.done, "a tile is done")


@proof("wrong: it is done as soon as it is started", size=SIZE, fails="it is done")
def at_once(h):
    unit = environment(h)
    h.prove(~h.past(unit.start, "started") | unit.done, "it is done")
