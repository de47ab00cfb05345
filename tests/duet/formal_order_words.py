"""Collector of order words: handshake; every channel leaves in its lane, pieces in order."""

from types import SimpleNamespace

from amaranth import *

from hdl.duet.order_words import OrderWords
from sim.common.formal import proof
from sim.common.rules import follow, handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h):
    """Channels; the job does not begin again. The piece that is complete with the channel that is offered."""
    unit = handshake(h, OrderWords(SMALL))
    h.m.d.comb += unit.start.eq(0)
    first, second = Signal(range(SMALL.channels), name="first"), Signal(name="second")
    i = unit.i.p
    complete = second | i.last
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += [first.eq(i.id), second.eq(~complete)]
    piece = Cat(i.last, second, Mux(second, first, i.id), Mux(second, i.id, 0))
    return unit, complete, piece


@proof("an offered piece stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("every channel leaves once, in its lane; pieces leave in order", size=SIZE)
def pieces(h):
    unit, complete, piece = environment(h)
    o = unit.o.p
    now, out = Signal(len(piece), name="piece_now"), Signal(len(piece), name="piece_out")
    h.m.d.comb += [now.eq(piece), out.eq(Cat(o.last, o.lanes[1], o.ids[0], Mux(o.lanes[1], o.ids[1], 0)))]
    follow(h, SimpleNamespace(valid=unit.i.valid & complete, ready=unit.i.ready, payload=now),
           SimpleNamespace(valid=unit.o.valid, ready=unit.o.ready, payload=out), 2)
    h.prove(~unit.o.valid | o.lanes[0], "lane 0 is always used")


@proof("wrong: a piece is always whole", size=SIZE, fails="whole")
def whole(h):
    unit, _complete, _piece = environment(h)
    h.prove(~unit.o.valid | o_all(unit), "whole")


def o_all(unit):
    """All lanes are used."""
    return unit.o.p.lanes.all()
