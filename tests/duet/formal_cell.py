"""Cell unit: handshakes, and that nothing is lost and no word read while one is written."""

from golden.duet.config import PRESETS
from golden.duet.formats import GLB_LATENCY, Cell
from hdl.duet.cell import CellUnit
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
#: Cycles that are searched: several pixels on their way, with ports that wait.
DEPTH = 20
CASES = {op.name: (op.name,) for op in (Cell.LSTM, Cell.RESET, Cell.GRU)}


@proof("requests and writes stay until they are taken, and are never offered at once", size="2 columns of 4 pixels")
def handshakes(h):
    unit = handshake(h, CellUnit(CFG))
    h.trust_units()
    h.prove(~(unit.request.valid & unit.write.valid), "a request or a write")
    h.prove(~unit.write.valid | (unit.write.p.map_mask == 0), "no map is written")


def environment(h, op):
    """A unit whose requests are answered in time, with jobs of one kind that do not overlap."""
    unit = h.place("unit", CellUnit(CFG))
    answer = unit.request.valid & unit.request.ready
    for k in range(GLB_LATENCY):
        answer = h.past(answer, f"answer_{k}")
    h.assume(unit.valid == answer)
    h.assume((unit.job.op == Cell[op]) & (unit.job.length == h.constant("length", 16)))
    h.assume(~unit.start | ~unit.busy)
    return unit


@proof("there is room for every result, and nothing is offered once a job is over", size="{}, 2 columns of 4 pixels",
       cases=CASES, method="bounded", depth=DEPTH)
def room(h, op):
    unit = environment(h, op)
    h.prove(unit.busy | ~(unit.request.valid | unit.write.valid), "nothing is offered once it is over")
    h.reach(unit.write.valid & ~unit.write.ready, "a write waits")


@proof("wrong: results wait for the requests of all pixels", size="RESET, 2 columns of 4 pixels",
       fails="no request after a write")
def writes_last(h):
    unit = environment(h, "RESET")
    h.prove(~(unit.request.valid & h.past(unit.write.valid, "wrote")), "no request after a write")
