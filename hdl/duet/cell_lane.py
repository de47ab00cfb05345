"""A lane of the cell unit: an element of an LSTM or a GRU at a time."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import GATE_FRACTION, STATE_FRACTION, VALUE_BITS, Cell, Function
from hdl.common.emit import unit
from hdl.common.fixed import round_shift, saturate, shift_and_half

from .activation import Activation
from .layouts import check_cfg

__all__ = ["CellLane", "does_layout"]

#: Widths of the product and of the sum; how far the product of a gate and the state lies below that of two gates.
PRODUCT_BITS, ADDEND_BITS, TOTAL_BITS = 2 * VALUE_BITS + 1, 2 * VALUE_BITS + 3, 2 * VALUE_BITS + 4
UP = GATE_FRACTION - STATE_FRACTION


def does_layout() -> data.StructLayout:
    """What becomes of an operand: it is a factor; the factor is subtracted from it, and kept; it is a gate to keep; it
    is multiplied by the factor, as the first of two products; or as the last product.
    """
    return data.StructLayout({"factor": 1, "difference": 1, "gate": 1, "first": 1, "last": 1})


class CellLane(wiring.Component):
    """Arithmetic of a lane of the cell unit [Thesis 5.2.2]; two multipliers and a tanh.

    LSTM: ``c' = clip(round((f c 2**3 + i g) / 2**18))`` and ``h = round(o tanh(c') / 2**15)``; operands f (factor), c
    (first product), i (factor), o (gate), g (last product). RESET: ``d = clip(round(r h / 2**15))``; r (factor), h
    (last). GRU: ``d = clip(n + round(z (h - n) / 2**15))``; n (factor), h (difference), z (last). Halves are rounded
    up. Gates have 15 fraction bits, the state c has 12.

    Latency: from the last operand, (1) product, (2) sum, (3) rounding: ``result`` is c' or d in the third cycle after
    it; ``hidden`` is h seven cycles later. Throughput: an operand a cycle. At least five operands from one gate to the
    next.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    op : In(Cell)
        Of the job.
    value, does : In(signed(16)), In(does_layout())
        An operand, and what becomes of it.
    result, hidden : Out(16)
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({"op": In(Cell), "value": In(signed(VALUE_BITS)), "does": In(does_layout()),
                          "result": Out(VALUE_BITS), "hidden": Out(VALUE_BITS)})

    def elaborate(self, platform):
        m = Module()
        does = self.does

        # Stage 1: factors, and the product of one with the next operand.
        factor = Signal(signed(VALUE_BITS + 1))
        base = Signal(signed(VALUE_BITS))
        gate = Signal(signed(VALUE_BITS))
        product = Signal(signed(PRODUCT_BITS))
        first_s2 = Signal()
        with m.If(does.factor):
            m.d.sync += factor.eq(self.value)
        with m.If(does.difference):
            m.d.sync += [factor.eq(self.value - factor), base.eq(factor)]
        with m.If(does.gate):
            m.d.sync += gate.eq(self.value)
        with m.If(does.first | does.last):
            m.d.sync += product.eq(factor * self.value)
        m.d.sync += first_s2.eq(does.first)

        # Stage 2: sum of two products, or of a product and what it is a correction of.
        state = Signal(signed(ADDEND_BITS))
        addend = Signal(signed(ADDEND_BITS))
        total = Signal(signed(TOTAL_BITS))
        with m.If(first_s2):
            m.d.sync += state.eq(product << UP)
        with m.Switch(self.op):
            with m.Case(Cell.LSTM):
                m.d.comb += addend.eq(state)
            with m.Case(Cell.GRU):
                m.d.comb += addend.eq(base << GATE_FRACTION)
        m.d.sync += total.eq(product + addend)

        # Stage 3: round and clip. What is beyond one more bit is clipped whatever the half adds: the adder is short.
        shift = Signal(5)
        shifted = Signal(signed(TOTAL_BITS))
        half = Signal()
        near = Signal(signed(VALUE_BITS + 1))
        rounded = Signal(signed(VALUE_BITS + 2))
        m.d.comb += [
            shift.eq(Mux(self.op == Cell.LSTM, 2 * GATE_FRACTION - STATE_FRACTION, GATE_FRACTION)),
            Cat(shifted, half).eq(Cat(*shift_and_half(total, shift))),
            near.eq(saturate(shifted, VALUE_BITS + 1)[0]),
            rounded.eq(near + half),
        ]
        m.d.sync += self.result.eq(saturate(rounded, VALUE_BITS)[0])

        # Stages 4 to 8: tanh, which carries the gate along. Stages 9 and 10: product and rounding; it cannot overflow.
        m.submodules.curve = curve = unit(platform, Activation(self._cfg, VALUE_BITS), name="duet_activation")
        m.d.comb += [curve.advance.eq(1), curve.i_valid.eq(1), curve.i.eq(self.result), curve.curve.eq(Function.TANH),
                     curve.i_tag.eq(gate)]
        gated = Signal(signed(2 * VALUE_BITS))
        m.d.sync += [gated.eq(curve.o * curve.o_tag.as_signed()), self.hidden.eq(round_shift(gated, GATE_FRACTION))]
        return m
