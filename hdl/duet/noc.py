"""Network on chip: words from the loader to the PEs."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit

from .layouts import Load, check_cfg, transfer_layout
from .multicast import Multicast
from .scan_chain import ids_layout

__all__ = ["Noc"]


class Noc(wiring.Component):
    """Network on chip [Thesis 5.1, Fig. 5.1]: a vertical Y-bus, and an X-bus for each row of PEs.

    A register of the Y-bus takes the transfer. A multicast controller a row opens its X-bus, a controller a column the
    PEs of that column; they compare tags while the word moves into the register. The X-buses are in the rows of the
    Executor (:class:`hdl.duet.executor_row.ExecutorRow`): those that are not meant carry zeros.

    The X-bus of the Speculator (the 17th of the thesis) is left out: it reads the global buffer through a port of its
    own.

    Latency: 1 cycle. Throughput: a word a cycle; it never waits, ``i.ready`` is a constant 1.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i : In(stream of transfer_layout(cfg))
    row_ids, column_ids : In(ids_layout)
        IDs of the rows and columns. PEs of one ID receive the same data.
    kind, bank, index : Out
        Of the word that is on the buses.
    word : Out(word_bits)
        On the Y-bus.
    rows, columns : Out(rows), Out(columns)
        Rows and columns that the word is meant for.
    lut_valid : Out(1)
        There is a micro-instruction on the Y-bus, number ``index``, whatever its tags.
    instruction : Out(instruction_bits)
        The micro-instruction, in lane 0.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    """

    LATENCY = 1

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(transfer_layout(cfg))),
            "row_ids": In(ids_layout(cfg.rows)), "column_ids": In(ids_layout(cfg.columns)),
            "kind": Out(Load), "bank": Out(1), "index": Out(cfg.lut_bits),
            "word": Out(cfg.word_bits), "rows": Out(cfg.rows), "columns": Out(cfg.columns),
            "lut_valid": Out(1), "instruction": Out(cfg.instruction_bits),
        })

    def elaborate(self, platform):
        transfer = self.i.p
        m = Module()
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += self.lut_valid.eq(self.i.valid & (transfer.kind == Load.LUT))
        with m.If(self.i.valid):
            m.d.sync += [self.word.eq(transfer.data), self.kind.eq(transfer.kind), self.bank.eq(transfer.bank),
                         self.index.eq(transfer.index)]
        m.d.comb += self.instruction.eq(self.word)
        self._controllers(m, platform, "row", transfer.row, self.row_ids, self.rows)
        self._controllers(m, platform, "column", transfer.column, self.column_ids, self.columns)
        return m

    def _controllers(self, m, platform, name, tag, ids, matches):
        """A multicast controller for each ID."""
        count = len(matches)
        for k in range(count):
            one = unit(platform, Multicast(count), name=f"duet_multicast_{count}")
            m.submodules[f"{name}_{k}"] = one
            m.d.comb += [one.valid.eq(self.i.valid), one.tag.eq(tag), one.id.eq(ids[k]), matches[k].eq(one.match)]
