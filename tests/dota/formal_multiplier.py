"""Multi-precision multiplier: the product of every pair of elements, wherever they are."""

from amaranth import *

from golden.dota.config import PRESETS
from golden.dota.formats import ELEMENT_BITS, INPUTS, OUTPUTS, PE_SUM_BITS, SUM_BITS, UNIT_BITS, Precision
from hdl.dota.multiplier import SLOTS, Multiplier
from sim.common.formal import proof

CFG = PRESETS["tiny"]
FX16, INT8, INT4, INT2 = Precision


def place(h, precision, operand, slots):
    """A multiplier that works on the same operands in every cycle.

    Returns
    -------
    fields : list of Signal
        What it makes for each slot in use: the sum of its parts, field by field.
    there : Signal
        From the second cycle on.
    """
    unit = h.place("unit", Multiplier(CFG))
    h.m.d.comb += [unit.en.eq(1), unit.precision.eq(precision), unit.operand.eq(operand),
                   *(port.eq(slot) for port, slot in zip(unit.slots, slots, strict=True))]
    width, fields = PE_SUM_BITS[precision], []
    for k in range(SUM_BITS // width):
        field = Signal(width, name=f"field_{k}")
        h.m.d.comb += field.eq(sum(part[width * k:width * (k + 1)] for part in unit.parts))
        fields.append(field)
    return fields, h.past(1, "there")


def any_slots(h):
    """Stationary words of the solver's choice."""
    return [h.constant(f"stationary_{k}", UNIT_BITS) for k in range(SLOTS)]


def product(h, name, a, b, width):
    """The bits of a product of signed values."""
    exact = Signal(signed(width), name=name)
    h.m.d.comb += exact.eq(a * b)
    return exact.as_unsigned()


@proof("one element, of any value and at any place, meets any stationary words: each field is its product", size="{}",
       cases={each.name: (each,) for each in (INT4, INT2)})
def element(h, precision):
    bits = ELEMENT_BITS[precision]
    value, at = h.constant("value", signed(bits)), h.constant("place", range(INPUTS[precision]))
    word = Signal(UNIT_BITS, name="word")
    h.m.d.comb += word.word_select(at, bits).eq(value)
    slots = any_slots(h)
    fields, there = place(h, precision, word, slots)
    for k, (field, slot) in enumerate(zip(fields, slots[:OUTPUTS[precision]], strict=True)):
        other = Signal(signed(bits), name=f"other_{k}")
        h.m.d.comb += other.eq(slot.word_select(at, bits))
        h.prove(~there | (field == product(h, f"exact_{k}", value, other, len(field))), f"product with slot {k}")
    h.reach(there & (value < 0) & (fields[-1] != 0), "a product that is not zero")


@proof("INT8: one digit, at any place of the operand, meets any stationary word: the sum is its product",
       size="2 x 8 bits")
def digit_of_int8(h):
    digit, at = h.constant("digit", 2), h.constant("place", range(UNIT_BITS // 2))
    word = Signal(UNIT_BITS, name="word")
    h.m.d.comb += word.word_select(at, 2).eq(digit)
    slots = any_slots(h)
    (field,), there = place(h, INT8, word, slots)
    a, b = Signal(signed(8)), Signal(signed(8))
    h.m.d.comb += [a.eq(word.word_select(at[2:], 8)), b.eq(slots[0].word_select(at[2:], 8))]
    h.prove(~there | (field == product(h, "exact", a, b, SUM_BITS)), "the product")
    h.reach(there & (at == 15) & (digit == 2) & (b < 0), "negative times negative")


@proof("FX16: any a times any b of one digit, wherever it is, is exact", size="16 x 2 bits")
def digit_of_fx16(h):
    a, digit, at = h.constant("a", signed(16)), h.constant("digit", 2), h.constant("place", range(8))
    b = Signal(signed(16))
    h.m.d.comb += b.word_select(at, 2).eq(digit)
    (field,), there = place(h, FX16, Cat(a, b), any_slots(h))
    h.prove(~there | (field == product(h, "exact", a, b, SUM_BITS)), "the product")
    h.reach(there & (at == 7) & (digit == 2) & (a < 0), "negative times negative")


@proof("wrong: the highest digit of b has no sign", fails="the product")
def unsigned_digit(h):
    a, digit = h.constant("a", signed(16)), h.constant("digit", 2)
    (field,), there = place(h, FX16, Cat(a, C(0, 14), digit), [C(0, UNIT_BITS)] * SLOTS)
    h.prove(~there | (field == product(h, "exact", a, digit << 14, SUM_BITS)), "the product")
