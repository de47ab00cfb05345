"""Multi-function unit: weights stay until they are taken; a slot has one user; a group is received without a pause."""

from amaranth import *

from golden.dota.config import DotaConfig
from hdl.dota.mfu import Mfu
from hdl.dota.mfu_send import Send
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "groups of at most 4 rounds"


def environment(h):
    """A unit whose groups are as long as they may be, and whose settings hold while it works."""
    unit = h.place("unit", Mfu(CFG))
    assume_stream_rules(h, unit.i, "i")
    received = Signal(range(CFG.queue))
    with h.m.If(unit.i.valid & unit.i.ready):
        h.m.d.sync += received.eq(Mux(unit.i.p.last, 0, received + 1))
    h.assume(~unit.i.valid | unit.i.p.last | (received != CFG.queue - 1))
    h.assume((unit.passes != 0) & (unit.passes == h.past(unit.passes, "passes_before", init=1)))
    return unit, received


@proof("the sender alone, whatever the slots hold: offered weights stay until they are taken", size=SIZE)
def sender(h):
    unit = handshake(h, Send(CFG))
    h.assume(unit.passes != 0)


@proof("a slot is used by one part at a time; each round of a group is taken at once; busy while anything is inside",
       size=SIZE)
def slots(h):
    unit, received = environment(h)
    h.prove((received == 0) | unit.i.ready, "ready within a group")
    idle = (received == 0) & unit.i.ready & ~unit.o.valid
    h.prove(unit.busy | idle, "not busy: nothing begun, a slot free, no weights")
    h.reach((received == 3) & unit.i.valid, "the last round of a full group")
    h.reach(unit.i.valid & ~unit.i.ready, "no slot is free")


@proof("wrong: there is always a slot for the next group", size=SIZE, fails="always ready")
def always_ready(h):
    unit, _received = environment(h)
    h.prove(unit.i.ready, "always ready")
