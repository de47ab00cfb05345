"""Small combinational functions as balanced trees: priority encoder, population count, OR.

Twin of ``golden.common.primitives``. Depth is logarithmic in the number of operands. Pass signals, not large
expressions: Amaranth emits an expression once for each use.
"""

from amaranth import *

__all__ = ["find_first", "or_tree", "popcount"]


def find_first(bits):
    """Index of the lowest set bit.

    Parameters
    ----------
    bits : Value
        At least 1 bit.

    Returns
    -------
    found : Value
        1 bit: whether any bit is set.
    index : Value
        ``range(len(bits))``. 0 if no bit is set.

    Raises
    ------
    ValueError
        If ``bits`` has no bit.
    """
    bits = _at_least_one_bit(bits)
    return bits.any(), _first_index(bits)


def popcount(bits):
    """Number of set bits, ``range(len(bits) + 1)``.

    Raises
    ------
    ValueError
        If ``bits`` has no bit.
    """
    bits = _at_least_one_bit(bits)
    return _tree(list(bits), lambda a, b: a + b)[:len(bits).bit_length()]


def or_tree(values):
    """Bitwise OR of a list of values.

    Raises
    ------
    ValueError
        If the list is empty.
    """
    values = [Value.cast(value) for value in values]
    if not values:
        raise ValueError(f"values must be a list of at least one value, not {values!r}")
    return _tree(values, lambda a, b: a | b)


def _first_index(bits):
    if len(bits) == 1:
        return C(0, 0)
    half = 1 << ((len(bits) - 1).bit_length() - 1)
    low, high = bits[:half], bits[half:]
    # any() and not the flag of the recursion: an expression that is used twice is emitted twice.
    index = Mux(low.any(), _first_index(low), _first_index(high))[:half.bit_length() - 1]
    return Cat(index, ~low.any() & high.any())


def _tree(values, combine):
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return combine(_tree(values[:half], combine), _tree(values[half:], combine))


def _at_least_one_bit(bits):
    bits = Value.cast(bits)
    if not len(bits):
        raise ValueError(f"bits must be at least one bit wide, not {bits!r}")
    return bits
