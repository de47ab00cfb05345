"""Multi-function unit: every code of ReLU is the definition's, and all functions are monotone."""

from amaranth import *

from golden.duet.config import DuetConfig
from golden.duet.formats import Function
from hdl.duet.mfu import Mfu
from sim.common.formal import proof

CFG = DuetConfig(columns=2)
SIZE = "2 lanes"


def environment(h):
    """Always a step; the job's fields stay. Both sums of three cycles ago."""
    unit = h.place("unit", Mfu(CFG))
    function, low_shift = h.constant("activation", 2), h.constant("low_shift", 5)
    h.m.d.comb += [unit.advance.eq(1), unit.activation.eq(function), unit.low_shift.eq(low_shift)]
    sums = []
    for lane in range(2):
        value = unit.i[lane]
        for step in range(Mfu.LATENCY):
            value = h.past(value, f"sum_{lane}_s{step + 1}")
        sums.append(value)
    return unit, function, low_shift, sums


@proof("the code of ReLU is y' / 2**low_shift, rounded with halves up, within 0..15", size=SIZE,
       method="induction", depth=5)
def relu(h):
    unit, function, low_shift, sums = environment(h)
    exact = Signal(signed(34))
    h.m.d.comb += exact.eq((sums[0].as_signed() + ((C(1, 32) << low_shift) >> 1).as_unsigned()) >> low_shift)
    counts = unit.o_valid & (function == Function.RELU)
    h.prove(~counts | (unit.o[0] == Mux(exact < 0, 0, Mux(exact > 15, 15, exact))), "rounded and saturated")
    h.reach(counts & (unit.o[0] == 7) & (low_shift == 9), "a code between")


@proof("a larger sum never has a smaller code, and codes of tanh lie within -7..7 (shift by {})", size=SIZE,
       cases={"shift 0": (0,), "shift 9": (9,)}, method="induction", depth=5)
def monotone(h, shift):
    unit, function, low_shift, sums = environment(h)
    h.assume(low_shift == shift)
    tanh = function == Function.TANH
    codes = [Mux(tanh, unit.o[lane].as_signed(), unit.o[lane]) for lane in range(2)]
    grows = unit.o_valid & (sums[0].as_signed() <= sums[1].as_signed())
    h.prove(~grows | (codes[0] <= codes[1]), "monotone")
    h.prove(~(unit.o_valid & tanh) | (unit.o[0] != 8), "never -8")
    h.reach(grows & tanh & (codes[0] == -7) & (codes[1] == 7), "the whole range")


@proof("wrong: the code of sigmoid is never odd", size=SIZE, fails="even codes")
def even(h):
    unit, function, _low_shift, _sums = environment(h)
    h.prove(~(unit.o_valid & (function == Function.SIGMOID)) | ~unit.o[0][0], "even codes")
