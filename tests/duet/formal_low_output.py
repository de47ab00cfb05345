"""QDR output buffer: handshake; a row is freed exactly once, after its last part was read."""

from amaranth import *

from hdl.duet.low_output import LowOutput
from sim.common.formal import proof
from sim.common.rules import handshake
from tests.duet.proof_cfg import SIZE, SMALL

ROWS = 2 * SMALL.pixels


def environment(h):
    """Pixels of one product, within the rows that are free; each is the last one of its group or not. Biases do not
    change. Rows in use."""
    unit = handshake(h, LowOutput(SMALL))
    channels = h.constant("channels", 3)
    h.assume((channels != 0) & (channels <= SMALL.systolic_columns))
    h.m.d.comb += [unit.channels.eq(channels), unit.write_en.eq(0)]
    used = Signal(range(ROWS + 2), name="used")
    h.assume(~unit.i_valid | (unit.i_tag.first & unit.i_tag.last & (used < ROWS)))
    # A group has as many pixels as a tile at most, and the rows of two tiles are there.
    group = Signal(range(SMALL.pixels + 1), name="group")
    h.assume(~unit.i_valid | (group < SMALL.pixels - 1) | unit.i_tag.end)
    with h.m.If(unit.i_valid):
        h.m.d.sync += group.eq(Mux(unit.i_tag.end, 0, group + 1))
    h.m.d.sync += used.eq(used + unit.i_valid - unit.freed)
    return unit, used


@proof("offered sums stay until they are taken", size=SIZE)
def handshakes(h):
    h.trust_units()
    environment(h)


@proof("a row that is freed was in use", size=SIZE, method="bounded", depth=16)
def freed(h):
    unit, used = environment(h)
    h.prove(~unit.freed | (used != 0), "freed once")
    h.reach(used == ROWS, "all rows in use")


@proof("wrong: sums leave only as the last ones of a tile", size=SIZE, fails="last")
def last(h):
    unit, _used = environment(h)
    h.prove(~unit.o.valid | unit.o.p.last, "last")
