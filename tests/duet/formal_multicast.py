"""Multicast controller: what it takes, for every tag and ID."""

from hdl.duet.multicast import Multicast
from sim.common.formal import proof


@proof("a transfer matches exactly if its tag is the own ID or means all, a cycle later", size="{} IDs",
       cases={"4": (4,), "16": (16,)})
def definition(h, count):
    unit = h.place("unit", Multicast(count))
    mine, everyone = unit.tag == unit.id, unit.tag == count
    h.prove(unit.match == h.past(unit.valid & (mine | everyone), "meant"), "exactly what is meant")
    h.reach(unit.match & h.past(mine, "mine"), "taken as its own")
    h.reach(unit.match & h.past(everyone, "everyone"), "taken with all others")


@proof("wrong: what is meant for all is not for this one", fails="only the own ID")
def only_own(h):
    unit = h.place("unit", Multicast(4))
    h.prove(~unit.match | h.past(unit.tag == unit.id, "mine"), "only the own ID")
