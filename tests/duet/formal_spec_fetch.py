"""Fetch of the Speculator: handshakes; words come for the requests, one each, and not before the map is there."""

from amaranth import *

from golden.duet.formats import Kind
from hdl.duet.spec_fetch import SpecFetch
from sim.common.formal import proof
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h):
    """A legal job that stays; the consumer takes the words of a tile without a pause; two cycles to an answer."""
    unit = h.place("unit", SpecFetch(SMALL))
    job = Value.cast(unit.job)
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(job, "job_before") == job))
    for name in ("tiles_y", "tiles_x", "near_y", "near_x", "blocks_y", "blocks_x", "depth"):
        h.assume((unit.job[name] != 0) & (unit.job[name] <= 2))
    h.assume(unit.job.stride <= 2)
    h.assume(~unit.start | ~unit.busy)
    sent = h.past(unit.request.valid & unit.request.ready, "sent")
    h.assume(unit.answer == h.past(sent, "sent_before"))
    # Ready falls only after the last word of a tile.
    begun = Signal(name="begun")
    h.m.d.sync += begun.eq((begun | unit.o.ready) & ~(unit.o.valid & unit.o.ready & unit.o.p.last))
    h.assume(~begun | unit.o.ready)
    return unit


@proof("an offered request stays until it is taken; the consumer is never made to hold a word", size=SIZE)
def handshakes(h):
    unit = h.place("unit", SpecFetch(SMALL))
    job = Value.cast(unit.job)
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(job, "job_before") == job))
    h.trust_units()
    waits = h.past(unit.request.valid & ~unit.request.ready, "waits")
    before = h.past(Value.cast(unit.request.payload), "before")
    h.prove(~waits | unit.request.valid, "a request stays")
    h.prove(~waits | (Value.cast(unit.request.payload) == before), "and does not change")
    h.reach(waits, "a request waits")


@proof("a word for each request, four cycles after the operation; nothing is asked for that is not wanted", size=SIZE)
def words(h):
    unit = environment(h)
    way = Signal(3, name="way")
    h.m.d.sync += way.eq(Cat(unit.request.valid & unit.request.ready, way))
    h.prove(unit.o.valid == way[2], "three cycles after its request")
    h.prove(~unit.request.valid | unit.busy, "only while busy")
    h.reach(unit.o.valid & unit.o.p.last, "the last word of a tile")


@proof("a vector that depends is not read before everything is stored", size=SIZE)
def depends(h):
    unit = environment(h)
    h.assume(unit.job.depends & (unit.job.kind == Kind.VECTOR))
    stored = Signal(name="stored")
    h.m.d.sync += stored.eq(stored | unit.all_done)
    h.prove(~unit.request.valid | stored, "not before")
    h.reach(unit.request.valid, "a request")


@proof("wrong: the consumer never gets a word of a block outside of the map", size=SIZE, fails="in the map", depth=25)
def outside(h):
    unit = environment(h)
    h.prove(~unit.o.valid | (unit.o.p.block_y >= 0), "in the map")
