"""Performance counters of the chip."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.registers import AMOUNT_BITS, COUNTER_BITS, COUNTERS

from .layouts import check_cfg

__all__ = ["Counters", "amounts_layout"]


def amounts_layout() -> data.StructLayout:
    """What each counter grows by: 24 bits for each of ``golden.dota.registers.COUNTERS``, the first lowest."""
    return data.StructLayout(dict.fromkeys(COUNTERS, AMOUNT_BITS))


class Counters(wiring.Component):
    """Counters that add an amount in every cycle. Their meaning: ``golden.dota.registers``.

    Latency: 2 cycles from an amount to its counter. They wrap at 48 bits: at the largest configuration of 2**20
    multiplications a cycle, after 2**28 cycles; in the paper's after 2**31, two seconds at 1 GHz.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    clear : In(1)
        All counters to zero. The amounts of this cycle count, what came before does not.
    amounts : In(amounts_layout())
    cycles, attend, linear, ... : Out(48)
        The counters, by the names of COUNTERS.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "clear": In(1),
            "amounts": In(amounts_layout()),
            **{name: Out(COUNTER_BITS) for name in COUNTERS},
        })

    def elaborate(self, platform):
        m = Module()
        for name in COUNTERS:
            amount = Signal(AMOUNT_BITS, name=f"{name}_amount")
            counter = getattr(self, name)
            m.d.sync += [amount.eq(self.amounts[name]), counter.eq(Mux(self.clear, 0, counter + amount))]
        return m
