"""Activation buffer: a pixel that was written is in every window that covers it, in its place."""

from amaranth import *

from golden.duet.config import PRESETS
from hdl.duet.activation_buffer import ActivationBuffer
from sim.common.formal import proof

CFG = PRESETS["tiny"].replace(rows=2, columns=2, systolic_columns=4, activation_words=16)
SIZE = "2 columns, 16 entries"
SPANS = {f"span {span}": (span,) for span in range(3)}


def environment(h, span):
    """Follows one value of one pixel. Returns the unit, whether the window that comes out now was read after a write
    of the pixel and covers it, the place of the pixel in that window, the value."""
    m, side = h.m, CFG.side
    unit = h.place("unit", ActivationBuffer(CFG))
    y, x, column = h.constant("y", signed(16)), h.constant("x", signed(16)), h.constant("column")
    word = h.constant("word", range(CFG.activation_words))
    words = CFG.activation_words >> 2 * span
    h.assume((word < words) & (unit.w_word < words) & (unit.read.word < words))
    h.assume(~unit.vector & (unit.span == span) & (unit.in_height == h.constant("height", 12))
             & (unit.in_width == h.constant("width", 12)))
    h.assume((y >= 0) & (y < unit.in_height) & (x >= 0) & (x < unit.in_width))
    # Not both of one word; and nothing else is written where the pixel lies.
    h.assume(~(unit.w_en & unit.r_en) | (unit.w_word != unit.read.word))
    blocks = (1 << span) - 1
    shares = (((unit.w_y ^ y[1:]) & blocks) == 0) & (((unit.w_x ^ x[1:]) & blocks) == 0)
    pixel = Cat(x[0], y[0])
    mine = Signal()
    written = Signal()
    value = Signal(4)
    m.d.comb += mine.eq(unit.w_en & unit.w_mask.bit_select(pixel, 1) & shares & (unit.w_word == word))
    with m.If(mine):
        m.d.sync += [written.eq(1), value.eq(Value.cast(unit.w_values).word_select(Cat(pixel, column), 4))]
    row = Signal(signed(18))
    left = Signal(signed(18))
    m.d.comb += [row.eq(y - unit.read.y), left.eq(x - unit.read.x)]
    covers = (row >= 0) & (row < side) & (left >= 0) & (left < side) & (unit.read.word == word)
    seen = h.past(h.past(unit.r_en & written & covers, "covers_s1"), "covers_s2")
    place = h.past(h.past(Cat(left[0], row[0]), "place_s1"), "place_s2")
    return unit, seen, Cat(place, column), h.past(h.past(value, "value_s1"), "value_s2")


@proof("a window has each pixel in its place, with the value that was written last", size=SIZE + ", span {}",
       cases=SPANS, method="bounded", depth=8)
def pixels(h, span):
    unit, covers, place, value = environment(h, span)
    h.prove(~covers | unit.o_valid, "the window comes")
    h.prove(~covers | (Value.cast(unit.o).word_select(place, 4) == value), "the pixel is in its place")
    h.reach(covers & (value == 13) & (place == 7), "a rotated window")


@proof("a window comes two cycles after every read; what lies outside of the map is 0", size=SIZE)
def outside(h):
    unit = h.place("unit", ActivationBuffer(CFG))
    h.trust_units()
    h.assume(~unit.vector & (unit.in_height == h.constant("height", 12)) & (unit.in_width == h.constant("width", 12)))
    h.prove(unit.o_valid == h.past(h.past(unit.r_en, "read_s1"), "read_s2"), "as many windows as reads")
    for i in range(CFG.side):
        for j in range(CFG.side):
            y = Signal(signed(18), name=f"y_{i}")
            x = Signal(signed(18), name=f"x_{j}")
            h.m.d.comb += [y.eq(unit.read.y + i), x.eq(unit.read.x + j)]
            beyond = (y < 0) | (y >= unit.in_height) | (x < 0) | (x >= unit.in_width)
            out = h.past(h.past(unit.r_en & beyond, f"out_{i}_{j}_s1"), f"out_{i}_{j}_s2")
            for column in range(CFG.columns):
                h.prove(~out | (unit.o[column * CFG.pixels + i * CFG.side + j] == 0), f"pixel {i}, {j} of {column}")
    h.reach(unit.o_valid & (unit.o[0] != 0) & (unit.o[3] == 0), "one inside")


@proof("wrong: windows are not rotated", size=SIZE + ", span {}", cases={"span 1": (1,)}, method="bounded", depth=8,
       fails="the pixel is where it was written")
def not_rotated(h, span):
    unit, covers, _place, value = environment(h, span)
    h.prove(~covers | (Value.cast(unit.o)[:4] == value), "the pixel is where it was written")
