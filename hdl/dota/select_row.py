"""One query's part of the detector: radix selection of its largest scores."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.primitives import or_tree, popcount

from .layouts import check_cfg

__all__ = ["DIGIT_BITS", "SelectRow"]

#: Bits of a score that one pass decides, and the values that they have.
DIGIT_BITS = 4
LEVELS = 1 << DIGIT_BITS


class SelectRow(wiring.Component):
    """Radix selection of the ``want`` largest of a row of scores [Thesis 7.6.3].

    ``limit`` is the smallest score to be chosen. A pass over the scores finds four of its bits, most significant first:
    15 counters know how many of the scores that agree with the bits found so far go on with 1 or more, ... with 15. The
    largest of these that ``want`` is reached by is the next digit; scores above it are chosen, so the rest is wanted.
    In the end ``want`` counts the keys with just the limit that are to be chosen, from the first one on.

    Stages: ``scores`` -> compare (c) -> number (d) -> count; and in the last pass compare (c) -> number (g) -> choose.
    Latency: from ``scores`` to ``chosen`` 3 cycles. Throughput: a block a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    live : In(1)
        The query exists; otherwise nothing is chosen.
    step : In(1)
        The stages up to ``chosen`` move.
    scores : In(cfg.block * cfg.estimate_bits)
        A block, key 0 lowest; two's complement.
    arriving : In(1)
        Compare with the threshold, else with the limit.
    threshold : In(signed(cfg.estimate_bits))
    known : In(cfg.estimate_bits / 4)
        Digits of the limit that are known, the most significant one lowest.
    exists : In(cfg.block)
        Keys that exist, in the cycle after their scores.
    d_valid : In(1)
        Count, two cycles after the scores.
    clear : In(1)
        All counters to 0.
    strong : Out(range(cfg.keys + 1))
        Scores at or above the threshold so far.
    set_want : In(1)
    want : In(range(cfg.keys + 1))
        Number of scores to choose; taken with ``set_want``.
    narrow : In(1)
        Take the next digit from the counters, which have not changed in the cycle before.
    g_valid : In(1)
        Choose, two steps after the scores.
    chosen : Out(cfg.block)
        Keys that are chosen.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        count = range(cfg.keys + 1)
        super().__init__({
            "live": In(1), "step": In(1), "scores": In(cfg.block * cfg.estimate_bits), "arriving": In(1),
            "threshold": In(signed(cfg.estimate_bits)), "known": In(cfg.estimate_bits // DIGIT_BITS),
            "exists": In(cfg.block), "d_valid": In(1), "clear": In(1), "strong": Out(count), "set_want": In(1),
            "want": In(count), "narrow": In(1), "g_valid": In(1), "chosen": Out(cfg.block),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        limit = Signal(cfg.estimate_bits)
        left = Signal(range(cfg.keys + 1))      # of ``want``
        agrees, above, digits = self._compare(m, limit)
        counts = self._count(m, agrees, above, digits)
        with m.If(self.set_want):
            m.d.sync += left.eq(self.want)
        self._narrow(m, counts, limit, left)
        self._choose(m, agrees, above, left)
        return m

    def _compare(self, m, limit):
        """Of each key: its score begins with the known digits, is not below the bound, goes on with this digit."""
        cfg = self._cfg
        count = len(self.known)
        bound = Signal(cfg.estimate_bits)
        current = Signal(count)
        known_bits = Signal(cfg.estimate_bits)
        agrees = Signal(cfg.block)
        above = Signal(cfg.block)
        digits = []
        m.d.comb += [
            bound.eq(Mux(self.arriving, _unsigned(self.threshold), limit)),
            current.eq(~self.known & Cat(1, self.known[:-1])),
            known_bits.eq(Cat(self.known[count - 1 - n // DIGIT_BITS] for n in range(cfg.estimate_bits))),
        ]
        for j in range(cfg.block):
            score = Signal(cfg.estimate_bits, name=f"score_{j}")
            digit = Signal(DIGIT_BITS, name=f"digit_{j}")
            digits.append(digit)
            m.d.comb += score.eq(_unsigned(self.scores.word_select(j, cfg.estimate_bits)))
            with m.If(self.step):
                m.d.sync += [
                    agrees[j].eq(((score ^ limit) & known_bits) == 0),
                    above[j].eq(score >= bound),
                    digit.eq(or_tree([Mux(current[n], score.word_select(count - 1 - n, DIGIT_BITS), 0)
                                      for n in range(count)])),
                ]
        return agrees, above, digits

    def _count(self, m, agrees, above, digits):
        """Counters of the keys that agree and go on with at least 1, ... 15; and of those at or above the threshold."""
        block = self._cfg.block
        counts = []
        for level in range(LEVELS):
            chosen = Signal(block, name=f"at_least_{level}")
            number = Signal(range(block + 1), name=f"number_{level}")
            if level:
                total = Signal(range(self._cfg.keys + 1), name=f"count_{level}")
                counts.append(total)
                m.d.comb += chosen.eq(Cat(digit >= level for digit in digits) & agrees & self.exists)
            else:
                total = self.strong
                m.d.comb += chosen.eq(above & self.exists)
            m.d.sync += number.eq(popcount(chosen))
            with m.If(self.clear):
                m.d.sync += total.eq(0)
            with m.Elif(self.d_valid):
                m.d.sync += total.eq(total + number)
        return counts

    def _narrow(self, m, counts, limit, left):
        """The next digit of the limit: the largest one that enough scores reach."""
        digits = len(self.known)
        reached = Signal(LEVELS - 1)
        edge = Signal(LEVELS)
        m.d.sync += reached.eq(Cat(count >= left for count in counts))
        m.d.comb += edge.eq(Cat(1, reached) & ~Cat(reached, 0))
        digit = or_tree([Mux(edge[level], level, 0) for level in range(1, LEVELS)])
        higher = or_tree([Mux(edge[level], count, 0) for level, count in enumerate(counts)])
        with m.If(self.narrow):
            m.d.sync += left.eq(left - higher)
            for n in range(digits):
                with m.If(~self.known[n] & (self.known[n - 1] if n else 1)):
                    m.d.sync += limit.word_select(digits - 1 - n, DIGIT_BITS).eq(digit)

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
            m.d.sync += self.chosen.eq(Mux(self.live, g_over | (g_ties & wanted), 0))
            with m.If(self.g_valid):
                m.d.sync += left.eq(Mux(total < left, left - total, 0))


def _unsigned(score):
    """A signed score as the unsigned number of the same order."""
    return Cat(score[:-1], ~score[-1])


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
