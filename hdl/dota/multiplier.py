"""Multi-precision multiplier: 64 INT2 multipliers, and adders that make wider products or sums of them."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import OUTPUTS, SUM_BITS, UNIT_BITS, Precision

from .layouts import check_cfg

__all__ = ["PARTS", "SLOTS", "Multiplier"]

#: Slots of the stationary operand.
SLOTS = OUTPUTS[Precision.INT2]
#: Words that a product comes in, one for each byte of the operand.
PARTS = UNIT_BITS // 8
#: Two operands side by side: four fields of 16 bits, each with 8 digits.
PAIR = 2 * UNIT_BITS
FIELD = 16
DIGITS = FIELD // 2


class Multiplier(wiring.Component):
    """Multiplier of a PE [Thesis 7.6.2, Fig. 7.13 (c)].

    A word of 32 bits is 16 digits of 2 bits. An INT2 multiplier takes two digits, each signed (the highest of its
    element) or not. There are 16 x 4 of them: in row d one factor is digit d of the word ``x``, in column k the other
    one comes from the word ``y``:

    ========= ====================== ========================= ==================================================
    Precision ``x``, high byte first ``y``, high byte first    digit of ``y`` in row d, column k
    ========= ====================== ========================= ==================================================
    FX16      bH aH aH aL            aL bH bL bL               k of the byte that d is in
    INT8      operand                slot 0                    k of the byte that d is in
    INT4      operand                slot k // 2               k % 2 of the nibble that d is in
    INT2      operand                slot k                    d
    ========= ====================== ========================= ==================================================

    Wider products are made as the source draws it, twice: four products of halves, low * low and high * high side by
    side, and high * low and low * high added to the middle. In low precision the same adders sum products instead, and
    only the shifts differ:

    ================================================== ==== ==== ==== ====
    Shifts of low * low, high * low, low * high,       FX16 INT8 INT4 INT2
    high * high; x first
    ================================================== ==== ==== ==== ====
    digits of a nibble: columns 2 o and 2 o + 1          0    0    0    0
    ..                                                   2    2    2    0
    ..                                                   2    2    2    8
    ..                                                   4    4    4    8
    nibbles of a byte: column pairs 0 and 1              0    0    0    0
    ..                                                   4    4    0    0
    ..                                                   4    4   24   24
    ..                                                   8    8   24   24
    ================================================== ==== ==== ==== ====

    What the four bytes of ``x`` come to leaves as ``parts``: the PE adds them to its partial sum, so that carries
    propagate once.

    Nothing is negative on the way: an INT2 multiplier inverts its partial products of negative weight, so its result is
    too large by a constant, and sums need no sign extension. In every precision these constants come to 2**n - 2**m in
    each field. The 2**m are added in the lowest bits of some INT2 multipliers, which are free; -2**n is a row of
    ones above the bits of part 1.

    What is done alike is done in fields of one word: each has room for its sum, and where the upper bits of both
    operands are zero no carry goes on. Synthesis makes short adders of it; a simulator takes one instruction for four.

    Latency: 1 cycle. Throughput: one operand a cycle, which is 1 product in FX16, 4 in INT8, 16 in INT4, 64 in INT2.

    Parameters
    ----------
    cfg : DotaConfig
        The multiplier is the same in all of them.

    Members
    -------
    en : In(1)
        Multiply. Without it the INT2 multipliers stand still: their ``x`` is 0.
    precision : In(2)
        A :class:`golden.dota.formats.Precision`.
    operand : In(32)
        FX16: a in the lower half, b in the upper. Otherwise elements of 8, 4 or 2 bits, the first lowest. Signed.
    slots : In(4 x 32)
        Stationary operand in low precision, with elements like those of ``operand``: slot 0 in INT8, slots 0..1 in
        INT4, 0..3 in INT2.
    parts : Out(4 x 48)
        Four words whose sum is the product. FX16: a * b in 48 bits. Otherwise a sum for each slot in use, slot 0
        lowest, in fields of 48, 24 or 12 bits that are added apart: that of the products of the elements at equal
        places of operand and slot. Signed. Holds without ``en``, also in reset; undefined before the first one.
        One gate behind the registers.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DotaConfig`.
    """

    def __init__(self, cfg):
        check_cfg(cfg)
        super().__init__({
            "en": In(1),
            "precision": In(2),
            "operand": In(UNIT_BITS),
            "slots": In(UNIT_BITS).array(SLOTS),
            "parts": Out(SUM_BITS).array(PARTS),
        })

    def elaborate(self, platform):
        m = Module()
        is_int2 = Signal()
        is_wide = Signal()  # FX16 or INT8: bytes are multiplied
        is_fx = Signal()
        m.d.comb += [
            is_int2.eq(self.precision == Precision.INT2), is_wide.eq(~self.precision[1]),
            is_fx.eq(self.precision == Precision.FX16),
        ]
        x = self._rows(m, is_fx)
        y = self._columns(m, is_fx, is_wide, is_int2)
        table = _Tables(m, self.precision)
        products = {name: _multiply(m, table, k, x, y[name]) for k, name in enumerate(("even", "odd"))}

        # Products of nibbles, or sums of two products of digits.
        nibbles = []
        for nibble in range(DIGITS // 2):
            (low_low, high_low), (low_high, high_high) = (products[name][2 * nibble:2 * nibble + 2]
                                                          for name in ("even", "odd"))
            nibbles.append(_add_three(
                m, f"nibble_{nibble}", low_low | Mux(is_int2, _up(high_high, 8), _up(high_high, 4)),
                Mux(is_int2, high_low, _up(high_low, 2)), Mux(is_int2, _up(low_high, 8), _up(low_high, 2))))

        # The registers: what the bytes of x make.
        is_fx_s2 = Signal(reset_less=True)
        parts_s2 = []
        for byte in range(PARTS):
            part_s2 = Signal(SUM_BITS, name=f"part_{byte}_s2", reset_less=True)
            own = nibbles[2 * (byte % 2)], nibbles[2 * (byte % 2) + 1]
            part = _join(m, f"part_{byte}", *own, byte // 2, is_int2, is_wide)
            if byte == 1:
                part |= table("signs", _signs())
            with m.If(self.en):
                m.d.sync += part_s2.eq(part)
            parts_s2.append(part_s2)
        with m.If(self.en):
            m.d.sync += is_fx_s2.eq(is_fx)

        # In FX16 bytes 1 and 3 are worth 2**8, and byte 2 is worth 2**16, where it has room beside byte 0.
        m.d.comb += [
            self.parts[0].eq(Mux(is_fx_s2, Cat(parts_s2[0][:FIELD], parts_s2[2]), parts_s2[0])),
            self.parts[1].eq(Mux(is_fx_s2, _up(parts_s2[1], 8), parts_s2[1])),
            self.parts[2].eq(Mux(is_fx_s2, 0, parts_s2[2])),
            self.parts[3].eq(Mux(is_fx_s2, _up(parts_s2[3], 8), parts_s2[3])),
        ]
        return m

    def _rows(self, m, is_fx):
        """Digits of ``x``: for each digit of a field a word with its lower bit and one with its higher bit, both in the
        two lowest bits of the field."""
        a, b = self.operand[:16], self.operand[16:]
        x = Signal(PAIR)
        with m.If(is_fx):
            m.d.comb += x.eq(Cat(a, a[8:], b[8:]).replicate(2))
        with m.Else():
            m.d.comb += x.eq(self.operand.replicate(2))
        lowest = Signal(PAIR)
        with m.If(self.en):
            m.d.comb += lowest.eq(_fields(1))
        rows = []
        for digit in range(DIGITS):
            row = []
            for k, name in enumerate(("low", "high")):
                bit = Signal(PAIR, name=f"x_{digit}_{name}_bit")
                bits = Signal(PAIR, name=f"x_{digit}_{name}")
                m.d.comb += [bit.eq(x[2 * digit + k:] & lowest), bits.eq(bit | _up(bit, 1))]
                row.append(bits)
            rows.append(row)
        return rows

    def _columns(self, m, is_fx, is_wide, is_int2):
        """Digits of ``y`` for the even and for the odd columns: for each digit of a field of ``x`` a word with them in
        the two lowest bits of the fields, and anything above; columns 2 and 3 are in the upper half."""
        a, b = self.operand[:16], self.operand[16:]
        slots = self.slots
        y = Signal(UNIT_BITS)
        m.d.comb += y.eq(Mux(is_fx, Cat(b[:8], b, a[:8]), slots[0]))
        columns = {}
        for k, name in enumerate(("even", "odd")):
            nibbles = []
            for nibble in range(2):
                shared = Signal(PAIR, name=f"y_{name}_nibble_{nibble}")
                wide = Cat(y[2 * k:], C(0, 2 * k), y[2 * k + 4:])
                m.d.comb += shared.eq(Mux(is_wide, wide, Cat(slots[0], slots[1])[2 * k + 4 * nibble:]))
                nibbles.append(shared)
            digits = []
            for digit in range(DIGITS // 2):
                own = Signal(PAIR, name=f"y_{name}_{digit}")
                m.d.comb += own.eq(Mux(is_int2, Cat(slots[k], slots[k + 2])[2 * digit:], nibbles[digit // 2]))
                digits.append(own)
            columns[name] = [*digits, *(digit[8:] for digit in digits)]
        return columns


class _Tables:
    """Constants that depend on the precision; equal ones are one signal."""

    def __init__(self, m, precision):
        self._m, self._precision, self._known = m, precision, {}

    def __call__(self, name, values):
        """The signal ``name``, or the one that has the same ``values``: a dict of precision to constant."""
        key = tuple(values[each] for each in Precision)
        if key not in self._known:
            self._known[key] = signal = Signal(max(*key, 1).bit_length(), name=name)
            with self._m.Switch(self._precision):
                for each, value in values.items():
                    with self._m.Case(each):
                        self._m.d.comb += signal.eq(value)
        return self._known[key]


def _multiply(m, table, parity, x, y):
    """Half of the INT2 multipliers: for each digit of a field of ``x`` its products in the even or in the odd columns.

    A digit is d0 + 2 * d1, or d0 - 2 * d1 if it is signed. Partial products of negative weight are inverted: the
    result is 0..9, which is the product, plus 6 if one of the digits is signed, plus 4 if both are.
    """
    name = ("even", "odd")[parity]
    products = []
    for digit in range(DIGITS):
        x_signed, y_signed, one_more = {}, {}, {}
        for each in Precision:
            places = [(field, 2 * (field % 2) + digit // 4, 2 * (field // 2) + parity) for field in range(4)]
            x_signed[each] = sum(1 << FIELD * f for f, byte, _column in places if _x_is_signed(each, byte, digit % 4))
            y_signed[each] = sum(1 << FIELD * f for f, byte, column in places if _y_is_signed(each, byte, column))
            one_more[each] = sum(1 << FIELD * f for f, byte, column in places
                                 if _gets_one_more(each, byte, digit % 4, column))
        low = Signal(PAIR, name=f"low_{name}_{digit}")
        high = Signal(PAIR, name=f"high_{name}_{digit}")
        product = Signal(PAIR, name=f"product_{name}_{digit}")
        x0, x1 = x[digit]
        m.d.comb += [
            low.eq((y[digit] & x0) ^ table(f"flip_low_{name}_{digit}", {p: 2 * y_signed[p] for p in Precision})),
            high.eq((y[digit] & x1) ^ table(f"flip_high_{name}_{digit}",
                                            {p: 3 * x_signed[p] ^ 2 * y_signed[p] for p in Precision})),
        ]
        twice = _up(high, 1)
        if any(one_more.values()):
            twice |= table(f"more_{name}_{digit}", one_more)
        m.d.comb += product.eq(low[:-1] + twice[:-1])
        products.append(product)
    return products


def _x_is_signed(precision, byte, digit):
    """Whether a digit (0..3) of a byte of ``x`` is the highest of its element. In FX16 the bytes are aL, aH, aH, bH."""
    return {Precision.FX16: digit == 3 and byte != 0, Precision.INT8: digit == 3, Precision.INT4: digit % 2 == 1,
            Precision.INT2: True}[precision]


def _y_is_signed(precision, byte, column):
    """Whether the digit of ``y`` in a column is the highest of its element. In FX16 the bytes are bL, bL, bH, aL."""
    return {Precision.FX16: column == 3 and byte == 2, Precision.INT8: column == 3, Precision.INT4: column % 2 == 1,
            Precision.INT2: True}[precision]


def _gets_one_more(precision, byte, digit, column):
    """Whether an INT2 multiplier gives 1 more, in the bit below x1 * y0.

    That is 2**16 of a product in FX16, 4 * 2**8 of a sum in INT8, 8 * 2**4 in INT4: with :func:`_signs` it cancels what
    the inverted partial products have added: 2**31 - 2**16, 2**17 - 2**10, 2**10 - 2**7, and 2**6 in INT2.
    """
    return {Precision.FX16: (byte, digit, column) == (3, 3, 1), Precision.INT8: (digit, column) == (3, 1),
            Precision.INT4: digit % 2 == 1 and column % 2 == 1, Precision.INT2: False}[precision]


def _signs():
    """Ones above the bits of part 1: -2**31 in FX16 (once it is shifted by 8), -2**17, -2**10, -2**6 in each field."""
    def ones(low, high, width):
        return sum(((1 << high) - (1 << low)) << field for field in range(0, SUM_BITS, width))

    return {Precision.FX16: ones(23, 40, 48), Precision.INT8: ones(17, 48, 48), Precision.INT4: ones(10, 24, 24),
            Precision.INT2: ones(6, 12, 12)}


def _add_three(m, name, *words):
    """Sum of three words: a carry-save adder and one that carries."""
    width = len(words[0])
    a, b, c = (Signal(width, name=f"{name}_{letter}") for letter in "abc")
    part = Signal(width, name=f"{name}_part")
    carry = Signal(width, name=f"{name}_carry")
    total = Signal(width, name=name)
    m.d.comb += [a.eq(words[0]), b.eq(words[1]), c.eq(words[2]), part.eq(a ^ b ^ c),
                 carry.eq(_up((a & b) | ((a | b) & c), 1)), total.eq(part[:-1] + carry[:-1])]
    return total


def _join(m, name, low, high, field, is_int2, is_wide):
    """The part of a byte, from the words of its nibbles: one number of 16 bits, two of 9 or four of 6, as far apart as
    the fields of the sum in the PE."""
    low_low, low_high, high_low, high_high = (word[FIELD * k:FIELD * (k + 1)]
                                              for word in (low, high) for k in (field, field + 2))
    total = _add_three(
        m, name, Mux(is_wide, Cat(low_low[:8], high_high, C(0, 16)), Cat(low_low, C(0, 8), high_high)),
        Mux(is_wide, Cat(C(0, 4), high_low, C(0, 20)), Cat(high_low, C(0, 24))),
        Mux(is_wide, Cat(C(0, 4), low_high, C(0, 20)), Cat(C(0, 24), low_high)))
    low, high = total[:16], total[24:40]

    def spread(label, word, bits):
        signal = Signal(18, name=f"{name}_{label}")
        m.d.comb += signal.eq(Mux(is_int2, Cat(word[:6], C(0, 6), word[8:14]), word[:bits]))
        return signal

    return Cat(spread("low", low, 16), C(0, 6), spread("high", high, 9))


def _fields(bits):
    """Mask: the low bits of every field of a pair of words."""
    return sum(((1 << bits) - 1) << low for low in range(0, PAIR, FIELD))


def _up(value, amount):
    """A word shifted up; what leaves it is lost."""
    return Cat(C(0, amount), value[:len(value) - amount])
