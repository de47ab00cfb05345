"""Register file: a value stays until it is overwritten, and its flags say what it counts as."""

from amaranth import *

from golden.eie.config import EieConfig
from hdl.eie.regfile import RegFile
from sim.common.formal import proof

CFG = EieConfig(n_pe=1, data_bits=8, regfile_words=4)
SIZE = "4 registers, 8 bits"


def environment(h):
    """A unit that is read by one reader at a time, and never where it is written."""
    unit = h.place("unit", RegFile(CFG))
    h.assume(~(unit.r_en & unit.s_en))
    for en, row in (unit.r_en, unit.r_row), (unit.s_en, unit.s_row):
        h.assume(~(en & unit.w_en & (row == unit.w_row)))
    return unit


def watched(h):
    """The unit, and a copy of one register that the solver chooses: (unit, row, value, live, counts)."""
    m = h.m
    unit = environment(h)
    row = h.constant("row", range(CFG.regfile_words))
    value, live, counts = Signal(signed(8), name="value"), Signal(name="live"), Signal(name="counts")
    with m.If(unit.flush):
        m.d.sync += [live.eq(0), counts.eq(0)]
    with m.If(unit.w_en & (unit.w_row == row)):
        m.d.sync += [value.eq(unit.w_value), live.eq(1),
                     counts.eq(Mux(unit.w_relu, unit.w_value > 0, unit.w_value != 0))]
    return unit, row, value, live, counts


@proof("a read gives what was written last and whether it counts; the answer stays until the next read", size=SIZE)
def reads(h):
    unit, row, value, live, counts = watched(h)
    read = h.past(unit.r_en & (unit.r_row == row), "read")
    h.prove(~read | (unit.r_live == h.past(live, "live_before")), "live since the last flush")
    h.prove(~read | (unit.r_nonzero == h.past(counts, "counts_before")), "counts as non-zero")
    before = h.past(value, "value_before")
    h.prove(~(read & unit.r_live) | (unit.r_value == before), "the value written last")
    scanned = h.past(unit.s_en & (unit.s_row == row) & live, "scanned")
    h.prove(~scanned | (unit.r_value == before), "the value written last, for the scan")
    flags, reads = Cat(unit.r_live, unit.r_nonzero), h.past(Cat(unit.r_en, unit.s_en), "any_read", init=3)
    h.prove(reads[0] | (flags == h.past(flags, "flags")), "the flags stay")
    h.prove((reads != 0) | (unit.r_value == h.past(unit.r_value, "answer")), "the value stays")
    h.reach(read & unit.r_live & ~unit.r_nonzero & (unit.r_value < 0), "a negative value that ReLU makes zero")


@proof("a register is flagged exactly while it holds something that counts", size=SIZE)
def flags(h):
    unit, row, _value, live, counts = watched(h)
    h.prove(unit.nonzero.bit_select(row, 1) == counts, "the flag")
    h.prove(~counts | live, "what counts is live")
    h.reach(unit.nonzero == 0b1010, "some flags")


@proof("wrong: ReLU lets zero count", size=SIZE, fails="not negative counts")
def relu_of_zero(h):
    unit = environment(h)
    written = h.past(unit.w_en & (unit.w_row == 0) & (unit.w_value >= 0), "written")
    h.prove(~written | unit.nonzero[0], "not negative counts")
