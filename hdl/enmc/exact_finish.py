"""End of a row: its four partial sums become one, on an adder of its own, beside the beats of the next row."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import ADD_LATENCY, ROTATING, WORD_BITS
from hdl.common.emit import unit

from .exact_control import MARK_PASS, SPACING
from .fp32_add import Fp32Add
from .layouts import check_cfg

__all__ = ["ExactFinish"]


class ExactFinish(wiring.Component):
    """``(s0 + s1) + (s2 + s3)`` of rows, at most one in ``SPACING`` cycles [Thesis 6.4.2].

    The three sums of a row share an adder with those of three other rows: a row begins in phase 0 of three, so that its
    first sum has phase 0, the second one phase 2, and their sum phase 1.

    Latency: ``LATENCY`` = 12 cycles from the begin to ``o``, and 1 to 3 from ``mark`` to the begin. Throughput: a row
    every three cycles; it never stalls.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    mark : In(2)
        A row ends, or a record without result passes; at least ``SPACING`` cycles after the one before.
    sums : In(32), ROTATING of them
        Of the row, in this cycle.
    o_valid : Out(1)
    o : Out(32)
        Results and records in their order; 0 without result.
    """

    LATENCY = 2 + 2 * (1 + ADD_LATENCY)

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({"mark": In(2), "sums": In(data.ArrayLayout(WORD_BITS, ROTATING)),
                          "o_valid": Out(1), "o": Out(WORD_BITS)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.adder = adder = unit(platform, Fp32Add(), name="enmc_fp32_add")
        phase = Signal(range(SPACING))
        waiting = Signal()
        passes = Signal()
        begin_row = Signal()
        kept = Signal(data.ArrayLayout(WORD_BITS, ROTATING))
        later = Signal(data.ArrayLayout(WORD_BITS, ROTATING // 2))
        held = Signal(WORD_BITS)        # s0 + s1
        a = Signal(WORD_BITS)
        b = Signal(WORD_BITS)
        begun = Signal(self.LATENCY)
        passed = Signal(self.LATENCY)
        m.d.comb += [
            begin_row.eq(waiting & (phase == 0)), adder.a.eq(a), adder.b.eq(b),
            self.o_valid.eq(begun[-1]), self.o.eq(Mux(passed[-1], 0, adder.o)),
        ]
        m.d.sync += [phase.eq(Mux(phase == SPACING - 1, 0, phase + 1)), begun.eq(Cat(begin_row, begun)),
                     passed.eq(Cat(passes, passed))]
        with m.If(self.mark != 0):
            m.d.sync += [waiting.eq(1), passes.eq(self.mark == MARK_PASS), kept.eq(self.sums)]
            m.d.sync += Assert(~waiting | begin_row, "a row must begin before the next one ends")
        with m.Elif(begin_row):
            m.d.sync += waiting.eq(0)
        with m.Switch(phase):
            with m.Case(0):
                m.d.sync += [a.eq(kept[0]), b.eq(kept[1]), later[0].eq(kept[2]), later[1].eq(kept[3])]
            with m.Case(1):     # 7 cycles after the begin
                m.d.sync += [a.eq(held), b.eq(adder.o)]
            with m.Case(2):     # 2 cycles after it; 5 cycles after it the first sum is there
                m.d.sync += [a.eq(later[0]), b.eq(later[1]), held.eq(adder.o)]
        return m
