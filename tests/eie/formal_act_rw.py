"""Activation read/write unit: a scan finds every non-zero activation once, in order, and ends."""

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.act_rw import ActRw
from sim.common.formal import proof
from sim.common.rules import handshake

CFG = EieConfig(n_pe=2, data_bits=8, regfile_words=4, act_words=8)
SIZE = "4 registers, 8 bits"
ROWS = CFG.regfile_words
#: Cycles within which a token is offered while a scan is not at its end, and more with a load in front of it.
LATENCY = 4


def environment(h):
    """A unit that is commanded as the sequencer does: scan, load and store one at a time, the host only in between."""
    unit = handshake(h, ActRw(CFG))
    m, command = h.m, unit.command
    scanning = Signal(name="scanning")
    ends = unit.o.valid & unit.o.ready & unit.o.p.last
    m.d.sync += scanning.eq((scanning | command.scan) & ~ends)
    storing = Signal(range(ROWS + 3), name="storing")
    m.d.sync += storing.eq(Mux(command.store, command.rows + 2, storing - (storing != 0)))
    strobes = command.scan | command.load | command.clear | command.store
    host = Cat(port.en for port in (unit.io_act0, unit.io_act1, unit.io_sram)).any()
    works = unit.r_en | unit.w_en
    was_at_work = h.past(works | host, "was_at_work")
    h.assume(~strobes | ((storing == 0) & ~host))
    h.assume(~(command.scan | command.load | command.store) | ~scanning)
    h.assume(~command.load | command.scan)
    h.assume(~(command.load | command.store) | ((command.rows != 0) & (command.rows <= ROWS)))
    h.assume(~(command.store & (command.scan | command.clear)))
    h.assume(~(command.store | command.clear) | ~(works | was_at_work))
    h.assume(~works | (storing == 0))
    h.assume(~host | (~scanning & (storing == 0) & ~works & ~h.past(strobes, "told")))
    h.assume(~(unit.r_en & unit.w_en & (unit.r_row == unit.w_row)))
    role = h.past(command.role, "role_before")
    h.assume((command.role == role) | ~(scanning | (storing != 0) | works | was_at_work | h.past(strobes, "told_role")))
    h.assume(unit.pe_id == h.past(unit.pe_id, "pe_id_before") if CFG.pe_bits else 1)
    return unit, scanning


@proof("an offered token stays until it is taken; no register is read and written in one cycle", size=SIZE)
def handshakes(h):
    environment(h)


def tokens(h, unit):
    """An element is at the output; indices ascend inside of a scan, and null only marks an end."""
    element = unit.o.valid & ~unit.o.p.null
    row = unit.o.p.index[CFG.pe_bits:]
    before = Signal(range(-1, ROWS), init=-1)
    with h.m.If(unit.o.valid & unit.o.ready):
        h.m.d.sync += before.eq(Mux(unit.o.p.last, -1, row))
    h.prove(~element | (row > before), "indices ascend")
    h.prove(~(unit.o.valid & unit.o.p.null) | unit.o.p.last, "null only at the end")
    return element, row


@proof("a scan without a load gives each register that counts once, with its value, in order, and ends", size=SIZE)
def scan(h):
    m = h.m
    unit, scanning = environment(h)
    command = unit.command
    h.assume(~command.load)
    element, row = tokens(h, unit)
    # One register of both files, chosen by the solver, as writes leave it.
    chosen = h.constant("chosen", range(ROWS))
    counts, values = Signal(2, name="counts"), [Signal(signed(8), name=f"value_{k}") for k in range(2)]
    for k, io in enumerate((unit.io_act0, unit.io_act1)):
        accumulates = command.role != k
        with m.If((accumulates & command.clear) | (io.en & io.clear)):
            m.d.sync += counts[k].eq(0)
        with m.If(io.en & io.write & (io.addr == chosen)):
            m.d.sync += [counts[k].eq(io.wdata != 0), values[k].eq(io.wdata)]
        with m.Elif(accumulates & unit.w_en & (unit.w_row == chosen)):
            m.d.sync += [counts[k].eq(Mux(command.relu, unit.w_value > 0, unit.w_value != 0)),
                         values[k].eq(unit.w_value)]
    h.assume(~Cat(io.en & io.write & io.clear for io in (unit.io_act0, unit.io_act1)).any())
    expected, value = counts.bit_select(command.role, 1), Mux(command.role, values[1], values[0])
    seen = Signal()
    is_it = element & (row == chosen)
    m.d.sync += seen.eq((seen | (is_it & unit.o.ready)) & scanning)
    h.prove(~is_it | (expected & ~seen), "only registers that count, once")
    h.prove(~is_it | (unit.o.p.value == value), "with their value")
    h.prove(~(unit.o.valid & unit.o.ready & unit.o.p.last) | seen | is_it | ~expected, "none is left out")
    h.prove(~unit.o.valid | scanning, "no token outside of a scan")
    late = Signal(range(LATENCY + 1))
    m.d.sync += late.eq(Mux(scanning & ~unit.o.valid, late + 1, 0))
    h.prove(late < LATENCY, "a scan goes on")
    h.reach(is_it & command.role & (chosen == 2) & (value == -5), "a value of the other file")


@proof("a scan with a load gives each non-zero word that is loaded once, with its value, in order, and ends", size=SIZE)
def load(h):
    m = h.m
    unit, scanning = environment(h)
    command = unit.command
    h.assume(~command.scan | command.load)
    h.assume(~command.store)
    element, row = tokens(h, unit)
    chosen, addr = h.constant("chosen", range(ROWS)), h.constant("addr", range(CFG.act_words))
    content = h.constant("content", signed(8))
    written, expected = Signal(), Signal()
    io = unit.io_sram
    with m.If(io.en & io.write & (io.addr == addr)):
        h.assume(io.wdata == content.as_unsigned())
        m.d.sync += written.eq(1)
    with m.If(command.load):
        # The row that the chosen word is loaded to.
        h.assume(written & ((command.base + chosen) == addr))
        m.d.sync += expected.eq((chosen < command.rows) & (content != 0))
    seen = Signal()
    is_it = element & (row == chosen)
    m.d.sync += seen.eq((seen | (is_it & unit.o.ready)) & scanning)
    h.prove(~is_it | (expected & ~seen), "only words that are loaded and count, once")
    h.prove(~is_it | (unit.o.p.value == content), "with their value")
    h.prove(~(unit.o.valid & unit.o.ready & unit.o.p.last) | seen | is_it | ~expected, "none is left out")
    late = Signal(range(LATENCY + ROWS + 1))
    m.d.sync += late.eq(Mux(scanning & ~unit.o.valid, late + 1, 0))
    h.prove(late < LATENCY + ROWS, "a scan goes on")
    h.reach(is_it & (chosen == 2), "a word")


@proof("wrong: a scan gives registers that are zero as well", size=SIZE, fails="as many elements as registers")
def dense(h):
    unit, _scanning = environment(h)
    count = Signal(range(ROWS + 1))
    taken = unit.o.valid & unit.o.ready
    h.m.d.sync += count.eq(Mux(taken & unit.o.p.last, 0, count + (taken & ~unit.o.p.null)))
    h.prove(~(taken & unit.o.p.last) | (count + ~unit.o.p.null == ROWS), "as many elements as registers")
