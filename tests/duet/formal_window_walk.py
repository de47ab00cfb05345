"""Order of the dimension reduction: room for every vector, windows of one vector in a row, words before windows."""

from amaranth import *

from golden.duet.config import PRESETS
from golden.duet.formats import Kind
from hdl.duet.window_walk import DEPTH, WindowWalk
from sim.common.formal import proof
from tests.duet.small_job import small_job

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, activation_words=16, projection_words=16,
                              reduced_words=2)
SIZE = "16 entries, 16 vectors"


def environment(h):
    """A job that can be, and a consumer who takes what was sent. Returns the unit, and the vectors not yet taken."""
    unit = h.place("unit", WindowWalk(CFG))
    small_job(h, unit.job)
    h.assume(~unit.start | ~unit.busy)
    h.assume(~unit.filled | unit.loading)
    sent = Signal(range(DEPTH + 2))
    h.m.d.sync += sent.eq(sent + (unit.o_valid & unit.o.tag.last) - unit.taken)
    h.assume(~unit.taken | (sent != 0))
    return unit, sent


@proof("never more vectors than there is room for; busy until the last one is taken", size=SIZE, depth=24)
def room(h):
    unit, sent = environment(h)
    coming = unit.o_valid & unit.o.tag.last
    h.prove((sent + coming) <= DEPTH, "as many as fit")
    h.prove(unit.busy | ((sent == 0) & ~unit.o_valid & ~unit.loading), "busy while anything is to come")
    h.reach(sent == DEPTH, "full")
    h.reach(~unit.busy & h.past(unit.taken, "took"), "the end of a job")


@proof("the windows of a vector follow each other, none comes before the words of its tile, one ends the tile",
       size=SIZE)
def order(h):
    unit, _sent = environment(h)
    tag = unit.o.tag
    inside = Signal()       # of a vector
    tile = Signal()         # its words are there, windows may come
    with h.m.If(unit.o_valid):
        h.m.d.sync += inside.eq(~tag.last)
    with h.m.If(unit.filled):
        h.m.d.sync += tile.eq(1)
    with h.m.Elif(unit.o_valid & tag.end):
        h.m.d.sync += tile.eq(0)
    h.prove(~unit.o_valid | (tag.first == ~inside), "first after last")
    h.prove(~unit.o_valid | tile, "a window comes after the words of its tile")
    h.prove(~unit.o_valid | ~tag.end | tag.last, "a tile ends with a vector")
    h.prove(~unit.loading | ~tile | (unit.o_valid & tag.end), "words of the next tile after the last window")
    h.reach(unit.o_valid & ~tag.first & tag.end & (tag.pixel == 3), "a tile of several windows")


@proof("a vector is read at pixel 0 and at no place of a map", size=SIZE)
def vectors(h):
    unit, _sent = environment(h)
    h.assume(unit.job.kind == Kind.VECTOR)
    h.trust_units()
    h.prove(~unit.o_valid | ((unit.o.y == 0) & (unit.o.x == 0) & (unit.o.tag.pixel == 0)), "no place")
    h.reach(unit.o_valid & (unit.o.tag.word == 1), "a second word")


@proof("wrong: a tile has only one word of the reduced input", size=SIZE, fails="it is word 0")
def one_word(h):
    unit, _sent = environment(h)
    h.prove(~unit.o_valid | (unit.o.tag.word == 0), "it is word 0")
