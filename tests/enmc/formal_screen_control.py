"""Proofs of the order of the screener's work: handshake, sums that are touched, tiles."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import Screen
from hdl.enmc.screen_control import ScreenControl
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"]
SIZE = "16 classes, 2 inputs"


def environment(h):
    """Registers do not change; there are inputs. A filter works only when it was started, and STORE waits for it."""
    unit = handshake(h, ScreenControl(CFG))
    batch = h.constant("batch", 4)
    h.assume((batch != 0) & (batch <= CFG.batch) & (unit.batch == batch))
    h.assume(~unit.filter_busy | h.past(unit.filter_busy | unit.filter_start, "filtering"))
    h.assume(~unit.i.valid | (unit.i.p.kind != Screen.STORE) | ~(unit.filter_busy | unit.filter_start))
    return unit


@proof("partial sums stay until they are taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("products and biases go to the inputs of one set, never both at once", size=SIZE)
def places(h):
    unit = environment(h)
    touched = unit.add | unit.set_bias.any()
    h.prove(~unit.add | ~unit.set_bias.any(), "one of them")
    h.prove((unit.set_bias & (unit.set_bias - 1)) == 0, "a fourth at a time")
    h.reach(touched & (unit.at == 2 * CFG.batch - 1), "the last sum")


@proof("the filter is started only while it rests, and no product is on its way then", size=SIZE)
def filters(h):
    unit = environment(h)
    h.assume(~h.past(unit.filter_start, "started") | unit.filter_busy)
    h.prove(~unit.filter_start | ~h.past(unit.filter_busy, "busy_before"), "it rests")
    h.prove(~unit.filter_start | ~unit.add, "sums are complete")
    h.reach(unit.filter_start & unit.filter_set, "second tile")


@proof("wrong: the filter always gets the same set", size=SIZE, fails="the same set")
def one_set(h):
    unit = environment(h)
    h.prove(~unit.filter_start | ~unit.filter_set, "the same set")
