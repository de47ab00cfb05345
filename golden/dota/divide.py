"""Golden model of the divider [Thesis table C.1, "16 Div"]: an exponential as a part of the sum, in units of 2**-15."""

from collections import deque

import numpy as np

from golden.common.jit import jit

__all__ = ["DIVIDEND_BITS", "DIVISOR_BITS", "EVENTS", "LATENCY", "WEIGHT_BITS", "DivideModel", "divide", "divide_array"]

#: Widths [bits]. The dividend is at most 2**15, the divisor a sum of up to 511 of them.
DIVIDEND_BITS, DIVISOR_BITS, WEIGHT_BITS = 16, 24, 15
#: Cycles from the operands to the quotient: one for each of its bits, one for a bit more, one to round.
LATENCY = WEIGHT_BITS + 2

#: Situations that the tests must reach.
EVENTS = ("zero", "rounded_down", "half", "rounded_up", "clipped")


def divide_array(dividend, divisor) -> np.ndarray:
    """``dividend / divisor`` in units of 2**-15, to the nearest integer, halves up, at most 2**15 - 1.

    Parameters
    ----------
    dividend, divisor : int arrays
        ``0 <= dividend <= divisor``, ``divisor >= 1``.
    """
    dividend, divisor = np.asarray(dividend, np.int64), np.asarray(divisor, np.int64)
    nearest = (2 * dividend * (1 << WEIGHT_BITS) + divisor) // (2 * divisor)
    return np.minimum(nearest, (1 << WEIGHT_BITS) - 1)


@jit
def divide(dividend, divisor):
    """:func:`divide_array` of two integers."""
    nearest = (2 * dividend * (1 << WEIGHT_BITS) + divisor) // (2 * divisor)
    return min(nearest, (1 << WEIGHT_BITS) - 1)


class DivideModel:
    """One unit: call :meth:`step` once per clock cycle."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._results = deque([0] * LATENCY)
        self.seen = set()

    def step(self, dividend: int, divisor: int) -> int:
        """Quotient of this cycle, of the operands ``LATENCY`` cycles before."""
        self._results.append(int(divide(dividend, divisor)))
        rest = 2 * (dividend << WEIGHT_BITS) % (2 * divisor)
        reached = {"zero": dividend == 0, "rounded_down": 0 < rest < divisor, "half": rest == divisor,
                   "rounded_up": rest > divisor, "clipped": dividend == divisor}
        self.seen |= {event for event, happened in reached.items() if happened}
        return self._results.popleft()
