"""Table of tanh for linear interpolation, made from the float formula; shared by golden models and hardware.

The argument is a magnitude of ``ARGUMENT_BITS`` = 16 bits, 13 of them fraction: 0..8. Segments are narrow where tanh
bends: 64 of width 1/32 up to 2, 32 of width 1/16 up to 4, 32 of width 1/8 up to 8. Values have 15 fraction bits and
``GUARD_BITS`` more.
"""

import math

__all__ = ["ARGUMENT_BITS", "ARGUMENT_FRACTION", "GUARD_BITS", "RISE_BITS", "SEGMENTS", "STEP_BITS", "VALUE_FRACTION",
           "tanh_table"]

#: Magnitude that goes in [bits], of these its fraction; fraction of a value, and what the table has below it.
ARGUMENT_BITS, ARGUMENT_FRACTION = 16, 13
VALUE_FRACTION, GUARD_BITS = 15, 3
#: (number of segments, log2 of their width in units of the argument), from 0 on.
REGIONS = ((64, 8), (32, 9), (32, 10))
SEGMENTS = sum(count for count, _width in REGIONS)
#: Place in a segment [bits]: in 1024ths of it, whatever its width.
STEP_BITS = 10
#: Width of a rise [bits].
RISE_BITS = 13


def tanh_table() -> list[tuple[int, int]]:
    """(value at its start, how much more it is at its end) of each segment, in units of 2**-18.

    The chord of a segment of width h lies below tanh, which bends down, by up to ``h**2 / 8`` times its second
    derivative ``2 tanh (1 - tanh**2)``. So each end is raised by half of that: the error of both signs is the same. All
    ends are rounded to the nearest integer, and at most 32767 of 2**-15: no result needs clipping. Ends are shared by
    neighbours and never fall: the interpolation is continuous and monotone. The first one is 0.
    """
    one = 1 << VALUE_FRACTION + GUARD_BITS
    most = one - (1 << GUARD_BITS)
    ends, at = [0], 0
    for count, width_bits in REGIONS:
        h = 2.0**(width_bits - ARGUMENT_FRACTION)
        for _ in range(count):
            at += 1 << width_bits
            exact = math.tanh(at / (1 << ARGUMENT_FRACTION))
            raised = exact + h * h / 16 * 2 * exact * (1 - exact * exact)
            ends.append(min(math.floor(one * raised + 0.5), most))
    return [(start, end - start) for start, end in zip(ends, ends[1:], strict=False)]
