"""Loader: what it offers stays on offer; it is not idle before the store and the Executor have everything."""

from amaranth import *

from hdl.duet.loader import Loader
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h, unit):
    """A job that stays, of one word and step a group; the global buffer answers two cycles after a request; the
    Executor finishes steps that it has taken."""
    job = unit.job
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(Value.cast(job), "job_before") == Value.cast(job)))
    for name in ("tiles_y", "tiles_x", "near_y", "near_x", "depth", "weight_words", "chunk", "passes", "height",
                 "width"):
        h.assume(job[name] == 1)
    h.assume((job.channels != 0) & (job.channels <= 4))
    h.assume(~unit.start | ~unit.busy)
    sent = h.past(unit.request.valid & unit.request.ready, "sent")
    h.assume(unit.answer == h.past(sent, "sent_before"))
    taken = Signal(range(4), name="taken")
    both = Signal(range(4), name="both")
    h.m.d.sync += [taken.eq(taken + (unit.step.valid & unit.step.ready) - unit.step_done),
                   both.eq(both + (unit.build.valid & unit.build.ready) - unit.step_done)]
    h.assume(~unit.step_done | ((taken != 0) & (both != 0)))
    return taken


@proof("requests, groups, builds, steps and requests to the memory stay on offer until they are taken (22 cycles)",
       size=SIZE, method="bounded", depth=22)
def handshakes(h):
    h.trust_units()
    environment(h, handshake(h, Loader(SMALL)))


@proof("busy while anything is on offer, or a step is not over (22 cycles)", size=SIZE, method="bounded", depth=22)
def busy(h):
    h.trust_units()
    unit = h.place("unit", Loader(SMALL))
    taken = environment(h, unit)
    offers = (unit.request, unit.group, unit.transfer, unit.build, unit.step, unit.fetch)
    h.prove(~Cat(stream.valid for stream in offers).any() | unit.busy, "busy while it offers")
    h.prove((taken == 0) | unit.busy, "busy until the last step is over")
    h.reach(taken != 0, "a step runs")


@proof("wrong: a step never waits", size=SIZE, fails="at once", depth=22)
def waits(h):
    h.trust_units()
    unit = h.place("unit", Loader(SMALL))
    environment(h, unit)
    h.prove(~unit.step.valid | ~h.past(unit.step.valid, "step_before"), "at once")
