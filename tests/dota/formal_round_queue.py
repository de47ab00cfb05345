"""Proofs of the queue of rounds: what was written is read back, groups are counted, never more than four of them."""

from amaranth import *

from golden.dota.config import DotaConfig
from golden.dota.formats import QUEUE_SLOTS
from hdl.dota.round_queue import RoundQueue
from sim.common.formal import proof
from sim.common.rules import assume_stream_rules

CFG = DotaConfig(lanes=1, rows=4, columns=4, bank_words=4, keys=4, queue=4)
SIZE = "4 slots of 4 rounds, 4 keys"


def environment(h):
    """A unit that is used as it may be; a round is taken, its group and its number in it, the oldest group."""
    m = h.m
    unit = h.place("unit", RoundQueue(CFG))
    assume_stream_rules(h, unit.i, "i")
    take = Signal(name="take")
    group = Signal(range(QUEUE_SLOTS), name="group")
    number = Signal(range(CFG.queue), name="number")
    complete = Signal(range(QUEUE_SLOTS + 1), name="groups")
    oldest = Signal(range(QUEUE_SLOTS), name="oldest")
    ends = take & unit.i.p.last
    m.d.comb += take.eq(unit.i.valid & unit.i.ready)
    m.d.sync += [complete.eq(complete + ends - unit.release), oldest.eq(oldest + unit.release)]
    with m.If(take):
        m.d.sync += [number.eq(Mux(unit.i.p.last, 0, number + 1)), group.eq(group + unit.i.p.last)]
    # A group has at most as many rounds as a slot; only complete ones are read and released.
    h.assume(~take | unit.i.p.last | (number != CFG.queue - 1))
    h.assume(~unit.release | (complete != 0))
    h.assume(~unit.r_en | ((unit.r_slot - oldest)[:2] < complete))
    return unit, take, group, number, complete, oldest


@proof("complete is the number of groups that are there, at most four; with four nothing is taken", size=SIZE)
def groups(h):
    unit, take, _group, _number, complete, _oldest = environment(h)
    h.prove(unit.complete == complete, "complete is exact")
    h.prove(unit.complete <= QUEUE_SLOTS, "never more than four")
    h.prove(unit.i.ready == (complete != QUEUE_SLOTS), "ready while there is a slot")
    h.reach((complete == QUEUE_SLOTS) & unit.i.valid, "four groups")
    h.reach(take & unit.i.p.last & unit.release, "one comes, one goes")


@proof("a round of a group that is not released is read back as it was written, and holds", size=SIZE)
def read_back(h):
    unit, take, group, number, _complete, oldest = environment(h)
    follow(h, unit, take, group, number, oldest, released=False)


@proof("wrong: it is read back also after the release of its group", size=SIZE, fails="the round is as it was written")
def read_back_late(h):
    unit, take, group, number, _complete, oldest = environment(h)
    follow(h, unit, take, group, number, oldest, released=True)


def follow(h, unit, take, group, number, oldest, released):
    """The solver chooses a round as it is written; ``released``: it may be read after the release of its group."""
    m = h.m
    choose = h.free("choose")
    item = h.constant("item", Value.cast(unit.i.payload).shape())
    there = Signal(name="chosen_is_there")
    slot = Signal(range(QUEUE_SLOTS), name="chosen_slot")
    place = Signal(range(CFG.queue), name="chosen_number")
    h.assume(~choose | (take & ~there & (Value.cast(unit.i.payload) == item)))
    with m.If(choose):
        m.d.sync += [there.eq(1), slot.eq(group), place.eq(number)]
    if not released:
        with m.Elif(unit.release & there & (oldest == slot)):
            m.d.sync += there.eq(0)
    read_it = there & unit.r_en & (unit.r_slot == slot) & (unit.r_round == place)
    holds = Signal(name="holds")
    m.d.sync += holds.eq(read_it | (holds & ~unit.r_en))
    h.prove(~holds | (Value.cast(unit.r_data) == item), "the round is as it was written")
    h.reach(holds & h.past(holds, "held") & (slot == 2), "it holds, and lies in the third slot")
