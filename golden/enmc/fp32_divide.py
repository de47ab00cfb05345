"""Cycle model of the floating-point divider: one quotient at a time, whatever the operands in the same time."""

from typing import NamedTuple

from .fp32 import INF, NAN, SIGN, divide_bits, is_nan

__all__ = ["EVENTS", "INTERVAL", "LATENCY", "DivideInputs", "DivideModel", "DivideOutputs", "latency"]


def latency(fraction_bits: int) -> int:
    """Cycles from operands to the quotient: five, and one for each bit of the significand and two more."""
    return fraction_bits + 8


#: In single precision; and from one quotient to the next if none has to wait.
LATENCY = latency(23)
INTERVAL = LATENCY + 1

#: Situations that the tests must reach.
EVENTS = frozenset({"no_number", "infinite", "by_zero", "zero", "subnormal_operand", "subnormal_quotient", "overflow",
                    "offered_while_busy", "quotient_waits"})


class DivideInputs(NamedTuple):
    i: tuple | None = None      # (a, b)
    o_ready: bool = False


class DivideOutputs(NamedTuple):
    i_ready: bool
    o: int | None


class DivideModel:
    """One unit: call :meth:`step` once per clock cycle."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._ready, self._left, self._quotient = False, None, None
        self.seen = set()

    def step(self, x: DivideInputs) -> DivideOutputs:
        """Outputs of this cycle; then one clock edge."""
        offers = self._left == 0
        y = DivideOutputs(self._ready, self._quotient if offers else None)
        self._note("offered_while_busy", x.i is not None and self._left is not None)
        self._note("quotient_waits", offers and not x.o_ready)
        if self._left is None:
            takes = self._ready and x.i is not None
            if takes:
                self._left, self._quotient = LATENCY - 1, int(divide_bits(*x.i))
                self._cover(*x.i)
            self._ready = not takes
        elif not offers:
            self._left -= 1
        elif x.o_ready:
            self._left, self._ready = None, True
        return y

    def _note(self, event, happened):
        if happened:
            self.seen.add(event)

    def _cover(self, a, b):
        quotient = self._quotient & ~SIGN
        finite = a & ~SIGN < INF and b & ~SIGN < INF
        self._note("no_number", quotient == NAN and not is_nan(a) and not is_nan(b))
        self._note("infinite", a & ~SIGN == INF or b & ~SIGN == INF)
        self._note("by_zero", finite and not b & ~SIGN)
        self._note("zero", finite and not quotient and a & ~SIGN != 0)
        self._note("subnormal_operand", 0 < a & ~SIGN < 1 << 23 or 0 < b & ~SIGN < 1 << 23)
        self._note("subnormal_quotient", 0 < quotient < 1 << 23)
        self._note("overflow", finite and b & ~SIGN != 0 and quotient == INF)
