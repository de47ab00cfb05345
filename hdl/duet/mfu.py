"""Multi-function unit of the Speculator: INT4 codes of ReLU, sigmoid and tanh."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import CODE_INPUT_BITS, CODE_SIGMOID, CODE_TANH, LOW_BITS, SUM_BITS, Function
from hdl.common.emit import unit
from hdl.common.fixed import saturate, shift_and_half
from hdl.common.primitives import or_tree

from .layouts import check_cfg

__all__ = ["Mfu"]

_LOWEST = -1 << CODE_INPUT_BITS - 1
_MASK = (1 << LOW_BITS) - 1
_TABLES = {Function.SIGMOID: CODE_SIGMOID, Function.TANH: CODE_TANH}


class Mfu(wiring.Component):
    """Activation functions of approximations, ``columns`` lanes [Thesis 5.1.1; table 5.1: 16 of 4 bits].

    ``x = y' / 2**low_shift``, rounded with halves up, with four integer and four fraction bits, saturated. Codes, to
    the nearest integer: ReLU and no function ``16 x`` within 0..15, sigmoid ``15 sigmoid(x)``, tanh ``7 tanh(x)`` in
    two's complement.

    Latency: ``LATENCY`` = 3 steps; a cycle with ``advance`` is a step, in others nothing moves. Throughput: ``columns``
    outputs a step.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    advance : In(1)
    activation, low_shift : In
        ``Function`` and shift of the job; they stay while anything is inside.
    i_valid, i : In
        Approximations y'.
    o_valid, o : Out
        Codes.
    """

    LATENCY = 3

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "advance": In(1), "activation": In(2), "low_shift": In(5),
            "i_valid": In(1), "i": In(data.ArrayLayout(signed(SUM_BITS), cfg.columns)),
            "o_valid": Out(1), "o": Out(data.ArrayLayout(LOW_BITS, cfg.columns)),
        })

    def elaborate(self, platform):
        m = Module()
        valid = Signal(self.LATENCY)
        m.d.comb += self.o_valid.eq(valid[-1])
        with m.If(self.advance):
            m.d.sync += valid.eq(Cat(self.i_valid, valid))
        for number in range(self._cfg.columns):
            m.submodules[f"lane_{number}"] = lane = unit(platform, _Lane(), name="duet_mfu_lane")
            m.d.comb += [lane.advance.eq(self.advance), lane.activation.eq(self.activation),
                         lane.low_shift.eq(self.low_shift), lane.i.eq(self.i[number]), self.o[number].eq(lane.o)]
        return m


class _Lane(wiring.Component):
    """One approximation: ``o`` is 3 steps after ``i``."""

    def __init__(self):
        super().__init__({"advance": In(1), "activation": In(2), "low_shift": In(5), "i": In(signed(SUM_BITS)),
                          "o": Out(LOW_BITS)})

    def elaborate(self, platform):
        m = Module()
        # Step 1: shift.
        shifted = Signal(signed(SUM_BITS))
        half = Signal()
        shifted_next, half_next = shift_and_half(self.i, self.low_shift)

        # Step 2: round and saturate. What is beyond one more bit is clipped whatever the half adds: a short adder.
        near = Signal(signed(CODE_INPUT_BITS + 1))
        rounded = Signal(signed(CODE_INPUT_BITS + 2))
        x = Signal(signed(CODE_INPUT_BITS))
        m.d.comb += [near.eq(saturate(shifted, CODE_INPUT_BITS + 1)[0]), rounded.eq(near + half)]

        # Step 3: the function.
        code = Signal(LOW_BITS)
        with m.Switch(self.activation):
            for function, table in _TABLES.items():
                with m.Case(function):
                    m.d.comb += code.eq(_look_up(m, x, table, function.name.lower()))
            with m.Default():
                m.d.comb += code.eq(Mux(x < 0, 0, Mux(x > _MASK, _MASK, x)))
        with m.If(self.advance):
            m.d.sync += [shifted.eq(shifted_next), half.eq(half_next), x.eq(saturate(rounded, CODE_INPUT_BITS)[0]),
                         self.o.eq(code)]
        return m


def _look_up(m, x, table, name):
    """The code of ``x`` in a monotone table: the last one that begins at or below ``x``."""
    codes = range(table[0], table[-1] + 1)
    reached = Signal(len(codes) + 1, name=f"{name}_reached")
    m.d.comb += reached.eq(Cat(*(x >= table.index(code) + _LOWEST for code in codes)))
    return or_tree([Mux(reached[k] & ~reached[k + 1], code & _MASK, 0) for k, code in enumerate(codes)])
