"""Requests for weights that are off chip, ahead of the loads."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit

from .layouts import check_cfg, execute_layout
from .load_layouts import fetch_layout, work_layout
from .row_pick import RowPick

__all__ = ["WeightRequests"]


class WeightRequests(wiring.Component):
    """Requests the weights of a group, step by step, row by row [Thesis 5.2.2].

    Only rows with a sensitive output are fetched: that is where a recurrent layer saves traffic. It does not wait for
    banks, so the memory's latency is hidden by whatever the memory port takes ahead.

    Latency: 3 cycles from a group to its first request. Throughput: a request a cycle, and 3 more a step.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    job : In(execute_layout())
        Its ``off_chip``, ``depth``, ``chunk``, ``passes``; it stays while ``busy``.
    work : In(stream of work_layout(cfg))
        ``ready``: a register. Groups of jobs whose weights are not off chip, and empty ones, are dropped.
    o : Out(stream of fetch_layout())
    busy : Out(1)
        Requests are to come.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "job": In(execute_layout()), "work": In(stream.Signature(work_layout(cfg))),
            "o": Out(stream.Signature(fetch_layout())), "busy": Out(1),
        })

    def elaborate(self, platform):
        job = self.job
        m = Module()
        m.submodules.pick = pick = unit(platform, RowPick(self._cfg), name="duet_row_pick")
        run = Signal()
        step = Signal(16)
        word = Signal(16)
        left = Signal(16)
        load = Signal()
        free = Signal()
        goes = Signal()
        again = Signal()
        m.d.comb += [
            self.work.ready.eq(~run), self.busy.eq(run | self.o.valid),
            load.eq(self.work.valid & ~run & job.off_chip & ~self.work.p.empty),
            free.eq(~self.o.valid | self.o.ready), goes.eq(run & free & pick.valid),
            again.eq(goes & pick.last & (step + 1 != job.passes)),
            pick.load.eq(load), pick.sensitive.eq(self.work.p.sensitive), pick.place.eq(self.work.p.place),
            pick.again.eq(load | again), pick.take.eq(goes),
        ]
        with m.If(free):
            m.d.sync += self.o.valid.eq(goes)
        with m.If(goes):
            m.d.sync += [self.o.p.addr.eq(pick.o_place + word),
                         self.o.p.count.eq(Mux(left < job.chunk, left, job.chunk))]
            with m.If(pick.last):
                m.d.sync += [run.eq(again), step.eq(step + 1), word.eq(word + job.chunk), left.eq(left - job.chunk)]
        with m.If(load):
            m.d.sync += [run.eq(1), step.eq(0), word.eq(0), left.eq(job.depth)]
        return m
