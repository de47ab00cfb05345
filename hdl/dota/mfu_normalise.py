"""Second part of the multi-function unit: powers of 2 and their sums, then quotients, a word a cycle."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import FX_BITS, QUERIES
from hdl.common.emit import unit

from .divide import Divide
from .exp import Exp
from .layouts import check_cfg
from .mfu_receive import ROUNDS, group_layout, slot_words, word_layout

__all__ = ["Normalise"]

#: A power of 2, and a sum of them [bits].
POWER_BITS, SUM_BITS = 16, 24


class Normalise(wiring.Component):
    """Two passes over the words of a group, which go through 16 columns and back to where they came from.

    The first pass makes scores to powers of 2 and adds them up, one sum a query; the second divides by the sums. Groups
    are served in the order of their slots.

    Latency: 26 + 2 n cycles from ``start`` to that of the next part, n words; one more between groups.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(2)
        Strobe, one bit a slot: a group of scores is complete. ``groups`` of this slot holds until ``finished``.
    groups : In(group_layout(cfg)[2])
    scale, scale_shift : In
        As of :class:`hdl.dota.mfu.Mfu`.
    slot : Out(1)
        The slot that ``r_data`` comes from.
    r_en, r_addr, r_data, w_en, w_addr, w_data
        Read and write of a slot, one enable each.
    finished : Out(2)
        Strobe: with this write the weights are complete.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        address = range(slot_words(cfg))
        super().__init__({
            "start": In(2),
            "groups": In(data.ArrayLayout(group_layout(cfg), 2)),
            "scale": In(16), "scale_shift": In(5),
            "slot": Out(1),
            "r_en": Out(2), "r_addr": Out(address), "r_data": In(word_layout()),
            "w_en": Out(2), "w_addr": Out(address), "w_data": Out(word_layout()),
            "finished": Out(2),
        })

    def elaborate(self, platform):
        m = Module()
        group = Signal(group_layout(self._cfg))
        here = Cat(~self.slot, self.slot)
        m.d.comb += group.eq(Mux(self.slot, self.groups[1], self.groups[0]))
        waiting = Signal(2)
        m.d.sync += waiting.eq((waiting | self.start) & ~self.finished)

        # Words on their way: a bit for each cycle since the read.
        reading = Signal()
        powers = Signal(1 + _Column.POWER_LATENCY)
        weights = Signal(1 + _Column.WEIGHT_LATENCY)
        writes = Signal()
        is_over = Signal()
        last_word = group.last[(ROUNDS - 1).bit_length():]
        dividing = Signal()
        m.d.sync += [powers.eq(Cat(reading & ~dividing, powers)), weights.eq(Cat(reading & dividing, weights))]
        m.d.comb += [
            self.r_en.eq(Mux(reading, here, 0)), self.w_en.eq(Mux(writes, here, 0)),
            writes.eq(powers[-1] | weights[-1]), is_over.eq(writes & (self.w_addr == last_word)),
        ]
        with m.If(reading):
            m.d.sync += [reading.eq(self.r_addr != last_word),
                         self.r_addr.eq(Mux(self.r_addr == last_word, 0, self.r_addr + 1))]
        with m.If(writes):
            m.d.sync += self.w_addr.eq(Mux(is_over, 0, self.w_addr + 1))

        # A pass begins when the words of the one before are written.
        with m.FSM():
            with m.State("IDLE"), m.If((waiting & here).any()):
                m.d.sync += reading.eq(1)
                m.next = "POWERS"
            with m.State("POWERS"), m.If(is_over):
                m.d.sync += [reading.eq(1), dividing.eq(1)]
                m.next = "WEIGHTS"
            with m.State("WEIGHTS"), m.If(is_over):
                m.d.comb += self.finished.eq(here)
                m.d.sync += [dividing.eq(0), self.slot.eq(~self.slot)]
                m.next = "IDLE"
        self._columns(m, platform, group, powers[-1], dividing, reading & ~dividing)
        return m

    def _columns(self, m, platform, group, written, dividing, starts):
        """16 columns and the sums of their powers."""
        sums = [Signal(SUM_BITS, name=f"sum_{query}") for query in range(QUERIES)]
        partial = [Signal(POWER_BITS + 2, name=f"partial_{query}") for query in range(QUERIES)]
        columns = []
        for k in range(ROUNDS * QUERIES):
            m.submodules[f"column_{k}"] = column = unit(platform, _Column(), name="dota_mfu_column")
            columns.append(column)
            query = k % QUERIES
            m.d.comb += [
                column.value.eq(self.r_data[k].value), column.live.eq(self.r_data[k].live),
                column.top.eq(group.top[query]), column.scale.eq(self.scale), column.scale_shift.eq(self.scale_shift),
                column.divisor.eq(sums[query]),
                self.w_data[k].value.eq(Mux(dividing, column.weight, column.power)),
            ]
        adds = Signal()
        m.d.sync += adds.eq(written)
        for query in range(QUERIES):
            terms = [column.power for column in columns[query::QUERIES]]
            m.d.sync += partial[query].eq((terms[0] + terms[1]) + (terms[2] + terms[3]))
            with m.If(adds):
                m.d.sync += sums[query].eq(sums[query] + partial[query])
            # A query without a connection has the sum 1: it is divided by.
            with m.Elif(starts):
                m.d.sync += sums[query].eq(~group.live[query])


class _Column(wiring.Component):
    """One of 16: a power of 2 from a score, or a weight from a power."""

    #: Cycles from ``value`` to ``power``: difference, product, shift, :class:`Exp`.
    POWER_LATENCY = 3 + Exp.LATENCY
    #: Cycles from ``value`` to ``weight``.
    WEIGHT_LATENCY = Divide.LATENCY

    def __init__(self):
        super().__init__({
            "value": In(signed(FX_BITS)), "live": In(1), "top": In(signed(FX_BITS)),
            "scale": In(16), "scale_shift": In(5), "power": Out(POWER_BITS),
            "divisor": In(SUM_BITS), "weight": Out(15),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.exp = exp = unit(platform, Exp(), name="dota_exp")
        m.submodules.divide = divide = unit(platform, Divide(), name="dota_divide")
        live_before = Signal(self.POWER_LATENCY)
        below = Signal(FX_BITS)
        product = Signal(FX_BITS + 16)
        shifted = Signal(FX_BITS + 16)
        y = Signal(len(exp.i))
        m.d.sync += [
            live_before.eq(Cat(self.live, live_before)),
            below.eq(self.top - self.value),    # not negative where it is live
            product.eq(below * self.scale),
            y.eq(Mux(shifted[len(y):].any(), (1 << len(y)) - 1, shifted[:len(y)])),
        ]
        m.d.comb += [
            shifted.eq(product >> self.scale_shift), exp.i.eq(y), self.power.eq(Mux(live_before[-1], exp.o, 0)),
            divide.dividend.eq(self.value), divide.divisor.eq(self.divisor), self.weight.eq(divide.o),
        ]
        return m
