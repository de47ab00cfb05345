"""PE: what it hands on along its row."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.executor_pe import ExecutorPe
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(lut=32, tags=16, input_words=2, weight_words=2)
SIZE = "32 instructions, 4 pixels"


@proof("a command goes to the next column a cycle later; the sum of the row moves two cycles after a command and not "
       "otherwise", size=SIZE, method="bounded", depth=12)
def commands(h):
    unit = h.place("unit", ExecutorPe(CFG))
    h.trust_units()
    valid = h.past(unit.drain.valid, "valid")
    h.prove(unit.drain_next.valid == valid, "the command goes on")
    h.prove(~valid | (Value.cast(unit.drain_next) == h.past(unit.drain, "command")), "unchanged")
    moves = h.past(valid, "moves")
    h.prove(moves | (unit.chain == h.past(unit.chain, "before")), "no move without a command")
    h.reach(moves & (unit.chain != h.past(unit.chain, "before_too")), "a move")


@proof("sums without any product since they were drained count as zero, whatever their memory holds", size=SIZE,
       method="bounded", depth=12)
def zeros(h):
    unit = h.place("unit", ExecutorPe(CFG))
    h.trust_units()
    h.assume(~unit.tags_valid)
    moves = h.past(h.past(unit.drain.valid, "valid"), "moves")
    h.prove(~moves | (unit.chain == h.past(unit.chain_in, "chain_in")), "only what comes in")
    h.reach(moves & (unit.chain < 0), "a negative sum")


@proof("wrong: the sum of the row is what comes in, products or not", size=SIZE, depth=20, fails="only what comes in")
def passes(h):
    unit = h.place("unit", ExecutorPe(CFG))
    h.trust_units()
    moves = h.past(h.past(unit.drain.valid, "valid"), "moves")
    h.prove(~moves | (unit.chain == h.past(unit.chain_in, "chain_in")), "only what comes in")
