"""DUET: Executor, Speculator and global buffer behind AXI ports, wired."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from golden.common.axi import addr_bits_of
from golden.duet.formats import BEAT_BITS, Cell, Kind
from golden.duet.registers import AMOUNT_BITS, COUNTER_BITS, COUNTERS, ID, registers
from hdl.common.axi import AxiLiteRegisters, axi_lite_members, axi_stream_members, connect_axi_lite, connect_axi_stream
from hdl.common.counters import Counters
from hdl.common.emit import unit

from .cell import CellUnit
from .control import Control
from .executor import Executor
from .glb import Glb
from .host_bus import HostBus
from .io_port import IoPort
from .layouts import Load, check_cfg
from .loader import Loader
from .memory_port import MemoryPort, address_layout, beat_bits
from .probe import Probe, head_layout
from .scan_chain import ScanChain
from .speculator import Speculator
from .store import Store

__all__ = ["Duet"]


class Duet(wiring.Component):
    """The accelerator [Thesis Fig. 5.1].

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    s_axil_* : AXI4-Lite slave
        Registers, see ``golden.duet.registers``.
    s_axis_*, m_axis_* : AXI4-Stream slave and master, 64 bits
        Commands with their data, and replies, see ``golden.duet.formats``.
    m_axi_ar*, m_axi_r* : AXI4 master, reads alone
        Weights that are off chip: beats of 512 bits at most, one ID, increasing addresses.
    probe : Out
        For lockstep checking: TRACE_INPUTS, TRACE_OUTPUTS, then the data of the memory. Leave it open otherwise.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        self._registers = registers(cfg)
        self._beat = beat_bits(cfg)
        bursts = {name: shape.width if hasattr(shape, "width") else shape
                  for name, shape in address_layout(cfg).members.items()}
        super().__init__({
            **axi_lite_members("s_axil", addr_bits_of(self._registers)),
            **axi_stream_members("s_axis", BEAT_BITS, In),
            **axi_stream_members("m_axis", BEAT_BITS, Out),
            "m_axi_arvalid": Out(1), "m_axi_arready": In(1), "m_axi_araddr": Out(bursts["addr"]),
            "m_axi_arlen": Out(bursts["len"]), "m_axi_arsize": Out(3), "m_axi_arburst": Out(2),
            "m_axi_rvalid": In(1), "m_axi_rready": Out(1), "m_axi_rdata": In(self._beat), "m_axi_rresp": In(2),
            "m_axi_rlast": In(1),
            "probe": Out(head_layout().size + -(-self._beat // 64) * 64),
        })

    @property
    def cfg(self):
        return self._cfg

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.registers = regs = unit(platform, AxiLiteRegisters(self._registers), name="duet_registers")
        m.submodules.io_port = io = unit(platform, IoPort(cfg), name="duet_io_port")
        m.submodules.host_bus = bus = unit(platform, HostBus(cfg), name="duet_host_bus")
        m.submodules.scan_chain = chain = unit(platform, ScanChain(cfg), name="duet_scan_chain")
        m.submodules.control = control = unit(platform, Control(cfg), name="duet_control")
        m.submodules.counters = counters = unit(platform, Counters(COUNTERS, AMOUNT_BITS, COUNTER_BITS),
                                                name="duet_counters")
        m.submodules.glb = glb = unit(platform, Glb(cfg), name="duet_glb")
        m.submodules.loader = loader = unit(platform, Loader(cfg), name="duet_loader")
        m.submodules.memory_port = memory = unit(platform, MemoryPort(cfg), name="duet_memory_port")
        m.submodules.executor = executor = unit(platform, Executor(cfg), name="duet_executor")
        m.submodules.store = store = unit(platform, Store(cfg), name="duet_store")
        m.submodules.speculator = speculator = unit(platform, Speculator(cfg), name="duet_speculator")
        m.submodules.cell_unit = cell = unit(platform, CellUnit(cfg), name="duet_cell")

        # Edge.
        connect_axi_lite(m, self, "s_axil", regs.bus)
        connect_axi_stream(m, self, "s_axis", io.i)
        connect_axi_stream(m, self, "m_axis", io.o)
        m.d.comb += [
            self.m_axi_arvalid.eq(memory.ar.valid), memory.ar.ready.eq(self.m_axi_arready),
            self.m_axi_araddr.eq(memory.ar.p.addr), self.m_axi_arlen.eq(memory.ar.p.len),
            self.m_axi_arsize.eq((self._beat // 8).bit_length() - 1), self.m_axi_arburst.eq(1),
            memory.r.valid.eq(self.m_axi_rvalid), self.m_axi_rready.eq(memory.r.ready),
            memory.r.p.data.eq(self.m_axi_rdata), memory.r.p.last.eq(self.m_axi_rlast),
        ]

        # The host's way to the memories.
        connect(m, bus.write, glb.write[3])
        connect(m, bus.request, glb.request[3])
        connect(m, loader.transfer, bus.loads)
        connect(m, bus.transfer, executor.i)
        connect(m, bus.projection, speculator.projection)
        m.d.comb += [
            bus.access.eq(io.access), bus.wdata.eq(io.wdata), bus.data.eq(glb.data), bus.map.eq(glb.map),
            io.answer.eq(bus.answer), chain.shift.eq(io.shift), chain.beat.eq(io.chain), chain.update.eq(io.update),
            *(getattr(speculator, name).eq(getattr(bus, name))
              for name in ("weight_en", "weight_addr", "weight_data", "bias_en", "bias_addr", "bias_data")),
        ]

        # Stages.
        execute_busy = Signal()
        m.d.comb += [
            execute_busy.eq(loader.busy | executor.busy | store.busy),
            control.update.eq(io.update), control.execute.eq(chain.execute.run),
            control.speculate.eq(chain.speculate.run), control.cell_job.eq(chain.cell_job.op != Cell.NONE),
            control.execute_busy.eq(execute_busy), control.speculate_busy.eq(speculator.busy),
            control.cell_busy.eq(cell.busy), control.tile_done.eq(store.tile_done), io.busy.eq(control.busy),
            loader.start.eq(control.execute_start), loader.job.eq(chain.execute),
            speculator.start.eq(control.speculate_start), speculator.job.eq(chain.speculate),
            speculator.tiles_done.eq(control.tiles_done), speculator.all_done.eq(control.executed),
            cell.start.eq(control.cell_start), cell.job.eq(chain.cell_job),
        ]

        # Executor: global buffer or memory, PEs, global buffer.
        is_vector = chain.execute.kind == Kind.VECTOR
        connect(m, speculator.request, glb.request[0])
        connect(m, loader.request, glb.request[1])
        connect(m, cell.request, glb.request[2])
        connect(m, store.write, glb.write[0])
        connect(m, speculator.write, glb.write[1])
        connect(m, cell.write, glb.write[2])
        connect(m, loader.fetch, memory.i)
        connect(m, memory.o, loader.memory)
        connect(m, loader.imap, executor.imap)
        connect(m, loader.omap, executor.omap)
        connect(m, loader.build, executor.build)
        connect(m, loader.step, executor.step)
        connect(m, loader.group, store.group)
        connect(m, executor.sums, store.sums)
        m.d.comb += [
            speculator.answer.eq(glb.valid[0]), speculator.data.eq(glb.data),
            loader.answer.eq(glb.valid[1]), loader.data.eq(glb.data), loader.map.eq(glb.map),
            cell.valid.eq(glb.valid[2]), cell.data.eq(glb.data),
            executor.row_ids.eq(chain.row_ids), executor.column_ids.eq(chain.column_ids),
            loader.step_done.eq(executor.step_done), executor.pixels.eq(Mux(is_vector, 1, cfg.pixels)),
            store.drain_start.eq(executor.drain_start),
            executor.drain_ready.eq(store.drain_ready), store.kind.eq(chain.execute.kind),
            store.curve.eq(chain.execute.function), store.shift.eq(chain.execute.shift),
        ]
        self._count(m, regs, io, counters, control, execute_busy, speculator, cell, executor, loader, store)
        self._watch(m, platform, regs, io, control, execute_busy, speculator, cell, executor, loader, store, memory,
                    glb)
        return m

    def _count(self, m, regs, io, counters, control, execute_busy, speculator, cell, executor, loader, store):
        cfg, amounts, loads = self._cfg, counters.amounts, loader.transfer
        m.d.comb += [
            io.clear.eq(regs.control), counters.clear.eq(regs.control),
            amounts.cycles.eq(control.busy), amounts.execute.eq(execute_busy), amounts.speculate.eq(speculator.busy),
            amounts.hidden.eq(execute_busy & speculator.busy), amounts.cell_cycles.eq(cell.busy),
            amounts.macs.eq(executor.macs), amounts.mac_cycles.eq(executor.macs != 0),
            amounts.steps.eq(executor.step_done),
            amounts.weight_words.eq(loads.valid & (loads.p.kind == Load.WEIGHT)),
            amounts.input_words.eq(loads.valid & (loads.p.kind == Load.INPUT)),
            regs.id.eq(ID), regs.size.eq(Cat(C(size, 8) for size in (cfg.rows, cfg.columns, cfg.trees,
                                                                     cfg.systolic_columns))),
            regs.status.eq(Cat(io.active | control.busy, io.error, store.saturated)),
            *(Cat(getattr(regs, f"{name}_low"), getattr(regs, f"{name}_high")).eq(getattr(counters, name))
              for name in COUNTERS),
        ]

    def _watch(self, m, platform, regs, io, control, execute_busy, speculator, cell, executor, loader, store, memory,
               glb):
        m.submodules.watch = probe = unit(platform, Probe(self._cfg), name="duet_probe")
        head = Signal(head_layout())
        m.d.comb += [
            head.s_valid.eq(self.s_axis_tvalid), head.s_last.eq(self.s_axis_tlast), head.s_data.eq(self.s_axis_tdata),
            head.m_ready.eq(self.m_axis_tready), head.clear.eq(regs.control), head.ar_ready.eq(self.m_axi_arready),
            head.r_valid.eq(self.m_axi_rvalid), head.r_last.eq(self.m_axi_rlast),
            head.m_data.eq(self.m_axis_tdata), head.m_valid.eq(self.m_axis_tvalid), head.m_last.eq(self.m_axis_tlast),
            head.s_ready.eq(self.s_axis_tready), head.ar_valid.eq(memory.ar.valid), head.ar_addr.eq(memory.ar.p.addr),
            head.ar_len.eq(memory.ar.p.len), head.r_ready.eq(memory.r.ready), head.active.eq(io.active),
            head.io_error.eq(io.error), head.saturated.eq(store.saturated), head.busy.eq(control.busy),
            head.executes.eq(execute_busy), head.speculates.eq(speculator.busy), head.cell_works.eq(cell.busy),
            head.step_done.eq(executor.step_done), head.transfer.eq(loader.transfer.valid),
            head.macs.eq(executor.macs), head.tiles_done.eq(control.tiles_done),
            probe.head.eq(head),
            probe.writes_valid.eq(Cat(port.valid for port in glb.write)),
            probe.reads_valid.eq(Cat(port.valid for port in glb.request)),
            *(probe.writes[k].eq(port.payload) for k, port in enumerate(glb.write)),
            *(probe.reads[k].eq(port.payload) for k, port in enumerate(glb.request)),
            self.probe.eq(Cat(probe.o, self.m_axi_rdata)),
        ]
