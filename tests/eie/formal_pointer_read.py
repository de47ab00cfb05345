"""Pointer read unit: the pointers of the column that was broadcast, in the order of the broadcasts."""

from types import SimpleNamespace

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.layouts import column_layout
from hdl.eie.pointer_read import PointerRead
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, follow, handshake

CASES = {"plain": (EieConfig(n_pe=1, data_bits=8, spmat_width=32, spmat_words=2, ptr_words=4, run_ahead=False), ""),
         "run-ahead": (EieConfig(n_pe=1, data_bits=8, spmat_width=32, spmat_words=2, ptr_words=4, run_ahead=True,
                                 run_ahead_columns=2), ", run-ahead of 2 columns")}
SIZE = "4 pointers, 8 bits{1}"
#: Columns that may be inside, and cycles until one is offered: bounds, not what the unit has today.
CAPACITY, LATENCY = 7, 4


def idle_host(h, unit):
    """The host keeps away while something is in flight."""
    h.assume(~(unit.io.en & (unit.busy | unit.i.valid)))


@proof("an offered column stays until the entry reader takes it", size=SIZE, cases=CASES)
def handshakes(h, cfg, _more):
    idle_host(h, handshake(h, PointerRead(cfg)))


def pointers(h, cfg, unit):
    """Pointers that the solver chooses and the host has written, when a column needs them."""
    table = [h.constant(f"pointer_{j}", cfg.pointer_bits) for j in range(cfg.ptr_words)]
    written = Signal(cfg.ptr_words)
    column = unit.i.p.column
    for j, pointer in enumerate(table):
        host = unit.io.en & unit.io.write & (unit.io.addr == j)
        h.assume(~host | (unit.io.wdata == pointer))
        with h.m.If(host):
            h.m.d.sync += written[j].eq(1)
    h.assume(~unit.i.valid | ((column != cfg.ptr_words - 1) & written.bit_select(column, 1)
                              & written.bit_select((column + 1)[:cfg.column_bits], 1)))
    return Array(table)


@proof("each column comes out once, in order, with its two pointers; with run-ahead empty ones do not", size=SIZE,
       cases=CASES)
def order(h, cfg, _more):
    unit = h.place("unit", PointerRead(cfg))
    idle_host(h, unit)
    assume_stream_rules(h, unit.i, "i")
    table = pointers(h, cfg, unit)

    def found(broadcast):
        column = Signal(column_layout(cfg), name=f"found_{len(names)}")
        names.append(column)
        start, end = table[broadcast.column], table[(broadcast.column + 1)[:cfg.column_bits]]
        h.m.d.comb += [column.start.eq(start), column.end.eq(end), column.value.eq(broadcast.value)]
        return column

    names = []
    column = found(unit.i.p)
    counts = column.end > column.start if cfg.run_ahead else 1
    entering = SimpleNamespace(valid=unit.i.valid & counts, ready=unit.i.ready, payload=unit.i.p)
    inside = follow(h, entering, unit.o, CAPACITY, LATENCY, becomes=found)
    h.prove((inside == 0) | unit.busy, "busy while a column is inside")
    h.reach(unit.o.valid & (unit.o.p.start == 1) & (unit.o.p.end == 3) & (inside > 1), "several columns inside")


@proof("wrong: with run-ahead a pointer that descends is an empty column like any other", size=SIZE,
       cases={"run-ahead": CASES["run-ahead"]}, fails="every column comes out")
def dropped(h, cfg, _more):
    unit = h.place("unit", PointerRead(cfg))
    idle_host(h, unit)
    waiting = Signal(range(LATENCY + 1))
    h.m.d.sync += waiting.eq(Mux(unit.i.valid & unit.i.ready, 1, Mux((waiting != 0) & ~unit.o.valid, waiting + 1, 0)))
    h.prove(waiting < LATENCY, "every column comes out")
