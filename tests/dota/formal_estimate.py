"""Proofs of the estimate unit: words arrive when they were asked for, results are written where they were read."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import SRAM_LATENCY, Precision, Step
from hdl.dota.estimate import Estimate
from sim.common.formal import proof

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4, estimate_bits=8)
#: Rows of a block lie in two words.
TALL = DotaConfig(lanes=1, rows=16, columns=4, bank_words=4, keys=8, queue=4, estimate_bits=8)
CASES = {"a row a word": (CFG,), "four rows a word": (TALL,)}
SIZE = "words of {0.word_bits} bits, blocks of {0.block} rows"


def environment(h, unit):
    """A step lies still; it has words, rows and blocks; it starts when the unit is done with the last one."""
    step = h.constant("chosen", unit.step.shape())
    h.m.d.comb += unit.step.eq(step)
    h.assume((step.queries != 0) & (step.low_words != 0) & (step.blocks != 0) & (step.keys != 0))
    h.assume(step.z_stride != 0)
    h.assume((step.precision != Precision.FX16) & (step.out_precision != Precision.FX16))
    h.assume(~unit.start | (~unit.busy & (step.step != Step.LINEAR)))
    return step


def past(h, value, cycles, name):
    for n in range(cycles):
        value = h.past(value, f"{name}_{n + 1}")
    return value


@proof("a word arrives for the array two cycles after its read, for one purpose; an idle unit rests", size=SIZE,
       depth=28, cases=CASES)
def arrivals(h, cfg):
    unit = h.place("unit", Estimate(cfg))
    environment(h, unit)
    a, port = unit.arrival, unit.port
    arrives = a.loads | a.streams
    h.prove(~arrives | past(h, port.en & ~port.write, SRAM_LATENCY, "read"), "what arrives was read")
    h.prove(~(a.loads & a.streams), "one purpose")
    h.prove(~a.fire | a.streams, "only what streams fires")
    h.prove(unit.busy | ~port.en, "an idle unit rests")
    h.reach(a.fire & (a.word != 0), "a fire of several words")
    h.reach(a.loads & (a.slot == 3), "all four slots")


@proof("sums go to the quantiser five cycles after their fire; estimates are offered only in attention", size=SIZE,
       cases=CASES)
def sums(h, cfg):
    unit = h.place("unit", Estimate(cfg))
    step = environment(h, unit)
    h.prove(~unit.quantize | past(h, unit.arrival.fire, 5, "fired"), "sums follow a fire")
    h.prove(~unit.o_valid | (step.step != Step.LOW), "no estimates of a transformation")
    h.prove(~unit.o_valid | unit.sums_valid, "estimates are sums")
    h.reach(unit.quantize, "sums are there")
    h.reach(past(h, unit.quantize, 2, "quantized") & unit.o_last & unit.o_valid, "the last ones")


@proof("a result is written two cycles after the read of its word, and to the same address", size=SIZE, cases=CASES,
       method="bounded", depth=26)
def same_word(h, cfg):
    results(h, cfg, SRAM_LATENCY)


@proof("wrong: a result is written three cycles after the read of its word", size=SIZE, depth=26,
       cases={"a row a word": (CFG,)}, fails="its word was read")
def late_word(h, cfg):
    results(h, cfg, SRAM_LATENCY + 1)


def results(h, cfg, cycles):
    unit = h.place("unit", Estimate(cfg))
    step = environment(h, unit)
    port = unit.port
    writes = port.en & port.write
    h.prove(~writes | (step.step == Step.LOW), "estimates are not written")
    h.prove(~writes | past(h, port.en & ~port.write, cycles, "read"), "its word was read")
    if cycles == SRAM_LATENCY:
        h.prove(~writes | (past(h, port.addr, cycles, "addr") == port.addr), "it is the same word")
    h.reach(writes, "a result")
