"""Dequantizer: codes of the Speculator become values of 16 bits."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, VALUE_BITS
from hdl.common.fixed import saturate

from .layouts import check_cfg

__all__ = ["Dequantizer"]


class Dequantizer(wiring.Component):
    """Multiplies codes by the scale, and clips [Thesis 5.1.1, step 4]: ``o = clip(code * scale)``.

    Latency: ``LATENCY`` = 2 cycles in which ``advance`` is 1: halves of the product; their sum, clipped. Throughput:
    ``columns`` codes a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    advance : In(1)
        Else nothing moves.
    i_valid, i : In
        Codes, [cfg.columns].
    is_signed : In(1)
        The codes of this cycle are two's complement, as those of TANH; else 0..15.
    scale : In(16)
        Value of code 1, for the codes of this cycle.
    o_valid, o : Out
        Values, [cfg.columns], signed.
    """

    LATENCY = 2

    def __init__(self, cfg):
        self._lanes = check_cfg(cfg).columns
        super().__init__({
            "advance": In(1),
            "i_valid": In(1), "i": In(data.ArrayLayout(LOW_BITS, self._lanes)),
            "is_signed": In(1), "scale": In(VALUE_BITS),
            "o_valid": Out(1), "o": Out(data.ArrayLayout(signed(VALUE_BITS), self._lanes)),
        })

    def elaborate(self, platform):
        m = Module()
        valid_s2 = Signal()
        with m.If(self.advance):
            m.d.sync += [valid_s2.eq(self.i_valid), self.o_valid.eq(valid_s2)]
        for k in range(self._lanes):
            # Two bits of the code each: the highest one counts -8 if the code is signed.
            low_s2 = Signal(VALUE_BITS + 2, name=f"low_{k}_s2", reset_less=True)
            high_s2 = Signal(signed(VALUE_BITS + 3), name=f"high_{k}_s2", reset_less=True)
            twice = Signal(signed(VALUE_BITS + 2), name=f"twice_{k}")
            product = Signal(signed(VALUE_BITS + LOW_BITS + 1), name=f"product_{k}")
            bits = [Mux(self.i[k][bit], self.scale, 0) for bit in range(LOW_BITS)]
            m.d.comb += [twice.eq(bits[3] << 1), product.eq(low_s2 + (high_s2 << 2))]
            with m.If(self.advance):
                m.d.sync += [low_s2.eq(bits[0] + (bits[1] << 1)),
                             high_s2.eq(bits[2] + Mux(self.is_signed, -twice, twice)),
                             self.o[k].eq(saturate(product, VALUE_BITS)[0])]
        return m
