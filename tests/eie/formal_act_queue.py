"""Activation queue: order, nothing lost, handshake, and room that is told in time."""

from types import SimpleNamespace

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.act_queue import ActQueue
from sim.common.formal import proof
from sim.common.rules import follow, handshake

DEPTHS = {f"depth {depth}": (depth,) for depth in (1, 2, 3, 4)}
SIZE = "8 bits, 4 columns, depth {}"


def queue(depth):
    return ActQueue(EieConfig(n_pe=1, fifo_depth=depth, data_bits=8, ptr_words=4))


def central_unit(h, unit):
    """It broadcasts one cycle after it saw room, and counts what is on its way."""
    may = h.past(Mux(unit.i.valid, unit.room[1], unit.room[0]), "may", init=1)
    h.assume(~unit.i.valid | may)


@proof("an offered activation stays until the pointer reader takes it", size=SIZE, cases=DEPTHS)
def handshakes(h, depth):
    central_unit(h, handshake(h, queue(depth)))


@proof("activations leave in the order of their broadcast, each once, unchanged; none comes without room", size=SIZE,
       cases=DEPTHS)
def order(h, depth):
    unit = h.place("queue", queue(depth))
    central_unit(h, unit)
    broadcasts = SimpleNamespace(valid=unit.i.valid, ready=1, payload=unit.i.p)
    inside = follow(h, broadcasts, unit.o, depth)
    h.prove(unit.room == Cat(inside < depth, inside + 1 < depth), "room is what is free")
    h.reach(inside == depth, "full")


@proof("wrong: a central unit that forgets what is on its way never overruns the queue", size=SIZE,
       cases={"depth 2": (2,)}, fails="activation without room")
def forgetful(h, depth):
    unit = h.place("queue", queue(depth))
    h.assume(~unit.i.valid | h.past(unit.room[0], "may", init=1))
