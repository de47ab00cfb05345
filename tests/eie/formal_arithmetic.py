"""Arithmetic unit: every entry updates the accumulator of its row, exactly as defined, or is refused."""

from amaranth import *

from golden.eie.config import EieConfig
from golden.eie.formats import CODEBOOK_SIZE
from hdl.common.fixed import round_shift, saturate
from hdl.eie.arithmetic import Arithmetic
from sim.common.formal import proof

CFG = EieConfig(n_pe=1, data_bits=8, regfile_words=4, codebooks=1)
SIZE = "8 bits, 4 rows"
#: Entries inside, and cycles from an entry to its write: bounds, not what the unit has today.
INSIDE = 7


def environment(h):
    """A unit whose host keeps away while something is in flight, and the row that each entry belongs to."""
    unit = h.place("unit", Arithmetic(CFG))
    m = h.m
    in_flight = Signal(range(INSIDE + 1))
    last_row = Signal(range(CFG.regfile_words + CODEBOOK_SIZE + 1), name="last_row")
    row = Signal(range(CFG.regfile_words + CODEBOOK_SIZE + 1), name="row_of_entry")
    bad = Signal(name="row_is_bad")
    first_seen = Signal()
    m.d.comb += [row.eq(Mux(unit.i.p.first, 0, last_row + 1) + unit.i.p.z), bad.eq(row >= CFG.regfile_words)]
    with m.If(unit.i.valid):
        m.d.sync += [last_row.eq(Mux(bad, CFG.regfile_words, row)), first_seen.eq(1)]
    h.assume(~unit.i.valid | first_seen | unit.i.p.first)
    h.assume(~(unit.io.en & (unit.i.valid | (in_flight != 0))))
    h.assume((in_flight == 0) | ((unit.shift == h.past(unit.shift, "shift_before"))
                                 & (unit.codebook == h.past(unit.codebook, "codebook_before"))))
    take = Signal(name="take")
    m.d.comb += take.eq(unit.i.valid & ~bad)
    m.d.sync += in_flight.eq(in_flight + take - unit.w_en)
    return unit, row, bad, take, in_flight


@proof("each entry writes its row once, in order, marked if padding; a row beyond the file is refused and flagged",
       size=SIZE)
def rows(h):
    m = h.m
    unit, row, bad, take, in_flight = environment(h)
    choose = h.free("choose")
    chosen, left, padding = Signal(), Signal(), Signal()
    ahead, its_row = Signal(range(INSIDE + 1)), Signal(range(CFG.regfile_words))
    h.assume(~choose | (take & ~chosen))
    with m.If(choose):
        m.d.sync += [chosen.eq(1), ahead.eq(in_flight - unit.w_en), its_row.eq(row), padding.eq(unit.i.p.v == 0)]
    with m.Elif(chosen & ~left & unit.w_en):
        m.d.sync += [ahead.eq(ahead - 1), left.eq(ahead == 0)]
    here = chosen & ~left & (ahead == 0) & unit.w_en
    h.prove(~here | (unit.w_row == its_row), "it writes the row of its entry")
    h.prove(~here | (unit.padding == padding), "it is marked as padding or not")
    h.prove(~unit.w_en | (in_flight != 0), "nothing is written without an entry")
    late = Signal(range(INSIDE + 1))
    m.d.sync += late.eq(Mux((in_flight != 0) & ~unit.w_en, late + 1, 0))
    h.prove(late < INSIDE, "every entry is written")
    error = Signal()
    m.d.sync += error.eq((error & ~unit.clear) | (unit.i.valid & bad))
    h.prove(unit.row_error == error, "row_error exactly after a row beyond the file")
    h.reach(left & (its_row == 3) & padding, "padding in the last row")
    h.reach(unit.row_error & (in_flight != 0), "a row beyond the file")


@proof("an accumulator that is read is not being written in that cycle", size=SIZE)
def no_collision(h):
    unit, *_rest = environment(h)
    h.prove(~(unit.r_en & unit.w_en & (unit.r_row == unit.w_row)), "no read of the row that is written")
    h.reach(unit.r_en & unit.w_en & (unit.r_row != unit.w_row), "another row")


def accumulators(h, unit):
    """The register file as the unit sees it: answers one cycle after a read, from what was written."""
    m = h.m
    count = CFG.regfile_words
    values = [Signal(signed(8), name=f"file_{k}") for k in range(count)]
    live = Signal(count, name="file_live")
    with m.If(unit.w_en):
        m.d.sync += [Array(values)[unit.w_row].eq(unit.w_value), live.bit_select(unit.w_row, 1).eq(1)]
    answer, answer_live = Signal(signed(8), name="answer"), Signal(name="answer_live")
    with m.If(unit.r_en):
        m.d.sync += [answer.eq(Array(values)[unit.r_row]), answer_live.eq(live.bit_select(unit.r_row, 1))]
    m.d.comb += [unit.r_value.eq(answer), unit.r_live.eq(answer_live)]
    return values, live


def sums(h, weight, expected):
    """Compare the write of an entry that the solver chooses with ``expected(before, product, shift)``.

    Rows and activations of all entries are free; they use one entry of the codebook, which holds ``weight``.
    """
    m = h.m
    unit, _row, _bad, take, in_flight = environment(h)
    values, live = accumulators(h, unit)
    written = Signal()
    with m.If(unit.io.en & unit.io.write & (unit.io.addr == 5)):
        h.assume(unit.io.wdata == weight & 0xFF)
        m.d.sync += written.eq(1)
    h.assume(~unit.i.valid | (written & (unit.i.p.v == 5)))
    choose = h.free("choose")
    chosen, left = Signal(), Signal()
    ahead, value = Signal(range(INSIDE + 1)), Signal(signed(8), name="activation")
    h.assume(~choose | (take & ~chosen))
    with m.If(choose):
        m.d.sync += [chosen.eq(1), ahead.eq(in_flight - unit.w_en), value.eq(unit.i.p.value)]
    with m.Elif(chosen & ~left & unit.w_en):
        m.d.sync += [ahead.eq(ahead - 1), left.eq(ahead == 0)]
    here = chosen & ~left & (ahead == 0) & unit.w_en
    before, product = Signal(signed(8), name="before"), Signal(signed(16), name="product")
    m.d.comb += [before.eq(Mux(live.bit_select(unit.w_row, 1), Array(values)[unit.w_row], 0)),
                 product.eq(weight * value)]
    h.prove(~here | (unit.w_value == expected(before, product, unit.shift)), "the sum of the definition")
    again = h.past(unit.w_en, "again") & (unit.w_row == h.past(unit.w_row, "row_again"))
    h.reach(here & again & (before != 0), "one row twice in a row")
    h.reach(here & (unit.w_value == 127) & (before != 127), "the upper end of the range")


WEIGHTS = {f"weight {weight}": (weight,) for weight in (1, -128)}


@proof("an accumulator becomes saturate(b + round_shift(S[v] * a, shift)), also when entries hit one row back to back",
       size=SIZE + ", weight {}", method="bounded", depth=11, cases=WEIGHTS)
def value(h, weight):
    sums(h, weight, lambda before, product, shift: saturate(before + round_shift(product, shift), 8)[0])


@proof("wrong: a sum that leaves the range wraps", size=SIZE + ", weight 127", depth=11,
       fails="the sum of the definition")
def wraps(h):
    sums(h, 127, lambda before, product, shift: (before + round_shift(product, shift))[:8].as_signed())
