"""Memory port: handshakes of AXI4's channels; bursts within a page, never too many of them."""

from amaranth import *

from hdl.duet.memory_port import PAGE, MemoryPort, beat_bits
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SMALL

#: Words of 1,024 bits: two beats of 512 each, 32 words a page.
WIDE = SMALL.replace(columns=16, systolic_columns=16)
SIZE = "words of 1,024 bits, 2 beats each"
BEATS = WIDE.word_bits // beat_bits(WIDE)


def environment(h, unit, beats):
    """A request is for a word at least; the memory sends the beats of bursts, the last one of a word at most."""
    h.assume(~unit.i.valid | (unit.i.p.count != 0))
    owed = Signal(range(unit.MOST_BURSTS + 2), name="owed")
    part = Signal(range(max(beats, 2)), name="part_owed")
    taken = unit.r.valid & unit.r.ready
    h.m.d.sync += owed.eq(owed + (unit.ar.valid & unit.ar.ready) - (taken & unit.r.p.last))
    with h.m.If(taken):
        h.m.d.sync += part.eq(Mux(part == beats - 1, 0, part + 1))
    h.assume(~unit.r.valid | (owed != 0))
    h.assume(~(unit.r.valid & unit.r.p.last) | (part == beats - 1))
    return owed


@proof("an offered burst, an offered word stays until it is taken", size="words of 128 bits, a beat each")
def handshakes(h):
    environment(h, handshake(h, MemoryPort(SMALL)), 1)


@proof("a burst is whole words, and ends in the page in which it begins; eight are outstanding at most", size=SIZE)
def bursts(h):
    unit = h.place("unit", MemoryPort(WIDE))
    owed = environment(h, unit, BEATS)
    ar, beat = unit.ar.p, beat_bits(WIDE) // 8
    end = Signal(32)
    h.m.d.comb += end.eq(ar.addr[:12] + (ar.len + 1) * beat)
    h.prove(~unit.ar.valid | (end <= PAGE), "within a page")
    h.prove(~unit.ar.valid | ((ar.len + 1)[:BEATS.bit_length() - 1] == 0), "whole words")
    h.prove(~unit.ar.valid | (ar.addr[:7] == 0), "aligned")
    h.prove(owed <= unit.MOST_BURSTS, "no more than eight")
    h.prove((owed == 0) | unit.busy, "busy meanwhile")
    h.reach(unit.ar.valid & (end == PAGE), "the end of a page")
    h.reach(owed == unit.MOST_BURSTS, "eight outstanding")


@proof("wrong: seven bursts are outstanding at most", size=SIZE, fails="no more than seven", depth=30)
def seven(h):
    owed = environment(h, h.place("unit", MemoryPort(WIDE)), BEATS)
    h.prove(owed < MemoryPort.MOST_BURSTS, "no more than seven")
