"""Front of the Speculator: handshake; nothing inside breaks a rule in the first cycles.

That every vector finds room in the queue follows from proofs of the parts: the walk lets as many vectors out as the
queue holds, and the alignment makes one of each.
"""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.reducer import Reducer
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.small_job import small_job

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, activation_words=16, projection_words=16,
                              reduced_words=2)
SIZE = "8 values, 4 trees, 16 entries"


def environment(h):
    """A job that can be; the host writes the projection while nothing runs; words of blocks have numbers below
    ``depth``."""
    unit = handshake(h, Reducer(CFG))
    small_job(h, unit.job)
    h.assume(~unit.start | ~unit.busy)
    h.assume(~unit.write.valid | ~unit.busy)
    h.assume(unit.word.p.word < unit.job.depth)
    return unit


@proof("an offered vector stays until it is taken", size=SIZE)
def handshakes(h):
    environment(h)
    h.trust_units()     # the matter of the proof below


@proof("nothing is read while it is written, busy as long as a vector is inside", size=SIZE, method="bounded", depth=18)
def inside(h):
    unit = environment(h)
    h.prove(~unit.o.valid | unit.busy, "busy while a vector waits")
    h.prove(~unit.word.ready | unit.busy, "no words without a job")
    h.reach(unit.o.valid & unit.o.p.last & (unit.o.p.pixel != 0), "the last vector of a tile")


@proof("wrong: the first vector of a tile is its last", size=SIZE, method="bounded", depth=18, fails="it is the last")
def only_one(h):
    unit = environment(h)
    h.prove(~unit.o.valid | unit.o.p.last, "it is the last")
