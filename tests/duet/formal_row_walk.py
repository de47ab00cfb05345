"""Row walk: handshake; groups are never longer than the rows, and one is begun only when the one before is taken."""

from amaranth import *

from golden.duet.formats import Kind
from hdl.duet.load_layouts import Fill
from hdl.duet.row_walk import RowWalk
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h, unit):
    """A legal job that stays; an answer for each FILL, ORDER and SCAN, later; a group is taken once it is complete."""
    job = unit.job
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(Value.cast(job), "job_before") == Value.cast(job)))
    h.assume((job.channels != 0) & (job.channels <= 5) & (job.tiles_y != 0) & (job.tiles_x != 0))
    taken = unit.o.valid & unit.o.ready
    tag = unit.o.p.tag
    asked = Signal(name="asked")
    asks = taken & ((tag.kind == Fill.ORDER) | (tag.kind == Fill.SCAN))
    h.m.d.sync += asked.eq((asked | asks) & ~unit.answer)
    h.assume(~unit.answer | (asked & ((unit.tag.kind == Fill.ORDER) | (unit.tag.kind == Fill.SCAN))))
    complete = Signal(name="complete")
    h.m.d.sync += complete.eq((complete | (taken & (tag.kind == Fill.ROW) & tag.end)) & ~unit.freed)
    h.assume(~unit.freed | complete)
    h.assume(~unit.start | ~(unit.busy | complete))
    return unit, taken, complete


@proof("an offered operation stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h, handshake(h, RowWalk(SMALL)))


@proof("rows of a group are numbered from 0 on, and the last one ends it; none comes before the group before is taken",
       size=SIZE)
def groups(h):
    unit, taken, complete = environment(h, h.place("unit", RowWalk(SMALL)))
    tag = unit.o.p.tag
    row = taken & (tag.kind == Fill.ROW)
    count = Signal(range(SMALL.rows + 1), name="count")
    with h.m.If(row):
        h.m.d.sync += count.eq(Mux(tag.end, 0, count + 1))
    with h.m.If(unit.start):
        h.m.d.sync += count.eq(0)
    h.prove(~row | (tag.row == count), "one after the other")
    h.prove(~row | ~complete, "after the group before")
    h.prove(~row | (count != SMALL.rows - 1) | tag.end, "no more than there are")
    h.prove(~row | ~tag.done | tag.end, "a tile ends with a group")
    h.prove(~row | tag.on | (tag.end & tag.done & unit.job.use_omap & (unit.job.kind == Kind.VECTOR)),
            "only a vector ends with a row that does not work")
    h.reach(row & tag.done & ~tag.on, "the end of a vector")
    h.reach(row & tag.end & (tag.row == SMALL.rows - 1), "a whole group")


@proof("wrong: every row works", size=SIZE, fails="works", depth=30)
def works(h):
    unit, taken, _complete = environment(h, h.place("unit", RowWalk(SMALL)))
    h.prove(~taken | (unit.o.p.tag.kind != Fill.ROW) | unit.o.p.tag.on, "works")
