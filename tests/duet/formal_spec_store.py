"""Store of the Speculator: handshake; writes touch maps, or order, or both kinds of a vector."""

from amaranth import *

from golden.duet.formats import Kind
from hdl.duet.spec_store import SpecStore
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h):
    """A job whose fields stay; it begins only when the one before is over."""
    unit = handshake(h, SpecStore(SMALL))
    job = Value.cast(unit.job)
    h.assume(h.past(C(1, 1), "began") == 0 | (h.past(job, "job_before") == job))
    h.assume(~unit.start | ~unit.busy)
    h.assume((unit.job.kind == Kind.CONV) | ~unit.job.ordered)
    return unit


@proof("an offered write stays until it is taken", size=SIZE)
def handshakes(h):
    h.trust_units()
    environment(h)


@proof("a write of a convolution has a whole word of the map, or values and no map; values go to one pixel", size=SIZE)
def masks(h):
    h.trust_units()
    unit = environment(h)
    write = unit.write.p
    conv = unit.write.valid & (unit.job.kind == Kind.CONV)
    h.prove(~conv | (write.map_mask == 0) | (write.map_mask.all() & (write.mask == 0)), "one of them, and whole")
    lane = write.mask[:SMALL.pixels]
    h.prove(~unit.write.valid | ((lane & (lane - 1)) == 0), "one pixel")
    h.prove(~unit.write.valid | unit.job.ordered | (unit.job.kind == Kind.VECTOR) | (write.mask == 0),
            "no values without order")
    h.reach(conv & (write.map_mask != 0), "a map word")


@proof("wrong: every write has a map", size=SIZE, fails="has a map", depth=30)
def maps(h):
    h.trust_units()
    unit = environment(h)
    h.assume((unit.job.channels == 1) & unit.job.ordered & (unit.job.kind == Kind.CONV))
    h.prove(~unit.write.valid | (unit.write.p.map_mask != 0), "has a map")
