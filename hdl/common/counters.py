"""Performance counters."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counters that add an amount in every cycle, and wrap.

    Latency: 2 cycles from an amount to its counter.

    Parameters
    ----------
    names : sequence of str
    amount_bits, counter_bits : int

    Members
    -------
    clear : In(1)
        All counters to zero. The amounts of this cycle count, what came before does not.
    amounts : In(StructLayout of the names, amount_bits each, the first lowest)
    <name> : Out(counter_bits)
    """

    def __init__(self, names, amount_bits, counter_bits):
        self._names, self._amount_bits = tuple(names), amount_bits
        super().__init__({
            "clear": In(1), "amounts": In(data.StructLayout(dict.fromkeys(names, amount_bits))),
            **{name: Out(counter_bits) for name in names},
        })

    def elaborate(self, platform):
        m = Module()
        for name in self._names:
            amount = Signal(self._amount_bits, name=f"{name}_amount")
            counter = getattr(self, name)
            m.d.sync += [amount.eq(self.amounts[name]), counter.eq(Mux(self.clear, 0, counter + amount))]
        return m
