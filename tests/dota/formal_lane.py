"""Lane: what it offers to the accumulator, whatever the array, the memory and the attention units do."""

from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

from amaranth import *
from amaranth.asserts import AnySeq
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES, Step
from hdl.dota import lane
from sim.common.formal import proof
from sim.common.rules import stream_rules

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "words of 2 elements, rounds of 4 keys"
#: Units whose outputs may be anything here: they say nothing about when a sum is offered, and they are what is large.
ANYTHING = ("Detector", "Estimate", "LaneSram", "Mfu", "Operands", "Quantize", "Rmmu", "RoundQueue", "Scheduler")


class Anything(wiring.Component):
    """In place of a unit: the solver chooses its outputs, in every cycle anew."""

    def elaborate(self, platform):
        m = Module()
        for _path, member, value in self.signature.flatten(self):
            if member.flow == Out:
                value = Value.cast(value)
                m.d.comb += value.eq(AnySeq(len(value)))
        return m


class Sequencers(lane.Lane):
    """The lane with only its exact and its fetch unit."""

    def elaborate(self, platform):
        with ExitStack() as patches:
            for name in ANYTHING:
                patches.enter_context(patch.object(lane, name, partial(_anything, getattr(lane, name))))
            return super().elaborate(platform)


def _anything(unit, *args):
    whole = unit(*args)
    whole._MustUse__used = True
    return Anything(whole.signature)


def sending(h):
    """A lane that is given the same step again and again, any that has queries, words and blocks."""
    h.trust_units()     # what the lane asserts of units that are left out here
    unit = h.place("unit", Sequencers(CFG))
    step = h.constant("chosen", unit.step.shape())
    h.m.d.comb += unit.step.eq(step)
    h.assume((step.queries != 0) & (step.queries < 2**16 - QUERIES) & (step.chunks != 0) & (step.blocks != 0))
    h.assume(step.chunks <= 16)
    h.assume(~(unit.start & unit.busy))
    return unit


@proof("partial sums stay on offer for the same token until the accumulator takes them", size=SIZE, method="bounded",
       depth=20)
def handshake(h):
    """Their values are left out, as the array is: the lockstep compares them."""
    unit = sending(h)
    beat = unit.o.p
    offer = SimpleNamespace(valid=unit.o.valid, ready=unit.o.ready,
                            payload=Cat(beat.token, beat.first, beat.emit, beat.last))
    stream_rules(h, offer, "o")
    h.prove(~unit.o.valid | unit.busy, "busy while it offers")
    h.reach(unit.o.valid & (beat.token == 1) & h.past(unit.o.valid, "before"), "a second token")


@proof("wrong: partial sums are offered for one cycle", size=SIZE, depth=30, fails="not twice in a row")
def impatient(h):
    unit = sending(h)
    h.assume(unit.step.step == Step.LINEAR)
    h.prove(~(h.past(unit.o.valid, "before") & unit.o.valid), "not twice in a row")
