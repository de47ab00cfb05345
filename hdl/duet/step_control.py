"""Step control of the Executor: all PEs begin a step together; sums leave after a group."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .layouts import check_cfg, drain_layout, step_layout

__all__ = ["StepControl"]


class StepControl(wiring.Component):
    """Step control [Thesis 5.1.2, 5.2.1]: rows of PEs advance together, a step at a time.

    A step starts when the one before is over, its tags are in the PEs, and its bank of sums is free. It is over in the
    first cycle in which no PE issues an instruction; the next one may start in that cycle. So a step takes the MACs of
    the PE that has most of them and ``STEP_OVERHEAD`` = 1 cycle more. ``start`` follows ``busy`` in the same cycle for
    that reason: a register between them would be a second cycle.

    After the last step of a group the bank of sums changes. When the last product is in its sum, ``SETTLE`` = 4 cycles
    after the end of the step, the sums are drained, ``pixels`` cycles in a row, while steps of the next group run.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    step : In(stream of step_layout())
        In the order of the builds. Its data must be on the way at last in the cycle in which it is taken.
    built : In(1)
        The last word of tags of a build goes to the PEs.
    busy : In(rows * columns)
        PEs that issue an instruction.
    start : Out(1)
        The next cycle is the first of a step.
    input_bank, weight_bank, sum_bank : Out(1)
        Of the step that runs; they stay until the next one.
    step_done : Out(1)
        One cycle for every step, the second one after its last instruction: its banks are free, unless a step that
        follows has them too.
    pixels : In(range(1, cfg.pixels + 1))
        Sums of a group; stands still while ``active``.
    drain_ready : In(1)
        The store can take the sums of another group. What it says must count a group from the cycle after
        ``drain_start`` on.
    drain_start : Out(1)
        A drain begins: its first command is there.
    drain : Out(drain_layout(cfg))
        To the first column of PEs.
    drained : In(drain_layout(cfg))
        As the last column hands it on.
    active : Out(1)
        A step waits or runs, or sums have not left.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    STEP_OVERHEAD = 1
    SETTLE = 4
    STEPS = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "step": In(stream.Signature(step_layout())),
            "built": In(1), "busy": In(cfg.rows * cfg.columns),
            "start": Out(1), "input_bank": Out(1), "weight_bank": Out(1), "sum_bank": Out(1), "step_done": Out(1),
            "pixels": In(range(1, cfg.pixels + 1)), "drain_ready": In(1), "drain_start": Out(1),
            "drain": Out(drain_layout(cfg)), "drained": In(drain_layout(cfg)), "active": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.steps = steps = unit(platform, Fifo(step_layout(), self.STEPS), name="duet_steps")
        wiring.connect(m, wiring.flipped(self.step), steps.i)

        built_s1 = Signal()
        prepared = Signal(range(self.STEPS + 1))    # steps whose tags can be issued
        runs = Signal()
        last = Signal()
        next_bank = Signal()
        owed = Signal(2)                            # banks of sums that have to leave first
        over = Signal()
        m.d.comb += [
            over.eq(runs & ~self.busy.any()),
            self.start.eq(steps.o.valid & (prepared != 0) & ~owed.bit_select(next_bank, 1) & (over | ~runs)),
            steps.o.ready.eq(self.start),
            self.active.eq(steps.o.valid | runs | owed.any()),
        ]
        m.d.sync += [built_s1.eq(self.built), prepared.eq(prepared + built_s1 - self.start), self.step_done.eq(over)]
        with m.If(self.drained.valid & self.drained.last):
            m.d.sync += owed.bit_select(self.drained.bank, 1).eq(0)
        with m.If(over):
            m.d.sync += runs.eq(0)
        with m.If(self.start):
            m.d.sync += [runs.eq(1), last.eq(steps.o.p.last), self.input_bank.eq(steps.o.p.input_bank),
                         self.weight_bank.eq(steps.o.p.weight_bank), self.sum_bank.eq(next_bank)]
            with m.If(steps.o.p.last):
                m.d.sync += [next_bank.eq(~next_bank), owed.bit_select(next_bank, 1).eq(1)]
        m.d.sync += Assert(~built_s1 | (prepared != self.STEPS), "two steps at most must be ahead")
        self._drains(m, over & last)
        return m

    def _drains(self, m, group_over):
        """Commands to drain the sums of the groups that are over."""
        settle = Signal(self.SETTLE - 1)
        ripe = Signal(2)            # groups whose sums are complete
        next_drain = Signal()
        free = Signal()
        begins = Signal()
        drain = self.drain
        m.d.comb += [free.eq(~drain.valid | (drain.last & ~self.drain_start)),
                     begins.eq((ripe != 0) & self.drain_ready & free)]
        m.d.sync += [settle.eq(Cat(group_over, settle)), ripe.eq(ripe + settle[-1] - begins),
                     self.drain_start.eq(begins)]
        with m.If(begins):
            m.d.sync += [drain.valid.eq(1), drain.bank.eq(next_drain), drain.pixel.eq(0),
                         drain.last.eq(self.pixels == 1), next_drain.eq(~next_drain)]
        with m.Elif(drain.valid):
            with m.If(drain.last):
                m.d.sync += drain.valid.eq(0)
            with m.Else():
                m.d.sync += [drain.pixel.eq(drain.pixel + 1), drain.last.eq(drain.pixel + 2 == self.pixels)]
        m.d.sync += Assert(ripe != 3, "two groups at most must wait for the store")
