"""Floating-point divider: a bit of the quotient a cycle."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .fp32 import Format, leading_zeros, round_and_pack, take_apart

__all__ = ["Fp32Divide", "operands_layout"]


def operands_layout(bits=32) -> data.StructLayout:
    """Dividend ``a`` and divisor ``b``, bit patterns."""
    return data.StructLayout({"a": bits, "b": bits})


class Fp32Divide(wiring.Component):
    """IEEE 754 divider, one quotient at a time [Thesis 6.4.2, the special function unit of the executor].

    Rounds to the nearest, ties to even. Subnormal operands and results are exact. Every NaN that comes out is
    0x7FC00000; x / 0 is infinite, 0 / 0 no number.

    Latency: ``latency`` = 31 cycles from ``i`` to ``o``, whatever the operands: one to take them, two that bring
    subnormal ones to the front, 26 for the bits of the quotient (24, or 25 if the first is 0, and one to round), one
    that moves a subnormal quotient to its place, one that rounds. Throughput: one in 32 cycles, if ``o`` is taken at
    once.

    Parameters
    ----------
    exponent_bits, fraction_bits : int
        Widths of the format, 2..8 and 2..23. Others than those of single precision are there to be tested whole.

    Members
    -------
    i : In(stream of operands_layout())
    o : Out(stream of 32)
        a / b.

    Raises
    ------
    ValueError
        If a width is out of range.
    """

    def __init__(self, exponent_bits=8, fraction_bits=23):
        self._format = form = Format(exponent_bits, fraction_bits).check()
        super().__init__({
            "i": In(stream.Signature(operands_layout(form.bits))),
            "o": Out(stream.Signature(form.bits)),
        })

    @property
    def latency(self):
        """Cycles from ``i`` to ``o``."""
        return self._format.precision + 7

    def elaborate(self, platform):
        form = self._format
        bits = form.precision
        last = bits + 1  # the number of the last bit of the quotient
        m = Module()

        operand_a = Signal(form.bits)
        operand_b = Signal(form.bits)
        m.d.sync += self.i.ready.eq(0)
        a = take_apart(m, "a", operand_a, form)
        b = take_apart(m, "b", operand_b, form)

        # Exponent of the quotient if its first bit is 1.
        exponent = Signal(signed(form.exponent + 3))
        rest = Signal(bits + 1)
        divisor = Signal(bits)
        quotient = Signal(bits + 2)
        number = Signal(range(bits + 2))

        # The operand that comes to the front in this cycle.
        second = Signal()
        significand = Signal(bits)
        zeros = Signal(range(bits))
        front = Signal(bits)
        m.d.comb += [significand.eq(Mux(second, b.significand, a.significand)), zeros.eq(leading_zeros(significand)),
                     front.eq(significand << zeros)]

        less = Signal(signed(bits + 2))
        fits = Signal()
        m.d.comb += [less.eq(rest - divisor), fits.eq(~less[-1])]

        # A subnormal quotient moves right until its exponent is 1.
        most = (1 << (bits + 2).bit_length()) - 1
        below = Signal(signed(form.exponent + 3))
        shift = Signal(range(most + 1))
        m.d.comb += below.eq(1 - exponent)
        m.d.sync += shift.eq(Mux(below < 0, 0, Mux(below > most, most, below)))
        sticky = Signal()
        first = Mux(quotient[-1], quotient, Cat(C(0, 1), quotient[:-1]))
        moved = Signal(2 * bits + 4)
        m.d.comb += moved.eq(Cat(C(0, bits + 2), first) >> shift)

        field = Signal(form.exponent)
        m.d.comb += field.eq(Mux(quotient[-1], Mux(exponent < 1, 1, Mux(exponent > form.top, form.top, exponent)), 0))
        packed = round_and_pack(m, form, field=field, fraction=quotient[2:-1], guard=quotient[1],
                                sticky=sticky | quotient[0])
        result = Signal(form.bits)
        m.d.comb += result.eq(Cat(packed, a.sign ^ b.sign))
        with m.If(a.is_nan | b.is_nan | (a.is_inf & b.is_inf) | (a.is_zero & b.is_zero)):
            m.d.comb += result.eq(form.nan)
        with m.Elif(a.is_inf | b.is_zero):
            m.d.comb += result[:-1].eq(form.top << form.fraction)
        with m.Elif(a.is_zero | b.is_inf):
            m.d.comb += result[:-1].eq(0)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [operand_a.eq(self.i.p.a), operand_b.eq(self.i.p.b), self.i.ready.eq(1), number.eq(0)]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += self.i.ready.eq(0)
                    m.next = "FRONT_A"
            with m.State("FRONT_A"):
                m.d.sync += [rest.eq(front), exponent.eq(a.exponent - zeros + form.bias)]
                m.next = "FRONT_B"
            with m.State("FRONT_B"):
                m.d.comb += second.eq(1)
                m.d.sync += [divisor.eq(front), exponent.eq(exponent - b.exponent + zeros)]
                m.next = "DIVIDE"
            with m.State("DIVIDE"):
                m.d.sync += [
                    quotient.eq(Cat(fits, quotient)),
                    rest.eq(Cat(C(0, 1), Mux(fits, less[:bits], rest[:bits]))),
                    number.eq(number + 1),
                ]
                with m.If(number == 0):
                    m.d.sync += exponent.eq(exponent - ~fits)
                with m.If(number == last):
                    m.next = "MOVE"
            with m.State("MOVE"):
                m.d.sync += [quotient.eq(moved[bits + 2:]), sticky.eq(moved[:bits + 2].any() | rest.any())]
                m.next = "ROUND"
            with m.State("ROUND"):
                m.d.sync += [self.o.payload.eq(result), self.o.valid.eq(1)]
                m.next = "OFFER"
            with m.State("OFFER"):
                with m.If(self.o.ready):
                    m.d.sync += [self.o.valid.eq(0), self.i.ready.eq(1)]
                    m.next = "IDLE"
        return m
