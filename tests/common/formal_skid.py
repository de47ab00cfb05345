"""Skid buffer: order, nothing lost, handshake, and no delay while it is empty."""

from hdl.common.skid import Skid
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, follow, handshake

SIZE = "2 bits"


@proof("an offered item stays until it is taken, given an input that keeps it too", size=SIZE)
def handshakes(h):
    handshake(h, Skid(2))


@proof("items leave in the order they came, each once, unchanged", size=SIZE)
def order(h):
    skid = h.place("skid", Skid(2))
    assume_stream_rules(h, skid.i, "i")
    # It offers an item in the cycle in which it comes: one that leaves at once has never been inside.
    kept = follow(h, skid.i, skid.o, 1, latency=0)
    h.prove(skid.i.ready == (kept == 0), "ready exactly while it is empty")
    h.prove((kept != 0) | (skid.o.valid == skid.i.valid), "no delay while it is empty")
    h.reach(kept == 1, "an item is kept")


@proof("wrong: an item is offered the cycle after it came", size=SIZE, fails="only a kept item is offered")
def delayed(h):
    skid = h.place("skid", Skid(2))
    kept = h.past(skid.i.valid & ~skid.o.ready, "kept")
    h.prove(~skid.o.valid | kept, "only a kept item is offered")
