"""Words to beats: every beat of every word once, in order, without undue delay."""

from types import SimpleNamespace

from amaranth import *

from hdl.common.beats import WordsToBeats
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

CASES = {f"{bits} bits": (bits,) for bits in (2, 6)}
SIZE = "words of {} bits, beats of 2"


@proof("an offered beat stays until it is taken", size=SIZE, cases=CASES)
def handshakes(h, bits):
    handshake(h, WordsToBeats(bits, 2))


def track(h, bits):
    """A chosen beat of a chosen word: counters of the harness say when it must leave."""
    m, beats, most = h.m, bits // 2, 3 * bits // 2 + 2
    unit = h.place("unit", WordsToBeats(bits, 2))
    assume_stream_rules(h, unit.i, "i")
    put = Signal(name="put")
    get = Signal(name="get")
    inside = Signal(range(most + beats), name="inside")
    ahead = Signal(range(most + beats), name="ahead")
    waits = Signal(name="waits")
    value = Signal(2, name="value")
    ends = Signal(name="ends")
    choose = h.free("choose")
    place = h.constant("place", range(beats)) if beats > 1 else Const(0, 1)
    h.assume(place < beats)
    m.d.comb += [put.eq(unit.i.valid & unit.i.ready), get.eq(unit.o.valid & unit.o.ready)]
    m.d.sync += inside.eq(inside + Mux(put, beats, 0) - get)
    with m.If(put & choose & ~waits):
        m.d.sync += [waits.eq(1), ahead.eq(inside - get + place), value.eq(unit.i.p.word.word_select(place, 2)),
                     ends.eq(unit.i.p.last & (place == beats - 1))]
    with m.Elif(waits & get):
        m.d.sync += [ahead.eq(ahead - 1), waits.eq(ahead != 0)]
    return SimpleNamespace(unit=unit, beats=beats, inside=inside, get=get, value=value, ends=ends,
                           turn=waits & (ahead == 0) & unit.o.valid)


@proof("every beat leaves in its turn, with last after the last beat of a last word", size=SIZE, cases=CASES)
def order(h, bits):
    t = track(h, bits)
    h.prove(~t.turn | (t.unit.o.p.data == t.value), "the part of the word")
    h.prove(~t.turn | (t.unit.o.p.last == t.ends), "last where it belongs")
    h.prove(~t.unit.o.valid | (t.inside != 0), "nothing is invented")
    late = Signal(range(3))
    h.m.d.sync += late.eq(Mux((t.inside != 0) & ~t.unit.o.valid, late + 1, 0))
    h.prove(late < 2, "offered two cycles after it came")
    h.reach(t.turn & t.ends & (t.inside > t.beats), "a last beat with another word behind it")


@proof("wrong: a word that is not the last one ends with last as well", size="words of 6 bits, beats of 2",
       fails="last after each word")
def every_word(h):
    t = track(h, 6)
    taken = Signal(range(3))
    with h.m.If(t.get):
        h.m.d.sync += taken.eq(Mux(taken == 2, 0, taken + 1))
    h.prove(~t.unit.o.valid | (t.unit.o.p.last == (taken == 2)), "last after each word")
