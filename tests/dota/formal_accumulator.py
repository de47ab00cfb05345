"""Accumulator: sums stay until they are taken, lanes go in step, and a sum is the sum."""

from types import SimpleNamespace

from amaranth import *

from golden.dota.config import DotaConfig
from hdl.dota.accumulator import Accumulator, sum_layout
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, follow, stream_rules

LANES = 2
CFG = DotaConfig(lanes=LANES, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "2 lanes of 4 values"
#: Beats that may be inside, and cycles until a sum is offered: bounds, not what the unit has today.
CAPACITY, LATENCY = 6, 4


def environment(h):
    """Lanes that keep the handshake and agree on what a beat is; who takes part does not change."""
    unit = h.place("unit", Accumulator(CFG))
    lanes = [getattr(unit, f"i{lane}") for lane in range(LANES)]
    lanes_on = h.constant("lanes_on", LANES)
    h.m.d.comb += unit.lanes_on.eq(lanes_on)
    for lane, port in enumerate(lanes):
        assume_stream_rules(h, port, f"i{lane}")
    first, second = (Cat(port.p.token, port.p.first, port.p.emit, port.p.last) for port in lanes)
    h.assume(~(lanes[0].valid & lanes[1].valid) | (first == second))
    return unit, lanes, lanes_on


@proof("an offered sum stays until it is taken", size=SIZE)
def handshakes(h):
    unit, _lanes, _on = environment(h)
    stream_rules(h, unit.o, "o")
    h.reach(unit.o.valid & unit.o.ready, "a transfer")
    h.reach(unit.o.valid & ~unit.o.ready, "a wait")


@proof("a beat is taken from all lanes that take part in one cycle, and from no other", size=SIZE)
def in_step(h):
    _unit, lanes, lanes_on = environment(h)
    taken = Cat(port.valid & port.ready for port in lanes)
    h.prove((taken == 0) | (taken == lanes_on), "all or none")
    h.prove(Cat(port.ready for port in lanes) & ~lanes_on == 0, "no ready for others")
    h.reach(taken == 3, "both")
    h.reach(taken == 2, "one that takes part alone")


@proof("beats that are first and emit leave as the sums of the lanes, in order", size=SIZE, method="bounded", depth=8)
def sums(h):
    unit, lanes, lanes_on = environment(h)
    for port in lanes:
        h.assume(~port.valid | (port.p.first & port.p.emit))

    def added(beat):
        total = Signal(sum_layout(CFG), name="sum_of_item")
        for index in range(2 * CFG.vector):
            terms = [beat[lane * 4 * 48 + index * 48:][:48] for lane in range(LANES)]
            h.m.d.comb += total.values[index].eq(terms[0] + terms[1])
        h.m.d.comb += [total.token.eq(beat[-3:-1]), total.last.eq(beat[-1])]
        return total

    h.assume(lanes_on.all())
    beat = Cat(*(Value.cast(port.p.values) for port in lanes), lanes[0].p.token, lanes[0].p.last)
    entering = SimpleNamespace(valid=lanes[0].valid & lanes[1].valid, ready=lanes[0].ready, payload=beat)
    inside = follow(h, entering, unit.o, CAPACITY, LATENCY, becomes=added)
    h.prove((inside == 0) | unit.busy, "busy while something is inside")


@proof("wrong: lanes do not wait for each other", size=SIZE, fails="who offers is served")
def hasty(h):
    _unit, lanes, lanes_on = environment(h)
    h.prove(~(lanes[0].valid & lanes_on[0]) | lanes[0].ready, "who offers is served")
