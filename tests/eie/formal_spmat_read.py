"""Sparse-matrix read unit: exactly the entries of each column, in order, out of rows that exist."""

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.spmat_read import SpmatRead
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = EieConfig(n_pe=1, data_bits=8, spmat_width=32, spmat_words=2)
SIZE = "2 rows of 4 entries, columns of up to 4, 8 bits"
MOST_ENTRIES = 4
#: Columns that may be inside, and cycles until an entry that waits must come: bounds, not what the unit has today.
COLUMNS, LATENCY = 3, 4


def environment(h, in_range=True):
    """A unit whose host keeps away while something is in flight, and columns inside of the memory."""
    unit = h.place("unit", SpmatRead(CFG))
    assume_stream_rules(h, unit.i, "i")
    h.assume(~(unit.io.en & (unit.busy | unit.i.valid)))
    if in_range:
        h.assume(~unit.i.valid | (unit.i.p.end <= CFG.spmat_entries))
        h.assume(~unit.i.valid | (entries_of(unit.i.p) <= MOST_ENTRIES))
    return unit


def entries_of(column):
    """Entries of a column; none if its pointers do not ascend."""
    return Mux(column.end > column.start, column.end - column.start, 0)[:CFG.pointer_bits]


@proof("each column gives as many entries as it has, in its turn, without a gap, the first one marked", size=SIZE)
def turns(h):
    m = h.m
    unit = environment(h)
    # One column, chosen by the solver as it is taken.
    choose = h.free("choose")
    chosen = Signal()
    value = Signal(signed(CFG.data_bits))
    inside, ahead, left, of = (Signal(range(COLUMNS * MOST_ENTRIES + 1), name=name)
                               for name in ("inside", "ahead", "left", "of"))
    take, count = unit.i.valid & unit.i.ready, entries_of(unit.i.p)
    m.d.sync += inside.eq(inside + Mux(take, count, 0) - unit.o.valid)
    h.assume(~choose | (take & ~chosen))
    with m.If(choose):
        m.d.sync += [chosen.eq(1), ahead.eq(inside - unit.o.valid), left.eq(count), of.eq(count),
                     value.eq(unit.i.p.value)]
    with m.Elif(unit.o.valid & (ahead != 0)):
        m.d.sync += ahead.eq(ahead - 1)
    with m.Elif(unit.o.valid & (left != 0)):
        m.d.sync += left.eq(left - 1)
    here = chosen & (ahead == 0) & (left != 0)
    h.prove(~(here & unit.o.valid) | (unit.o.p.first == (left == of)), "only its first entry is marked")
    h.prove(~(here & unit.o.valid) | (unit.o.p.value == value), "its entries carry its value")
    h.prove(~here | (left == of) | unit.o.valid, "its entries follow each other")
    h.prove(~unit.o.valid | (inside != 0), "no entry more than the columns have")
    late = Signal(range(LATENCY + 1))
    m.d.sync += late.eq(Mux((inside != 0) & ~unit.o.valid, late + 1, 0))
    h.prove(late < LATENCY, "an entry comes while one is due")
    h.prove((inside == 0) | unit.busy, "busy while an entry is inside")
    h.reach(here & (left == 1) & (of == 4), "the last entry of a long column")


@proof("every entry is what the host wrote to its place, so every row that is read exists", size=SIZE)
def contents(h):
    m = h.m
    unit = environment(h)
    # One place of the memory, chosen by the solver. The value of a column tells where it starts.
    place = h.constant("place", range(CFG.spmat_entries))
    content = h.constant("content", 8)
    written = Signal()
    per_row = CFG.entries_per_row
    with m.If(unit.io.en & unit.io.write & (unit.io.addr == place // per_row)):
        h.assume(unit.io.wdata.word_select(place % per_row, 8) == content)
        m.d.sync += written.eq(1)
    h.assume(~unit.i.valid | (written & (unit.i.p.value == unit.i.p.start)))
    at, next_at = Signal(CFG.pointer_bits + 1), Signal(CFG.pointer_bits + 1)
    m.d.comb += at.eq(Mux(unit.o.p.first, unit.o.p.value, next_at))
    with m.If(unit.o.valid):
        m.d.sync += next_at.eq(at + 1)
    h.prove(~unit.o.valid | (at < CFG.spmat_entries), "its place exists")
    h.prove(~(unit.o.valid & (at == place)) | (Cat(unit.o.p.z, unit.o.p.v) == content), "what the host wrote there")
    h.reach(unit.o.valid & (at == place) & (place == CFG.spmat_entries - 1), "the last entry of the memory")


@proof("wrong: columns may end beyond the memory", size=SIZE, fails="entries come from the memory once only")
def beyond(h):
    unit = environment(h, in_range=False)
    count = Signal(range(2 * CFG.spmat_entries))
    h.m.d.sync += count.eq(Mux(unit.o.valid, Mux(unit.o.p.first, 1, count + 1), count))
    h.prove(count <= CFG.spmat_entries, "entries come from the memory once only")
