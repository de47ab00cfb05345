"""Global buffer: turns, answers in time, and words as they were written last."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.glb import PORTS, Glb
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, glb_words=64)


@proof("the first port that offers has its turn, alone, and its answer comes LATENCY cycles later", size="64 words")
def turns(h):
    unit = h.place("unit", Glb(CFG))
    h.trust_units()
    for name, ports in ("request", unit.request), ("write", unit.write):
        taken = Cat(port.valid & port.ready for port in ports)
        offered = Cat(port.valid for port in ports)
        for k in range(PORTS):
            h.prove(taken[k] == (ports[k].valid & ~offered[:k].any()), f"{name} {k}: its turn")
        if name == "request":
            for k in range(unit.LATENCY):
                taken = h.past(taken, f"taken_{k}")
            h.prove(unit.valid == taken, "an answer for each request, in its cycle")
    h.reach(unit.valid == 8, "an answer for the last port")


@proof("a request reads the map bit as it was written last, up to the cycle before", size="64 words of 8 map bits",
       method="bounded", depth=9)
def words(h):
    unit = h.place("unit", Glb(CFG))
    h.trust_units()
    # One port of each kind: turns are another proof's.
    h.assume(~Cat(port.valid for kind in (unit.request, unit.write) for port in kind[1:]).any())
    request, write = unit.request[0], unit.write[0]
    row, bit = h.constant("row", 6), h.constant("bit", 3)
    asked = request.valid & (request.p.map_addr[:6] == row)
    written = write.valid & (write.p.map_addr == row) & write.p.map_mask.bit_select(bit, 1)
    h.assume(~(asked & write.valid & (write.p.map_addr == row)))
    h.assume(~write.valid | (write.p.map_addr < 64))
    copy = Signal()
    known = Signal()
    with h.m.If(written):
        h.m.d.sync += [copy.eq(write.p.map.bit_select(bit, 1)), known.eq(1)]
    expected, counts = copy, asked & known
    for k in range(unit.LATENCY):
        expected, counts = h.past(expected, f"expected_{k}"), h.past(counts, f"counts_{k}")
    h.prove(~counts | (unit.map.bit_select(bit, 1) == expected), "as written last")
    h.reach(counts & expected & ~copy, "the bit is written again meanwhile")


@proof("wrong: a request reads what is written in the same cycle", size="64 words", fails="read in the same cycle")
def same_cycle(h):
    unit = h.place("unit", Glb(CFG))
    h.trust_units()
    request, write = unit.request[0], unit.write[0]
    h.assume(~write.valid | (write.p.map_addr < 64))
    meets = request.valid & write.valid & (request.p.map_addr == write.p.map_addr)
    meets &= write.p.map_mask[0] & write.p.map[0]
    for k in range(unit.LATENCY):
        meets = h.past(meets, f"meets_{k}")
    h.prove(~meets | unit.map[0], "read in the same cycle")
