"""A row of the store: sums of a channel become values, and wait until they are written."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SUM_BITS, VALUE_BITS
from hdl.common.fixed import saturate, shift_and_half

from .layouts import check_cfg

__all__ = ["StoreRow"]


class StoreRow(wiring.Component):
    """Arithmetic and registers of a row of the store [Thesis 5.1.2]: ``clip(relu(round((sum + bias) / 2**shift)))``.

    Halves are rounded up; the sum, which wrapped in the PEs, and the bias add up without a carry lost. Two registers
    for every pixel: one collects, the other holds what is written meanwhile.

    Latency: ``LATENCY`` = 3 cycles from ``sum`` to the register that collects: (1) bias, (2) shift, (3) rounding.
    Throughput: one sum a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    sum : In(signed(32))
        Of a pixel.
    take_s2 : In(cfg.pixels)
        One-hot: the pixel of the sum of two cycles ago, if there was one.
    shift, relu : In
        Of the job; negative results become 0.
    on, channel, bias, sensitive : In
        The row's part of the group that is collected; of ``sensitive`` a bit a pixel, the others become 0.
    load, empty : In(1)
        What was collected goes on, or zeros do; ``channel`` goes with it.
    clipped : Out(1)
        The value of three cycles ago was clipped.
    values : Out(16), cfg.pixels of them
        What went on.
    o_channel : Out(16)
    """

    LATENCY = 3

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "sum": In(signed(SUM_BITS)), "take_s2": In(cfg.pixels),
            "shift": In(5), "relu": In(1),
            "on": In(1), "channel": In(16), "bias": In(signed(SUM_BITS)), "sensitive": In(cfg.pixels),
            "load": In(1), "empty": In(1),
            "clipped": Out(1), "values": Out(data.ArrayLayout(VALUE_BITS, cfg.pixels)), "o_channel": Out(16),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()

        # Stage 1: bias.
        total = Signal(signed(SUM_BITS + 1))
        m.d.sync += total.eq(self.sum + self.bias)

        # Stage 2: shift.
        shifted = Signal(signed(SUM_BITS + 1))
        half = Signal()
        m.d.sync += Cat(shifted, half).eq(Cat(*shift_and_half(total, self.shift)))

        # Stage 3: round and clip. What is beyond one more bit is clipped whatever the half adds: the adder is short.
        near = Signal(signed(VALUE_BITS + 1))
        rounded = Signal(signed(VALUE_BITS + 2))
        zero = Signal()
        m.d.comb += [
            near.eq(saturate(shifted, VALUE_BITS + 1)[0]),
            rounded.eq(near + half),
            zero.eq((self.relu & rounded[-1]) | ~(self.take_s2 & self.sensitive).any()),
        ]
        kept, overflowed = saturate(rounded, VALUE_BITS)
        value = Signal(VALUE_BITS)
        m.d.comb += value.eq(Mux(zero, 0, kept))
        m.d.sync += self.clipped.eq(overflowed & ~zero & self.on)

        for pixel in range(cfg.pixels):
            collected = Signal(VALUE_BITS, name=f"collected_{pixel}")
            with m.If(self.take_s2[pixel]):
                m.d.sync += collected.eq(value)
            with m.If(self.load):
                m.d.sync += self.values[pixel].eq(Mux(self.empty, 0, collected))
        with m.If(self.load):
            m.d.sync += self.o_channel.eq(self.channel)
        return m
