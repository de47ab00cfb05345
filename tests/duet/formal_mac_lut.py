"""Tags: when they come, and what can never be valid."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.layouts import build_layout
from hdl.duet.mac_lut import MacLut
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, lut=32, tags=8, input_words=2)
SIZE = "4 words of 8 instructions, 2 x 2 PEs"


def environment(h):
    """Builds and steps that keep to the rules, any program; the build that was taken LATENCY - 1 cycles ago."""
    unit = h.place("unit", MacLut(CFG))
    h.assume(~unit.lut_valid)
    assume_stream_rules(h, unit.build, "build")
    build = unit.build.p
    h.assume((build.words != 0) & (build.base + build.words <= CFG.tag_words))
    ahead = Signal(2, name="ahead")
    take = unit.build.valid & unit.build.ready
    h.m.d.sync += ahead.eq(ahead + take - unit.step_done)
    h.assume(~unit.step_done | (ahead != 0))
    # Words that are still to come, and the build that they belong to.
    left = Signal(range(CFG.tag_words + 1), name="left")
    taken, job = take, Value.cast(unit.build.payload)
    for k in range(1, MacLut.LATENCY):
        taken, job = h.past(taken, f"taken_{k}"), h.past(job, f"job_{k}")
    return unit, ahead, left, taken, build_layout(CFG)(job)


@proof("a build is answered by its words, one a cycle, the first one LATENCY cycles later, the last one marked",
       size=SIZE, method="bounded", depth=14)
def in_time(h):
    unit, ahead, left, taken, job = environment(h)
    with h.m.If(taken):
        h.m.d.sync += left.eq(job.words)
    with h.m.Elif(left != 0):
        h.m.d.sync += left.eq(left - 1)
    h.prove(~(taken & (left > 1)), "builds do not overlap")
    h.prove(unit.tags.valid == (left != 0), "one a cycle, in time")
    h.prove(~unit.tags.valid | (unit.tags.p.last == (left == 1)), "the last one is marked")
    h.prove(unit.busy == (ahead != 0), "busy until the steps are over")
    h.prove(~unit.build.ready | (ahead < 2), "two ahead at most")
    h.reach(unit.tags.valid & unit.tags.p.last & h.past(unit.tags.valid, "before"), "a build of two words")


@proof("outputs that are outside of the map, and instructions behind the last one, never have a tag", size=SIZE,
       method="bounded", depth=10, cases={"outside": (0,), "behind": (1,)})
def never(h, behind):
    unit, _ahead, _left, _taken, _job = environment(h)
    build = unit.build.p
    h.assume((build.length == 0) if behind else (build.inside == 0))
    h.prove(~unit.tags.valid | (Value.cast(unit.tags.p.otags) == 0), "no tags")
    h.reach(unit.tags.valid & (Value.cast(unit.tags.p.itags) != 0), "words")


@proof("wrong: without output maps every instruction has tags for all rows", size=SIZE, depth=12, fails="all tags")
def always(h):
    unit, _ahead, _left, _taken, _job = environment(h)
    h.assume(~unit.build.p.use_omap)
    h.prove(~unit.tags.valid | Value.cast(unit.tags.p.otags).all(), "all tags")
