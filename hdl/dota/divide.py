"""Divider: a quotient a cycle, one bit a stage."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Divide"]

#: Widths [bits].
DIVIDEND_BITS, DIVISOR_BITS, WEIGHT_BITS = 16, 24, 15


class Divide(wiring.Component):
    """Pipelined restoring divider [Thesis table C.1, "16 Div"].

    ``o`` is ``dividend / divisor`` in units of 2**-15, rounded to the nearest, halves up, at most 2**15 - 1.

    Latency: ``LATENCY`` = 17 cycles: a stage for each of 16 bits of the quotient, the last of which is the half, and
    one that rounds and clips. Throughput: one a cycle; it never stalls.

    Members
    -------
    dividend : In(16)
        0..2**15, at most ``divisor``: what is left of it stays at most the divisor then, in every stage.
    divisor : In(24)
        At least 1.
    o : Out(15)
    """

    LATENCY = WEIGHT_BITS + 2

    def __init__(self):
        super().__init__({"dividend": In(DIVIDEND_BITS), "divisor": In(DIVISOR_BITS), "o": Out(WEIGHT_BITS)})

    def elaborate(self, platform):
        m = Module()
        rest, divisor, quotient = self.dividend, self.divisor, C(0, 0)
        for stage in range(1, WEIGHT_BITS + 2):
            less = Signal(signed(DIVISOR_BITS + 2), name=f"less_s{stage}")
            fits = Signal(name=f"fits_s{stage}")
            rest_next = Signal(DIVISOR_BITS, name=f"rest_s{stage}")
            # Of 1 after reset, so that 0 comes out until the first operands do.
            divisor_next = Signal(DIVISOR_BITS, init=1, name=f"divisor_s{stage}")
            quotient_next = Signal(stage, name=f"quotient_s{stage}")
            m.d.comb += [less.eq(Cat(C(0, 1), rest) - divisor), fits.eq(~less[-1])]
            m.d.sync += [
                rest_next.eq(Mux(fits, less[:DIVISOR_BITS], Cat(C(0, 1), rest)[:DIVISOR_BITS])),
                divisor_next.eq(divisor),
                quotient_next.eq(Cat(fits, quotient)),
            ]
            rest, divisor, quotient = rest_next, divisor_next, quotient_next

        # The last bit of the quotient is the half. All ones can only be a dividend as large as the divisor.
        nearest = (quotient[1:] + quotient[0])[:WEIGHT_BITS]
        m.d.sync += self.o.eq(Mux(quotient.all(), (1 << WEIGHT_BITS) - 1, nearest))
        return m
