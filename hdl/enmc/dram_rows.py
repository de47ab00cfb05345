"""Row activator of the DRAM controller: opens rows ahead of the reads."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import BANKS

from .dram_visits import visit_layout
from .layouts import check_cfg

__all__ = ["DramRows", "act_layout", "pre_layout"]


def act_layout(cfg) -> data.StructLayout:
    """A bank to open, and the row."""
    return data.StructLayout({"valid": 1, "bank": range(BANKS), "row": cfg.row_bits})


def pre_layout() -> data.StructLayout:
    """A bank to close."""
    return data.StructLayout({"valid": 1, "bank": range(BANKS)})


class DramRows(wiring.Component):
    """Row activator [Thesis 6.4.2, "command generator"].

    Visits pass in order through an entrance, where rows that are in the way are closed; a ring of ``AHEAD`` visits,
    whose rows are opened one after the other; the front, from which the command generator reads. A visit enters the
    ring when the rows of its pair are closed or already right, so that all visits of the ring that share a pair want
    the same row. Only the banks that a visit needs are opened; both of the pair are closed.

    Banks are numbered bank group + 4 * bank: bit 0 tells the banks of a pair.

    Latency: 4 cycles from ``i`` to ``o``; ``act`` is valid a cycle earlier. Throughput: one visit a cycle if its rows
    are open, one in three if both have to be opened, each as soon as its command is taken.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    i : In(stream of visit_layout(cfg))
    o : Out(stream of visit_layout(cfg))
        Its rows are open, or will be: see ``open``.
    act : Out(act_layout(cfg))
        A bank to open; stays until ``act_taken``, or ``closed``.
    pre : Out(pre_layout())
        A bank to close; stays until ``pre_taken``, or ``closed``.
    act_taken, pre_taken : In(1)
        The command goes out in this cycle; at most one of them.
    closed : In(1)
        All banks are precharged in this cycle: those that are needed are opened again. ``o`` is not taken in this
        cycle.
    open : Out(BANKS)
        Banks in which a row is open.
    busy : Out(1)
        A visit is inside.
    """

    AHEAD = 8

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "i": In(stream.Signature(visit_layout(cfg))),
            "o": Out(stream.Signature(visit_layout(cfg))),
            "act": Out(act_layout(cfg)),
            "pre": Out(pre_layout()),
            "act_taken": In(1),
            "pre_taken": In(1),
            "closed": In(1),
            "open": Out(BANKS),
            "busy": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        enter_valid = Signal()
        enter = Signal(visit_layout(self._cfg))
        passes = Signal()
        level = Signal(range(self.AHEAD + 1))
        taken = Signal()
        m.d.comb += [
            self.i.ready.eq(~enter_valid | passes),
            taken.eq(self.o.valid & self.o.ready),
            self.busy.eq(enter_valid | (level != 0)),
        ]
        with m.If(self.i.ready):
            m.d.sync += [enter_valid.eq(self.i.valid), enter.eq(self.i.payload)]
        right, unused = self._pairs(m, enter, passes, taken)
        self._entrance(m, enter_valid, enter, right, unused, passes, level)
        self._ring(m, enter, passes, taken, level)
        for bank in range(BANKS):
            with m.If(self.closed | (self.pre_taken & (self.pre.bank == bank))):
                m.d.sync += self.open[bank].eq(0)
            with m.Elif(self.act_taken & (self.act.bank == bank)):
                m.d.sync += self.open[bank].eq(1)
        m.d.sync += [
            Assert(~(self.act_taken & self.open.bit_select(self.act.bank, 1)), "an open bank must not be opened"),
            Assert(~(self.closed & taken), "no visit may end while all banks are closed"),
        ]
        return m

    def _pairs(self, m, enter, passes, taken):
        """Row and number of visits of each pair; (row is that of the visit in the entrance, no visit)."""
        rights, unuseds = [], []
        for pair in range(self._cfg.pairs):
            row = Signal(self._cfg.row_bits, name=f"row_{pair}")
            users = Signal(range(self.AHEAD + 1), name=f"users_{pair}")
            enters = Signal(name=f"enters_{pair}")
            leaves = Signal(name=f"leaves_{pair}")
            m.d.comb += [enters.eq(passes & (enter.pair == pair)), leaves.eq(taken & (self.o.p.pair == pair))]
            with m.If(enters):
                m.d.sync += row.eq(enter.row)
            with m.If(enters & ~leaves):
                m.d.sync += users.eq(users + 1)
            with m.Elif(leaves & ~enters):
                m.d.sync += users.eq(users - 1)
            rights.append(row == enter.row)
            unuseds.append(users == 0)
        right = Signal()
        unused = Signal()
        m.d.comb += [right.eq(Cat(rights).bit_select(enter.pair, 1)), unused.eq(Cat(unuseds).bit_select(enter.pair, 1))]
        return right, unused

    def _entrance(self, m, enter_valid, enter, right, unused, passes, level):
        """The visit goes on, or a row in its way is closed, or it waits for those before it."""
        in_the_way = Signal(2)
        m.d.comb += [
            in_the_way.eq(self.open.word_select(enter.pair, 2)),
            passes.eq(enter_valid & (level != self.AHEAD) & (right | (unused & (in_the_way == 0)))),
            self.pre.valid.eq(enter_valid & unused & ~right & (in_the_way != 0)),
            self.pre.bank.eq(Cat(~in_the_way[0], enter.pair)),
        ]

    def _ring(self, m, enter, passes, taken, level):
        """Visits in order; those in the front, fetched by the opener, and behind."""
        layout = visit_layout(self._cfg)
        m.submodules.ring = ring = memory.Memory(shape=layout, depth=self.AHEAD, init=[])
        write_port = ring.write_port()
        front_port = ring.read_port(domain="comb")
        fetch_port = ring.read_port(domain="comb")
        head = Signal(range(self.AHEAD))
        tail = Signal(range(self.AHEAD))
        unopened = Signal(range(self.AHEAD + 1))
        fetch = Signal()
        target = Signal(layout)
        m.d.comb += [
            write_port.en.eq(passes),
            write_port.addr.eq(tail),
            write_port.data.eq(enter),
            front_port.addr.eq(head + self.o.valid),
            fetch_port.addr.eq(tail - unopened),
        ]
        m.d.sync += [tail.eq(tail + passes), head.eq(head + taken), level.eq(level + passes - taken)]

        # The front: the oldest visit that the opener has fetched.
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += self.o.valid.eq(level - unopened > self.o.valid)
            m.d.sync += self.o.payload.eq(front_port.data)

        # The opener: one visit after the other, its first burst's bank first; afresh when all was closed. Nobody else
        # opens or closes these banks meanwhile: what is to be opened is known when the visit is fetched.
        fetched = fetch_port.data
        is_open = Signal(2)
        todo = Signal(2)
        m.d.comb += [
            is_open.eq(self.open.word_select(fetched.pair, 2)),
            self.act.valid.eq(todo.any()),
            self.act.bank.eq(Cat(target.offset[0] ^ ~todo[0], target.pair)),
            self.act.row.eq(target.row),
            fetch.eq(~todo.any() & (unopened != 0)),
        ]
        with m.If(self.closed):
            m.d.sync += [todo.eq(0), unopened.eq(level + passes)]
        with m.Else():
            m.d.sync += unopened.eq(unopened + passes - fetch)
            with m.If(fetch):
                m.d.sync += [
                    target.eq(fetched),
                    todo[0].eq(~is_open.bit_select(fetched.offset[0], 1)),
                    todo[1].eq(~is_open.bit_select(~fetched.offset[0], 1) & (fetched.offset != fetched.last)),
                ]
            with m.Elif(self.act_taken):
                m.d.sync += todo.eq(todo & Cat(C(0, 1), todo[0]))
        m.d.sync += Assert(level <= self.AHEAD, Format("{} visits exceed the ring", level))
        m.d.sync += Assert(self.closed | (unopened <= level), "only visits of the ring may be unopened")
