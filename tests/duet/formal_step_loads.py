"""Loads of steps: handshakes; never more than two steps that are not over; weights only for rows that work."""

from amaranth import *

from hdl.duet.load_layouts import Answer
from hdl.duet.step_loads import StepLoads
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake
from tests.duet.proof_cfg import SIZE as SMALLEST
from tests.duet.proof_cfg import SMALL

SIZE = f"{SMALLEST}, a word and a step"


def environment(h, unit):
    """A small job that stays, with weights in the global buffer; operations are answered in order, two cycles later;
    the Executor finishes steps that it has taken."""
    job = unit.job
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(Value.cast(job), "job_before") == Value.cast(job)))
    for name in ("tiles_y", "tiles_x", "near_y", "near_x", "depth", "weight_words"):
        h.assume(job[name] == 1)
    h.assume((job.chunk == 1) & (job.passes == 1) & ~job.off_chip)
    h.assume(~unit.start | ~unit.busy)
    work = unit.work.p
    h.assume(~unit.work.valid | (work.empty == ~Value.cast(work.sensitive).any()))
    moves = unit.o.valid & unit.o.ready
    tag_s1 = h.past(Value.cast(unit.o.p.tag), "tag_s1")
    tag_s2 = h.past(tag_s1, "tag_s2")
    h.assume(unit.answer == h.past(h.past(moves, "moves_s1"), "moves_s2"))
    h.assume(~unit.answer | (Value.cast(unit.tag) == tag_s2))
    taken = Signal(range(4), name="taken")      # steps that run or wait in the Executor
    both = Signal(range(4), name="both")
    h.m.d.sync += [taken.eq(taken + (unit.step.valid & unit.step.ready) - unit.step_done),
                   both.eq(both + (unit.build.valid & unit.build.ready) - unit.step_done)]
    h.assume(~unit.step_done | ((taken != 0) & (both != 0)))
    return taken, both


@proof("operations, builds and steps stay on offer until they are taken", size=SIZE)
def handshakes(h):
    h.trust_units()
    environment(h, handshake(h, StepLoads(SMALL)))


@proof("the Executor never has more than two steps or builds; a transfer of weights is for a row that works",
       size=SIZE)
def ahead(h):
    unit = h.place("unit", StepLoads(SMALL))
    assume_stream_rules(h, unit.work, "work")
    taken, both = environment(h, unit)
    h.prove((taken <= 2) & (both <= 2), "two at most")
    works = Signal(SMALL.rows, name="works")
    with h.m.If(unit.work.valid & unit.work.ready & ~unit.work.p.empty):
        h.m.d.sync += works.eq(Cat(unit.work.p.sensitive[r].any() for r in range(SMALL.rows)))
    asks = unit.o.valid & (unit.o.p.tag.kind == Answer.WEIGHT)
    h.prove(~asks | works.bit_select(unit.o.p.tag.row[:1], 1), "rows that work")
    h.reach(unit.step.valid & unit.build.valid, "a step")


@proof("wrong: every row is fetched", size=SIZE, fails="row 0 first", depth=16)
def every(h):
    unit = h.place("unit", StepLoads(SMALL))
    environment(h, unit)
    seen = Signal(name="seen")
    asks = unit.o.valid & (unit.o.p.tag.kind == Answer.WEIGHT)
    h.m.d.sync += seen.eq(seen | (asks & (unit.o.p.tag.row == 0)))
    h.prove(~asks | seen | (unit.o.p.tag.row == 0), "row 0 first")
