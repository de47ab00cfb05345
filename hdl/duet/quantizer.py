"""Quantizer: INT16 becomes INT4."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, VALUE_BITS

from .layouts import check_cfg

__all__ = ["Quantizer"]


class Quantizer(wiring.Component):
    """Keeps the four most significant bits of each value [Thesis 5.1.1, step 1]: the scale grows by 4,096.

    Latency: ``LATENCY`` = 1 cycle. Throughput: a word a cycle; it never stalls.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i_valid, i : In
        A word, [cfg.values].
    o_valid, o : Out
        Its INT4 values.
    """

    LATENCY = 1

    def __init__(self, cfg):
        self._values = check_cfg(cfg).values
        super().__init__({
            "i_valid": In(1), "i": In(data.ArrayLayout(signed(VALUE_BITS), cfg.values)),
            "o_valid": Out(1), "o": Out(data.ArrayLayout(signed(LOW_BITS), cfg.values)),
        })

    def elaborate(self, platform):
        m = Module()
        word = Value.cast(self.i)
        m.d.sync += self.o_valid.eq(self.i_valid)
        with m.If(self.i_valid):
            m.d.sync += self.o.eq(Cat(word[VALUE_BITS * (k + 1) - LOW_BITS:VALUE_BITS * (k + 1)]
                                      for k in range(self._values)))
        return m
