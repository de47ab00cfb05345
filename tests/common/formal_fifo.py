"""Stream FIFO: order, nothing lost, handshake, exact level."""

from hdl.common.fifo import Fifo
from sim.common.formal import proof
from sim.common.rules import follow, handshake

DEPTHS = {f"depth {depth}": (depth,) for depth in (1, 2, 3, 5, 8)}
BITS = 2


@proof("an offered item stays until it is taken", size="2 bits, depth {}", cases=DEPTHS)
def handshakes(h, depth):
    handshake(h, Fifo(BITS, depth))


@proof("items leave in the order they came, each once, unchanged", size="2 bits, depth {}", cases=DEPTHS)
def order(h, depth):
    fifo = h.place("fifo", Fifo(BITS, depth))
    inside = follow(h, fifo.i, fifo.o, depth)
    h.reach(inside == depth, "full")
    h.prove(fifo.level == inside, "level is the number of items inside")
    h.prove(fifo.i.ready == (inside < depth), "ready exactly while there is room")


@proof("wrong: room for one item less", size="2 bits, depth {}", cases=DEPTHS, fails="no more enters than fits")
def less_room(h, depth):
    fifo = h.place("fifo", Fifo(BITS, depth))
    follow(h, fifo.i, fifo.o, depth - 1)


