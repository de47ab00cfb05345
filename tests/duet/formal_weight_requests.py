"""Requests for weights: handshake; only rows that work, only what is off chip, never an empty request."""

from amaranth import *

from hdl.duet.weight_requests import WeightRequests
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL


def environment(h):
    """A job that stays, with two steps at most; ``empty`` groups have no sensitive pixel, the others have one."""
    unit = handshake(h, WeightRequests(SMALL))
    job = unit.job
    h.assume((h.past(C(1, 1), "began") == 0) | (h.past(Value.cast(job), "job_before") == Value.cast(job)))
    h.assume((job.chunk != 0) & (job.chunk <= 2) & (job.depth != 0))
    h.assume(Mux(job.passes == 1, job.depth <= job.chunk,
                 (job.passes == 2) & (job.depth > job.chunk) & (job.depth <= 2 * job.chunk)))
    work = unit.work.p
    h.assume(~unit.work.valid | (work.empty == ~Value.cast(work.sensitive).any()))
    return unit


@proof("an offered request stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h)


@proof("a group that works has as many requests as steps and rows that work; the others none; each for a word at least",
       size=SIZE)
def requests(h):
    unit = environment(h)
    work, sent = unit.work.p, unit.o.valid & unit.o.ready
    owed = Signal(range(8), name="owed")
    rows = sum(work.sensitive[r].any() for r in range(SMALL.rows))
    comes = unit.work.valid & unit.work.ready & unit.job.off_chip
    h.m.d.sync += owed.eq(owed + Mux(comes, rows * unit.job.passes[:2], 0) - sent)
    h.prove(~unit.o.valid | (owed != 0), "no more than rows and steps")
    h.prove((owed == 0) | unit.busy, "busy until all are taken")
    h.prove(~unit.o.valid | ((unit.o.p.count != 0) & (unit.o.p.count <= unit.job.chunk)), "a word at least")
    h.reach(owed == 4, "two rows, two steps")


@proof("wrong: every request is for a whole step", size=SIZE, fails="whole")
def whole(h):
    unit = environment(h)
    h.prove(~unit.o.valid | (unit.o.p.count == unit.job.chunk), "whole")
