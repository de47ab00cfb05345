"""Row of the Executor: an X-bus with its PEs."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SUM_BITS
from hdl.common.emit import unit
from hdl.common.primitives import popcount

from .executor_pe import ExecutorPe
from .layouts import Load, check_cfg, drain_layout

__all__ = ["ExecutorRow"]


class ExecutorRow(wiring.Component):
    """Row of the Executor [Thesis 5.1, Fig. 5.1]: the X-bus of the network, and a PE for each column.

    The X-bus carries what is on the Y-bus if the row is meant, else zeros: nothing of it toggles. The PEs work on one
    output channel; their sums are added from column 0 on.

    Latency, throughput: those of :class:`hdl.duet.executor_pe.ExecutorPe`; a drain passes ``columns`` PEs.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    word, kind, bank, index : In
        On the Y-bus.
    match, columns : In(1), In(columns)
        The row is meant; the columns are.
    tags_valid, tags_word, tags_phase, itags, otags : In
        A word of tags; ``itags`` those of all columns.
    start, input_bank, weight_bank, sum_bank : In(1)
        As the PEs have them.
    busy : Out(columns)
        PEs that issue an instruction.
    macs : Out(range(columns + 1))
        Their number in the cycle before.
    drain, drain_next : In, Out(drain_layout(cfg))
        Command to column 0; as the last column hands it on.
    sum : Out(signed(32))
        Sum of the row.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "word": In(cfg.word_bits), "kind": In(Load), "bank": In(1), "index": In(cfg.lut_bits),
            "match": In(1), "columns": In(cfg.columns),
            "tags_valid": In(1), "tags_word": In(range(cfg.tag_words)), "tags_phase": In(2),
            "itags": In(cfg.columns * cfg.tags), "otags": In(cfg.tags),
            "start": In(1), "input_bank": In(1), "weight_bank": In(1), "sum_bank": In(1),
            "busy": Out(cfg.columns), "macs": Out(range(cfg.columns + 1)),
            "drain": In(drain_layout(cfg)), "drain_next": Out(drain_layout(cfg)), "sum": Out(signed(SUM_BITS)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        bus = Signal(cfg.word_bits)
        m.d.comb += bus.eq(Mux(self.match, self.word, 0))
        drain, chain = self.drain, C(0, signed(SUM_BITS))
        same = ("kind", "bank", "index", "tags_valid", "tags_word", "tags_phase", "otags", "start", "input_bank",
                "weight_bank", "sum_bank")
        for c in range(cfg.columns):
            m.submodules[f"pe_{c}"] = pe = unit(platform, ExecutorPe(cfg), name="duet_executor_pe")
            m.d.comb += [
                *(getattr(pe, name).eq(getattr(self, name)) for name in same),
                pe.word.eq(bus[c * cfg.lane_bits:(c + 1) * cfg.lane_bits]),
                pe.take.eq(self.match & self.columns[c]),
                pe.itags.eq(self.itags[c * cfg.tags:(c + 1) * cfg.tags]),
                pe.drain.eq(drain), pe.chain_in.eq(chain), self.busy[c].eq(pe.busy),
            ]
            drain, chain = pe.drain_next, pe.chain
        m.d.comb += [self.drain_next.eq(drain), self.sum.eq(chain)]
        m.d.sync += self.macs.eq(popcount(self.busy))
        return m
