"""Executor: the array of PEs with its network, tags and steps."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hdl.common.emit import unit

from .executor_row import ExecutorRow
from .layouts import (
    build_layout,
    check_cfg,
    imap_layout,
    omap_layout,
    step_layout,
    sums_layout,
    transfer_layout,
)
from .mac_lut import MacLut
from .noc import Noc
from .scan_chain import ids_layout
from .step_control import StepControl

__all__ = ["Executor"]


class Executor(wiring.Component):
    """Executor [Thesis 5.1.2, 5.2.1]: rows x columns of PEs; a row works on an output channel, a column on an input
    channel of each block.

    For every step the loader sends its words, maps, a build and the step, in this order; words and maps of the next
    step may follow at once, into the other banks. A step starts as soon as it can (:class:`StepControl`) and takes
    exactly the valid MACs of the PE that has most of them, and one cycle more, if the next step and its tags are there.
    The first instruction of a step is issued at least ``words`` + BUILD_LATENCY = 6 cycles after its build was taken,
    and STEP_LATENCY = 2 cycles after the step was. A build is taken when the step before the one before is over.

    After the last step of a group the sums of a row are added from column 0 on, one pixel a cycle, while the next group
    has the other bank of sums.

    What the loader may rely on: ``i`` is always ready; a step, taken in cycle t, uses what was sent in cycle t or
    before; a build what was sent before t, maps in t too. After the n-th ``step_done`` the input bank, weight bank and
    maps of step n may be written again, unless a later step needs them too. Rows without work have output maps of
    zeros, and ``use_omap``.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i : In(stream of transfer_layout(cfg))
        Words for the PEs, one a cycle; ``ready`` is a constant 1.
    row_ids, column_ids : In(ids_layout)
        From the scan chain.
    imap : In(stream of imap_layout(cfg))
        Input maps, word by word. Always ready.
    omap : In(stream of omap_layout(cfg))
        Output maps, row by row. Always ready.
    build : In(stream of build_layout(cfg))
    step : In(stream of step_layout())
    step_done : Out(1)
        A step is over, in the order of the steps.
    pixels : In(range(1, cfg.pixels + 1))
        Sums of a group: ``cfg.pixels``, or 1 for the product of a matrix and a vector. Stands still while ``busy``.
    drain_ready : In(1)
        The store can take all sums of one more group; it counts a group from ``drain_start`` on.
    drain_start : Out(1)
        Sums of a group will come, without a gap, from ``columns`` + 1 cycles later on. Two of these are never in
        consecutive cycles.
    sums : Out(stream of sums_layout(cfg))
        Sums of all rows for a pixel. Always ready.
    macs : Out(range(rows * columns + 1))
        MACs that were issued two cycles ago.
    busy : Out(1)
        A build was taken whose step is not over, a step waits or runs, or sums have not left.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    BUILD_LATENCY = 6
    STEP_LATENCY = 2

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(transfer_layout(cfg))),
            "row_ids": In(ids_layout(cfg.rows)), "column_ids": In(ids_layout(cfg.columns)),
            "imap": In(stream.Signature(imap_layout(cfg), always_ready=True)),
            "omap": In(stream.Signature(omap_layout(cfg), always_ready=True)),
            "build": In(stream.Signature(build_layout(cfg))),
            "step": In(stream.Signature(step_layout())),
            "step_done": Out(1),
            "pixels": In(range(1, cfg.pixels + 1)), "drain_ready": In(1), "drain_start": Out(1),
            "sums": Out(stream.Signature(sums_layout(cfg), always_ready=True)),
            "macs": Out(range(cfg.rows * cfg.columns + 1)), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.noc = noc = unit(platform, Noc(cfg), name="duet_noc")
        m.submodules.mac_lut = lut = unit(platform, MacLut(cfg), name="duet_mac_lut")
        m.submodules.control = control = unit(platform, StepControl(cfg), name="duet_step_control")
        for name, inner in (("i", noc.i), ("build", lut.build), ("imap", lut.imap), ("omap", lut.omap),
                            ("step", control.step)):
            connect(m, flipped(getattr(self, name)), inner)
        m.d.comb += [
            noc.row_ids.eq(self.row_ids), noc.column_ids.eq(self.column_ids),
            lut.lut_valid.eq(noc.lut_valid), lut.index.eq(noc.index), lut.instruction.eq(noc.instruction),
            lut.step_done.eq(control.step_done), control.built.eq(lut.tags.valid & lut.tags.p.last),
            control.pixels.eq(self.pixels), control.drain_ready.eq(self.drain_ready),
            self.drain_start.eq(control.drain_start), self.step_done.eq(control.step_done),
            self.busy.eq(lut.busy | control.active | self.sums.valid),
        ]
        rows = [self._row(m, platform, r, noc, lut, control) for r in range(cfg.rows)]

        # The chains of all rows end together.
        end = rows[0].drain_next
        m.d.comb += [control.busy.eq(Cat(row.busy for row in rows)), control.drained.eq(end),
                     *(self.sums.p.sums[r].eq(row.sum) for r, row in enumerate(rows))]
        m.d.sync += [self.sums.valid.eq(end.valid), self.macs.eq(sum(row.macs for row in rows))]
        with m.If(end.valid):
            m.d.sync += self.sums.p.pixel.eq(end.pixel)
        return m

    def _row(self, m, platform, r, noc, lut, control):
        """A row of PEs."""
        m.submodules[f"row_{r}"] = row = unit(platform, ExecutorRow(self._cfg), name="duet_executor_row")
        tags = lut.tags.p
        m.d.comb += [
            row.word.eq(noc.word), row.kind.eq(noc.kind), row.bank.eq(noc.bank), row.index.eq(noc.index),
            row.match.eq(noc.rows[r]), row.columns.eq(noc.columns),
            row.tags_valid.eq(lut.tags.valid), row.tags_word.eq(tags.word), row.tags_phase.eq(tags.phase),
            row.itags.eq(tags.itags), row.otags.eq(tags.otags[r]),
            row.start.eq(control.start), row.input_bank.eq(control.input_bank),
            row.weight_bank.eq(control.weight_bank), row.sum_bank.eq(control.sum_bank), row.drain.eq(control.drain),
        ]
        return row
