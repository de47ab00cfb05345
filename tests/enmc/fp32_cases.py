"""Operands that find the corners of floating-point arithmetic, and many units side by side."""

import numpy as np
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import unit

__all__ = ["CORNERS", "SideBySide", "corner_pairs", "operands", "pairs"]

#: Zeros, subnormal numbers, smallest, one and its neighbours, largest, infinities, NaNs: bit patterns of FP32.
CORNERS = [sign | magnitude for sign in (0, 1 << 31)
           for magnitude in (0, 1, 2, 3, 0x0040_0000, 0x007F_FFFF, 0x0080_0000, 0x0080_0001, 0x00FF_FFFF, 0x0100_0000,
                             0x3380_0000, 0x3400_0000, 0x3F7F_FFFF, 0x3F80_0000, 0x3F80_0001, 0x3FC0_0000, 0x4B00_0000,
                             0x4B7F_FFFF, 0x7E80_0000, 0x7F00_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7F80_0001, 0x7FC0_0000,
                             0x7FFF_FFFF)]
#: Exponent fields where something changes.
FIELDS = [0, 0, 1, 2, 3, 22, 23, 24, 25, 63, 64, 103, 104, 126, 127, 128, 150, 151, 190, 191, 229, 230, 253, 254, 255]


def operands(rng, count):
    """Bit patterns (uint32): any, beside a corner, with few bits set (ties), of chosen exponents."""
    any_bits = rng.integers(1 << 32, size=count)
    kind = rng.random(count)
    beside = (rng.choice(CORNERS, count) + rng.integers(-2, 3, count)) & 0xFFFF_FFFF
    chosen = any_bits & 0x807F_FFFF | rng.choice(FIELDS, count) << 23
    few = chosen & ~((1 << rng.integers(8, 24, count)) - 1)
    moderate = any_bits & 0x807F_FFFF | rng.integers(110, 140, count) << 23
    return np.select([kind < 0.15, kind < 0.35, kind < 0.55, kind < 0.8], [beside, chosen, few, moderate],
                     any_bits).astype(np.uint32)


def pairs(rng, count):
    """Two arrays of operands; of many pairs the two nearly cancel, or their product or quotient is near a limit."""
    a, b = operands(rng, count), operands(rng, count)
    near = ((a.astype(np.int64) + rng.integers(-3, 4, count)) ^ (rng.integers(2, size=count) << 31)) & 0xFFFF_FFFF
    moved = (near & 0x7FFF_FFFF) - (rng.integers(-30, 31, count) << 23)
    shifted = near & 0x8000_0000 | np.clip(moved, 0, 0x7F80_0000)
    # Exponents that add up to, or differ by, about those of the smallest and the largest numbers.
    field = a.astype(np.int64) >> 23 & 255
    goal = rng.choice([127 - 24, 127, 128, 127 + 254, 127 + 255], count) + rng.integers(-2, 3, count)
    sums = b & 0x807F_FFFF | np.clip(goal - field, 0, 255) << 23
    differences = b & 0x807F_FFFF | np.clip(field + 127 - goal + rng.choice([0, 127], count), 0, 255) << 23
    kind = rng.random(count)
    b = np.select([kind < 0.15, kind < 0.3, kind < 0.45, kind < 0.6], [near, shifted, sums, differences], b)
    return a, b.astype(np.uint32)


def corner_pairs():
    """Every corner with every other one: two arrays."""
    a, b = np.meshgrid(np.array(CORNERS, np.uint32), np.array(CORNERS, np.uint32))
    return a.ravel(), b.ravel()


class SideBySide(wiring.Component):
    """Several equal units: what goes in and comes out is together in one word, the first unit in the lowest bits.

    Parameters
    ----------
    pipeline : type
        ``Fp32Multiply`` and the like: members ``a``, ``b``, ``o`` and a ``LATENCY``; or a divider with streams.
    lanes : int
    form : (int, int)
        Widths of exponent and fraction.

    Members
    -------
    a, b : In
        Operands; they are taken in a cycle with ``ready``.
    o : Out
        Results, in a cycle with ``valid``.
    """

    def __init__(self, pipeline, lanes, form=(8, 23)):
        self._pipeline, self._lanes, self._form = pipeline, lanes, form
        width = lanes * (1 + sum(form))
        super().__init__({"a": In(width), "b": In(width), "ready": Out(1), "o": Out(width), "valid": Out(1)})

    def elaborate(self, platform):
        m = Module()
        width = 1 + sum(self._form)
        has_streams = not hasattr(self._pipeline, "LATENCY")
        for lane in range(self._lanes):
            m.submodules[f"lane_{lane}"] = one = unit(platform, self._pipeline(*self._form), name="lane")
            a, b, o = (word.word_select(lane, width) for word in (self.a, self.b, self.o))
            if has_streams:
                m.d.comb += [one.i.p.a.eq(a), one.i.p.b.eq(b), one.i.valid.eq(1), o.eq(one.o.payload),
                             one.o.ready.eq(1)]
                if not lane:  # they all go the same pace
                    m.d.comb += [self.ready.eq(one.i.ready), self.valid.eq(one.o.valid)]
            else:
                m.d.comb += [one.a.eq(a), one.b.eq(b), o.eq(one.o)]
        if not has_streams:
            moving = Signal(self._pipeline.LATENCY)
            m.d.comb += [self.ready.eq(1), self.valid.eq(moving[-1])]
            m.d.sync += moving.eq(Cat(1, moving))
        return m
