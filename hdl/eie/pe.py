"""Processing element: the units of [EIE Fig. 4 (b)], wired."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.eie.formats import WORK, trace_pe_bits
from hdl.common.emit import unit

from .act_queue import ActQueue
from .act_rw import ActRw
from .arithmetic import Arithmetic
from .io_tap import IoTap
from .layouts import access_layout, broadcast_layout, check_cfg, command_layout, element_layout
from .pointer_read import PointerRead
from .spmat_read import SpmatRead

__all__ = ["Pe"]


class Pe(wiring.Component):
    """Processing element [EIE IV]: queue -> pointers -> entries -> arithmetic <-> activations.

    Latency: 11 cycles from a broadcast to the first write.

    Parameters
    ----------
    cfg : EieConfig

    Members
    -------
    pe_id : In(pe_bits)
    i : In(stream of broadcast_layout(cfg))
        Broadcast, always taken.
    room : Out(2)
        Room in the queue for one activation more, and for two.
    command : In(command_layout(cfg))
    o : Out(stream of element_layout(cfg))
        Non-zero activations of this PE's part of the source vector.
    access, rdata : In, Out
        I/O bus, see :class:`hdl.eie.io_tap.IoTap`.
    busy : Out(1)
        Work that was inside in the cycle before.
    clear : In(1)
        Reset the sticky flags.
    saturated, row_error : Out(1)
        Sticky flags.
    events : Out(6)
        WORK.
    probe : Out
        Record of this cycle's architectural write: valid, row (15 bits), value.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "pe_id": In(cfg.pe_bits),
            "i": In(stream.Signature(broadcast_layout(cfg), always_ready=True)),
            "room": Out(2),
            "command": In(command_layout(cfg)),
            "o": Out(stream.Signature(element_layout(cfg))),
            "access": In(access_layout(cfg)),
            "rdata": Out(access_layout(cfg)["wdata"].shape),
            "busy": Out(1),
            "clear": In(1),
            "saturated": Out(1),
            "row_error": Out(1),
            "events": Out(len(WORK)),
            "probe": Out(trace_pe_bits(cfg)),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.queue = queue = unit(platform, ActQueue(cfg), name="eie_act_queue")
        m.submodules.pointer_read = pointers = unit(platform, PointerRead(cfg), name="eie_pointer_read")
        m.submodules.spmat_read = entries = unit(platform, SpmatRead(cfg), name="eie_spmat_read")
        m.submodules.arithmetic = arithmetic = unit(platform, Arithmetic(cfg), name="eie_arithmetic")
        m.submodules.act_rw = acts = unit(platform, ActRw(cfg), name="eie_act_rw")
        m.submodules.io_tap = tap = unit(platform, IoTap(cfg), name="eie_io_tap")

        connect(m, flipped(self.i), queue.i)
        connect(m, queue.o, pointers.i)
        connect(m, pointers.o, entries.i)
        connect(m, entries.o, arithmetic.i)
        connect(m, acts.o, flipped(self.o))
        connect(m, tap.spmat, entries.io)
        connect(m, tap.ptr, pointers.io)
        connect(m, tap.codebook, arithmetic.io)
        connect(m, tap.act0, acts.io_act0)
        connect(m, tap.act1, acts.io_act1)
        connect(m, tap.sram, acts.io_sram)
        m.d.comb += [
            self.room.eq(queue.room),
            tap.pe_id.eq(self.pe_id), tap.access.eq(self.access), self.rdata.eq(tap.rdata),
            acts.pe_id.eq(self.pe_id), acts.command.eq(self.command),
            acts.r_en.eq(arithmetic.r_en), acts.r_row.eq(arithmetic.r_row),
            arithmetic.r_live.eq(acts.r_live), arithmetic.r_value.eq(acts.r_value),
            acts.w_en.eq(arithmetic.w_en), acts.w_row.eq(arithmetic.w_row), acts.w_value.eq(arithmetic.w_value),
            arithmetic.codebook.eq(self.command.codebook), arithmetic.shift.eq(self.command.shift),
            arithmetic.clear.eq(self.clear),
            self.saturated.eq(arithmetic.saturated), self.row_error.eq(arithmetic.row_error),
            self.probe.eq(Cat(arithmetic.w_en, arithmetic.w_row, C(0, 15 - cfg.row_bits),
                              arithmetic.w_value)),
        ]
        m.d.comb += self.events.eq(Cat(arithmetic.w_en, arithmetic.padding, entries.reads, pointers.reads,
                                       acts.reads, acts.writes))
        # Status register.
        m.d.sync += self.busy.eq(self.i.valid | queue.o.valid | pointers.busy | entries.busy | arithmetic.busy)
        return m
