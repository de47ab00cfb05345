"""Proofs of the screener: candidates and partial sums stay until they are taken, and every burst leaves once."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import Screen
from hdl.enmc.screener import Screener
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"]
SIZE = "16 classes, 2 inputs"


def environment(h):
    """Bursts come only while the weight buffer has room, STORE only while no FILTER is unfinished, as others see to.

    Returns the unit, and how many bursts are inside.
    """
    unit = handshake(h, Screener(CFG))
    batch = h.constant("batch", 4)
    h.assume((batch != 0) & (batch <= CFG.batch) & (unit.batch == batch))
    inside = Signal(range(CFG.weights + 1))
    unfinished = Signal(4)
    filters = unit.i.valid & unit.i.ready & (unit.i.p.kind == Screen.FILTER)
    h.m.d.sync += unfinished.eq(unfinished + filters - unit.filtered)
    h.assume(~unit.i.valid | (unit.i.p.kind != Screen.STORE) | (unfinished == 0))
    h.m.d.sync += inside.eq(inside + unit.load_valid - unit.freed)
    h.assume(~unit.load_valid | (inside != CFG.weights))
    return unit, inside


@proof("nothing leaves the weight buffer that did not come", size=SIZE, method="bounded", depth=12)
def bursts(h):
    unit, inside = environment(h)
    h.prove(~unit.freed | (inside != 0), "a burst is there")
    h.prove((inside == 0) | unit.busy, "busy while a burst is inside")
    h.reach(unit.freed & (inside == 3), "some wait")


@proof("wrong: a burst is never freed", size=SIZE, method="bounded", depth=12, fails="it stays")
def kept(h):
    unit, _ = environment(h)
    h.prove(~unit.freed, "it stays")
