"""Lane: what it offers to the accumulator."""

from types import SimpleNamespace

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import Step
from hdl.dota.lane import Lane
from sim.common.formal import proof
from sim.common.rules import stream_rules

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "4 x 4 PEs, 4 words a bank, a linear layer of one input and one token"


def layer(h):
    """A lane that does nothing but a linear layer of one input for the accumulator."""
    unit = h.place("unit", Lane(CFG))
    step = unit.step
    h.assume(step.step == Step.LINEAR)
    h.assume((step.queries == 1) & (step.keys == 1) & (step.chunks == 1) & (step.blocks == 1) & step.reduce)
    h.assume(~unit.access.valid)
    h.assume((step.q_base == 0) & (step.q_stride == 0) & (step.k_base == 0) & (step.k_stride == 0))
    h.assume((step.v_base == 16) & (step.v_stride == 0) & (step.z_base == 0) & (step.z_stride == 0))
    h.assume(~(unit.start & unit.busy))
    return unit


@proof("partial sums stay on offer for the same token until the accumulator takes them", size=SIZE, method="bounded",
       depth=14)
def handshake(h):
    """Their values are left out: with the array in the cone the solver takes minutes. The lockstep compares them."""
    unit = layer(h)
    beat = unit.o.p
    offer = SimpleNamespace(valid=unit.o.valid, ready=unit.o.ready,
                            payload=Cat(beat.token, beat.first, beat.emit, beat.last))
    stream_rules(h, offer, "o")
    h.reach(unit.o.valid, "partial sums are offered")


@proof("wrong: partial sums are offered for one cycle", size=SIZE, depth=15, fails="not twice in a row")
def impatient(h):
    unit = layer(h)
    h.prove(~(h.past(unit.o.valid, "before") & unit.o.valid), "not twice in a row")
