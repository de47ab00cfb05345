"""One query's part of the intake: scores are counted while they arrive."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.primitives import popcount

from .digit_count import DIGIT_BITS, DigitCount, unsigned_order
from .layouts import check_cfg

__all__ = ["CountRow"]


class CountRow(wiring.Component):
    """Strong scores of a query, and the leading digit of the smallest one to be chosen [Thesis 7.6.3].

    Stages: ``scores`` -> compare (c) -> number (d) -> count. Throughput: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    scores : In(cfg.block * cfg.estimate_bits)
        A block, key 0 lowest; two's complement.
    threshold : In(signed(cfg.estimate_bits))
    exists : In(cfg.block)
        Keys that exist, in the cycle after their scores.
    d_valid : In(1)
        Count, two cycles after the scores.
    clear : In(1)
        All counters to 0.
    strong_count : Out(range(cfg.keys + 1))
        Scores at or above the threshold so far.
    set_want : In(1)
    want : In(range(cfg.keys + 1))
        Number of scores to choose; taken with ``set_want``.
    digit, rest : Out
        Two cycles after ``set_want``, until ``clear``: see :class:`hdl.dota.digit_count.DigitCount`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        count = range(cfg.keys + 1)
        super().__init__({
            "scores": In(cfg.block * cfg.estimate_bits), "threshold": In(signed(cfg.estimate_bits)),
            "exists": In(cfg.block), "d_valid": In(1), "clear": In(1), "strong_count": Out(count), "set_want": In(1),
            "want": In(count), "digit": Out(DIGIT_BITS), "rest": Out(count),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.digits = digits = unit(platform, DigitCount(cfg), name="dota_digit_count")
        left = Signal(range(cfg.keys + 1))
        above = Signal(cfg.block)
        counted = Signal(cfg.block)
        number = Signal(range(cfg.block + 1))
        for j in range(cfg.block):
            score = Signal(signed(cfg.estimate_bits), name=f"score_{j}")
            m.d.comb += score.eq(self.scores.word_select(j, cfg.estimate_bits))
            m.d.sync += [
                above[j].eq(score >= self.threshold),
                digits.digits.word_select(j, DIGIT_BITS).eq(unsigned_order(score)[-DIGIT_BITS:]),
            ]
        m.d.comb += counted.eq(above & self.exists)
        m.d.sync += number.eq(popcount(counted))
        with m.If(self.clear):
            m.d.sync += self.strong_count.eq(0)
        with m.Elif(self.d_valid):
            m.d.sync += self.strong_count.eq(self.strong_count + number)
        with m.If(self.set_want):
            m.d.sync += left.eq(self.want)
        m.d.comb += [
            digits.counted.eq(self.exists), digits.valid.eq(self.d_valid), digits.clear.eq(self.clear),
            digits.left.eq(left), self.digit.eq(digits.digit), self.rest.eq(digits.rest),
        ]
        return m
