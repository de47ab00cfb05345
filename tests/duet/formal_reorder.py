"""Reorder unit: handshake; every channel of a tile leaves exactly once."""

from amaranth import *

from hdl.duet.reorder import Reorder, ReorderLists
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


@proof("a channel that is offered stays until it is taken", size=SIZE)
def handshakes(h):
    unit = handshake(h, Reorder(SMALL))
    channels = h.constant("channels", 3)
    h.assume(channels != 0)
    h.m.d.comb += unit.channels.eq(channels)


@proof("every channel of a tile leaves once, the last one as the last (tiles of 3 channels, 14 cycles)", size=SIZE,
       method="bounded", depth=14)
def once(h):
    unit = h.place("unit", ReorderLists(SMALL))
    number, left = Signal(2, name="number"), Signal(3, name="left")
    i, o = unit.i.p, unit.o.p
    h.assume((i.id == number) & (i.last == (number == 2)) & ((i.bucket == 1) | (i.bucket == 2)))
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += number.eq(Mux(i.last, 0, number + 1))
    given = unit.o.valid & unit.o.ready
    with h.m.If(given):
        h.m.d.sync += left.eq(Mux(o.last, 0, left | (1 << o.id)))
    h.prove(~given | ((o.id < 3) & ~left.bit_select(o.id, 1)), "not twice")
    h.prove(~given | (o.last == ((left | (1 << o.id)) == 7)), "last after all others")
    h.reach(given & o.last & (o.id == 0), "the first channel comes last")
    h.reach(given & ~o.last & (o.id == 2), "the last channel comes first")


@proof("wrong: channels leave in the order in which they came (tiles of 3 channels)", size=SIZE, depth=14,
       fails="in order")
def in_order(h):
    unit = h.place("unit", Reorder(SMALL))
    h.m.d.comb += unit.channels.eq(3)
    before = Signal(range(SMALL.channels), name="before")
    with h.m.If(unit.o.valid & unit.o.ready):
        h.m.d.sync += before.eq(Mux(unit.o.p.last, 0, unit.o.p.id))
    h.prove(~unit.o.valid | (unit.o.p.id >= before), "in order")
