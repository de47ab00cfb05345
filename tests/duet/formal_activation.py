"""Activation unit: when results leave, and what passes. The curves are simulated for every operand."""

from amaranth import *

from golden.duet.config import PRESETS
from golden.duet.formats import Function
from hdl.duet.activation import Activation
from sim.common.formal import proof

TAG_BITS = 4


def delayed(h, unit, value, name):
    """``value`` as it was when what leaves now came in; 0 before anything did."""
    value = Value.cast(value)
    for k in range(unit.LATENCY):
        later = Signal(value.shape(), name=f"{name}_{k}")
        with h.m.If(unit.advance):
            h.m.d.sync += later.eq(value)
        value = later
    return value


@proof("a value leaves LATENCY moves later, with its tag; it passes without function, and ReLU makes it 0 if negative",
       size="tags of 4 bits")
def passes(h):
    unit = h.place("unit", Activation(PRESETS["tiny"], TAG_BITS))
    valid, tag, curve = (delayed(h, unit, value, name) for value, name in (
        (unit.i_valid, "valid"), (unit.i_tag, "tag"), (unit.curve, "curve")))
    value = delayed(h, unit, unit.i, "value").as_signed()
    h.prove(unit.o_valid == valid, "valid with its value")
    h.prove(~valid | (unit.o_tag == tag), "the tag of the value")
    h.prove(~valid | (curve != Function.NONE) | (unit.o == value), "no function: the value")
    h.prove(~valid | (curve != Function.RELU) | (unit.o == Mux(value < 0, 0, value)), "ReLU")
    h.reach(valid & (curve == Function.TANH) & (unit.o == -32767), "the least tanh")
    h.reach(valid & ~h.past(unit.advance, "advanced"), "a result is held")


@proof("wrong: a value leaves LATENCY cycles later, whether it may move or not", size="tags of 4 bits",
       fails="valid with its value")
def never_held(h):
    unit = h.place("unit", Activation(PRESETS["tiny"], TAG_BITS))
    valid = unit.i_valid
    for k in range(unit.LATENCY):
        valid = h.past(valid, f"valid_{k}")
    h.prove(unit.o_valid == valid, "valid with its value")
