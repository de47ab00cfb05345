"""Proofs of the scheduler: handshake, every connection in one round, as many rounds as the longest row."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES
from hdl.dota.scheduler import Scheduler
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
ORDERS = {"algorithm 4": (CFG,), "balanced": (CFG.replace(balance=True),)}
#: A group is one word.
WORD = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=2, queue=4)
WORDS = {"one word": (WORD,)}
SIZE = "{0.keys} keys, balance {0.balance}"
#: Cycles: a group, each of its two keys pushed and chosen on its own, with waits, and the begin of another.
DEPTH = 11


@proof("an offered round stays until it is taken", size=SIZE, cases=ORDERS)
def handshakes(h, cfg):
    handshake(h, Scheduler(cfg))
    h.trust_units()     # levels and groups are the matter of the proofs below


def group(h, cfg):
    """Groups of one word with at least one connection. Returns the unit, a round is given, the group that it is of:
    inside, its connections by query."""
    unit = h.place("unit", Scheduler(cfg))
    owners = Value.cast(unit.i.p.owners)
    h.assume(unit.i.p.last & owners.any())
    take = unit.i.valid & unit.i.ready
    given = unit.o.valid & unit.o.ready
    inside = Signal(name="inside")
    mask = Signal(cfg.block * QUERIES, name="mask")
    behind = Signal(name="behind")      # a group was taken while the last round of the one before waits
    mask_behind = Signal.like(mask)
    with h.m.If(~inside | (given & unit.o.p.last)):
        h.m.d.sync += [inside.eq(take | behind), behind.eq(0), mask.eq(Mux(behind, mask_behind, owners))]
    with h.m.Elif(take):
        h.m.d.sync += [behind.eq(1), mask_behind.eq(owners)]
    rows = [Cat(mask[j * QUERIES + QUERIES - 1 - query] for j in range(cfg.block)) for query in range(QUERIES)]
    return unit, given, inside, rows


@proof("every connection of a group is in exactly one round, and a query idles only when it has none left", size=SIZE,
       cases=WORDS, method="bounded", depth=DEPTH)
def every_connection(h, cfg):
    unit, given, inside, rows = group(h, cfg)
    m = h.m
    h.prove(~unit.o.valid | inside, "no round without a group")
    for query, row in enumerate(rows):
        done = Signal(cfg.block, name=f"done_{query}")
        key = Signal(cfg.key_bits, name=f"computed_{query}")
        now = Signal(cfg.block, name=f"now_{query}")
        live = unit.o.p.live[query]
        m.d.comb += [key.eq(unit.o.p.keys[query]), now.eq(Mux(live, 1 << key, 0))]
        with m.If(given):
            m.d.sync += done.eq(Mux(unit.o.p.last, 0, done | now))
        h.prove(~unit.o.valid | ((now & ~row) == 0), f"query {query} computes connections")
        h.prove(~unit.o.valid | ((now & done) == 0), f"query {query} computes each once")
        h.prove(~unit.o.valid | (live == (row != done)), f"query {query} idles when it has none left")
        h.prove(~(unit.o.valid & unit.o.p.last) | ((row & ~done & ~now) == 0), f"query {query} ends by the last round")
    h.reach(given & unit.o.p.last & rows[0].all() & rows[3].all(), "a group with two rounds")


@proof("wrong: a query computes its keys in ascending order", size=SIZE, cases=WORDS,
       method="bounded", depth=DEPTH, fails="the first key is the first")
def ascending(h, cfg):
    unit, given, _inside, rows = group(h, cfg)
    started = Signal()
    with h.m.If(given):
        h.m.d.sync += started.eq(~unit.o.p.last)
    h.prove(~(unit.o.valid & ~started & rows[0].all()) | (unit.o.p.keys[0] == 0), "the first key is the first")
