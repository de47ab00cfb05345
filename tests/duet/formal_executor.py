"""Executor: when sums come."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.executor import Executor
from hdl.duet.layouts import Load
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, lut=32, tags=16, input_words=2, weight_words=2)
SIZE = "2 x 2 PEs, 4 pixels"
PIXELS = 2
#: Cycles from ``drain_start`` to the first sums.
LATENCY = CFG.columns + 1


def environment(h):
    """One step after the other, each of one word, without any valid instruction; the memories hold anything."""
    unit = h.place("unit", Executor(CFG))
    h.trust_units()
    for name in ("build", "step"):
        assume_stream_rules(h, getattr(unit, name), name)
    build = unit.build.p
    h.assume((build.words == 1) & (build.base == 0) & (build.inside == 0))
    h.assume(~unit.i.valid | (unit.i.p.kind != Load.LUT))
    h.m.d.comb += unit.pixels.eq(PIXELS)
    under_way = Signal(4, name="under_way")
    built = Signal(4, name="built")
    taken, made = unit.step.valid & unit.step.ready, unit.build.valid & unit.build.ready
    h.m.d.sync += [under_way.eq(under_way + taken - unit.step_done), built.eq(built + made - unit.step_done)]
    return unit, under_way, built


def delayed(h, value, name, cycles):
    """``value`` some cycles ago, 0 before."""
    for k in range(cycles):
        value = h.past(value, f"{name}_{k + 1}")
    return value


@proof("sums of a group come in consecutive cycles, the first of them columns + 1 cycles after drain_start, pixel by "
       "pixel", size=SIZE, method="bounded", depth=22)
def sums(h):
    unit, _under_way, _built = environment(h)
    first = delayed(h, unit.drain_start, "started", LATENCY)
    second = h.past(first, "second")
    h.prove(unit.sums.valid == (first | second), "in time")
    h.prove(~unit.sums.valid | (unit.sums.p.pixel == second), "pixel by pixel")
    h.prove(~unit.drain_start | h.past(unit.drain_ready, "ready"), "only when the store is ready")
    h.reach(unit.sums.valid & second, "the second pixel")


@proof("a step is over only after it was taken and built; the Executor is busy until then", size=SIZE, method="bounded",
       depth=16)
def steps(h):
    unit, under_way, built = environment(h)
    h.prove(~unit.step_done | ((under_way != 0) & (built != 0)), "every end has its step")
    h.prove((built == 0) | unit.busy, "busy while something is built")
    h.prove(unit.i.ready, "words are always taken")
    h.reach(unit.step_done, "an end")


@proof("wrong: sums come columns cycles after drain_start", size=SIZE, depth=22, fails="too early")
def early(h):
    unit, _under_way, _built = environment(h)
    h.prove(unit.sums.valid | ~delayed(h, unit.drain_start, "started", LATENCY - 1), "too early")
