"""Multi-precision multiplier: the product of every pair of elements, wherever they are."""

from amaranth import *

from golden.dota.config import PRESETS
from golden.dota.formats import ELEMENT_BITS, INPUTS, OUTPUTS, PE_SUM_BITS, SUM_BITS, Precision
from hdl.dota.multiplier import SLOTS, Multiplier
from sim.common.formal import proof

CFG = PRESETS["tiny"]
LOW = Precision.INT8, Precision.INT4, Precision.INT2


def fields_of(h, unit, precision):
    """The sum of the parts, field by field."""
    width = PE_SUM_BITS[precision]
    fields = []
    for k in range(SUM_BITS // width):
        field = Signal(width, name=f"field_{k}")
        h.m.d.comb += field.eq(sum(part[width * k:width * (k + 1)] for part in unit.parts))
        fields.append(field)
    return fields


def place(h, precision, operand, slots):
    """A multiplier that works on the same operands in every cycle. Returns its product, and when that is there."""
    unit = h.place("unit", Multiplier(CFG))
    h.m.d.comb += [unit.en.eq(1), unit.precision.eq(precision), unit.operand.eq(operand),
                   *(port.eq(slot) for port, slot in zip(unit.slots, slots, strict=True))]
    return fields_of(h, unit, precision), h.past(1, "there")


def element(h, name, precision):
    """A word with one element of any value at a place of the solver's choice, the others zero; the element."""
    bits = ELEMENT_BITS[precision]
    value = h.constant(name, signed(bits))
    at = h.constant(f"{name}_place", range(INPUTS[precision]))
    word = Signal(32, name=f"{name}_word")
    h.m.d.comb += [word.word_select(k, bits).eq(Mux(at == k, value.as_unsigned(), 0)) for k in range(32 // bits)]
    return word, value, at


@proof("one element meets any stationary words: each slot in use gets its product and no other", size="{}",
       cases={each.name: (each,) for each in LOW})
def single(h, precision):
    bits, width = ELEMENT_BITS[precision], PE_SUM_BITS[precision]
    word, value, at = element(h, "value", precision)
    slots = [h.constant(f"slot_{k}", 32) for k in range(SLOTS)]
    fields, there = place(h, precision, word, slots)
    for k, (field, slot) in enumerate(zip(fields, slots[:OUTPUTS[precision]], strict=True)):
        other = Signal(signed(bits), name=f"other_{k}")
        h.m.d.comb += other.eq(slot.word_select(at, bits))
        h.prove(~there | (field == _product(h, k, value, other, width)), f"product with slot {k}")
    h.reach(there & (value < 0) & (fields[-1] != 0), "a product that is not zero")


def _product(h, k, value, other, width):
    product = Signal(signed(width), name=f"product_{k}")
    h.m.d.comb += product.eq(value * other)
    return product.as_unsigned()


@proof("FX16: any a times b of one digit, wherever it is, is exact", size="16 x 2 bits")
def digit(h):
    a, digit, at = h.constant("a", signed(16)), h.constant("digit", 2), h.constant("digit_place", range(8))
    b = Signal(signed(16))
    h.m.d.comb += b.word_select(at, 2).eq(digit)
    (field,), there = place(h, Precision.FX16, Cat(a, b), [h.constant(f"slot_{k}", 32) for k in range(SLOTS)])
    h.prove(~there | (field == _product(h, 0, a, b, SUM_BITS)), "the product")
    h.reach(there & (at == 7) & (digit == 2) & (a < 0), "negative times negative")


@proof("wrong: the highest digit of b has no sign", fails="the product")
def unsigned_digit(h):
    a, digit = h.constant("a", signed(16)), h.constant("digit", 2)
    (field,), there = place(h, Precision.FX16, Cat(a, C(0, 14), digit), [C(0, 32)] * SLOTS)
    h.prove(~there | (field == _product(h, 0, a, digit << 14, SUM_BITS)), "the product")
