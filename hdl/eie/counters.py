"""Performance counters of a program."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import COUNTER_BITS, COUNTERS, WORK
from hdl.common.primitives import popcount

from .layouts import check_cfg
from .sequencer import Cause

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Cycles by cause, and the work of all PEs [EIE VI].

    Latency: 2 cycles from an event to its counter. They wrap at 48 bits, four days at 800 MHz.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    reset : In(1)
        All counters to zero.
    running : In(1)
        A program runs in this cycle,
    cause : In(Cause)
        and this is what the cycle goes to.
    events : In(array of n_pe times WORK)
    cycles, broadcasts, stall_*, control, entries, padding, spmat_reads, ptr_reads, act_reads, act_writes : Out(48)
        The counters.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "reset": In(1),
            "running": In(1),
            "cause": In(Cause),
            "events": In(data.ArrayLayout(len(WORK), cfg.n_pe)),
            **{name: Out(COUNTER_BITS) for name in COUNTERS},
        })

    def elaborate(self, platform):
        m = Module()
        running = Signal()
        cause = Signal(Cause)
        m.d.sync += [running.eq(self.running), cause.eq(self.cause)]
        steps = {"cycles": running, **{c.name.lower(): running & (cause == c) for c in Cause}}
        for bit, name in enumerate(WORK):
            happened = popcount(Cat(self.events[k][bit] for k in range(self._cfg.n_pe)))
            steps[name] = Signal(range(self._cfg.n_pe + 1), name=f"{name}_step")
            m.d.sync += steps[name].eq(happened)
        for name, step in steps.items():
            counter = getattr(self, name)
            m.d.sync += counter.eq(Mux(self.reset, 0, counter + step))
        return m
