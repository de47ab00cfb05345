"""Activation unit: sigmoid and tanh from a table with linear interpolation, ReLU, or nothing."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.common.activation_table import (
    ARGUMENT_BITS,
    GUARD_BITS,
    RISE_BITS,
    STEP_BITS,
    VALUE_FRACTION,
    tanh_table,
)
from golden.duet.formats import VALUE_BITS, Function

from .layouts import check_cfg

__all__ = ["Activation"]


class Activation(wiring.Component):
    """Sigmoid and tanh in fixed point [Thesis 5.1.1, MFU; 5.2.2]: 12 fraction bits in, 15 out.

    tanh(abs(x)) from a table of 128 segments; sigmoid(x) = (1 + tanh(x / 2)) / 2. Off by at most 2.04 (tanh) and 1.26
    (sigmoid) units of 2**-15; see ``golden.duet.activation`` for where they come from. ReLU: negative values become 0.
    No function: the value passes.

    Latency: ``LATENCY`` = 5 cycles with ``advance``: (1) magnitude, (2) table, (3) product, (4) sum, (5) sign and
    rounding. Throughput: one value a cycle.

    Parameters
    ----------
    cfg : DuetConfig
    tag_bits : int
        Width of what travels with a value, at least 1.

    Members
    -------
    advance : In(1)
        Everything moves on. While it is 0, nothing does, and no value is taken.
    i_valid, i, curve, i_tag : In
        A value, signed(16), what to apply to it, and its tag.
    o_valid, o, o_tag : Out
        A result, signed(16), and its tag.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DuetConfig`.
    ValueError
        If ``tag_bits`` is not a positive integer.
    """

    LATENCY = 5

    def __init__(self, cfg, tag_bits=VALUE_BITS):
        check_cfg(cfg)
        if type(tag_bits) is not int or tag_bits < 1:
            raise ValueError(f"tag_bits must be a positive integer, not {tag_bits!r}")
        self._tag_bits = tag_bits
        super().__init__({
            "advance": In(1),
            "i_valid": In(1), "i": In(signed(VALUE_BITS)), "curve": In(Function), "i_tag": In(tag_bits),
            "o_valid": Out(1), "o": Out(signed(VALUE_BITS)), "o_tag": Out(tag_bits),
        })

    def elaborate(self, platform):
        m = Module()
        argument = Signal(ARGUMENT_BITS)
        base = Signal(VALUE_FRACTION + GUARD_BITS)
        rise = Signal(RISE_BITS)
        step = Signal(STEP_BITS)
        product = Signal(RISE_BITS + STEP_BITS)
        base_s3 = Signal.like(base)
        value = Signal.like(base)
        negative, curve, passed, moves = self._along()

        moves += [
            argument.eq(self._magnitude(m)),                                                # stage 1
            Cat(base, rise, step).eq(Cat(*self._segment(m, argument))),                     # stage 2
            base_s3.eq(base), product.eq(rise * step),                                      # stage 3
            value.eq(base_s3 + product[STEP_BITS:]),                                        # stage 4
            self.o.eq(self._sign(m, value, negative, curve, passed)),                       # stage 5
        ]
        with m.If(self.advance):
            m.d.sync += moves
        return m

    def _along(self):
        """What goes along with a value, at the last stage: (its sign, function, value), and how all of it moves."""
        stages = range(1, self.LATENCY)
        valid = [self.i_valid, *(Signal(name=f"valid_s{k}") for k in stages), self.o_valid]
        tag = [self.i_tag, *(Signal(self._tag_bits, name=f"tag_s{k}") for k in stages), self.o_tag]
        curve = [self.curve, *(Signal(Function, name=f"curve_s{k}") for k in stages)]
        value = [self.i, *(Signal(signed(VALUE_BITS), name=f"value_s{k}") for k in stages)]
        moves = [later.eq(earlier) for row in (valid, tag, curve, value)
                 for earlier, later in zip(row, row[1:], strict=False)]
        return value[-1][-1], curve[-1], value[-1], moves

    def _magnitude(self, m):
        """Argument of the table: abs(i), for tanh twice that, and at -8 the largest there is."""
        size = Signal(ARGUMENT_BITS)
        argument = Signal(ARGUMENT_BITS, name="argument_next")
        m.d.comb += [size.eq(Mux(self.i[-1], -self.i, self.i)), argument.eq(size)]
        with m.If(self.curve == Function.TANH):
            m.d.comb += argument.eq(Cat(size[-1], size) | size[-1].replicate(ARGUMENT_BITS))
        return argument

    def _segment(self, m, argument):
        """Start and rise of the segment of the argument, and the place in it, in 1024ths."""
        table = tanh_table()
        number = Signal(range(len(table)))
        step = Signal(STEP_BITS, name="step_next")
        with m.If(argument[15]):
            m.d.comb += [number.eq(Cat(argument[10:15], C(0b11, 2))), step.eq(argument[:10])]
        with m.Elif(argument[14]):
            m.d.comb += [number.eq(Cat(argument[9:14], C(0b10, 2))), step.eq(Cat(C(0, 1), argument[:9]))]
        with m.Else():
            m.d.comb += [number.eq(argument[8:14]), step.eq(Cat(C(0, 2), argument[:8]))]
        base = Signal(VALUE_FRACTION + GUARD_BITS, name="base_next")
        rise = Signal(RISE_BITS, name="rise_next")
        with m.Switch(number):
            for index, (start, more) in enumerate(table):
                with m.Case(index):
                    m.d.comb += [base.eq(start), rise.eq(more)]
        return base, rise, step

    def _sign(self, m, value, negative, curve, passed):
        """The magnitude rounded, with its sign; for sigmoid from one half. One adder, as -(n + h) = ~n + ~h."""
        rounded = Signal(VALUE_FRACTION)
        half = Signal()
        origin = Signal(VALUE_BITS)
        result = Signal(VALUE_BITS)
        m.d.comb += [rounded.eq(value[GUARD_BITS:]), half.eq(value[GUARD_BITS - 1])]
        with m.If(curve == Function.SIGMOID):
            m.d.comb += [rounded.eq(value[GUARD_BITS + 1:]), half.eq(value[GUARD_BITS]),
                         origin.eq(1 << VALUE_FRACTION - 1)]
        m.d.comb += result.eq(origin + (rounded ^ negative.replicate(VALUE_BITS)) + (half ^ negative))
        with m.If((curve == Function.NONE) | (curve == Function.RELU)):
            m.d.comb += result.eq(Mux((curve == Function.RELU) & negative, 0, passed))
        return result
