"""Store: handshake, and that every tile is done once, after the last of its writes."""

from amaranth import *

from golden.duet.config import PRESETS
from golden.duet.formats import Function, Kind
from hdl.duet.store import Store
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)
CASES = {kind.name: (kind.name,) for kind in Kind}
SAYS = "a tile is done exactly once for each of its ends, and nothing is left over when nothing is inside"


def environment(h, kind):
    """A store whose sums come in order, once they may; jobs of one kind."""
    unit = handshake(h, Store(CFG))
    h.assume((unit.kind == Kind[kind]) & (unit.shift == h.constant("shift", 5)))
    h.assume((unit.curve == Function.NONE) | (unit.curve == Function.RELU))
    h.assume(~unit.drain_start | unit.drain_ready)
    pixel = Signal(range(CFG.pixels), name="next_pixel")
    come = Signal(name="sums_come")
    last = (pixel == CFG.pixels - 1) if kind == "CONV" else C(1, 1)
    with h.m.If(unit.sums.valid):
        h.m.d.sync += [pixel.eq(Mux(last, 0, pixel + 1)), come.eq(~last)]
    with h.m.If(unit.drain_start):
        h.m.d.sync += come.eq(1)
    h.assume(~unit.sums.valid | ((unit.sums.p.pixel == pixel) & come))
    return unit


@proof("a write stays, unchanged, until it is taken; no map of a vector is written",
       size="{}, 2 rows, 2 columns of 4 pixels", cases=CASES)
def handshakes(h, kind):
    unit = environment(h, kind)
    h.trust_units()
    h.prove((kind == "CONV") | ~unit.write.valid | (unit.write.p.map_mask == 0), "no map of a vector")


def tiles(h, kind):
    """Ends that went in, less those that were reported."""
    unit = environment(h, kind)
    open_ends = Signal(range(17))
    h.m.d.sync += open_ends.eq(open_ends + (unit.group.valid & unit.group.ready & unit.group.p.tile_done)
                               - unit.tile_done)
    h.prove(~unit.write.valid | unit.busy, "busy until the last write is taken")
    h.prove(~unit.tile_done | (open_ends != 0), "no tile is done twice")
    h.prove(unit.busy | (open_ends == unit.tile_done), "no tile is forgotten")
    h.reach(unit.tile_done & ~h.past(unit.write.valid, "wrote"), "a tile whose last group writes nothing")
    h.reach(unit.tile_done & h.past(unit.write.valid, "wrote"), "a tile whose last group writes")


@proof(SAYS, size="CONV, 2 rows, 2 columns of 4 pixels", method="bounded", depth=15)
def tiles_of_maps(h):
    tiles(h, "CONV")


@proof(SAYS, size="VECTOR, 2 rows, 2 columns of 4 pixels", method="bounded", depth=17)
def tiles_of_vectors(h):
    tiles(h, "VECTOR")


@proof("wrong: every group writes something", size="CONV, 2 rows, 2 columns of 4 pixels",
       fails="a write before a tile ends")
def nothing_written(h):
    unit = environment(h, "CONV")
    h.prove(~unit.tile_done | h.past(unit.write.valid, "wrote"), "a write before a tile ends")
