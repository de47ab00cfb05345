"""Which digit of the smallest score to be chosen comes next: counters of one query's scores."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import or_tree, popcount

from .layouts import check_cfg

__all__ = ["DIGIT_BITS", "DigitCount", "unsigned_order"]

#: Bits of a score that one pass decides, and the values that they have.
DIGIT_BITS = 4
LEVELS = 1 << DIGIT_BITS


class DigitCount(wiring.Component):
    """One digit of a radix selection [Thesis 7.6.3].

    15 counters know how many scores go on with a digit of 1 or more, ... of 15. The largest digit that ``left`` scores
    reach is the next one of the limit; those with a larger digit are chosen, so the rest is still wanted. With ``left``
    0 it is 15: nothing is above.

    Latency: from ``counted`` to the counters 2 cycles; from them, or from ``left``, to ``digit`` and ``rest`` 1 cycle
    more. Throughput: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    counted : In(cfg.block)
        Keys of a block that count.
    digits : In(cfg.block * 4)
        Their digits, key 0 lowest.
    valid : In(1)
        There was a block in the cycle before.
    clear : In(1)
        All counters to 0.
    left : In(range(cfg.keys + 1))
        Scores to be chosen among those that were counted.
    digit : Out(4)
        The next digit. It and ``rest`` hold when counters and ``left`` have not changed in the cycle before.
    rest : Out(range(cfg.keys + 1))
        Scores to be chosen among those with this digit.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        count = range(cfg.keys + 1)
        super().__init__({
            "counted": In(cfg.block), "digits": In(cfg.block * DIGIT_BITS), "valid": In(1), "clear": In(1),
            "left": In(count), "digit": Out(DIGIT_BITS), "rest": Out(count),
        })

    def elaborate(self, platform):
        block = self._cfg.block
        m = Module()
        counts = []
        for level in range(1, LEVELS):
            chosen = Signal(block, name=f"at_least_{level}")
            number = Signal(range(block + 1), name=f"number_{level}")
            total = Signal(range(self._cfg.keys + 1), name=f"count_{level}")
            counts.append(total)
            m.d.comb += chosen.eq(
                Cat(self.digits.word_select(j, DIGIT_BITS) >= level for j in range(block)) & self.counted)
            m.d.sync += number.eq(popcount(chosen))
            with m.If(self.clear):
                m.d.sync += total.eq(0)
            with m.Elif(self.valid):
                m.d.sync += total.eq(total + number)
        reached = Signal(LEVELS - 1)
        edge = Signal(LEVELS)
        higher = Signal.like(self.rest)
        m.d.sync += reached.eq(Cat(count >= self.left for count in counts))
        m.d.comb += [
            edge.eq(Cat(1, reached) & ~Cat(reached, 0)),
            self.digit.eq(or_tree([Mux(edge[level], level, 0) for level in range(1, LEVELS)])),
            higher.eq(or_tree([Mux(edge[level], count, 0) for level, count in enumerate(counts)])),
            self.rest.eq(self.left - higher),
        ]
        return m


def unsigned_order(score):
    """A signed score as the unsigned number of the same order."""
    return Cat(score[:-1], ~score[-1])
