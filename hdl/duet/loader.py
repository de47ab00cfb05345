"""Loader: carries out a job of the Executor."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import unit

from .groups import Groups
from .layouts import (
    build_layout,
    check_cfg,
    execute_layout,
    glb_read_layout,
    group_layout,
    imap_layout,
    omap_layout,
    step_layout,
    transfer_layout,
)
from .load_layouts import fetch_layout
from .reader import Reader
from .row_walk import RowWalk
from .step_loads import StepLoads
from .weight_requests import WeightRequests

__all__ = ["Loader"]


class Loader(wiring.Component):
    """Loop nest of a job of the Executor [Thesis 5.1.2, 5.2.1]: tiles, groups of ``rows`` outputs, steps.

    ``RowWalk`` says which outputs; ``Groups`` finds their biases and output maps, and tells the store; ``StepLoads``
    fetches inputs and weights for the PEs, a word a cycle, one step ahead of the Executor. The next group is prepared
    while the steps of one are loaded; rows go first at the port, there are few of them. What is sent for a job is
    ``golden.duet.load_spec``.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins. Only while not ``busy``.
    job : In(execute_layout())
        From ``start`` until ``busy`` is 0.
    request : Out(stream of glb_read_layout())
        Read port 1 of the global buffer.
    answer : In(1)
        Its answer: ``data`` and ``map``.
    group : Out(stream of group_layout(cfg))
        To the store, in order.
    transfer, imap, omap : Out(streams, always ready)
        To the Executor; a transfer of inputs and its map word come together.
    build, step : Out(stream of build_layout(cfg), of step_layout())
        To the Executor: a build at least a cycle after the last map and output map of the step, beside its weights; a
        step at least a cycle after its last word.
    step_done : In(1)
        The Executor is through with a step.
    fetch : Out(stream of fetch_layout())
        Words that are wanted from the memory.
    memory : In(stream of cfg.word_bits)
        Those words, in this order.
    busy : Out(1)
        From the cycle after ``start`` until the last step is over and all groups are with the store.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(execute_layout()),
            "request": Out(stream.Signature(glb_read_layout())),
            "answer": In(1), "data": In(cfg.word_bits), "map": In(cfg.values),
            "group": Out(stream.Signature(group_layout(cfg))),
            "transfer": Out(stream.Signature(transfer_layout(cfg), always_ready=True)),
            "imap": Out(stream.Signature(imap_layout(cfg), always_ready=True)),
            "omap": Out(stream.Signature(omap_layout(cfg), always_ready=True)),
            "build": Out(stream.Signature(build_layout(cfg))), "step": Out(stream.Signature(step_layout())),
            "step_done": In(1),
            "fetch": Out(stream.Signature(fetch_layout())), "memory": In(stream.Signature(cfg.word_bits)),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.reader = reader = unit(platform, Reader(cfg), name="duet_reader")
        m.submodules.rows = rows = unit(platform, RowWalk(cfg), name="duet_row_walk")
        m.submodules.groups = groups = unit(platform, Groups(cfg), name="duet_groups")
        m.submodules.steps = steps = unit(platform, StepLoads(cfg), name="duet_step_loads")
        m.submodules.requests = requests = unit(platform, WeightRequests(cfg), name="duet_weight_requests")
        connect(m, rows.o, reader.rows)
        connect(m, steps.o, reader.steps)
        connect(m, reader.request, flipped(self.request))
        connect(m, groups.work, steps.work)
        connect(m, groups.fetch, requests.work)
        connect(m, groups.group, flipped(self.group))
        connect(m, requests.o, flipped(self.fetch))
        connect(m, flipped(self.memory), steps.memory)
        for name in ("transfer", "imap", "omap", "build", "step"):
            connect(m, getattr(steps, name), flipped(getattr(self, name)))
        for part in (rows, groups, steps):
            m.d.comb += [part.start.eq(self.start), part.data.eq(self.data), part.map.eq(self.map)]
        for part in (rows, groups, steps, requests):
            m.d.comb += part.job.eq(self.job)
        for part in (rows, groups):
            m.d.comb += [part.answer.eq(reader.rows_answer), part.tag.eq(reader.rows_tag)]
        m.d.comb += [
            reader.answer.eq(self.answer), rows.freed.eq(groups.freed), steps.answer.eq(reader.steps_answer),
            steps.tag.eq(reader.steps_tag), steps.reads.eq(reader.steps_reads), steps.step_done.eq(self.step_done),
            self.busy.eq(rows.busy | groups.busy | steps.busy | requests.busy),
        ]
        return m
