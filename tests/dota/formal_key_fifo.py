"""Proofs of the FIFO of keys: order, exact level."""

from amaranth import *

from golden.dota.config import DotaConfig
from hdl.dota.key_fifo import KeyFifo
from sim.common.formal import proof

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "4 keys of 2 bits"


def environment(h):
    """Pushes into room, pops of what is there; the same FIFO with a level of its own."""
    fifo = h.place("fifo", KeyFifo(CFG))
    level = Signal(range(CFG.queue + 1), name="expected_level")
    h.m.d.sync += level.eq(level + fifo.push - fifo.pop)
    h.assume(~fifo.push | (level != CFG.queue))
    h.assume(~fifo.pop | (level != 0))
    return fifo, level


@proof("the level and the flag are exact", size=SIZE)
def levels(h):
    fifo, level = environment(h)
    h.prove(fifo.level == level, "level is what was pushed and not popped")
    h.prove(fifo.some == (level != 0), "some exactly while a key is inside")
    h.reach(level == CFG.queue, "full")


@proof("keys come out in the order of the pushes, unchanged, and stay until the next pop", size=SIZE)
def order(h):
    fifo, level = environment(h)
    chosen = h.constant("item", CFG.key_bits)
    choose = h.free("choose")
    chosen_once = Signal()
    waits = Signal()        # the chosen key is inside
    ahead = Signal(range(CFG.queue + 1))
    out = Signal()          # it was popped, and nothing after it
    pushed = h.past(choose, "pushed")
    h.assume(~choose | (fifo.push & ~chosen_once))
    h.assume(~pushed | (fifo.key == chosen))
    with h.m.If(choose):
        h.m.d.sync += [chosen_once.eq(1), waits.eq(1), ahead.eq(level - fifo.pop)]
    with h.m.Elif(waits & fifo.pop):
        h.m.d.sync += [ahead.eq(ahead - 1), waits.eq(ahead != 0)]
    with h.m.If(fifo.pop):
        h.m.d.sync += out.eq(waits & (ahead == 0))
    h.prove(~out | (fifo.front == chosen), "the key comes out in its turn")
    h.reach(out & h.past(pushed, "written"), "popped in the cycle in which it was written")
    h.reach(out & (level == CFG.queue), "filled again while it stands there")


@proof("wrong: a key stands at the output in the cycle of its pop", size=SIZE, fails="at once")
def at_once(h):
    fifo, level = environment(h)
    chosen = h.constant("item", CFG.key_bits)
    empty_push = fifo.push & (level == 0)
    pushed = h.past(empty_push, "pushed")
    h.assume(~pushed | (fifo.key == chosen))
    h.prove(~(pushed & fifo.pop) | (fifo.front == chosen), "at once")
