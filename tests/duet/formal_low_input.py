"""QDR input buffer: rows of the output buffer are used only when they are free; products of a pixel come together."""

from amaranth import *

from hdl.duet.low_input import LowInput
from sim.common.formal import proof
from tests.duet.proof_cfg import SIZE, SMALL

ROWS = 2 * SMALL.pixels


def environment(h):
    """A job of one to two words and groups; a row is freed only after its last product. Rows in use with those that are
    begun; a pixel has begun."""
    unit = h.place("unit", LowInput(SMALL))
    reduced, tiles_n = h.constant("reduced", 2), h.constant("tiles_n", 2)
    h.assume((reduced != 0) & (reduced <= 2) & (tiles_n != 0) & (tiles_n <= 2))
    h.m.d.comb += [unit.reduced.eq(reduced), unit.tiles_n.eq(tiles_n)]
    done = Signal(range(ROWS + 1), name="done")         # rows whose sums are complete
    inside = Signal(name="inside")                      # of a pixel's products, some have come, and not all
    ends = unit.o_valid & unit.o_tag.last
    h.assume(~unit.freed | (done != 0))
    h.m.d.sync += done.eq(done + ends - unit.freed)
    with h.m.If(unit.o_valid):
        h.m.d.sync += inside.eq(~unit.o_tag.last)
    return unit, done, inside


@proof("no more pixels are begun than rows are free", size=SIZE)
def rows(h):
    unit, done, inside = environment(h)
    used = Signal(range(ROWS + 2), name="used")
    h.m.d.comb += used.eq(done + (inside | unit.o_valid))
    h.prove(used <= ROWS, "within the rows")
    h.reach(used == ROWS, "all rows in use", )


@proof("products of a pixel come one after the other: first to last, of one pixel and group", size=SIZE)
def together(h):
    unit, _done, inside = environment(h)
    tag = unit.o_tag
    pixel, before = Signal.like(tag.pixel, name="pixel_before"), Signal(name="valid_before")
    h.m.d.sync += before.eq(unit.o_valid)
    with h.m.If(unit.o_valid):
        h.m.d.sync += pixel.eq(tag.pixel)
    h.prove(~unit.o_valid | (tag.first == ~inside), "a pixel begins where the one before ends")
    h.prove(~(unit.o_valid & inside) | (tag.pixel == pixel), "one pixel")
    h.prove(~inside | ~before | unit.o_valid, "without a gap")
    h.reach(unit.o_valid & ~tag.first & tag.final & tag.end & (tag.pixel == 3), "the last product of a tile")


@proof("wrong: rows never run out", size=SIZE, fails="always goes on")
def always(h):
    unit, done, _inside = environment(h)
    h.prove(done < ROWS, "always goes on")
