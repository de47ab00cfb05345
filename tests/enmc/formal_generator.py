"""Proofs of the instruction generator: handshake, and how many instructions a candidate becomes."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import Buffer, Op
from hdl.enmc.generator import Generator
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"]
SIZE = "labels of 24 bits"


def environment(h):
    """Registers do not change while it works."""
    unit = handshake(h, Generator(CFG))
    registers = Cat(unit.row_base, unit.row_bursts, unit.first_class, unit.mode)
    h.assume(~unit.busy | (registers == h.past(registers, "registers_before")))
    return unit


@proof("offered instructions stay until they are taken", size=SIZE)
def handshakes(h):
    environment(h)


def followed(h, unit):
    """What has been sent of the candidate, and what is sent now."""
    stage = Signal(2)
    sent = unit.o.valid & unit.o.ready
    is_load = (unit.o.p.op == Op.LDR) & (unit.o.p.a == Buffer.WEIGHT_FP32)
    is_multiply = unit.o.p.op == Op.MUL_ADD_FP32
    is_pass = (unit.o.p.op == Op.MOVE) & (unit.o.p.a == Buffer.INDEX)
    with h.m.If(sent):
        h.m.d.sync += stage.eq(Mux(is_load, 1, Mux(is_multiply, 2, 0)))
    return stage, sent, is_load, is_multiply, is_pass


@proof("LDR, MUL_ADD_FP32 and the function follow each other; candidates that are passed on stand alone", size=SIZE)
def sequence(h):
    unit = environment(h)
    stage, sent, is_load, is_multiply, is_pass = followed(h, unit)
    h.prove(~sent | (stage != 0) | is_load | is_pass, "begins with a load or a pass")
    h.prove(~sent | (stage != 1) | is_multiply, "a product follows the load")
    h.prove(~sent | (stage != 2) | ~(is_load | is_multiply | is_pass), "a function follows the product")
    h.prove(~sent | ~is_pass | ~unit.mode[2], "passed on only if not exact")
    h.reach(sent & (stage == 2), "three instructions")


@proof("wrong: a candidate is always classified", size=SIZE, fails="never passed on")
def always_exact(h):
    unit = environment(h)
    _, sent, _, _, is_pass = followed(h, unit)
    h.prove(~(sent & is_pass), "never passed on")
