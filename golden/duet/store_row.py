"""Golden model of the arithmetic of a row of the store [Thesis 5.1.2]: a partial sum becomes a value of 16 bits."""

import numpy as np

from golden.common.fixed import round_shift, round_shift_array, saturate, saturate_array
from golden.common.jit import jit

from .formats import VALUE_BITS

__all__ = ["LATENCY", "result", "result_array"]

#: Cycles from a sum to its value.
LATENCY = 3


def result_array(sums, bias, shift, relu):
    """The definition: ``clip(relu(round((sum + bias) / 2**shift)))``, halves up.

    Parameters
    ----------
    sums, bias : int arrays
        32 bits, signed. Sums have wrapped already, in the PEs; with the bias they have 33 bits and do not wrap.
    shift : int
        0..31.
    relu : bool

    Returns
    -------
    (int64 array, bool array)
        Values of 16 bits, and which of them were clipped; a negative one that ReLU sets to 0 is not.
    """
    rounded = round_shift_array(np.asarray(sums, np.int64) + bias, shift)
    return saturate_array(np.maximum(rounded, 0) if relu else rounded, VALUE_BITS)


@jit
def result(partial, bias, shift, relu):
    """:func:`result_array` of one sum: (value, whether it was clipped)."""
    rounded = round_shift(partial + bias, shift)
    if relu and rounded < 0:
        return 0, False
    return saturate(rounded, VALUE_BITS)
