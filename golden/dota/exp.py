"""Golden model of the exponential unit [Thesis table C.1, "16 Exp"]: 2**-y in fixed point.

y is unsigned with 5 integer and 10 fraction bits; the result is in units of 2**-15, 0..32768. 2**-fraction comes from a
table of 64 segments with linear interpolation, the integer part is a right shift that rounds.

Error: at most 0.8 units. 0.5 come from the last rounding and 0.24 from the interpolation: the chord of a convex curve
lies above it by up to 0.48, so the table is lowered by half of that. The rest is from four guard bits. The result never
increases with y, and is 32768 for y = 0.
"""

from collections import deque

import numpy as np

from golden.common.fixed import round_shift, round_shift_array
from golden.common.jit import jit

__all__ = ["EVENTS", "FRACTION_BITS", "GUARD_BITS", "LATENCY", "MAX_ERROR", "UNIT_BITS", "Y_BITS", "ExpModel", "exp",
           "exp_array", "table"]

#: y [bits], of these its fraction.
Y_BITS, FRACTION_BITS = 15, 10
#: The result is in units of 2**-UNIT_BITS.
UNIT_BITS = 15
#: Bits of the table below such a unit.
GUARD_BITS = 4
#: Segments of the table: 2**SEGMENT_BITS.
SEGMENT_BITS = 6
#: Bits of y within a segment.
STEP_BITS = FRACTION_BITS - SEGMENT_BITS
#: Largest difference from 2**-y [units].
MAX_ERROR = 0.8
#: Cycles from y to its result.
LATENCY = 3

#: Situations that the tests must reach.
EVENTS = ("one", "first_segment", "last_segment", "not_shifted", "vanishes")


def table() -> tuple[np.ndarray, np.ndarray]:
    """Value at the start of each segment, and how much less it is at its end: int64 [64] each, with guard bits."""
    segments = 1 << SEGMENT_BITS
    # The chord of 2**-f over a segment of length h is above the curve by up to (h ln 2)**2 / 8 of its value.
    lowered = 1 - (np.log(2) / segments)**2 / 16
    ends = np.round(2.0**(UNIT_BITS + GUARD_BITS - np.arange(segments + 1) / segments) * lowered).astype(np.int64)
    return ends[:-1], ends[:-1] - ends[1:]


_BASE, _DROP = table()


def exp_array(y) -> np.ndarray:
    """2**(-y / 1024) in units of 2**-15; ``y``: int array, 0..2**15 - 1."""
    y = np.asarray(y, np.int64)
    fraction = y & (1 << FRACTION_BITS) - 1
    segment, step = fraction >> STEP_BITS, fraction & (1 << STEP_BITS) - 1
    return round_shift_array(_BASE[segment] - (_DROP[segment] * step >> STEP_BITS), GUARD_BITS + (y >> FRACTION_BITS))


@jit
def exp(y):
    """:func:`exp_array` of one integer."""
    fraction = y & (1 << FRACTION_BITS) - 1
    segment, step = fraction >> STEP_BITS, fraction & (1 << STEP_BITS) - 1
    return round_shift(_BASE[segment] - (_DROP[segment] * step >> STEP_BITS), GUARD_BITS + (y >> FRACTION_BITS))


class ExpModel:
    """One unit: call :meth:`step` once per clock cycle."""

    def __init__(self):
        self.reset()

    def reset(self):
        self._results = deque([0] * LATENCY)
        self.seen = set()

    def step(self, y: int) -> int:
        """Result of this cycle, of the y ``LATENCY`` cycles before."""
        self._results.append(int(exp(y)))
        segment = (y & (1 << FRACTION_BITS) - 1) >> STEP_BITS
        reached = {"one": y == 0, "first_segment": segment == 0, "last_segment": segment == (1 << SEGMENT_BITS) - 1,
                   "not_shifted": y >> FRACTION_BITS == 0, "vanishes": self._results[-1] == 0}
        self.seen |= {event for event, happened in reached.items() if happened}
        return self._results.popleft()
