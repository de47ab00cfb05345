"""Central control unit: sequencer, program memory, I/O port and counters, wired."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import BEAT_BITS, COUNTER_BITS, COUNTERS, TRACE_INPUTS, TRACE_OUTPUTS, WORK, Mem, Op
from hdl.common.axi import axi_stream_layout
from hdl.common.emit import unit
from hdl.common.primitives import or_tree

from .counters import Counters
from .io_port import IoPort
from .layouts import access_layout, broadcast_layout, check_cfg, command_layout, element_layout
from .program import Program
from .sequencer import Sequencer, State

__all__ = ["Ccu", "status_layout", "trace_layout"]


def status_layout() -> data.StructLayout:
    """The fields of the status register, in its order."""
    return data.StructLayout({"running": 1, "done": 1, "saturated": 1, "program_error": 1, "start_error": 1,
                              "io_error": 1, "row_error": 1})


def trace_layout() -> data.StructLayout:
    """Head of the trace: pins that the golden model is fed with, and what it must show."""
    return data.StructLayout(TRACE_INPUTS | TRACE_OUTPUTS)


class Ccu(wiring.Component):
    """Central control unit [EIE IV]: computing mode (sequencer) and I/O mode (port).

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    start, clear, length : In
        Host strobes; passes of the program.
    i, o : In, Out(stream of axi_stream_layout(BEAT_BITS))
        Commands with their data; replies.
    element : In(stream of element_layout(cfg))
        Root of the LNZD tree.
    broadcast, push : Out
        Broadcast register; all queues take it in this cycle.
    room, room_2, busy, saturated, row_error : In(n_pe)
        Status of the PEs, PE 0 in bit 0.
    events, rdata : In
        Of each PE.
    command, access : Out
        To all PEs.
    status : Out(status_layout())
    number : Out(32)
    counters : Out(array of 48 bits)
    probe : Out(trace_layout())
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "clear": In(1), "length": In(32),
            "i": In(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "o": Out(stream.Signature(axi_stream_layout(BEAT_BITS))),
            "element": In(stream.Signature(element_layout(cfg))),
            "broadcast": Out(broadcast_layout(cfg)), "push": Out(1),
            "room": In(cfg.n_pe), "room_2": In(cfg.n_pe), "busy": In(cfg.n_pe),
            "saturated": In(cfg.n_pe), "row_error": In(cfg.n_pe),
            "events": In(data.ArrayLayout(len(WORK), cfg.n_pe)),
            "rdata": In(data.ArrayLayout(access_layout(cfg)["wdata"].shape, cfg.n_pe)),
            "command": Out(command_layout(cfg)),
            "access": Out(access_layout(cfg)),
            "status": Out(status_layout()),
            "number": Out(32),
            "counters": Out(data.ArrayLayout(COUNTER_BITS, len(COUNTERS))),
            "probe": Out(trace_layout()),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.sequencer = sequencer = unit(platform, Sequencer(cfg), name="eie_sequencer")
        m.submodules.program = program = unit(platform, Program(cfg), name="eie_program")
        m.submodules.io_port = port = unit(platform, IoPort(cfg), name="eie_io_port")
        m.submodules.counters = counters = unit(platform, Counters(cfg), name="eie_counters")
        running = sequencer.state != State.IDLE

        # Computing mode.
        connect(m, flipped(self.element), sequencer.i)
        connect(m, program.o, sequencer.passes)
        m.d.comb += [
            sequencer.start.eq(self.start), sequencer.clear.eq(self.clear), sequencer.io_active.eq(port.active),
            sequencer.any_busy.eq(self.busy.any()), sequencer.room.eq(Cat(self.room.all(), self.room_2.all())),
            self.broadcast.eq(sequencer.o.p), self.push.eq(sequencer.o.valid),
            self.command.eq(sequencer.command),
            program.start.eq(sequencer.started), program.length.eq(self.length),
        ]

        # I/O mode: a word goes to the program memory or to the PEs; of these one at most answers.
        connect(m, flipped(self.i), port.i)
        connect(m, port.o, flipped(self.o))
        to_program = Signal()
        m.d.comb += [
            port.idle.eq(~running), port.clear.eq(self.clear), program.io_active.eq(port.active),
            to_program.eq(port.access.mem == Mem.PROGRAM),
            program.io_en.eq(port.access.valid & to_program), program.io_write.eq(port.access.op == Op.WRITE),
            program.io_addr.eq(port.access.addr), program.io_wdata.eq(port.access.wdata),
            port.answer.eq(Mux(to_program, program.io_rdata, or_tree([self.rdata[k] for k in range(cfg.n_pe)]))),
        ]
        m.d.comb += [getattr(self.access, name).eq(getattr(port.access, name)) for name, _ in access_layout(cfg)]

        # What the host sees.
        m.d.comb += [
            counters.reset.eq(sequencer.started), counters.running.eq(sequencer.running),
            counters.cause.eq(sequencer.cause), counters.events.eq(self.events),
            *(self.counters[k].eq(getattr(counters, name)) for k, name in enumerate(COUNTERS)),
            self.number.eq(sequencer.number),
            self.status.running.eq(running), self.status.done.eq(sequencer.done),
            self.status.saturated.eq(self.saturated.any()), self.status.row_error.eq(self.row_error.any()),
            self.status.program_error.eq(sequencer.program_error),
            self.status.start_error.eq(sequencer.start_error), self.status.io_error.eq(port.error),
        ]
        m.d.comb += [
            self.probe.s_valid.eq(self.i.valid), self.probe.s_last.eq(self.i.p.last),
            self.probe.s_data.eq(self.i.p.data), self.probe.s_ready.eq(self.i.ready),
            self.probe.m_ready.eq(self.o.ready), self.probe.m_valid.eq(self.o.valid),
            self.probe.m_data.eq(self.o.p.data), self.probe.m_last.eq(self.o.p.last),
            self.probe.start.eq(self.start), self.probe.clear.eq(self.clear), self.probe.length.eq(self.length),
            *(getattr(self.probe, name).eq(getattr(self.status, name))
              for name, _ in status_layout() if name != "running"),
            self.probe.state.eq(sequencer.state), self.probe.number.eq(sequencer.number),
            self.probe.push.eq(self.push), self.probe.column.eq(sequencer.o.p.column),
            self.probe.value.eq(sequencer.o.p.value),
        ]
        return m
