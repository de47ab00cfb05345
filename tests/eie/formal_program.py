"""Program reader: the passes of a program in order, checked, and nothing after a bad one."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import PASS_BITS
from hdl.eie.program import Program
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = EieConfig(n_pe=1, data_bits=8, regfile_words=4, ptr_words=8, act_words=8, codebooks=2, program_words=2)
SIZE = "2 passes"


def environment(h):
    """A unit that is started and accessed as sequencer and port do: one program at a time, the host before it."""
    unit = handshake(h, Program(CFG))
    ended = Signal(init=1)
    taken = unit.o.valid & unit.o.ready
    with h.m.If(unit.start):
        h.m.d.sync += ended.eq(0)
    with h.m.Elif(taken & (unit.o.p.last | unit.o.p.illegal)):
        h.m.d.sync += ended.eq(1)
    # The port is active from a strobe until its word has been written or read.
    h.assume(~h.past(unit.io_en, "io_was_en") | unit.io_active)
    host = unit.io_active | h.past(unit.io_active, "io_was_active", init=1)
    h.assume(~unit.start | (ended & ~host))
    h.assume(~unit.io_en | unit.io_active)
    h.assume(~unit.io_active | ended)
    h.prove(~(unit.o.valid & ended), "nothing is handed on after the end")
    return unit, taken


@proof("an offered pass stays until it is taken, and nothing is offered after the last or an illegal one", size=SIZE)
def handshakes(h):
    environment(h)


@proof("pass number n of a program is what the host wrote to word n, and the last one is marked", size=SIZE)
def passes(h):
    m = h.m
    unit, taken = environment(h)
    at = h.constant("at", range(CFG.program_words))
    content = h.constant("content", PASS_BITS)
    written = Signal()
    # The word and its address follow the strobe by one cycle.
    with m.If(h.past(unit.io_en & unit.io_write, "writes") & (unit.io_addr == at)):
        h.assume(unit.io_wdata == content)
        m.d.sync += written.eq(1)
    number = Signal(range(CFG.program_words + 1))
    length = Signal(32)
    with m.If(unit.start):
        m.d.sync += [number.eq(0), length.eq(unit.length)]
    with m.Elif(taken):
        m.d.sync += number.eq(number + 1)
    legal_length = (length != 0) & (length <= CFG.program_words)
    here = unit.o.valid & (number == at) & written & legal_length
    h.prove(~here | (unit.o.p.fields.as_value() == content), "the word that the host wrote")
    h.prove(~unit.o.valid | legal_length | unit.o.p.illegal, "an illegal length is refused")
    h.prove(~(unit.o.valid & legal_length) | (unit.o.p.last == (number + 1 == length)), "the last one is marked")
    h.reach(taken & here & (at == 1) & ~unit.o.p.illegal, "a second pass that is legal")


@proof("a pass that is not refused keeps to the memories", size=SIZE)
def legal(h):
    unit, _taken = environment(h)
    fields = unit.o.p.fields
    is_legal = unit.o.valid & ~unit.o.p.illegal
    for what, used, rows, base in (("load", fields.load, fields.in_rows, fields.in_base),
                                   ("store", fields.store, fields.out_rows, fields.out_base)):
        inside = (rows != 0) & (rows <= CFG.regfile_words) & (base + rows <= CFG.act_words)
        h.prove(~(is_legal & used) | inside, f"{what} inside of the activation SRAM")
    last_column = CFG.ptr_words - 2
    h.prove(~is_legal | (fields.column_base <= last_column), "first column has two pointers")
    h.prove(~(is_legal & fields.bias) | (fields.bias_column <= last_column), "bias column has two pointers")
    h.prove(~is_legal | (fields.codebook < CFG.codebooks), "the table exists")
    h.prove(~is_legal | (fields.shift < 2 * CFG.data_bits), "the shift exists")
    keeps = fields.store | fields.swap | unit.o.p.last
    h.prove(~is_legal | fields.finish | ~keeps, "results of finished passes only")
    h.reach(is_legal & fields.load & fields.store & fields.bias & (fields.out_base == 5), "a legal pass")


@proof("wrong: the host may write while a program runs", size=SIZE, depth=15,
       fails="the pass that was written before the start")
def careless_host(h):
    unit = h.place("unit", Program(CFG))
    h.assume(~unit.start | ~(unit.io_active | h.past(unit.io_active, "io_was_active", init=1)))
    started = Signal()
    with h.m.If(unit.start):
        h.m.d.sync += started.eq(1)
    h.assume(~(unit.start & started))
    h.assume(unit.length == 2)
    # The host writes the same legal word everywhere before the start, and anything later.
    content = h.constant("content", PASS_BITS)
    h.assume(started | ~h.past(unit.io_en & unit.io_write, "writes") | (unit.io_wdata == content))
    words = Signal(2)
    with h.m.If(h.past(unit.io_en & unit.io_write, "wrote") & ~started):
        h.m.d.sync += words.bit_select(unit.io_addr, 1).eq(1)
    h.assume(~unit.start | words.all())
    h.prove(~unit.o.valid | (unit.o.p.fields.as_value() == content), "the pass that was written before the start")
