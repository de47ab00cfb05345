"""Golden model of the multi-precision multiplier [Thesis 7.6.2, Fig. 7.13 (c)].

In FX16 it multiplies the two halves of its operand. In low precision the operand has 4, 8 or 16 elements; they are
multiplied with the elements at the same places of 1, 2 or 4 stationary words (slots), and the products of each slot
are added before they leave: 32 bits in, 32 bits out, in every precision.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DotaConfig
from .formats import ELEMENT_BITS, FX_BITS, INPUTS, OUTPUTS, UNIT_BITS, Precision

#: Situations that the tests must reach.
EVENTS = ("fx16", "int8", "int4", "int2", "largest_product", "precision_change", "held")
LARGEST, CHANGE, HELD = range(4, len(EVENTS))

SLOTS = OUTPUTS[Precision.INT2]
#: By precision: bits of an element, elements of a word, slots in use.
BITS = tuple(ELEMENT_BITS[each] for each in Precision)
ELEMENTS = tuple(INPUTS[each] for each in Precision)
FIELDS = tuple(OUTPUTS[each] for each in Precision)
#: Largest product of two FX16 elements.
LARGEST_PRODUCT = 1 << 2 * FX_BITS - 2


class MultiplierState(NamedTuple):
    """Registers, [lanes]."""

    product: np.ndarray
    precision: np.ndarray   # that of the product
    seen: np.ndarray


def state(_cfg: DotaConfig, lanes: int) -> MultiplierState:
    """State after reset."""
    registers = [np.zeros(lanes, np.int64) for _ in range(2)]
    return MultiplierState(*registers, np.zeros(len(EVENTS), np.int64))


def pack(values, bits: int = 0) -> int:
    """A word of signed elements, the first lowest; by default as many bits each as make a word.

    Raises
    ------
    ValueError
        If a value does not fit its element.
    """
    bits = bits or UNIT_BITS // len(values)
    word = 0
    for index, value in enumerate(values):
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(f"value must fit into {bits} bits, not {int(value)!r}")
        word |= (int(value) & ((1 << bits) - 1)) << bits * index
    return word


def unpack(word: int, bits: int, width: int = UNIT_BITS) -> list[int]:
    """The signed elements of a word, the first lowest."""
    raw = ((word >> low) & ((1 << bits) - 1) for low in range(0, width, bits))
    return [value - ((value >> bits - 1) << bits) for value in raw]


def products(operand: int, slots, precision: Precision) -> list[int]:
    """What one operand gives: the product in FX16, otherwise a sum of products for each slot in use. Without time.

    Parameters
    ----------
    operand : int
        32 bits.
    slots : sequence of int
        4 words of 32 bits.
    precision : Precision
    """
    elements = unpack(operand, ELEMENT_BITS[precision])
    if precision == Precision.FX16:
        return [elements[0] * elements[1]]
    return [sum(a * b for a, b in zip(elements, unpack(slot, ELEMENT_BITS[precision]), strict=True))
            for slot in slots[:OUTPUTS[precision]]]


@jit
def element_of(word, index, bits):
    """Signed element ``index`` of a word."""
    value = (word >> index * bits) & ((1 << bits) - 1)
    return value - ((value >> (bits - 1)) << bits)


@jit
def product_of(operand, slot_0, slot_1, slot_2, slot_3, precision):
    """The word of :func:`products`: fields of 32, 16 or 8 bits, slot 0 lowest."""
    if precision == 0:
        return (element_of(operand, 0, 16) * element_of(operand, 1, 16)) & 0xFFFFFFFF
    bits = BITS[precision]
    fields = FIELDS[precision]
    width = 32 // fields
    word = 0
    for field in range(fields):
        slot = slot_0
        if field == 1:
            slot = slot_1
        elif field == 2:
            slot = slot_2
        elif field == 3:
            slot = slot_3
        total = 0
        for index in range(ELEMENTS[precision]):
            total += element_of(operand, index, bits) * element_of(slot, index, bits)
        word |= (total & ((1 << width) - 1)) << width * field
    return word


@jit
def clock(s, k, en, operand, slot_0, slot_1, slot_2, slot_3, precision):
    """One clock of lane ``k``."""
    if en:
        s.seen[precision] += 1
        s.seen[CHANGE] += precision != s.precision[k]
        s.product[k] = product_of(operand, slot_0, slot_1, slot_2, slot_3, precision)
        s.precision[k] = precision
        s.seen[LARGEST] += precision == 0 and s.product[k] == LARGEST_PRODUCT
    else:
        s.seen[HELD] += 1
