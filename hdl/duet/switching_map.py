"""Generator of switching maps: which outputs are sensitive."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SPECULATE_FIELDS, SUM_BITS

from .layouts import check_cfg

__all__ = ["SwitchingMap"]


class SwitchingMap(wiring.Component):
    """Compares approximations with the threshold, ``columns`` lanes [Thesis 5.1.1, (5.2)].

    An output is sensitive, bit 1, with ReLU or no function if ``y' >= threshold``, with sigmoid or tanh if
    ``|y'| <= threshold``: then the Executor computes it. Outputs that do not exist are not.

    Latency: ``LATENCY`` = 3 steps, as the multi-function unit; a cycle with ``advance`` is a step, in others nothing
    moves. Throughput: ``columns`` outputs a step.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    advance : In(1)
    two_sided : In(1)
        Of the job: sigmoid or tanh. Like ``threshold`` and ``channels`` it stays from two cycles before the first
        outputs on while anything is inside.
    threshold, channels : In
        Of the job.
    i_valid, i, first : In
        Approximations y' of the outputs ``first`` and on; ``first`` is less than ``channels``, the number of outputs.
    o_valid, o : Out
        A bit an output.
    """

    LATENCY = 3

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "advance": In(1), "two_sided": In(1), "threshold": In(signed(SPECULATE_FIELDS["threshold"])),
            "channels": In(SPECULATE_FIELDS["channels"]),
            "i_valid": In(1), "i": In(data.ArrayLayout(signed(SUM_BITS), cfg.columns)),
            "first": In(SPECULATE_FIELDS["channels"]),
            "o_valid": Out(1), "o": Out(cfg.columns),
        })

    def elaborate(self, platform):
        columns = self._cfg.columns
        m = Module()
        # Sensitive are those from ``low`` to ``high``, which are known long before the first one comes.
        low = Signal(signed(SUM_BITS + 1))
        high = Signal(signed(SUM_BITS))
        m.d.sync += [low.eq(Mux(self.two_sided, -self.threshold, self.threshold)),
                     high.eq(Mux(self.two_sided, self.threshold, (1 << SUM_BITS - 1) - 1))]

        valid = Signal(self.LATENCY)
        least = Signal(columns)     # step 1
        most = Signal(columns)
        exist = Signal(self.channels.shape())
        inside = Signal(columns)    # step 2
        exists = Signal(columns)
        m.d.comb += self.o_valid.eq(valid[-1])
        with m.If(self.advance):
            m.d.sync += [
                valid.eq(Cat(self.i_valid, valid)),
                least.eq(Cat(y >= low for y in self.i)), most.eq(Cat(y <= high for y in self.i)),
                exist.eq(self.channels - self.first),
                inside.eq(least & most), exists.eq(Cat(exist > number for number in range(columns))),
                self.o.eq(inside & exists),
            ]
        return m
