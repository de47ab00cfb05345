"""Proofs of the exact unit: requests stay until they are taken, the SRAM is used for one thing at a time."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import QUERIES, Step
from hdl.dota.exact import Exact, Kind
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules, handshake, stream_rules

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "words of 2 elements, rounds of 4 keys"


def environment(h, unit):
    """A step lies still; it has queries, words and blocks; it starts when the unit is done with the last one."""
    step = h.constant("chosen", unit.step.shape())
    h.m.d.comb += unit.step.eq(step)
    h.assume((step.queries != 0) & (step.queries < 2**16 - QUERIES) & (step.chunks != 0) & (step.blocks != 0))
    h.assume(step.chunks <= 16)
    h.assume(~unit.start | (~unit.busy & (step.step != Step.LOW)))


@proof("an offered request stays until it is taken", size=SIZE)
def handshakes(h):
    unit = handshake(h, Exact(CFG))
    environment(h, unit)


@proof("a partial sum stays offered until it is taken, with its query", size=SIZE)
def sends(h):
    unit = h.place("unit", Exact(CFG))
    environment(h, unit)
    waits = h.past(unit.send_valid & ~unit.send_ready, "waits")
    select = h.past(unit.select, "select_before")
    h.prove(~waits | unit.send_valid, "it stays")
    h.prove(~waits | (unit.select == select), "it is the same")
    h.prove(~unit.send_valid | (unit.kind == Kind.DENSE), "only linear layers send")
    h.reach(waits & (unit.select == 1), "the second one waits")


@proof("an idle unit rests; a word arrives two cycles after its read; only sums release rounds", size=SIZE)
def rests(h):
    unit = h.place("unit", Exact(CFG))
    environment(h, unit)
    assume_stream_rules(h, unit.i, "i")
    port = unit.port
    h.prove(unit.busy | ~(port.en | unit.r_en | unit.release | unit.send_valid | unit.i.ready), "an idle unit rests")
    reads = h.past(h.past(port.en & ~port.write, "read_1"), "read_2")
    h.prove(unit.load == reads, "a word arrives for each read")
    h.prove(~port.write | unit.busy, "only a step writes")
    h.prove(~port.write | (unit.kind != Kind.SCORE), "scores are not written")
    h.prove(~unit.release | (unit.kind == Kind.SUM), "rounds are released after the sums")
    h.reach(port.write & (unit.kind == Kind.DENSE), "a result")
    h.reach(unit.load & (unit.load_token == 3), "the fourth vector")


@proof("what is written was looked at two cycles before", size=SIZE, method="bounded", depth=24)
def looks(h):
    unit = h.place("unit", Exact(CFG))
    environment(h, unit)
    looked = h.past(h.past(unit.looks, "looked_1"), "looked_2")
    h.prove(~unit.port.en | ~unit.port.write | looked, "what is written was looked at")
    h.reach(unit.port.write & looked & unit.step.wide, "a result")


@proof("weights are taken only for sums, with a request for each", size=SIZE)
def weights(h):
    unit = h.place("unit", Exact(CFG))
    environment(h, unit)
    taken = h.past(unit.i.valid & unit.i.ready, "taken")
    h.prove(~unit.i.ready | (unit.kind == Kind.SUM), "only sums take weights")
    h.prove(~taken | unit.o.valid, "a request follows")
    given = h.past(unit.i.p.weights.as_value(), "given")
    h.prove(~taken | (unit.o.p.weights.as_value() == given), "it has these weights")
    h.reach(taken, "weights")


@proof("wrong: a request is taken in the cycle in which it is offered", size=SIZE, fails="o: at once")
def at_once(h):
    unit = h.place("unit", Exact(CFG))
    environment(h, unit)
    stream_rules(h, unit.o, "o")
    h.prove(~h.past(unit.o.valid & ~unit.o.ready, "waited"), "o: at once")
