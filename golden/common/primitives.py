"""Priority encoder, population count and OR over arrays.

Twin of ``hdl.common.primitives``: element ``k`` of an array is bit ``k`` of the hardware's operand. All may
be called from compiled code.
"""

from golden.common.jit import jit

__all__ = ["find_first", "or_tree", "popcount"]


@jit
def find_first(bits):
    """Whether any element is non-zero, and the index of the first one (0 if there is none).

    Parameters
    ----------
    bits : int or bool array, shape (n,)

    Returns
    -------
    (bool, int)
    """
    for index in range(len(bits)):
        if bits[index] != 0:
            return True, index
    return False, 0


@jit
def popcount(bits):
    """Number of non-zero elements of an int or bool array of shape (n,)."""
    count = 0
    for index in range(len(bits)):
        if bits[index] != 0:
            count += 1
    return count


@jit
def or_tree(values):
    """Bitwise OR of an int array of shape (n,)."""
    result = 0
    for index in range(len(values)):
        result |= values[index]
    return result
