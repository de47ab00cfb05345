"""SRAMs: what is read is what was written there last, and it stays until the next read."""

from amaranth import *

from hdl.common.sram import Sram1r1w, Sram1r1wMasked, Sram1rw
from sim.common.formal import proof

DEPTHS = {f"{depth} rows": (depth,) for depth in (2, 4)}


def watch(h, depth, write, w_addr, w_data, read, r_addr, r_data):
    """One row, chosen by the solver, against a copy of it."""
    m = h.m
    row = h.constant("row", range(depth))
    copy, known = Signal(2, name="copy"), Signal(name="known")
    answer, answered = Signal(2, name="answer"), Signal(name="answered")
    with m.If(write & (w_addr == row)):
        m.d.sync += [copy.eq(w_data), known.eq(1)]
    with m.If(read):
        m.d.sync += [answer.eq(copy), answered.eq(known & (r_addr == row))]
    h.prove(~answered | (r_data == answer), "a read returns what was written last")
    kept = h.past(~read, "kept")
    h.prove(~kept | (r_data == h.past(r_data, "r_data_before")), "the answer stays until the next read")
    h.reach(answered & (answer == 3) & (copy == 1), "the row is written again after a read")


@proof("a read returns what was written last and stays, also across writes", size="{} rows of 2 bits", cases=DEPTHS)
def one_port(h, depth):
    sram = h.place("sram", Sram1rw(depth, 2))
    watch(h, depth, sram.en & sram.write, sram.addr, sram.wdata, sram.en & ~sram.write, sram.addr, sram.rdata)


@proof("a read returns what was written last and stays, unless both hit one row", size="{} rows of 2 bits",
       cases=DEPTHS)
def two_ports(h, depth):
    sram = h.place("sram", Sram1r1w(depth, 2))
    h.assume(~(sram.r_en & sram.w_en & (sram.r_addr == sram.w_addr)))
    watch(h, depth, sram.w_en, sram.w_addr, sram.w_data, sram.r_en, sram.r_addr, sram.r_data)


@proof("a part of a row that is read is what was written there last, whatever other parts were written since",
       size="{} rows of 2 parts of 2 bits", cases=DEPTHS)
def masked(h, depth):
    sram = h.place("sram", Sram1r1wMasked(depth, 4, 2))
    part = h.constant("part")
    h.assume(~(sram.r_en & sram.w_en & (sram.r_addr == sram.w_addr)))
    written = sram.w_en & sram.w_mask.bit_select(part, 1)
    watch(h, depth, written, sram.w_addr, sram.w_data.word_select(part, 2), sram.r_en, sram.r_addr,
          sram.r_data.word_select(part, 2))
    h.reach(sram.w_en & (sram.w_mask == 2) & ~part, "another part is written")


@proof("wrong: a write changes the whole row", size="2 rows of 2 parts of 2 bits",
       fails="a read returns what was written last")
def unmasked(h):
    sram = h.place("sram", Sram1r1wMasked(2, 4, 2))
    h.assume(~(sram.r_en & sram.w_en & (sram.r_addr == sram.w_addr)))
    watch(h, 2, sram.w_en, sram.w_addr, sram.w_data[2:], sram.r_en, sram.r_addr, sram.r_data[2:])


@proof("wrong: rows are zero before they are written", size="2 rows of 2 bits", fails="zero at first")
def zero_at_first(h):
    sram = h.place("sram", Sram1rw(2, 2))
    writes = Signal()
    with h.m.If(sram.en & sram.write):
        h.m.d.sync += writes.eq(1)
    read = h.past(sram.en & ~sram.write, "read")
    h.prove(~read | writes | (sram.rdata == 0), "zero at first")


@proof("wrong: both ports may hit one row", size="2 rows of 2 bits",
       fails="address .. must not be read and written in one cycle")
def collision(h):
    h.place("sram", Sram1r1w(2, 2))
