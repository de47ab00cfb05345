"""Exponential unit: 2**-y from a table with linear interpolation."""

import math

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Exp"]

#: Fraction of y [bits]: the number of a segment, and the place in it.
SEGMENT_BITS, STEP_BITS = 6, 4
#: The result is in units of 2**-UNIT_BITS; the table has GUARD_BITS more.
UNIT_BITS, GUARD_BITS = 15, 4


def _table():
    """(value at its start, how much less at its end) of each segment, lowered by half of the chord's largest error."""
    segments = 1 << SEGMENT_BITS
    one = 2**(UNIT_BITS + GUARD_BITS) * (1 - (math.log(2) / segments)**2 / 16)
    ends = [round(one * 2**(-k / segments)) for k in range(segments + 1)]
    return [(start, start - end) for start, end in zip(ends, ends[1:], strict=False)]


class Exp(wiring.Component):
    """Exponential unit [Thesis table C.1, "16 Exp"]: ``2**-i`` in units of 2**-15, 0..32768.

    Off by at most 0.8 units; see ``golden.dota.exp`` for where they come from.

    Latency: ``LATENCY`` = 3 cycles: (1) table, (2) interpolation, (3) shift by the integer part and rounding.
    Throughput: one a cycle; it never stalls.

    Members
    -------
    i : In(15)
        5 integer and 10 fraction bits.
    o : Out(16)
    """

    LATENCY = 3

    def __init__(self):
        super().__init__({"i": In(15), "o": Out(UNIT_BITS + 1)})

    def elaborate(self, platform):
        m = Module()
        segments = _table()
        base_bits = max(base for base, _drop in segments).bit_length()
        drop_bits = max(drop for _base, drop in segments).bit_length()

        # Stage 1: table.
        base = Signal(base_bits)
        drop = Signal(drop_bits)
        step = Signal(STEP_BITS)
        whole_s2 = Signal(5)
        with m.Switch(self.i[STEP_BITS:STEP_BITS + SEGMENT_BITS]):
            for number, (start, less) in enumerate(segments):
                with m.Case(number):
                    m.d.sync += [base.eq(start), drop.eq(less)]
        m.d.sync += [step.eq(self.i[:STEP_BITS]), whole_s2.eq(self.i[STEP_BITS + SEGMENT_BITS:])]

        # Stage 2: interpolation.
        value = Signal(base_bits)
        whole_s3 = Signal(5)
        m.d.sync += [value.eq(base - ((drop * step) >> STEP_BITS)), whole_s3.eq(whole_s2)]

        # Stage 3: shift and rounding. The guard bits but one are cut off first: that one is the half.
        near = Signal(base_bits - GUARD_BITS + 1)
        m.d.comb += near.eq(value[GUARD_BITS - 1:] >> whole_s3)
        m.d.sync += self.o.eq(near[1:] + near[0])
        return m
