"""Tag queue: every valid instruction of a step is issued once, and no cycle is lost."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.tag_queue import TagQueue
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(lut=32, tags=16)
SIZE = "2 words of 16 instructions, 3 of them in use"
#: Instructions of a word that may be valid.
USED = 1 << 0 | 1 << 6 | 1 << 15


def steps(h):
    """The queue in surroundings that keep its rules; instructions that are left of the step that runs, a bit each.

    Words of the next two steps are collected, those of the second one only while no step runs.
    """
    unit = h.place("unit", TagQueue(CFG))
    m = h.m
    left, ahead = Signal(CFG.lut, name="left"), [Signal(CFG.lut, name=f"ahead_{k}") for k in range(2)]
    number = Signal(2, name="number")       # of the step that was started last
    whole = Signal(name="whole")            # no more words of the next step
    ends = h.free("ends")                   # the word is the last of its step
    over = left == 0
    bits = Signal(CFG.lut, name="bits")
    m.d.comb += bits.eq(unit.tags << (unit.word * CFG.tags))
    issued = Signal(CFG.lut, name="issued")
    m.d.comb += issued.eq(Mux(unit.issue, C(1, 1) << unit.instruction, 0))

    h.assume((unit.tags & ~C(USED, CFG.tags)) == 0)
    second = whole         # the word is one of the step after the next
    h.assume(~unit.valid | (unit.phase == (number + 1 + second)[:2]))
    h.assume(~unit.valid | ~second | over)
    h.assume(~unit.valid | (Mux(second, ahead[1], ahead[0]).word_select(unit.word, CFG.tags) == 0))
    h.assume(~unit.start | (over & whole))
    # The last word of the step came LATENCY cycles before its first instruction.
    since = Signal(range(8), name="since", init=7)
    with m.If(unit.valid & ~second):
        m.d.sync += since.eq(0)
    with m.Elif(since != 7):
        m.d.sync += since.eq(since + 1)
    h.assume(~unit.start | (since >= TagQueue.LATENCY - 2))

    grown = [Signal(CFG.lut, name=f"grown_{k}") for k in range(2)]
    m.d.comb += [grown[0].eq(ahead[0] | Mux(unit.valid & ~second, bits, 0)),
                 grown[1].eq(ahead[1] | Mux(unit.valid & second, bits, 0))]
    m.d.sync += [left.eq(left & ~issued), ahead[0].eq(grown[0]), ahead[1].eq(grown[1]), whole.eq(whole | ends)]
    with m.If(unit.start):
        m.d.sync += [left.eq(grown[0]), ahead[0].eq(grown[1]), ahead[1].eq(0), number.eq(number + 1), whole.eq(0)]
        h.assume(~(unit.valid & second))
    h.assume(~ends | (unit.valid & ~whole))
    return unit, left, issued, number


@proof("in every cycle of a step one of its valid instructions is issued that was not yet, until none is left",
       size=SIZE, method="bounded", depth=12)
def no_lost_cycle(h):
    unit, left, issued, number = steps(h)
    h.prove(unit.issue == (left != 0), "one in every cycle")
    h.prove((issued & ~left) == 0, "valid, and not before")
    h.reach((number == 2) & unit.issue & (left[:16] != 0) & (left[16:] != 0), "a second step of two words")


@proof("wrong: an instruction is issued in the cycle after its word came", size=SIZE, depth=12, fails="issued at once")
def at_once(h):
    unit, _left, _issued, _number = steps(h)
    h.prove(unit.issue | ~h.past(unit.start, "started"), "issued at once")
