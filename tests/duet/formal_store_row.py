"""Row of the store: every value is the definition's, for every sum, bias and shift."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.store_row import StoreRow
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4)


def environment(h):
    """One row whose settings do not change, and the exact value of the sum of three cycles ago, clipped."""
    unit = h.place("unit", StoreRow(CFG))
    shift, bias = h.constant("shift", 5), h.constant("bias", signed(32))
    h.assume((unit.shift == shift) & (unit.bias == bias) & unit.on & (unit.sensitive == 0b1111))
    h.assume(~unit.load | ~unit.empty)
    exact = Signal(signed(66))
    kept = Signal(signed(66))
    h.m.d.comb += [exact.eq((unit.sum + bias + ((C(1, 32) << shift) >> 1)) >> shift),
                   kept.eq(Mux(unit.relu & (exact < 0), 0, exact))]
    return unit, kept


@proof("a value is the rounded sum with the bias, clipped; 0 if negative and asked for; the flag says what was clipped",
       size="32-bit sums", method="bounded", depth=6)
def definition(h):
    unit, kept = environment(h)
    relu = h.constant("relu")
    h.assume((unit.relu == relu) & (unit.take_s2 == 1) & unit.load)
    high = kept > 32767
    low = kept < -32768
    value = Signal(16)
    h.m.d.comb += value.eq(Mux(high, 32767, Mux(low, 0x8000, kept[:16])))
    for k in range(unit.LATENCY):
        value, high, low = h.past(value, f"value_{k}"), h.past(high, f"high_{k}"), h.past(low, f"low_{k}")
    there = C(1, 1)
    for k in range(unit.LATENCY + 1):
        there = h.past(there, f"there_{k}")
    h.prove(~there | (unit.values[0] == h.past(value, "value")), "the definition")
    h.prove(~there | (h.past(unit.clipped, "clipped") == h.past(high | low, "clip")), "the flag")
    h.reach(there & (unit.values[0] == 0xFFFF), "a small negative value")


@proof("wrong: halves are rounded down", size="32-bit sums", fails="half becomes 0")
def half_down(h):
    unit, _kept = environment(h)
    h.assume((unit.sum == 1) & (unit.bias == 0) & (unit.shift == 1) & ~unit.relu & (unit.take_s2 == 1) & unit.load)
    there = C(1, 1)
    for k in range(unit.LATENCY + 1):
        there = h.past(there, f"there_{k}")
    h.prove(~there | (unit.values[0] == 0), "half becomes 0")
