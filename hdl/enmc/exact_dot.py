"""The FP32 MACs: feature buffer, multipliers, a tree of adders and four partial sums."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import ADD_LATENCY, MULTIPLY_LATENCY, ROTATING, WORD_BITS
from hdl.common.emit import unit
from hdl.common.sram import Sram1rw

from .exact_control import MARK_FINISH, vectors_of
from .fp32_add import Fp32Add
from .fp32_multiply import Fp32Multiply
from .layouts import burst_layout, check_cfg

__all__ = ["ExactDot"]

ONE = 0x3F80_0000
#: Cycles from a beat to its operands.
FETCH = 2


class _Landing(data.Struct):
    """What goes along with a sum through the adder."""

    valid: 1
    first: 1
    slot: range(ROTATING)


class ExactDot(wiring.Component):
    """Products of a burst of weights and a vector of features, added up over the beats of a row [Thesis 6.4.2].

    The products of a beat are added as a balanced tree of neighbours, ``(p0 + p1) + (p2 + p3)`` and so on; the sum of
    beat j of a row is added to the partial sum j mod 4, which begins with +0. With four of them, and an adder of four
    stages, a beat never waits for the one before it: its partial sum comes out of the adder at the earliest in the
    cycle in which it goes in again.

    Latency: ``latency`` cycles from a mark to ``done`` and ``sums``, all beats up to and with the mark's included.
    Throughput: a beat a cycle, also from one row to the next; it never stalls.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    burst, beat, write, addr, ones, first, mark : In
        See ``ExactControl``.
    sums : Out(32), ROTATING of them
        Partial sums; in a cycle with MARK_FINISH in ``done`` those of the row.
    done : Out(2)
        The mark.
    working : Out(1)
        The multipliers have a beat.
    busy : Out(1)
        A beat or a mark is on its way.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "burst": In(burst_layout(cfg)), "beat": In(1), "write": In(1), "addr": In(range(vectors_of(cfg))),
            "ones": In(1), "first": In(1), "mark": In(2),
            "sums": Out(data.ArrayLayout(WORD_BITS, ROTATING)), "done": Out(2), "working": Out(1), "busy": Out(1),
        })

    @property
    def latency(self) -> int:
        """Cycles from ``mark`` to ``done``."""
        return self._tree_latency + ADD_LATENCY + 1

    @property
    def _tree_latency(self):
        """Cycles from a beat to the sum of its products."""
        return FETCH + MULTIPLY_LATENCY + (self._cfg.burst_words - 1).bit_length() * ADD_LATENCY

    def elaborate(self, platform):
        m = Module()
        left = Signal(range(self.latency + 1))
        beats = _delay(m, self.beat, self._tree_latency - 1, "beats")
        firsts = _delay(m, self.first, self._tree_latency - 1, "firsts")
        marks = [_delay(m, self.mark[k], self.latency, f"marks_{k}") for k in range(2)]
        m.d.comb += [self.done.eq(Cat(bits[-1] for bits in marks)), self.working.eq(beats[FETCH - 1]),
                     self.busy.eq(left != 0)]
        with m.If(self.beat | (self.mark != 0)):
            m.d.sync += left.eq(self.latency)
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        self._accumulate(m, platform, self._tree(m, platform), beats[-1], firsts[-1])
        return m

    def _tree(self, m, platform):
        """The sum of the products of each beat."""
        words = self._cfg.burst_words
        m.submodules.features = features = Sram1rw(vectors_of(self._cfg), WORD_BITS * words)
        weights_s1 = Signal(burst_layout(self._cfg))
        ones_s1 = Signal()
        weights_s2 = Signal(burst_layout(self._cfg))
        features_s2 = Signal(burst_layout(self._cfg))
        vector = Signal(burst_layout(self._cfg))
        m.d.comb += [
            features.en.eq(self.beat | self.write), features.write.eq(self.write), features.addr.eq(self.addr),
            features.wdata.eq(self.burst), Value.cast(vector).eq(features.rdata),
        ]
        m.d.sync += [weights_s1.eq(self.burst), ones_s1.eq(self.ones), weights_s2.eq(weights_s1)]
        m.d.sync += [features_s2[k].eq(Mux(ones_s1, ONE, vector[k])) for k in range(words)]
        terms = []
        for k in range(words):
            m.submodules[f"multiplier_{k}"] = product = unit(platform, Fp32Multiply(), name="enmc_fp32_multiply")
            m.d.comb += [product.a.eq(weights_s2[k]), product.b.eq(features_s2[k])]
            terms.append(product.o)
        while len(terms) > 1:
            sums = []
            for k, (left, right) in enumerate(zip(terms[0::2], terms[1::2], strict=True)):
                m.submodules[f"adder_{len(terms)}_{k}"] = adder = unit(platform, Fp32Add(), name="enmc_fp32_add")
                m.d.comb += [adder.a.eq(left), adder.b.eq(right)]
                sums.append(adder.o)
            terms = sums
        return terms[0]

    def _accumulate(self, m, platform, term, beat_next, first_next):
        """Add ``term`` to its partial sum; ``beat_next`` and ``first_next`` speak of the next cycle's."""
        m.submodules.accumulator = adder = unit(platform, Fp32Add(), name="enmc_fp32_add")
        slot = Signal(range(ROTATING))
        warm = Signal()                 # every partial sum of the row has a term
        slot_next = Signal.like(slot)
        warm_next = Signal()
        operand = Signal(WORD_BITS)
        again = Signal()                # the partial sum comes out of the adder just now
        landing = [Signal(_Landing, name=f"landing_{k}") for k in range(ADD_LATENCY + 1)]
        now, soon = landing[ADD_LATENCY], landing[ADD_LATENCY - 1]
        m.d.comb += [
            slot_next.eq(Mux(first_next, 0, slot)), warm_next.eq(warm & ~first_next),
            adder.a.eq(term), adder.b.eq(Mux(again, adder.o, operand)),
        ]
        m.d.sync += [
            landing[0].valid.eq(beat_next), landing[0].first.eq(first_next), landing[0].slot.eq(slot_next),
            *(later.eq(sooner) for sooner, later in zip(landing, landing[1:], strict=False)),
            again.eq(warm_next & soon.valid & (soon.slot == slot_next)),
            operand.eq(Mux(now.valid & (now.slot == slot_next), adder.o, self.sums[slot_next])),
        ]
        with m.If(~warm_next):
            m.d.sync += operand.eq(0)
        with m.If(beat_next):
            m.d.sync += [slot.eq(slot_next + 1), warm.eq(warm_next | (slot_next == ROTATING - 1))]
        with m.If((now.valid & now.first) | (self.done == MARK_FINISH)):
            m.d.sync += Value.cast(self.sums).eq(0)
        with m.If(now.valid):
            m.d.sync += self.sums[now.slot].eq(adder.o)


def _delay(m, bit, cycles, name):
    """A row of registers: bit k is ``bit`` of k + 1 cycles ago."""
    row = Signal(cycles, name=name)
    m.d.sync += row.eq(Cat(bit, row))
    return row
