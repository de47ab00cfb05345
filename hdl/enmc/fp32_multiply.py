"""Floating-point multiplier: a product a cycle."""

from amaranth import *

from golden.enmc.formats import MULTIPLY_LATENCY

from .fp32 import Pipeline, leading_zeros, round_and_pack, take_apart, trailing_zeros

__all__ = ["Fp32Multiply"]

#: Bits of the distance by which the last stage moves the product; the stage before it takes the others.
FINE = 3


class Fp32Multiply(Pipeline):
    """IEEE 754 multiplier [Thesis 6.4.2, the FP32 MACs of the executor].

    Parameters, members, rounding: see ``Pipeline``.

    Latency: ``LATENCY`` = 3 cycles: (1) the products of the first significand with both halves of the second one,
    (2) their sum, moved by a multiple of 8, (3) moving it further, rounding.
    """

    LATENCY = MULTIPLY_LATENCY

    def elaborate(self, platform):
        form = self._format
        bits = form.precision
        m = Module()
        a = take_apart(m, "a", self.a, form)
        b = take_apart(m, "b", self.b, form)

        # Stage 1. If both are subnormal the product is so small that the zeros in front of it do not count.
        half = bits // 2
        low_s1 = Signal(bits + half)
        high_s1 = Signal(2 * bits - half)
        exponent_s1 = Signal(form.exponent + 1)
        lesser = Signal(bits)
        leading_s1 = Signal(range(bits))
        trailing_s1 = Signal(range(2 * bits))
        m.d.comb += lesser.eq(Mux(a.significand[-1], b.significand, a.significand))
        m.d.sync += [
            low_s1.eq(a.significand * b.significand[:half]),
            high_s1.eq(a.significand * b.significand[half:]),
            exponent_s1.eq(a.exponent + b.exponent),
            leading_s1.eq(leading_zeros(lesser)),
            trailing_s1.eq(trailing_zeros(a.significand) + trailing_zeros(b.significand)),
        ]
        sign_s1, nan_s1, inf_s1, zero_s1 = self._special(m, a, b)

        # Stage 2. The exponent without the zeros, of which there are as many in front of the product as of the operand.
        # Where it is below 1 the number is subnormal: it moves right instead, and its exponent is 1.
        product = Signal(2 * bits)
        moved_s2 = Signal(min(bits + 2 + (1 << FINE) - 1, 2 * bits + 1))
        exponent = Signal(signed(form.exponent + 3))
        above = Signal(signed(form.exponent + 3))
        is_normal = Signal()
        right = Signal(signed(form.exponent + 3))
        most = (1 << (2 * bits + 1).bit_length()) - 1
        shift = Signal(range(most + 1))
        fine_s2 = Signal(FINE)
        sticky_s2 = Signal()
        field_s2 = Signal(form.exponent)
        field_up_s2 = Signal(form.exponent)
        m.d.comb += [
            exponent.eq(exponent_s1 - form.bias),
            above.eq(exponent - leading_s1),
            is_normal.eq(above > 0),
            right.eq(bits - exponent),
            shift.eq(Mux(is_normal, bits - 1 - leading_s1, Mux(right > most, most, right))),
            product.eq(low_s1 + (high_s1 << half)),
        ]
        m.d.sync += [
            moved_s2.eq(Cat(C(0, 1), product) >> Cat(C(0, FINE), shift[FINE:])),
            fine_s2.eq(shift[:FINE]),
            # A product has as many trailing zeros as both operands together: whether anything is lost is known early.
            sticky_s2.eq(trailing_s1 + 1 < shift),
            field_s2.eq(Mux(is_normal, Mux(above >= form.top, form.top, above), 1)),
            field_up_s2.eq(Mux(is_normal, Mux(above >= form.top - 1, form.top, above + 1), 2)),
        ]
        special_s2 = Signal(4)
        m.d.sync += special_s2.eq(Cat(sign_s1, nan_s1, inf_s1, zero_s1))
        sign_s2, nan_s2, inf_s2, zero_s2 = special_s2

        # Stage 3. The product is at most two places in front of the point.
        window = Signal(bits + 2)
        above_two = Signal()
        m.d.comb += [window.eq(moved_s2 >> fine_s2), above_two.eq(window[-1])]
        fraction = Signal(form.fraction)
        field = Signal(form.exponent)
        m.d.comb += [
            fraction.eq(Mux(above_two, window[2:-1], window[1:-2])),
            field.eq(Mux(above_two, field_up_s2, Mux(window[-2], field_s2, 0))),
        ]
        packed = round_and_pack(m, form, field=field, fraction=fraction, guard=Mux(above_two, window[1], window[0]),
                                sticky=sticky_s2 | (above_two & window[0]))
        with m.If(nan_s2):
            m.d.sync += self.o.eq(form.nan)
        with m.Else():
            m.d.sync += self.o.eq(Cat(Mux(inf_s2, form.top << form.fraction, Mux(zero_s2, 0, packed)), sign_s2))
        return m

    def _special(self, m, a, b):
        """What does not follow from the significands."""
        sign_s1 = Signal()
        nan_s1 = Signal()
        inf_s1 = Signal()
        zero_s1 = Signal()
        m.d.sync += [
            sign_s1.eq(a.sign ^ b.sign),
            nan_s1.eq(a.is_nan | b.is_nan | (a.is_inf & b.is_zero) | (a.is_zero & b.is_inf)),
            inf_s1.eq(a.is_inf | b.is_inf),
            zero_s1.eq(a.is_zero | b.is_zero),
        ]
        return sign_s1, nan_s1, inf_s1, zero_s1
