"""Collector of map words: handshake; every word has just the bits that came."""

from types import SimpleNamespace

from amaranth import *

from hdl.duet.map_words import MapWords
from sim.common.formal import proof
from sim.common.rules import follow, handshake
from tests.duet.proof_cfg import SIZE, SMALL

COLUMN = 1


def environment(h):
    """Approximations of any pixels. The bits of a column, as they come."""
    unit = handshake(h, MapWords(SMALL))
    h.m.d.comb += unit.start.eq(0)
    bits, begun, now = (Signal(SMALL.pixels, name="bits"), Signal(name="begun"), Signal(SMALL.pixels, name="now"))
    i = unit.i.p
    h.m.d.comb += now.eq(Mux(begun, bits, 0) | (i.sensitive[COLUMN] << i.pixel))
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += [bits.eq(now), begun.eq(~i.part_end)]
    return unit, now


@proof("an offered word stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("words leave in order, none lost; pixels that did not come are 0", size=SIZE)
def words(h):
    unit, now = environment(h)
    i, o = unit.i, unit.o
    part = o.p.bits.word_select(COLUMN, SMALL.pixels)
    follow(h, SimpleNamespace(valid=i.valid & i.p.part_end, ready=i.ready, payload=now),
           SimpleNamespace(valid=o.valid, ready=o.ready, payload=part), 2)


@proof("wrong: every word has a bit that is 1", size=SIZE, fails="some bit")
def some(h):
    unit, _now = environment(h)
    h.prove(~unit.o.valid | unit.o.p.bits.any(), "some bit")
