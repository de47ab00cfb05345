"""Proofs of the fetch unit: every query is served once before the fire, with its own vector, in time."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import KEY_BANKS, QUERIES
from hdl.dota.fetch import Fetch
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "4 banks of 4 words"


def environment(h):
    """A unit, and the request at work: whether there is one, its payload."""
    unit = h.place("unit", Fetch(CFG))
    h.m.d.comb += unit.values.eq(h.constant("values"))
    assume_stream_rules(h, unit.i, "i")
    inside = Signal(name="inside")
    request = Signal(unit.i.payload.shape(), name="at_work")
    with h.m.If(unit.i.ready):
        h.m.d.sync += inside.eq(unit.i.valid)
        with h.m.If(unit.i.valid):
            h.m.d.sync += request.eq(unit.i.payload)
    return unit, inside, request


@proof("every query is served exactly once before the fire", size=SIZE)
def once(h):
    unit, _inside, _request = environment(h)
    taken = Signal(QUERIES)
    take, fire = unit.operand.take, unit.operand.fire
    h.m.d.sync += taken.eq(Mux(fire, 0, taken | take))
    h.prove((taken & take) == 0, "nobody is served twice")
    h.prove(~fire | ((taken | take) == 15), "all are served when it fires")
    h.prove(((taken | take) != 15) | fire, "it fires when all are served")
    h.reach(fire & (taken == 7), "the last query is served alone")
    h.reach(fire & (taken == 0), "all at once")


@proof("a query that is served gets the vector that it asked for; a query that wants none reads none", size=SIZE)
def own_vector(h):
    unit, inside, request = environment(h)
    row_bits = (CFG.bank_words - 1).bit_length()
    for t in range(QUERIES):
        # What was asked for in the cycle before, and what was read then.
        bank, row = request.addr[t][:2], request.addr[t][2:2 + row_bits]
        reads = Signal(name=f"reads_{t}")
        for b in range(KEY_BANKS):
            with h.m.If(bank == b):
                h.m.d.comb += reads.eq(Mux(unit.values, unit.gather_en[KEY_BANKS + b], unit.gather_en[b])
                                       & (Mux(unit.values, unit.gather_row[KEY_BANKS + b], unit.gather_row[b]) == row))
        wanted = h.past(inside & request.live[t], f"wanted_{t}")
        was_read = h.past(reads, f"was_read_{t}")
        asked_bank = h.past(bank, f"asked_bank_{t}")
        mine = unit.operand.take[t] & wanted
        h.prove(~mine | was_read, f"the vector of query {t} was read")
        h.prove(~mine | (unit.operand.bank[t] == asked_bank), f"query {t} knows its bank")
    lives = Cat(request.live[t] & inside for t in range(QUERIES))
    h.prove(lives.any() | ~Mux(unit.values, unit.gather_en[KEY_BANKS:], unit.gather_en[:KEY_BANKS]).any(),
            "nothing is read for nobody")
    h.prove(~unit.values | ~unit.gather_en[:KEY_BANKS].any(), "keys rest while values are read")
    h.reach(unit.operand.take[3] & unit.operand.take[0] & (unit.operand.bank[0] != unit.operand.bank[3]), "two banks")


@proof("a request is done after four cycles at the latest", size=SIZE)
def in_time(h):
    unit, inside, _request = environment(h)
    late = Signal(range(6))
    h.m.d.sync += late.eq(Mux(unit.i.ready, 0, late + (late != 5)))
    h.prove(late < QUERIES, "done in time")
    h.prove(inside | unit.i.ready, "an empty unit takes a request")
    h.reach(unit.i.ready & (late == 3), "four vectors of one bank")


@proof("wrong: a request is done after three cycles", size=SIZE, fails="done in three cycles")
def too_fast(h):
    unit, _inside, _request = environment(h)
    late = Signal(range(6))
    h.m.d.sync += late.eq(Mux(unit.i.ready, 0, late + (late != 5)))
    h.prove(late < 3, "done in three cycles")
