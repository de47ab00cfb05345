"""Data of the DRAM controller: bursts from the pins of three clocks a cycle, and onto them."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import BURST_CLOCKS, PHASES, Dest
from hdl.common.fifo import Fifo

from .dram_timing import cas_layout
from .layouts import burst_layout, check_cfg, phases_layout

__all__ = ["DramData", "load_layout"]


def load_layout(cfg) -> data.StructLayout:
    """A burst that was read, and who takes it."""
    return data.StructLayout({"valid": 1, "dest": Shape.cast(range(len(Dest))), "data": burst_layout(cfg)})


class DramData(wiring.Component):
    """Data pins of the DRAM controller [Thesis 6.4.2].

    A command that is decided is at the pins two cycles later. What was read comes ``cl`` clocks and two cycles after
    that, the registers of the pins on both ways; what is written goes out ``cwl`` clocks after it. Both may begin in
    any clock.

    Latency: ``load`` follows the last clock of a burst by 1 cycle. Throughput: three bursts in four cycles.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    cas : In(cas_layout())
        A command that is decided in this cycle; a write only with ``has_data``.
    has_data : Out(1)
        There is a burst for one more write.
    store : In(stream of burst_layout(cfg))
        Bursts to be written, in order; ``STORE_BURSTS`` wait here.
    load : Out(load_layout(cfg))
        In the order of the reads.
    dq_i : In(phases_layout(cfg))
    dq_o : Out(phases_layout(cfg))
    dq_oe : Out(PHASES)
        Clocks in which ``dq_o`` is driven.
    busy : Out(1)
        Data are on their way.
    """

    STORE_BURSTS = 4

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "cas": In(cas_layout()),
            "has_data": Out(1),
            "store": In(stream.Signature(burst_layout(cfg))),
            "load": Out(load_layout(cfg)),
            "dq_i": In(phases_layout(cfg)),
            "dq_o": Out(phases_layout(cfg)),
            "dq_oe": Out(PHASES),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        reading = self._collect(m)
        writing = self._put_out(m)
        m.d.comb += self.busy.eq(reading | writing | self.load.valid)
        return m

    def _collect(self, m):
        """What was read: a burst lies in the six clocks of this cycle and the one before."""
        cfg = self._cfg
        layout = data.StructLayout({"valid": 1, "slot": range(PHASES), "dest": Shape.cast(range(len(Dest)))})
        # In the cycle after that of the first clock, the burst is complete.
        due, busy = self._line(m, "read", layout, self.cas.valid & ~self.cas.write, 4 * PHASES + cfg.cl, 1)
        before = Signal(phases_layout(cfg))
        both = Cat(before, self.dq_i)
        clock_bits = 2 * cfg.dq
        m.d.sync += [before.eq(self.dq_i), self.load.valid.eq(due.valid), self.load.dest.eq(due.dest)]
        with m.Switch(due.slot):
            for slot in range(PHASES):
                with m.Case(slot):
                    m.d.sync += self.load.data.eq(both[slot * clock_bits:(slot + BURST_CLOCKS) * clock_bits])
        return busy

    def _put_out(self, m):
        """What is written: the rest of one burst and the beginning of the next may be in one cycle."""
        cfg = self._cfg
        m.submodules.stored = stored = Fifo(burst_layout(cfg), self.STORE_BURSTS)
        wiring.connect(m, wiring.flipped(self.store), stored.i)
        layout = data.StructLayout({"valid": 1, "slot": range(PHASES)})
        writes = Signal()
        m.d.comb += writes.eq(self.cas.valid & self.cas.write)
        # In the cycle before that of the first clock, the register at the pins is loaded.
        due, busy = self._line(m, "write", layout, writes, 2 * PHASES + cfg.cwl, -1)

        free = Signal(range(self.STORE_BURSTS + 1))
        taken = Signal()
        m.d.comb += [
            taken.eq(stored.i.valid & stored.i.ready),
            stored.o.ready.eq(due.valid),
            self.has_data.eq(free != 0),
        ]
        m.d.sync += free.eq(free + taken - writes)
        m.d.sync += Assert(~writes | (free != 0), "a write needs its data")

        clock_bits = 2 * cfg.dq
        clocks = stored.o.payload.as_value()
        new = [clocks[place * clock_bits:(place + 1) * clock_bits] for place in range(BURST_CLOCKS)]
        rest = Signal(data.ArrayLayout(clock_bits, BURST_CLOCKS))
        rest_valid = Signal()
        rest_slot = Signal(range(PHASES))
        with m.If(due.valid):
            m.d.sync += [rest.eq(stored.o.payload), rest_slot.eq(due.slot)]
        m.d.sync += rest_valid.eq(due.valid)
        for number in range(PHASES):
            begins = Signal(name=f"begins_{number}")
            m.d.comb += begins.eq(due.valid & (due.slot <= number))
            m.d.sync += self.dq_oe[number].eq(begins | (rest_valid & (rest_slot >= number)))
            with m.If(begins):
                m.d.sync += self.dq_o[number].eq(Array([new[number - slot] for slot in range(number + 1)])[due.slot])
            with m.Else():
                m.d.sync += self.dq_o[number].eq(Array([rest[min(PHASES - slot + number, BURST_CLOCKS - 1)]
                                                    for slot in range(PHASES)])[rest_slot])
        return busy | rest_valid

    def _line(self, m, name, layout, enters, clocks, cycles):
        """Delay line of commands, one a cycle.

        It shows a command ``cycles`` after the cycle of the clock that comes ``clocks`` after the command's own;
        ``slot`` is which clock of that cycle it is. Returns what is shown, and whether anything is inside.
        """
        # Data that begin in different cycles are four clocks apart: no two commands want one place.
        places = [(slot + clocks) // PHASES + cycles - 1 for slot in range(PHASES)]
        line = Signal(data.ArrayLayout(layout, max(places) + 1), name=f"{name}_line")
        later = Array([(slot + clocks) % PHASES for slot in range(PHASES)])[self.cas.slot]
        for place in range(max(places) + 1):
            moved = line[place + 1] if place < max(places) else C(0, layout.size)
            m.d.sync += line[place].eq(moved)
            with m.If(enters & Cat(self.cas.slot == slot for slot in range(PHASES) if places[slot] == place).any()):
                m.d.sync += [line[place].valid.eq(1), line[place].slot.eq(later)]
                if "dest" in layout.members:
                    m.d.sync += line[place].dest.eq(self.cas.dest)
        return line[0], Cat(line[place].valid for place in range(max(places) + 1)).any()
