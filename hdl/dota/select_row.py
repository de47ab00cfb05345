"""One query's part of the selection: radix selection of its largest scores."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.primitives import or_tree

from .digit_count import DIGIT_BITS, DigitCount, unsigned_order
from .layouts import check_cfg

__all__ = ["SelectRow"]


class SelectRow(wiring.Component):
    """Radix selection of the largest of a row of scores [Thesis 7.6.3].

    ``limit`` is the smallest score to be chosen. A pass over the scores finds four of its bits, most significant first,
    from the scores that agree with the bits found so far. In the end ``left`` counts the keys with just the limit that
    are to be chosen, from the first one on.

    Stages: ``scores`` -> compare (c) -> number (d) -> count; and in the last pass compare (c) -> number (g) -> choose.
    Latency: from ``scores`` to ``chosen`` 3 cycles. Throughput: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(1)
        Begin with the first digit of the limit, ``digit``, and ``rest`` scores among those that begin with it.
    digit : In(4)
    rest : In(range(cfg.keys + 1))
        0 with the digit 15: nothing is chosen.
    step : In(1)
        The stages up to ``chosen`` move.
    scores : In(cfg.block * cfg.estimate_bits)
        A block, key 0 lowest; two's complement.
    known : In(cfg.estimate_bits / 4)
        Digits of the limit that are known, the most significant one lowest.
    exists : In(cfg.block)
        Keys that exist, in the cycle after their scores.
    d_valid : In(1)
        Count, two cycles after the scores.
    narrow : In(1)
        Take the next digit from the counters, which have not changed in the cycle before, and clear them.
    g_valid : In(1)
        Choose, two steps after the scores.
    chosen : Out(cfg.block)
        Keys that are chosen.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "digit": In(DIGIT_BITS), "rest": In(range(cfg.keys + 1)),
            "step": In(1), "scores": In(cfg.block * cfg.estimate_bits), "known": In(cfg.estimate_bits // DIGIT_BITS),
            "exists": In(cfg.block), "d_valid": In(1), "narrow": In(1), "g_valid": In(1), "chosen": Out(cfg.block),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.digits = digits = unit(platform, DigitCount(cfg), name="dota_digit_count")
        limit = Signal(cfg.estimate_bits)
        left = Signal(range(cfg.keys + 1))
        agrees, above = self._compare(m, limit, digits.digits)
        m.d.comb += [
            digits.counted.eq(agrees & self.exists), digits.valid.eq(self.d_valid), digits.clear.eq(self.narrow),
            digits.left.eq(left),
        ]
        self._choose(m, agrees, above, left)
        count = len(self.known)
        with m.If(self.start):
            m.d.sync += [limit[-DIGIT_BITS:].eq(self.digit), left.eq(self.rest)]
        with m.If(self.narrow):
            m.d.sync += left.eq(digits.rest)
            for n in range(1, count):
                with m.If(self.known[n - 1] & ~self.known[n]):
                    m.d.sync += limit.word_select(count - 1 - n, DIGIT_BITS).eq(digits.digit)
        return m

    def _compare(self, m, limit, digits):
        """Of each key: its score begins with the known digits, is not below the limit, goes on with this digit."""
        cfg = self._cfg
        count = len(self.known)
        current = Signal(count)
        known_bits = Signal(cfg.estimate_bits)
        agrees = Signal(cfg.block)
        above = Signal(cfg.block)
        m.d.comb += [
            current.eq(~self.known & Cat(1, self.known[:-1])),
            known_bits.eq(Cat(self.known[count - 1 - n // DIGIT_BITS] for n in range(cfg.estimate_bits))),
        ]
        for j in range(cfg.block):
            score = Signal(cfg.estimate_bits, name=f"score_{j}")
            m.d.comb += score.eq(unsigned_order(self.scores.word_select(j, cfg.estimate_bits)))
            with m.If(self.step):
                m.d.sync += [
                    agrees[j].eq(((score ^ limit) & known_bits) == 0),
                    above[j].eq(score >= limit),
                    digits.word_select(j, DIGIT_BITS).eq(
                        or_tree([Mux(current[n], score.word_select(count - 1 - n, DIGIT_BITS), 0)
                                 for n in range(1, count)])),
                ]
        return agrees, above

    def _choose(self, m, agrees, above, left):
        """Scores above the limit, and the first ones that are equal to it."""
        block = self._cfg.block
        ties = Signal(block)
        g_ties = Signal(block)
        g_over = Signal(block)
        before = [Signal(range(j + 1), name=f"g_before_{j}") for j in range(block + 1)]
        few = Signal(range(block + 1))
        total = before[block]
        counts = _prefix_counts(m, ties, "ties")
        wanted = Cat(number < few for number in before[:block])
        m.d.comb += [ties.eq(agrees & self.exists), few.eq(Mux(left > block, block, left))]
        with m.If(self.step):
            m.d.sync += [g_ties.eq(ties), g_over.eq(above & ~agrees & self.exists)]
            m.d.sync += [number.eq(count) for number, count in zip(before, counts, strict=True)]
            m.d.sync += self.chosen.eq(g_over | (g_ties & wanted))
            with m.If(self.g_valid):
                m.d.sync += left.eq(Mux(total < left, left - total, 0))


def _prefix_counts(m, bits, name):
    """Number of set bits below each place, and of all: a tree of adders."""
    if len(bits) == 1:
        return [C(0, 1), bits]
    half = len(bits) // 2
    low, high = _prefix_counts(m, bits[:half], f"{name}_l"), _prefix_counts(m, bits[half:], f"{name}_h")
    sums = []
    for n, count in enumerate(high):
        total = Signal(range(half + n + 1), name=f"{name}_{half + n}")
        m.d.comb += total.eq(low[-1] + count)
        sums.append(total)
    return [*low[:-1], *sums]
