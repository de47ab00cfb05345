"""Proofs of the detector: handshake, order, balanced rows, no weaker connection instead of a stronger one."""

from typing import NamedTuple

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES
from hdl.dota.detector import Detector
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4, estimate_bits=8)
#: A group is one block.
WORD = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=2, queue=4, estimate_bits=8)
SIZE = "{0.keys} keys, scores of {0.estimate_bits} bits"
#: One group comes to its mask in 15 cycles, a second one 10 later.
ONE, TWO = 17, 27


class Groups(NamedTuple):
    """What is offered: settings, and ``rows`` of the groups in turns."""

    n_keys: Value
    keep: Value
    rows: list
    take: Value         # a block
    arrived: Signal     # of the last block that is taken: which of the two
    leaving: Signal     # of the word that is offered


def environment(h, unit, cfg):
    """Settings in their ranges, the same in every cycle; other rows in each group; the last block in its place."""
    rows = [h.constant(f"rows_{n}", QUERIES) for n in range(2)]
    n_keys, keep = h.constant("n_keys", unit.n_keys.shape()), h.constant("keep", unit.keep.shape())
    take = unit.i.valid & unit.i.ready
    arrived, leaving = Signal(name="arrived"), Signal(name="leaving")
    h.m.d.comb += [unit.n_keys.eq(n_keys), unit.keep.eq(keep), unit.rows.eq(Mux(arrived, rows[1], rows[0]))]
    h.assume((n_keys != 0) & (n_keys <= cfg.keys) & (keep != 0) & (keep <= cfg.queue) & (rows[0] != 0) & (rows[1] != 0))
    block = Signal(range(cfg.keys), name="block_number")
    h.assume(~unit.i.valid | (unit.i.p.last == ((block + 1) * cfg.block >= n_keys)))
    with h.m.If(take):
        h.m.d.sync += [block.eq(Mux(unit.i.p.last, 0, block + 1)), arrived.eq(arrived ^ unit.i.p.last)]
    with h.m.If(unit.o.valid & unit.o.ready):
        h.m.d.sync += leaving.eq(leaving ^ unit.o.p.last)
    return Groups(n_keys, keep, rows, take, arrived, leaving)


@proof("an offered word stays until it is taken", size=SIZE, cases={"8 bits": (CFG,)})
def handshakes(h, cfg):
    unit = handshake(h, Detector(cfg))
    h.trust_units()
    environment(h, unit, cfg)


@proof("masks come from groups that are complete, a word a block; two groups at most are inside; scores are never read "
       "where others arrive", size=SIZE, cases={"8 bits": (CFG,)})
def order(h, cfg):
    unit = h.place("unit", Detector(cfg))
    groups = environment(h, unit, cfg)
    inside = Signal(range(4), name="inside")
    word = Signal(range(cfg.keys), name="word_number")
    given = unit.o.valid & unit.o.ready
    h.m.d.sync += inside.eq(inside + (groups.take & unit.i.p.last) - (given & unit.o.p.last))
    with h.m.If(given):
        h.m.d.sync += word.eq(Mux(unit.o.p.last, 0, word + 1))
    h.prove(inside <= 2, "two groups at most")
    h.prove((inside < 2) | ~unit.i.ready, "no room for a third")
    h.prove(~unit.o.valid | (inside != 0), "a mask has a group")
    h.prove(~unit.o.valid | (unit.o.p.last == ((word + 1) * cfg.block >= groups.n_keys)), "a word a block")
    h.prove((inside == 0) | unit.busy, "busy while a group is inside")
    h.reach((inside == 1) & groups.take & given, "one comes while another leaves")
    h.reach((inside == 2) & given, "two complete groups")


@proof("rows have the same number of connections, within limits, and what is left out is not stronger", size=SIZE,
       cases={"8 bits": (WORD,)}, method="bounded", depth=ONE)
def selection(h, cfg):
    selects(h, cfg)


@proof("the same for the second of two groups that follow each other without a pause, whose rows are others", size=SIZE,
       cases={"8 bits": (WORD,)}, method="bounded", depth=TWO)
def overlap(h, cfg):
    selects(h, cfg, in_a_row=True)


@proof("wrong: what is left out is weaker", size=SIZE, cases={"8 bits": (WORD,)}, method="bounded", depth=ONE,
       fails="query 0 does not prefer key 0 to a stronger key 1")
def strict_selection(h, cfg):
    selects(h, cfg, strict=True)


def selects(h, cfg, strict=False, in_a_row=False):
    """Groups of one block: what is chosen, against the definition; only of the second if it is about two in a row."""
    unit = h.place("unit", Detector(cfg))
    h.trust_units()
    n_keys, keep, both, take, arrived, leaving = environment(h, unit, cfg)
    shown = held(h, unit.o.valid, "shown")
    if in_a_row:
        h.assume(unit.i.valid & unit.o.ready)
        shown = held(h, unit.o.valid & leaving, "shown_second")
    threshold = h.constant("threshold", signed(cfg.estimate_bits))
    h.m.d.comb += unit.threshold.eq(threshold)
    taken = [Signal.like(unit.i.p.scores.as_value(), name=f"scores_{n}") for n in range(2)]
    for n in range(2):
        with h.m.If(take & (arrived == n)):
            h.m.d.sync += taken[n].eq(unit.i.p.scores.as_value())
    scores = held(h, Mux(leaving, taken[1], taken[0]), "scores")
    rows = held(h, Mux(leaving, both[1], both[0]), "rows")
    owners = Value.cast(unit.o.p.owners)
    there = [n_keys > j for j in range(cfg.block)]
    counts, strong = [], []
    for query in range(QUERIES):
        mine = [scores.word_select(j * QUERIES + query, cfg.estimate_bits).as_signed() for j in range(cfg.block)]
        chosen = [owners[j * QUERIES + QUERIES - 1 - query] for j in range(cfg.block)]
        counts.append(held(h, sum(chosen), f"chosen_{query}"))
        strong.append(held(h, sum((score >= threshold) & here for score, here in zip(mine, there, strict=True)),
                           f"strong_{query}"))
        for a in range(cfg.block):
            for b in range(cfg.block):
                left_out = chosen[a] & ~chosen[b] & there[b] & shown
                stronger = mine[b] >= mine[a] if b < a or (strict and query == 0) else mine[b] > mine[a]
                if a != b:
                    h.prove(~(left_out & stronger), f"query {query} does not prefer key {a} to a stronger key {b}")
            h.prove(~(shown & chosen[a]) | (there[a] & rows[query]), f"query {query} and key {a} exist")
    largest = Const(0)
    for query in range(QUERIES):
        largest = held(h, Mux(rows[query] & (strong[query] > largest), strong[query], largest), f"largest_{query}")
    most = Mux(keep < n_keys, keep, n_keys)
    expected = held(h, Mux(largest == 0, 1, Mux(largest > most, most, largest)), "expected")
    for query in range(QUERIES):
        h.prove(~(shown & rows[query]) | (counts[query] == expected), f"query {query} has as many as it should")
    h.reach(shown & (counts[0] == 1) & (counts[3] == 1) & (n_keys == 2), "one of two keys")
    h.reach(shown & (counts[0] == 2) & (strong[0] == 0), "another query decides")


def held(h, value, name):
    """A signal of the value, so that it is seen in a counterexample."""
    signal = Signal(value.shape(), name=name)
    h.m.d.comb += signal.eq(value)
    return signal
