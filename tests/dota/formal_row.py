"""Row of PEs: its sums are those of the partial sums two cycles before."""

from amaranth import *

from golden.dota.config import PRESETS
from golden.dota.formats import LOW_SUM_BITS, PE_LATENCY, PE_SUM_BITS, ROW_LATENCY, SUM_BITS, Precision
from hdl.dota.row import Row
from sim.common.formal import proof

CFG = PRESETS["tiny"]


def delayed(h, value, name, cycles):
    """``value`` some cycles ago, 0 before."""
    for k in range(cycles):
        value = h.past(value, f"{name}_{k + 1}")
    return value


def row(h):
    """A row; its partial sums two cycles ago, and the precision of the last fire that they had seen then."""
    unit = h.place("unit", Row(CFG))
    last = Signal(2, name="last")
    with h.m.If(unit.fire):
        h.m.d.sync += last.eq(unit.precision)
    elements = [delayed(h, element, f"element_{k}", ROW_LATENCY) for k, element in enumerate(unit.elements)]
    return unit, elements, delayed(h, last, "last", PE_LATENCY - 1 + ROW_LATENCY)


def total(h, name, values, bits, width):
    """Sum of signed numbers of some bits, as so many more bits."""
    exact = Signal(signed(width), name=name)
    h.m.d.comb += exact.eq(sum(value[:bits].as_signed() for value in values))
    return exact.as_unsigned()


def sums_of(h, elements, precision):
    """The sums, as defined."""
    name, bits = precision.name.lower(), PE_SUM_BITS[precision]
    if precision == Precision.FX16:
        return Cat(total(h, f"{name}_{k}", elements[2 * k:2 * k + 2], bits, SUM_BITS) for k in range(2))
    parts, fields = {Precision.INT8: (4, 1), Precision.INT4: (2, 2), Precision.INT2: (1, 4)}[precision]
    size = CFG.columns // parts
    return Cat(total(h, f"{name}_{part}_{field}", [element[bits * field:] for element in elements[size * part:][:size]],
                     bits, LOW_SUM_BITS) for part in range(parts) for field in range(fields))


@proof("the sums are those of the partial sums two cycles before, in the precision of the last fire, and stay with it",
       size="4 PEs, {}", method="induction", depth=6, cases={each.name: (each,) for each in Precision})
def sums(h, precision):
    unit, elements, last = row(h)
    h.prove((last != precision) | (unit.sums == sums_of(h, elements, precision)), "the sums of the definition")
    h.reach((last == precision) & (unit.sums[:24] != 0) & unit.sums[-1], "sums of two signs")


@proof("wrong: an INT8 sum is that of another quarter", depth=10, fails="the sums of the definition")
def swapped(h):
    unit, elements, last = row(h)
    h.prove((last != Precision.INT8) | (unit.sums == sums_of(h, [*elements[1:], elements[0]], Precision.INT8)),
            "the sums of the definition")
