"""PE of the array: a multiply-accumulate unit of four precisions."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import PE_SUM_BITS, SUM_BITS, UNIT_BITS, Precision
from hdl.common.emit import unit

from .layouts import check_cfg
from .multiplier import SLOTS, Multiplier

__all__ = ["Pe", "add_fields", "field_tops"]


def field_tops(bits, width) -> int:
    """Mask: the highest bit of each field of ``bits`` bits in a word."""
    return sum(1 << low + bits - 1 for low in range(0, width, bits))


def add_fields(m, name, words, tops):
    """Sum of words of fields, each modulo its own width: no carry leaves a bit that ``tops`` marks.

    Carry-save adders, three words to two, until one adder that carries is enough.

    Parameters
    ----------
    m : Module
    name : str
        Of the sum, and of the signals on the way.
    words : list of Signal
        Of one width.
    tops : Signal
        The highest bits of the fields; that of the word need not be set.

    Returns
    -------
    Signal
    """
    words, width = list(words), len(words[0])
    keep = Signal(width, name=f"{name}_keep")
    m.d.comb += keep.eq(~tops)
    number = 0
    while len(words) > 2:
        a, b, c, *words = words
        either = Signal(width, name=f"{name}_either_{number}")
        part = Signal(width, name=f"{name}_part_{number}")
        carry = Signal(width, name=f"{name}_carry_{number}")
        m.d.comb += [either.eq(a ^ b), part.eq(either ^ c),
                     carry.eq(Cat(C(0, 1), ((a & b) | (either & c)) & keep))]
        words += [part, carry]
        number += 1
    if len(words) == 1:
        return words[0]
    a, b = words
    below = Signal(width, name=f"{name}_below")
    total = Signal(width, name=name)
    m.d.comb += [below.eq((a & keep)[:-1] + (b & keep)[:-1]), total.eq(below ^ ((a ^ b) & Cat(tops[:-1], C(1, 1))))]
    return total


class Pe(wiring.Component):
    """PE [Thesis 7.6.2, Fig. 7.13 (b)].

    Two kinds of operand buffers: the streamed ``operand``, and the four slots of the stationary one. A fire multiplies
    what they hold after the edge that ends its cycle, so an operand that comes with its fire is used, and adds to
    the partial sum:

    ========= =================================== ================= ==============================================
    Precision one fire                            fields of ``sum`` exact up to (the largest products, in a field)
    ========= =================================== ================= ==============================================
    FX16      a * b                               48                131,071
    INT8      4 products with slot 0              48                8,589,934,591
    INT4      8 products with each of slots 0..1  2 of 24           131,071
    INT2      16 products with each of slots 0..3 4 of 12           511
    ========= =================================== ================= ==============================================

    Elements of ``operand`` and slot at equal places are multiplied; all are signed. A field that is full wraps; its
    neighbours do not notice. Fires of any precision may follow each other in consecutive cycles.

    Latency: ``PE_LATENCY`` = 3 cycles from ``fire`` to ``sum``: operands, products, sum. Throughput: one fire a cycle,
    1, 4, 16 or 64 products.

    Parameters
    ----------
    cfg : DotaConfig
        The PE is the same in all of them.

    Members
    -------
    operand : In(32)
    take : In(1)
        Keep it as the streamed operand.
    load, slot : In(1), In(2)
        Keep it in a slot of the stationary operand; ``take`` may be set too.
    precision : In(2)
        A :class:`golden.dota.formats.Precision`, of the fire.
    fire, first : In(1)
        Multiply and accumulate; ``first`` starts from zero.
    sum : Out(48)
        The partial sum. Holds without ``fire``.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DotaConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "operand": In(UNIT_BITS), "take": In(1), "load": In(1), "slot": In(range(SLOTS)),
            "precision": In(2), "fire": In(1), "first": In(1),
            "sum": Out(SUM_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.multiplier = multiplier = unit(platform, Multiplier(self._cfg), name="dota_multiplier")

        # Operands.
        operand = Signal(UNIT_BITS)
        slots = [Signal(UNIT_BITS, name=f"slot_{k}") for k in range(SLOTS)]
        with m.If(self.take):
            m.d.sync += operand.eq(self.operand)
        for k in range(SLOTS):
            with m.If(self.load & (self.slot == k)):
                m.d.sync += slots[k].eq(self.operand)
        fire_s1 = Signal()
        first_s1 = Signal()
        precision_s1 = Signal(2)
        m.d.sync += [fire_s1.eq(self.fire), first_s1.eq(self.first), precision_s1.eq(self.precision)]

        # Products.
        m.d.comb += [
            multiplier.en.eq(fire_s1), multiplier.precision.eq(precision_s1), multiplier.operand.eq(operand),
            *(port.eq(slot) for port, slot in zip(multiplier.slots, slots, strict=True)),
        ]
        fire_s2 = Signal()
        first_s2 = Signal()
        precision_s2 = Signal(2)
        m.d.sync += [fire_s2.eq(fire_s1), first_s2.eq(first_s1), precision_s2.eq(precision_s1)]

        # Sum: the only carries that propagate.
        tops = Signal(SUM_BITS)
        with m.Switch(precision_s2):
            for precision in Precision:
                with m.Case(precision):
                    m.d.comb += tops.eq(field_tops(PE_SUM_BITS[precision], SUM_BITS))
        before = Signal(SUM_BITS)
        m.d.comb += before.eq(Mux(first_s2, 0, self.sum))
        total = add_fields(m, "total", [*multiplier.parts, before], tops)
        with m.If(fire_s2):
            m.d.sync += self.sum.eq(total)
        return m
