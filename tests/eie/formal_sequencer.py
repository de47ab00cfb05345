"""Sequencer: what it broadcasts and when, one pass at a time, and commands that respect work in flight."""

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.sequencer import Cause, Sequencer, State
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = EieConfig(n_pe=1, data_bits=8, regfile_words=4, ptr_words=8, act_words=8, codebooks=1)
SIZE = "4 rows, 8 columns, 8 bits"
#: Elements that may wait in front of the broadcast register.
WAITING = 2


def environment(h):
    """A unit whose passes and elements keep the contract: elements come between the scan command and their last."""
    unit = h.place("unit", Sequencer(CFG))
    assume_stream_rules(h, unit.passes, "passes")
    assume_stream_rules(h, unit.i, "i")
    fields = unit.passes.p.fields
    for rows in (fields.in_rows, fields.out_rows):
        h.assume(unit.passes.p.illegal | ((rows != 0) & (rows <= CFG.regfile_words)))
    h.assume(unit.passes.p.illegal | fields.finish | ~(fields.store | fields.swap | unit.passes.p.last))
    scanning = Signal()
    take = Signal(name="take")
    h.m.d.comb += take.eq(unit.i.valid & unit.i.ready)
    h.m.d.sync += scanning.eq((scanning | unit.command.scan) & ~(take & unit.i.p.last))
    h.assume(~unit.i.valid | scanning)
    h.assume(~(unit.i.valid & unit.i.p.null) | unit.i.p.last)
    dispatch = Signal(name="dispatch")
    h.m.d.comb += dispatch.eq(unit.passes.valid & unit.passes.ready & ~unit.passes.p.illegal)
    running = Signal.like(fields, name="running_pass")
    with h.m.If(dispatch):
        h.m.d.sync += running.eq(fields)
    return unit, take, dispatch, running


@proof("every element of a pass is broadcast once, in order, at its column, then the bias; nothing else is", size=SIZE)
def broadcasts(h):
    m = h.m
    unit, take, dispatch, running = environment(h)
    most = WAITING + 2
    inside, ahead = Signal(range(most + 1)), Signal(range(most + 1))
    element = take & ~unit.i.p.null
    ends = take & unit.i.p.last & running.bias
    m.d.sync += inside.eq(inside + element + ends - unit.o.valid)
    choose, choose_bias = h.free("choose"), h.free("choose_bias")
    chosen, left = Signal(), Signal()
    column, value = Signal(CFG.column_bits), Signal(signed(CFG.data_bits))
    h.assume(~choose | (~chosen & Mux(choose_bias, ends, element)))
    with m.If(choose):
        m.d.sync += [
            chosen.eq(1), ahead.eq(inside + (choose_bias & element) - unit.o.valid),
            column.eq(Mux(choose_bias, running.bias_column, running.column_base + unit.i.p.index)),
            value.eq(Mux(choose_bias, running.bias_value, unit.i.p.value)),
        ]
    with m.Elif(chosen & ~left & unit.o.valid):
        m.d.sync += [ahead.eq(ahead - 1), left.eq(ahead == 0)]
    here = chosen & ~left & (ahead == 0) & unit.o.valid
    h.prove(~here | (unit.o.p.column == column), "its column")
    h.prove(~here | (unit.o.p.value == value), "its value")
    h.prove(~unit.o.valid | (inside != 0), "nothing else is broadcast")
    h.prove(inside <= most, "few elements wait")
    h.prove(~dispatch | (inside == unit.o.valid), "the pass before is broadcast when the next one begins")
    h.reach(left & (column == 5) & dispatch, "and another pass begins")


@proof("it broadcasts only into room, only while a program runs, and each pass is scanned once", size=SIZE)
def one_pass(h):
    m = h.m
    unit, take, dispatch, _running = environment(h)
    may = h.past(Mux(unit.o.valid, unit.room[1], unit.room[0]), "may")
    h.prove(~unit.o.valid | may, "room for every broadcast")
    h.prove(~unit.o.valid | (unit.state != State.IDLE), "no broadcast when no program runs")
    h.prove(unit.command.scan == h.past(dispatch, "dispatched"), "a scan for each pass")
    to_scan = Signal()
    m.d.sync += to_scan.eq((to_scan | dispatch) & ~(take & unit.i.p.last))
    h.prove(~(dispatch & to_scan), "one pass at a time")
    h.prove(~unit.command.load | unit.command.scan, "load only with a scan")
    h.prove(unit.state.as_value() <= State.STORE.value, "the state is legal")
    h.prove(unit.cause.as_value() < len(Cause), "the cause is legal")
    h.prove(unit.running == h.past(unit.state != State.IDLE, "ran"), "running tells of the cycle before")
    h.reach(unit.done & (unit.number == 2), "a program of two passes ends")


@proof("results are stored and files exchanged only when no PE works and nothing is on its way; a store is left alone",
       size=SIZE)
def quiet(h):
    m = h.m
    unit, _take, _dispatch, running = environment(h)
    idle = ~h.past(unit.any_busy | unit.o.valid, "worked")
    h.prove(~unit.command.store | idle, "store when all is quiet")
    role = h.past(unit.command.role, "role_before")
    changed = unit.command.role != role
    fresh = h.past(unit.state == State.IDLE, "was_idle", init=1)
    left = Signal(range(CFG.regfile_words + 2), name="words_to_store")
    m.d.sync += left.eq(Mux(unit.command.store, unit.command.rows + 1, left - (left != 0)))
    h.prove(~changed | fresh | idle | (h.past(left, "left_before") <= 1), "exchange when all is quiet")
    h.prove((left == 0) | ~(changed | unit.command.scan | unit.command.clear | unit.command.load | unit.command.store),
            "nothing happens during a store")
    h.prove(~unit.command.store | (unit.command.rows == running.out_rows), "as many words as asked for")
    h.reach(changed & (unit.number == 1), "files are exchanged")
    h.reach((left == 2) & (unit.command.rows == 3), "a store")


@proof("a start is refused exactly while a program runs or the host uses the port", size=SIZE)
def starts(h):
    unit, *_rest = environment(h)
    accepted = unit.start & (unit.state == State.IDLE) & ~unit.io_active
    h.prove(unit.started == h.past(accepted, "accepted"), "started tells of the cycle before")
    error = Signal()
    h.m.d.sync += error.eq((error & ~unit.clear) | (unit.start & ~accepted))
    h.prove(unit.start_error == error, "start_error is sticky")
    h.prove(~h.past(accepted, "began") | ~unit.done, "a start takes done back")
    h.reach(unit.started & unit.start_error, "a start after a refused one")


@proof("wrong: a broadcast follows in every cycle in which a queue has one place left", size=SIZE,
       fails="one place is enough")
def one_place(h):
    unit, *_rest = environment(h)
    went_on = h.past((unit.state == State.RUN) & unit.i.valid & ~unit.i.p.null & unit.room[0], "could_go_on")
    h.prove(~went_on | unit.o.valid, "one place is enough")
