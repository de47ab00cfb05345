"""Quantiser: shift, round, clip; wide sums become elements again."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.fixed import saturate, shift_and_half

__all__ = ["Quantize"]


class Quantize(wiring.Component):
    """Quantiser of several numbers at a time [Thesis 7.6.1, Fig. 7.12, "(De)Quantization"].

    Each number is ``clip(relu(round(i / 2**shift)))``; halves are rounded up.

    Latency: ``LATENCY`` = 2 cycles from ``i`` to ``o``. Throughput: ``n`` numbers a cycle; it never stalls.

    Parameters
    ----------
    n : int
        Numbers at a time, at least 1.
    in_bits, out_bits : int
        Widths [bits], two's complement, 2..64.

    Members
    -------
    i_valid, i : In
        Numbers, [n].
    shift, relu : In
        For the numbers of this cycle: right shift, 0..63, also beyond ``in_bits``; negative results become 0.
    o_valid, o : Out
        Results, [n].
    saturated : Out(1)
        At least one of the results of the cycle before was clipped.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    """

    LATENCY = 2

    def __init__(self, n, in_bits, out_bits):
        for name, value, low, high in ("n", n, 1, 1024), ("in_bits", in_bits, 2, 64), ("out_bits", out_bits, 2, 64):
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name} must be an integer in {low}..{high}, not {value!r}")
        self._n, self._in_bits, self._out_bits = n, in_bits, out_bits
        super().__init__({
            "i_valid": In(1), "i": In(data.ArrayLayout(signed(in_bits), n)),
            "shift": In(6),
            "relu": In(1),
            "o_valid": Out(1), "o": Out(data.ArrayLayout(signed(out_bits), n)),
            "saturated": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        valid_s2 = Signal()
        relu_s2 = Signal()
        clipped = Signal(self._n)
        m.d.sync += [valid_s2.eq(self.i_valid), relu_s2.eq(self.relu), self.o_valid.eq(valid_s2)]
        name = f"dota_quantize_{self._in_bits}_{self._out_bits}"
        for k in range(self._n):
            m.submodules[f"one_{k}"] = one = unit(platform, _One(self._in_bits, self._out_bits), name=name)
            m.d.comb += [one.i.eq(self.i[k]), one.shift.eq(self.shift), one.relu_s2.eq(relu_s2),
                         self.o[k].eq(one.o), clipped[k].eq(one.clipped)]
        m.d.sync += self.saturated.eq(self.o_valid & clipped.any())
        return m


class _One(wiring.Component):
    """One number: ``o`` and ``clipped`` 2 cycles after ``i``, ``relu_s2`` 1 cycle after it."""

    def __init__(self, in_bits, out_bits):
        self._in_bits, self._out_bits = in_bits, out_bits
        super().__init__({"i": In(signed(in_bits)), "shift": In(6), "relu_s2": In(1),
                          "o": Out(signed(out_bits)), "clipped": Out(1)})

    def elaborate(self, platform):
        bits = self._out_bits
        m = Module()
        # Stage 1: shift.
        shifted = Signal(signed(self._in_bits))
        half = Signal()
        m.d.sync += Cat(shifted, half).eq(Cat(*shift_and_half(self.i, self.shift)))

        # Stage 2: round and clip. What is beyond one more bit is clipped whatever the half adds: the adder is short.
        near = Signal(signed(bits + 1))
        rounded = Signal(signed(bits + 2))
        zero = Signal()
        m.d.comb += [
            near.eq(saturate(shifted, bits + 1)[0]),
            rounded.eq(near + half),
            zero.eq(self.relu_s2 & rounded[-1]),
        ]
        kept, overflowed = saturate(rounded, bits)
        m.d.sync += [self.o.eq(Mux(zero, 0, kept)), self.clipped.eq(overflowed & ~zero)]
        return m
