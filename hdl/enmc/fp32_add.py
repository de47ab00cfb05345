"""Floating-point adder: a sum a cycle."""

from amaranth import *

from golden.enmc.formats import ADD_LATENCY

from .fp32 import Pipeline, leading_zeros, round_and_pack, take_apart, trailing_zeros

__all__ = ["Fp32Add"]


class Fp32Add(Pipeline):
    """IEEE 754 adder [Thesis 6.4.2, the FP32 MACs of the executor].

    x + (-x) is +0. Parameters, members, rounding: see ``Pipeline``.

    Latency: ``LATENCY`` = 4 cycles: (1) comparing and swapping, (2) moving the smaller one to the places of the larger
    one, (3) the sum and its leading zeros, (4) moving it to the front, rounding.
    """

    LATENCY = ADD_LATENCY

    def elaborate(self, platform):
        form = self._format
        bits = form.precision
        # Three places below the last one are enough: guard, one that may move up to it, and whether more is set.
        wide = bits + 3
        m = Module()
        a = take_apart(m, "a", self.a, form)
        b = take_apart(m, "b", self.b, form)

        # Stage 1. Differences both ways, while it is found out which is needed.
        swap = Signal()
        m.d.comb += swap.eq(self.a[:-1] < self.b[:-1])
        difference_ab = Signal(form.exponent)
        difference_ba = Signal(form.exponent)
        m.d.comb += [difference_ab.eq(a.exponent - b.exponent), difference_ba.eq(b.exponent - a.exponent)]
        sign_s1 = Signal()
        subtract_s1 = Signal()
        nan_s1 = Signal()
        inf_s1 = Signal()
        exponent_s1 = Signal(form.exponent)
        larger_s1 = Signal(bits)
        smaller_s1 = Signal(bits)
        distance_s1 = Signal(form.exponent)
        m.d.sync += [
            sign_s1.eq(Mux(swap, b.sign, a.sign)),
            subtract_s1.eq(a.sign ^ b.sign),
            nan_s1.eq(a.is_nan | b.is_nan | (a.is_inf & b.is_inf & (a.sign ^ b.sign))),
            inf_s1.eq(a.is_inf | b.is_inf),
            exponent_s1.eq(Mux(swap, b.exponent, a.exponent)),
            larger_s1.eq(Mux(swap, b.significand, a.significand)),
            smaller_s1.eq(Mux(swap, a.significand, b.significand)),
            distance_s1.eq(Mux(swap, difference_ba, difference_ab)),
        ]

        # Stage 2.
        most = (1 << wide.bit_length()) - 1
        shift = Signal(range(most + 1))
        moved = Signal(wide)
        sticky = Signal()
        m.d.comb += [
            shift.eq(Mux(distance_s1 > most, most, distance_s1)),
            moved.eq(Cat(C(0, 3), smaller_s1) >> shift),
            sticky.eq(smaller_s1.any() & (trailing_zeros(smaller_s1) + 3 < shift)),
        ]
        larger_s2 = Signal(bits)
        addend_s2 = Signal(wide)
        exponent_s2 = Signal(form.exponent)
        special_s2 = Signal(4)
        m.d.sync += [
            larger_s2.eq(larger_s1),
            addend_s2.eq(Cat(moved[0] | sticky, moved[1:]) ^ subtract_s1.replicate(wide)),
            exponent_s2.eq(exponent_s1),
            special_s2.eq(Cat(sign_s1, subtract_s1, nan_s1, inf_s1)),
        ]

        # Stage 3. The mark is where the exponent would become 1: the sum moves no further, it is subnormal then.
        subtract_s2 = special_s2[1]
        total = Signal(wide + 1)
        marked = Signal(wide + 1)
        m.d.comb += [
            total.eq((Cat(C(0, 3), larger_s2) + addend_s2 + subtract_s2)
                     ^ Cat(C(0, wide), subtract_s2)),
            marked.eq(total | Cat(exponent_s2 == wide - place for place in range(wide + 1))),
        ]
        total_s3 = Signal(wide + 1)
        shift_s3 = Signal(range(wide + 1))
        exponent_s3 = Signal(form.exponent)
        special_s3 = Signal(4)
        m.d.sync += [total_s3.eq(total), shift_s3.eq(leading_zeros(marked)), exponent_s3.eq(exponent_s2),
                     special_s3.eq(special_s2)]
        sign_s3, subtract_s3, nan_s3, inf_s3 = special_s3

        # Stage 4.
        front = Signal(wide + 1)
        exponent = Signal(form.exponent)
        m.d.comb += [front.eq(total_s3 << shift_s3), exponent.eq(exponent_s3 + 1 - shift_s3)]
        packed = round_and_pack(m, form, field=exponent & front[-1].replicate(form.exponent), fraction=front[4:-1],
                                guard=front[3], sticky=front[:3].any())
        with m.If(nan_s3):
            m.d.sync += self.o.eq(form.nan)
        with m.Else():
            m.d.sync += self.o.eq(Cat(Mux(inf_s3, form.top << form.fraction, packed),
                                      sign_s3 & ~(subtract_s3 & ~total_s3.any() & ~inf_s3)))
        return m
