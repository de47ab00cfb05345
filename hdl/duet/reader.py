"""The loader's way to the global buffer: two clients, answers in order."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import GLB_LATENCY

from .layouts import check_cfg, glb_read_layout
from .load_layouts import row_op_layout, row_tag_layout, step_op_layout, step_tag_layout

__all__ = ["Reader"]


class Reader(wiring.Component):
    """Sends the operations of two clients to a port of the global buffer, and gives each its answers [Thesis 5.1].

    An operation has a tag, which comes back in the cycle in which the global buffer shows the words. Operations that
    read nothing take their turn all the same: so everything stays in order, words and what is said of them.

    ``ready`` of the clients depends on ``request.ready``, that of ``steps`` also on ``rows.valid``, without a register:
    clients offer from registers, and the port decides in the same cycle.

    Latency: ``LATENCY`` = 3 cycles: register, and two of the global buffer; more while other ports go first.
    Throughput: an operation a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    rows : In(stream of row_op_layout())
        Goes first.
    steps : In(stream of step_op_layout())
    request : Out(stream of glb_read_layout())
        To the global buffer.
    answer : In(1)
        The global buffer answers; GLB_LATENCY = 2 cycles after the transfer of the request.
    rows_answer, rows_tag : Out
        An operation of ``rows`` is over; only with ``answer`` if it reads.
    steps_answer, steps_tag, steps_reads : Out
        An operation of ``steps`` is over, and whether it has read.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    LATENCY = 1 + GLB_LATENCY

    def __init__(self, cfg):
        check_cfg(cfg)
        super().__init__({
            "rows": In(stream.Signature(row_op_layout())), "steps": In(stream.Signature(step_op_layout())),
            "request": Out(stream.Signature(glb_read_layout())), "answer": In(1),
            "rows_answer": Out(1), "rows_tag": Out(row_tag_layout()),
            "steps_answer": Out(1), "steps_tag": Out(step_tag_layout()), "steps_reads": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        # The operation in the register: of whom, if it is one; its tag, of either kind.
        tag_bits = max(row_tag_layout().size, step_tag_layout().size)
        kept = data.StructLayout({"rows": 1, "steps": 1, "reads": 1, "tag": tag_bits})
        op = Signal(kept)
        offered = Signal(kept)
        free = Signal()
        rows, steps = self.rows.p, self.steps.p
        m.d.comb += [
            free.eq(~self.request.valid | self.request.ready), self.rows.ready.eq(free),
            self.steps.ready.eq(free & ~self.rows.valid),
            offered.rows.eq(self.rows.valid), offered.steps.eq(self.steps.valid & ~self.rows.valid),
            offered.reads.eq(Mux(self.rows.valid, rows.reads, steps.reads)),
            offered.tag.eq(Mux(self.rows.valid, rows.tag.as_value(), steps.tag.as_value())),
        ]
        with m.If(free):
            m.d.sync += [
                op.eq(offered),
                self.request.valid.eq(Mux(self.rows.valid, rows.reads, self.steps.valid & steps.reads)),
                self.request.p.addr.eq(Mux(self.rows.valid, rows.addr, steps.addr)),
                self.request.p.map_addr.eq(Mux(self.rows.valid, rows.map_addr, steps.map_addr)),
            ]

        # Beside the read: two cycles.
        op_s1 = Signal(kept)
        op_s2 = Signal(kept)
        m.d.sync += [op_s1.eq(op), op_s2.eq(op_s1)]
        with m.If(~free):
            m.d.sync += [op_s1.rows.eq(0), op_s1.steps.eq(0)]
        m.d.comb += [
            self.rows_answer.eq(op_s2.rows), self.rows_tag.eq(op_s2.tag), self.steps_answer.eq(op_s2.steps),
            self.steps_tag.eq(op_s2.tag), self.steps_reads.eq(op_s2.reads),
        ]
        m.d.sync += Assert(self.answer == ((op_s2.rows | op_s2.steps) & op_s2.reads),
                           "the global buffer must answer two cycles after a request")
        return m
