"""Proofs of the detector: handshake, balanced rows, no weaker connection instead of a stronger one."""

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
DEPTH = 17


def environment(h, unit, cfg):
    """Settings in their ranges, the same in every cycle; the last block where it should be."""
    settings = [h.constant("n_keys", unit.n_keys.shape()), h.constant("keep", unit.keep.shape()),
                h.constant("rows", QUERIES)]
    n_keys, keep, rows = settings
    h.m.d.comb += [unit.n_keys.eq(n_keys), unit.keep.eq(keep), unit.rows.eq(rows)]
    h.assume((n_keys != 0) & (n_keys <= cfg.keys) & (keep != 0) & (keep <= cfg.queue) & (rows != 0))
    block = Signal(range(cfg.keys), name="block_number")
    take = unit.i.valid & unit.i.ready
    h.assume(~unit.i.valid | (unit.i.p.last == ((block + 1) * cfg.block >= n_keys)))
    with h.m.If(take):
        h.m.d.sync += block.eq(Mux(unit.i.p.last, 0, block + 1))
    return n_keys, keep, rows, take


@proof("an offered word stays until it is taken", size=SIZE, cases={"8 bits": (CFG,)})
def handshakes(h, cfg):
    unit = handshake(h, Detector(cfg))
    h.trust_units()
    environment(h, unit, cfg)


@proof("rows have the same number of connections, within limits, and what is left out is not stronger", size=SIZE,
       cases={"8 bits": (WORD,)}, method="bounded", depth=DEPTH)
def selection(h, cfg):
    selects(h, cfg, strict=False)


@proof("wrong: what is left out is weaker", size=SIZE, cases={"8 bits": (WORD,)}, method="bounded", depth=DEPTH,
       fails="query 0 does not prefer key 0 to a stronger key 1")
def strict_selection(h, cfg):
    selects(h, cfg, strict=True)


def selects(h, cfg, strict):
    """Groups of one block: what is chosen, against the definition."""
    unit = h.place("unit", Detector(cfg))
    n_keys, keep, rows, take = environment(h, unit, cfg)
    threshold = h.constant("threshold", signed(cfg.estimate_bits))
    h.m.d.comb += unit.threshold.eq(threshold)
    scores = Signal.like(unit.i.p.scores.as_value(), name="scores")
    with h.m.If(take):
        h.m.d.sync += scores.eq(unit.i.p.scores.as_value())
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
                left_out = chosen[a] & ~chosen[b] & there[b] & unit.o.valid
                stronger = mine[b] >= mine[a] if b < a or (strict and query == 0) else mine[b] > mine[a]
                if a != b:
                    h.prove(~(left_out & stronger), f"query {query} does not prefer key {a} to a stronger key {b}")
            h.prove(~(unit.o.valid & chosen[a]) | (there[a] & rows[query]), f"query {query} and key {a} exist")
    largest = Const(0)
    for query in range(QUERIES):
        largest = held(h, Mux(rows[query] & (strong[query] > largest), strong[query], largest), f"largest_{query}")
    most = Mux(keep < n_keys, keep, n_keys)
    expected = held(h, Mux(largest == 0, 1, Mux(largest > most, most, largest)), "expected")
    for query in range(QUERIES):
        h.prove(~(unit.o.valid & rows[query]) | (counts[query] == expected), f"query {query} has as many as it should")
    h.reach(unit.o.valid & (counts[0] == 1) & (counts[3] == 1) & (n_keys == 2), "one of two keys")
    h.reach(unit.o.valid & (counts[0] == 2) & (strong[0] == 0), "another query decides")


def held(h, value, name):
    """A signal of the value, so that it is seen in a counterexample."""
    signal = Signal(value.shape(), name=name)
    h.m.d.comb += signal.eq(value)
    return signal
