"""Command generator of the DRAM controller: which commands go out, and in which clock."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import ALL, BANKS, DESELECT, PHASES, PIN_FIELDS, WE_N, Command, Dest

from .dram_rows import act_layout, pre_layout
from .dram_timing import Row, cas_layout, row_layout
from .dram_visits import visit_layout
from .layouts import check_cfg, pins_layout

__all__ = ["DramCommands"]


class DramCommands(wiring.Component):
    """Command generator [Thesis 6.4.2, "command generator"].

    In each cycle at most one read or write and one command to rows is sent, in different ones of the three clocks; each
    goes out in the first clock in which all rules allow it. Bursts are read and written in order; a read needs a free
    place in the buffer of its dest, a write its data. Of the commands to rows, precharging and refreshing all banks go
    first, then opening, then closing.

    Latency: from ``may_*`` to ``pins`` 1 cycle for rows, 2 for reads and writes: those are decided a cycle ahead, and
    commands to rows take another clock then. ``cas``, ``row``, ``visit.ready`` and ``*_taken`` are decided in the same
    cycle, as the next decision depends on them: their paths begin and end at registers of the other parts of the
    controller. Throughput: three bursts in four cycles.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    visit : In(stream of visit_layout(cfg))
        Taken when its last burst is sent.
    open : In(BANKS)
    act, pre : In(act_layout(cfg)), In(pre_layout())
    act_taken, pre_taken : Out(1)
    may_read, may_write, may_act, may_pre, may_pre_all, may_ref : In
        See ``DramTiming``.
    cas, row : Out(cas_layout()), Out(row_layout())
        What was decided.
    run, close, refresh : In(1)
        See ``DramOwner``.
    has_data : In(1)
        There is a burst for one more write.
    freed : In(len(Dest))
        A dest gave a place back; it has ``cfg.weights`` of them at first.
    pins : Out(pins_layout())
    read, written, refreshed : Out(1)
        ``pins`` have such a command.
    """

    #: A12 of a read or write: high for a whole burst.
    CHOP_N = 12

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        banks = data.ArrayLayout(PHASES, BANKS)
        deselect = [dict.fromkeys(PIN_FIELDS, 0) | {"cs_n": 1, "act_n": 1}] * PHASES
        assert pins_layout().const(deselect).as_value().value == sum(DESELECT << 23 * slot for slot in range(PHASES))
        super().__init__({
            "visit": In(stream.Signature(visit_layout(cfg))),
            "open": In(BANKS),
            "act": In(act_layout(cfg)), "pre": In(pre_layout()),
            "act_taken": Out(1), "pre_taken": Out(1),
            "may_read": In(banks), "may_write": In(banks), "may_act": In(banks), "may_pre": In(banks),
            "may_pre_all": In(PHASES), "may_ref": In(PHASES),
            "cas": Out(cas_layout()), "row": Out(row_layout()),
            "run": In(1), "close": In(1), "refresh": In(1),
            "has_data": In(1), "freed": In(len(Dest)),
            "pins": Out(pins_layout(), init=deselect),
            "read": Out(1), "written": Out(1), "refreshed": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        offset, last = self._burst(m)
        has_credit = self._credits(m)
        cas_clock = self._choose_cas(m, offset, has_credit)
        m.d.comb += self.visit.ready.eq(self.cas.valid & last)

        # Reads and writes wait a cycle: what is left of its clocks is for the commands to rows.
        next_clock = Signal(PHASES)
        next_bank = Signal(range(BANKS))
        next_write = Signal()
        next_column = Signal(self._cfg.column_bits)
        m.d.sync += [next_clock.eq(cas_clock), next_bank.eq(self.cas.bank), next_write.eq(self.cas.write),
                     next_column.eq(Cat(C(0, 3), offset[1:]))]
        row_clock = self._choose_row(m, next_clock)
        self._drive(m, next_clock, next_bank, self._address_of(m, next_write, next_column), row_clock)
        m.d.sync += [
            self.read.eq(next_clock.any() & ~next_write),
            self.written.eq(next_clock.any() & next_write),
            self.refreshed.eq(self.row.kind[Row.REF]),
        ]
        return m

    def _burst(self, m):
        """Offset of the next burst, and whether it is the last one of its visit."""
        visit = self.visit.p
        begun = Signal()
        at = Signal(visit.offset.shape())
        offset = Signal(visit.offset.shape())
        last = Signal()
        m.d.comb += [offset.eq(Mux(begun, at, visit.offset)), last.eq(offset == visit.last)]
        with m.If(self.cas.valid):
            m.d.sync += [begun.eq(~last), at.eq(offset + 1)]
        return offset, last

    def _credits(self, m):
        """Free places of the readers' buffers: a bit for each dest."""
        has_credit = Signal(len(Dest))
        for dest in Dest:
            credit = Signal(range(self._cfg.weights + 1), init=self._cfg.weights, name=f"credit_{dest.name.lower()}")
            uses = Signal(name=f"uses_{dest.name.lower()}")
            m.d.comb += [
                uses.eq(self.cas.valid & ~self.cas.write & (self.cas.dest == dest)),
                has_credit[dest].eq(credit != 0),
            ]
            m.d.sync += credit.eq(credit + self.freed[dest] - uses)
            m.d.sync += Assert(~uses | (credit != 0), "a read needs a place")
            m.d.sync += Assert(~self.freed[dest] | (credit != self._cfg.weights), "no more places than there are")
        return has_credit

    def _choose_cas(self, m, offset, has_credit):
        """The next burst, if it may go out in this cycle; its clock, a bit for each."""
        visit, cas = self.visit.p, self.cas
        bank = Signal(range(BANKS))
        ready = Signal()
        may = Signal(PHASES)
        m.d.comb += [
            bank.eq(Cat(offset[0], visit.pair)),
            ready.eq(self.run & self.visit.valid & self.open.bit_select(bank, 1)
                     & Mux(visit.write, self.has_data, has_credit.bit_select(visit.dest, 1))),
            may.eq(Mux(visit.write, self.may_write[bank], self.may_read[bank]) & ready.replicate(PHASES)),
            cas.valid.eq(may.any()),
            cas.slot.eq(_number(_lowest(may))),
            cas.bank.eq(bank),
            cas.write.eq(visit.write),
            cas.dest.eq(visit.dest),
        ]
        return _lowest(may)

    def _choose_row(self, m, cas_clock):
        """A command to rows that may go out in another clock; that clock, a bit for each."""
        row = self.row
        others = Signal(PHASES)
        may_act = Signal(PHASES)
        may_pre = Signal(PHASES)
        may = Signal(PHASES)
        clock = Signal(PHASES)
        m.d.comb += [
            others.eq(~cas_clock),
            may_act.eq(self.may_act[self.act.bank] & others & (self.run & self.act.valid).replicate(PHASES)),
            may_pre.eq(self.may_pre[self.pre.bank] & others & (self.run & self.pre.valid).replicate(PHASES)),
            row.bank.eq(Mux(self.act_taken, self.act.bank, self.pre.bank)),
            clock.eq(_lowest(may)),
            row.slot.eq(_number(clock)),
        ]
        with m.If(self.close):
            m.d.comb += [may.eq(self.may_pre_all & others), row.kind[Row.PREA].eq(may.any())]
        with m.Elif(self.refresh):
            m.d.comb += [may.eq(self.may_ref & others), row.kind[Row.REF].eq(may.any())]
        with m.Else():
            m.d.comb += [
                self.act_taken.eq(may_act.any()),
                self.pre_taken.eq(may_pre.any() & ~may_act.any()),
                may.eq(Mux(may_act.any(), may_act, may_pre)),
                row.kind[Row.ACT].eq(self.act_taken),
                row.kind[Row.PRE].eq(self.pre_taken),
            ]
        return clock

    def _address_of(self, m, is_write, column):
        """A16 to A0 of a read or write."""
        a = Signal(PIN_FIELDS["a"], name="cas_a")
        m.d.comb += a.eq(column | 1 << self.CHOP_N | Mux(is_write, Command.WR << WE_N, Command.RD << WE_N))
        return a

    def _drive(self, m, cas_clock, cas_bank, cas_a, row_clock):
        """Commands to the pins."""
        row_a = Signal(PIN_FIELDS["a"])
        row_bank = Signal(range(BANKS))
        m.d.comb += [
            row_a.eq(Mux(self.act_taken, self.act.row, Mux(
                self.refresh, Command.REF << WE_N, Command.PRE << WE_N | Mux(self.close, 1 << ALL, 0)))),
            # Those who mean all banks put 0 there.
            row_bank.eq(Mux(self.act_taken | self.pre_taken, self.row.bank, 0)),
        ]
        for slot, pins in enumerate(self.pins):
            m.d.sync += [
                pins.cs_n.eq(~(cas_clock[slot] | row_clock[slot])),
                pins.act_n.eq(~(row_clock[slot] & self.act_taken)),
                Cat(pins.bg, pins.ba).eq(Mux(cas_clock[slot], cas_bank, Mux(row_clock[slot], row_bank, 0))),
                pins.a.eq(Mux(cas_clock[slot], cas_a, Mux(row_clock[slot], row_a, 0))),
            ]


def _lowest(bits):
    """The lowest set bit alone."""
    return bits & ~Cat(C(0, 1), *((bits[:index]).any() for index in range(1, len(bits))))


def _number(one):
    """Number of the only bit that is set, of three."""
    return one[1:3]
