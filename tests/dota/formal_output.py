"""Proofs of the output unit: words stay until they are taken; one or two leave for each beat, in time."""

from amaranth import *

from golden.dota.config import DotaConfig
from hdl.dota.output import Output
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "words of 2 elements"


def settings(h, unit):
    """Stable in all cycles."""
    for name in ("wide", "shift", "relu"):
        port = getattr(unit, name)
        h.m.d.comb += port.eq(h.constant(name, port.shape()))


@proof("an offered word stays until it is taken", size=SIZE)
def handshakes(h):
    unit = handshake(h, Output(CFG))
    settings(h, unit)


def counted(h):
    """Words that are still to come of the beat inside, by the harness."""
    unit = h.place("unit", Output(CFG))
    settings(h, unit)
    assume_stream_rules(h, unit.i, "i")
    due = Signal(range(3), name="due")
    last = Signal(name="beat_last")
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += [due.eq(1 + unit.wide), last.eq(unit.i.p.last)]
    with h.m.Elif(unit.o.valid & unit.o.ready):
        h.m.d.sync += due.eq(due - 1)
    return unit, due, last


@proof("a beat gives one word, two if it is wide, the last one marked as the beat was, and none are lost", size=SIZE)
def words(h):
    unit, due, last = counted(h)
    late = Signal(range(6))
    h.m.d.sync += late.eq(Mux((due != 0) & ~unit.o.valid, late + (late != 5), 0))
    h.prove(~unit.o.valid | (due != 0), "no word without a beat")
    h.prove(unit.i.ready == (due == 0), "ready when all have left")
    h.prove(unit.busy == (due != 0), "busy until then")
    h.prove(~unit.o.valid | (unit.o.p.last == (last & (due == 1))), "the mark is on the last word")
    h.prove(late <= 3, "four cycles")
    h.reach(unit.o.valid & unit.o.p.last & unit.wide, "the end of a wide beat")


@proof("wrong: the first word of a beat is its last", size=SIZE, fails="one word a beat")
def one_word(h):
    unit, due, _last = counted(h)
    h.prove(~unit.o.valid | (due == 1), "one word a beat")
