"""Output buffer: records leave in order, each once, and the counts are exact."""

from amaranth import *

from golden.enmc.config import PRESETS
from golden.enmc.formats import RECORD_FIELDS
from hdl.enmc.output_buffer import OutputBuffer
from sim.common.formal import proof

TINY = PRESETS["tiny"]
CASES = {"1": (TINY, 1, 4), "2": (TINY.replace(dq=32, results=4, features=128), 2, 4),
         "4": (TINY.replace(dq=64, results=8, features=256), 4, 8),
         "4 of 4": (TINY.replace(dq=64, results=4, features=256), 4, 4)}
SIZE = "{2} records, {1} a burst"
BITS = sum(RECORD_FIELDS.values())


def ends(record):
    """The lowest and the highest bit."""
    return Cat(Value.cast(record)[0], Value.cast(record)[-1])


def environment(h, cfg):
    """Records come only where there is room; one of them is followed: the records that are before it, once it is in.

    Its lowest and its highest bit: every bit has a memory of its own, with the same addresses.
    """
    unit = h.place("unit", OutputBuffer(cfg))
    h.assume((~unit.push | (unit.ready != cfg.results)) & ~unit.clear)
    record, choose = h.constant("record", 2), h.free("choose")
    ahead = Signal(range(cfg.results + 1))
    inside = Signal()
    chosen = Signal()
    count = Signal(range(cfg.records + 1))
    leaves = Signal()
    h.assume(~choose | (unit.push & ~chosen & (ends(unit.record) == record)))
    h.m.d.comb += [count.eq(Mux(unit.take, Mux(unit.ready < cfg.records, unit.ready, cfg.records), 0)),
                   leaves.eq(inside & (ahead < count))]
    with h.m.If(choose):
        h.m.d.sync += [chosen.eq(1), inside.eq(1), ahead.eq(unit.ready - count)]
    with h.m.Elif(inside):
        h.m.d.sync += [inside.eq(~leaves), ahead.eq(Mux(leaves, 0, ahead - count))]
    return unit, record, leaves, ahead, count


@proof("a record comes out in its turn, once, in its place of the burst", size=SIZE, cases=CASES)
def order(h, cfg, _most, _depth):
    unit, record, leaves, ahead, count = environment(h, cfg)
    place, left = h.past(ahead, "place"), h.past(leaves, "left")
    found = Value.cast(unit.record_burst).word_select(place[:2], BITS)
    h.prove(~left | (ends(found) == record), "the record is in its place")
    h.prove(unit.popped == h.past(count, "count"), "popped is what was taken")
    h.reach(left & (place == cfg.records - 1), "the last place of a burst")


@proof("places without a record are zero, a burst stays until the next one, and the level is exact", size=SIZE,
       cases=CASES)
def counts(h, cfg, _most, _depth):
    unit = h.place("unit", OutputBuffer(cfg))
    h.assume(~unit.push | (unit.ready != cfg.results))
    places = [ends(Value.cast(unit.record_burst).word_select(k, BITS)) for k in range(cfg.records)]
    taken = h.past(unit.take, "taken")
    inside = Signal(range(cfg.results + 1))
    h.assume(~unit.push | ~unit.clear)
    h.m.d.sync += inside.eq(inside + unit.push - Mux(unit.take, Mux(inside < cfg.records, inside, cfg.records), 0))
    with h.m.If(unit.clear):
        h.m.d.sync += inside.eq(0)
    h.prove(unit.ready == inside, "ready is what is inside")
    h.prove(unit.finished == h.past(unit.push, "pushed"), "every record is told")
    for k, place in enumerate(places):
        h.prove(taken | (place == h.past(place, f"before_{k}")), f"place {k} stays")
        h.prove(~taken | (unit.popped > k) | (place == 0), f"place {k} is zero without a record")
    h.prove(taken | (unit.popped == 0), "nothing is popped without a take")
    h.reach(unit.ready == cfg.results, "full")


@proof("wrong: a record can be taken in the cycle in which it comes", size=SIZE, cases={"2": CASES["2"]},
       fails="it is taken at once")
def at_once(h, cfg, _most, _depth):
    unit = h.place("unit", OutputBuffer(cfg))
    h.assume((~unit.push | (unit.ready != cfg.results)) & ~unit.clear)
    h.prove(~h.past(unit.push & unit.take & (unit.ready == 0), "both") | (unit.popped == 1), "it is taken at once")
