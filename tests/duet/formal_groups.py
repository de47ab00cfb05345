"""Groups: handshakes; the store and the loads take the same group once each; `empty` is what it says."""

from amaranth import *

from hdl.duet.groups import Groups
from hdl.duet.load_layouts import Fill
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h, unit):
    """A job that stays; rows come from 0 on, the last one ends the group, and the next group's after ``freed``; a job
    begins when nothing is inside."""
    job = Value.cast(unit.job)
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(job, "job_before") == job))
    tag, row = unit.tag, unit.answer & (unit.tag.kind == Fill.ROW)
    count = Signal(range(SMALL.rows + 1), name="count")
    complete = Signal(name="complete")
    with h.m.If(row):
        h.m.d.sync += count.eq(Mux(tag.end, 0, count + 1))
    h.m.d.sync += complete.eq((complete | (row & tag.end)) & ~unit.freed)
    h.assume(~row | ((tag.row == count) & ~complete & ((count != SMALL.rows - 1) | tag.end)))
    h.assume(~unit.start | ~(unit.busy | unit.answer | complete))
    return complete


@proof("an offered group stays until it is taken, by each of the three", size=SIZE)
def handshakes(h):
    h.trust_units()
    environment(h, handshake(h, Groups(SMALL)))


@proof("empty is no sensitive pixel; a row that is off has none; a group is there four cycles after its last row",
       size=SIZE)
def contents(h):
    unit = h.place("unit", Groups(SMALL))
    environment(h, unit)
    group = unit.group.p
    any_pixel = Cat(group.rows[r].sensitive for r in range(SMALL.rows)).any()
    h.prove(~unit.group.valid | (group.empty == ~any_pixel), "empty")
    h.prove(~unit.group.valid | Cat(group.rows[r].on | (group.rows[r].sensitive == 0)
                                    for r in range(SMALL.rows)).all(), "no pixels of rows that are off")
    ends = Signal(4, name="ends")
    waits = Signal(name="waits")    # in the cycle before the last, somebody had not taken the group before
    offered = Cat(unit.group.valid & ~unit.group.ready, unit.work.valid & ~unit.work.ready,
                  unit.fetch.valid & ~unit.fetch.ready).any()
    h.m.d.sync += [ends.eq(Cat(unit.answer & (unit.tag.kind == Fill.ROW) & unit.tag.end, ends)), waits.eq(offered)]
    h.prove(~ends[3] | waits | (unit.group.valid & unit.work.valid & unit.fetch.valid), "four cycles")
    h.reach(unit.group.valid & ~group.empty, "a group that works")
    h.reach(unit.group.valid & group.empty & group.rows[0].on, "an empty one")


@proof("wrong: the first row always works", size=SIZE, fails="the first row works", depth=15)
def first(h):
    unit = h.place("unit", Groups(SMALL))
    environment(h, unit)
    h.prove(~unit.group.valid | unit.group.p.rows[0].on, "the first row works")
