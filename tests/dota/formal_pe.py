"""PE: when its sum moves."""

from golden.dota.config import PRESETS
from golden.dota.formats import PE_LATENCY
from hdl.dota.pe import Pe
from sim.common.formal import proof

CFG = PRESETS["tiny"]


def delayed(h, value, name, cycles):
    """``value`` some cycles ago, 0 before."""
    for k in range(cycles):
        value = h.past(value, f"{name}_{k + 1}")
    return value


@proof("the sum stays unless there was a fire three cycles before; then a first one forgets what was there",
       method="induction", depth=8)
def moves(h):
    unit = h.place("unit", Pe(CFG))
    fired = delayed(h, unit.fire, "fired", PE_LATENCY)
    before = h.past(unit.sum, "before")
    h.prove(fired | (unit.sum == before), "no change without a fire")
    h.reach(fired & (unit.sum != before), "a change")


@proof("wrong: the sum moves only four cycles after a fire", fails="no change without a fire", depth=8)
def late(h):
    unit = h.place("unit", Pe(CFG))
    fired = delayed(h, unit.fire, "fired", PE_LATENCY + 1)
    h.prove(fired | (unit.sum == h.past(unit.sum, "before")), "no change without a fire")
