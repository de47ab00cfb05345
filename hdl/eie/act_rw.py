"""Activation read/write unit: two register files that swap roles, the activation SRAM, and the scan for non-zeros."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.eie.formats import Mem
from hdl.common.emit import unit
from hdl.common.primitives import find_first
from hdl.common.sram import Sram1rw

from .layouts import check_cfg, command_layout, element_layout, memory_signature
from .regfile import RegFile

__all__ = ["ActRw"]


class ActRw(wiring.Component):
    """Activation read/write unit [EIE IV].

    The source file is scanned for non-zero activations, the other one holds the accumulators; ``command.role`` is the
    number of the source. ``load`` copies ``rows`` words of the activation SRAM from ``base`` on into the flushed
    source, while the scan takes them as they come; ``store`` copies accumulators back, as zero where they do not count.

    Latency: the first element stands at ``o`` 2 cycles after ``scan``, 5 with ``load``. Throughput: one element a
    cycle, and nothing for registers that are zero; one word a cycle for load and store.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    pe_id : In(pe_bits)
        Low part of the index of an activation.
    command : In(command_layout(cfg))
        ``scan`` and ``load`` only when neither is running, ``store`` and ``clear`` only without accumulator traffic.
        Load and store share their counters: one ends before the other begins. ``role`` is stable meanwhile.
    o : Out(stream of element_layout(cfg))
        Ascending indices; the scan ends with a token marked ``last``.
    r_en, r_row, r_live, r_value, w_en, w_row, w_value : In, Out
        Accumulator ports of the arithmetic unit.
    io_act0, io_act1, io_sram : In(memory_signature)
        Only while nothing is in flight. A register that does not count reads as zero.
    reads, writes : Out(1)
        The activation SRAM is read by a load, written by a store.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        row, value = range(cfg.regfile_words), signed(cfg.data_bits)
        super().__init__({
            "pe_id": In(cfg.pe_bits),
            "command": In(command_layout(cfg)),
            "o": Out(stream.Signature(element_layout(cfg))),
            "r_en": In(1), "r_row": In(row), "r_live": Out(1), "r_value": Out(value),
            "w_en": In(1), "w_row": In(row), "w_value": In(value),
            "io_act0": In(memory_signature(cfg, Mem.ACT0)),
            "io_act1": In(memory_signature(cfg, Mem.ACT1)),
            "io_sram": In(memory_signature(cfg, Mem.ACT_SRAM)),
            "reads": Out(1),
            "writes": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        files = [unit(platform, RegFile(self._cfg), name="eie_regfile") for _ in range(2)]
        m.submodules.file_0, m.submodules.file_1 = files
        role = self.command.role
        source_value = Mux(role, files[1].r_value, files[0].r_value)
        to_store = Mux(role, Mux(files[0].r_nonzero, files[0].r_value, 0),
                       Mux(files[1].r_nonzero, files[1].r_value, 0))

        load_valid, load_row, load_value, loading = self._load_and_store(m, to_store)
        issue, issue_row = self._scan(m, Mux(role, files[1].nonzero, files[0].nonzero), source_value,
                                      load_valid, load_row, load_value, loading)
        store_busy, store_row = self._store_busy, self._store_row
        m.d.comb += [
            self.r_live.eq(Mux(role, files[0].r_live, files[1].r_live)),
            self.r_value.eq(Mux(role, files[0].r_value, files[1].r_value)),
        ]
        for number, (file, io) in enumerate(zip(files, (self.io_act0, self.io_act1), strict=True)):
            is_source = role == number
            m.d.comb += [
                file.flush.eq(Mux(is_source, self.command.load, self.command.clear) | (io.en & io.clear)),
                file.w_en.eq(Mux(is_source, load_valid, self.w_en) | (io.en & io.write)),
                file.w_row.eq(Mux(io.en, io.addr, Mux(is_source, load_row, self.w_row))),
                file.w_value.eq(Mux(io.en, io.wdata.as_signed(), Mux(is_source, load_value, self.w_value))),
                file.w_relu.eq(self.command.relu & ~is_source & ~io.en),
                file.s_en.eq(is_source & issue), file.s_row.eq(issue_row),
                file.r_en.eq((~is_source & (self.r_en | store_busy)) | (io.en & ~io.write & ~io.clear)),
                file.r_row.eq(Mux(io.en, io.addr, Mux(store_busy, store_row, self.r_row))),
                io.rdata.eq(Mux(file.r_nonzero, file.r_value, 0)),
            ]
        return m

    def _load_and_store(self, m, to_store):
        """Both walk the activation SRAM: a read stage, and a write stage behind it, of the load two cycles."""
        cfg = self._cfg
        io = self.io_sram
        m.submodules.sram = sram = Sram1rw(cfg.act_words, cfg.data_bits)

        addr = Signal(range(cfg.act_words))
        row = Signal(range(cfg.regfile_words))
        left = Signal(range(cfg.regfile_words + 1))
        load_busy = Signal()
        store_busy = Signal()
        with m.If(load_busy | store_busy):
            m.d.sync += [addr.eq(addr + 1), row.eq(row + 1), left.eq(left - 1)]
            with m.If(left <= 1):
                m.d.sync += [load_busy.eq(0), store_busy.eq(0)]
        with m.If(self.command.load | self.command.store):
            m.d.sync += [
                load_busy.eq(self.command.load), store_busy.eq(self.command.store),
                addr.eq(self.command.base), row.eq(0), left.eq(self.command.rows),
            ]

        load_s1 = Signal()
        store_valid = Signal()
        row_s1 = Signal.like(row)
        addr_s1 = Signal.like(addr)
        load_valid = Signal()
        load_row = Signal.like(row)
        load_value = Signal(signed(cfg.data_bits))
        m.d.sync += [
            load_s1.eq(load_busy), store_valid.eq(store_busy), row_s1.eq(row), addr_s1.eq(addr),
            load_valid.eq(load_s1), load_row.eq(row_s1), load_value.eq(sram.rdata.as_signed()),
        ]
        m.d.comb += [
            self.reads.eq(load_busy),
            self.writes.eq(store_valid),
            sram.en.eq(load_busy | store_valid | io.en),
            sram.write.eq(Mux(io.en, io.write, store_valid)),
            sram.addr.eq(Mux(io.en, io.addr, Mux(store_valid, addr_s1, addr))),
            sram.wdata.eq(Mux(io.en, io.wdata, to_store)),
            io.rdata.eq(sram.rdata),
        ]
        self._store_busy, self._store_row = store_busy, row
        return load_valid, load_row, load_value, load_busy | load_s1 | load_valid

    def _scan(self, m, nonzero, value, load_valid, load_row, load_value, loading):
        """Local leading non-zero detection: ``pending`` has a bit for every activation that is still to come."""
        pending = Signal(self._cfg.regfile_words)
        scanning = Signal()
        found, first = find_first(pending)
        row = Signal(range(self._cfg.regfile_words))
        is_only = Signal()
        slot_free = Signal()
        issue = Signal()
        end_alone = Signal()
        m.d.comb += [
            row.eq(first),
            is_only.eq((pending & (pending - 1)) == 0),
            slot_free.eq(~self.o.valid | self.o.ready),
            issue.eq(scanning & slot_free & found),
            end_alone.eq(scanning & slot_free & ~found & ~loading),
        ]

        with m.If(issue):
            m.d.sync += pending.bit_select(row, 1).eq(0)
        with m.If(load_valid & (load_value != 0)):
            m.d.sync += pending.bit_select(load_row, 1).eq(1)
        is_last = Signal()
        m.d.comb += is_last.eq(end_alone | (issue & is_only & ~loading))
        with m.If(is_last):
            m.d.sync += scanning.eq(0)
        with m.If(self.command.scan):
            m.d.sync += [scanning.eq(1), pending.eq(Mux(self.command.load, 0, nonzero))]

        # Output slot. The value stands in the read register of the source until the next issue.
        index_row = Signal.like(row)
        with m.If(slot_free):
            m.d.sync += [
                self.o.valid.eq(issue | end_alone),
                index_row.eq(row),
                self.o.p.null.eq(end_alone),
                self.o.p.last.eq(is_last),
            ]
        m.d.comb += [self.o.p.index.eq(Cat(self.pe_id, index_row)), self.o.p.value.eq(value)]
        return issue, row
