"""Golden model of the arithmetic of a lane of the cell unit [Thesis 5.2.2]: an element of an LSTM or a GRU.

Gates and hidden states have 15 fraction bits, the state of an LSTM has 12. Products are exact, and a result is rounded
once, halves up, and clipped to 16 bits.
"""

import numpy as np

from golden.common.fixed import round_shift, round_shift_array, saturate, saturate_array
from golden.common.jit import jit

from .activation import LATENCY as CURVE_LATENCY
from .activation import tanh, tanh_array
from .formats import GATE_FRACTION, STATE_FRACTION, VALUE_BITS

__all__ = ["HIDDEN_LATENCY", "RESULT_LATENCY", "gru", "gru_array", "lstm_array", "lstm_hidden", "lstm_state", "reset",
           "reset_array"]

#: Cycles from the last operand to the result; to the hidden state of an LSTM.
RESULT_LATENCY = 4
HIDDEN_LATENCY = RESULT_LATENCY + CURVE_LATENCY + 2

#: Shift of the products of gates and state to those of two gates; of a sum to the state.
UP = GATE_FRACTION - STATE_FRACTION
STATE_SHIFT = 2 * GATE_FRACTION - STATE_FRACTION


def lstm_array(i, f, g, o, c):
    """``c' = f c + i g``, ``h = o tanh(c')`` of int arrays: (c', h). Only c' can be clipped."""
    i, f, g, o, c = (np.asarray(value, np.int64) for value in (i, f, g, o, c))
    c = saturate_array(round_shift_array((f * c << UP) + i * g, STATE_SHIFT), VALUE_BITS)[0]
    return c, round_shift_array(o * tanh_array(c), GATE_FRACTION)


def reset_array(r, h):
    """``r h`` of int arrays; clipped only if both are -1."""
    product = np.asarray(r, np.int64) * np.asarray(h, np.int64)
    return saturate_array(round_shift_array(product, GATE_FRACTION), VALUE_BITS)[0]


def gru_array(z, n, h):
    """``n + z (h - n)`` of int arrays."""
    z, n, h = (np.asarray(value, np.int64) for value in (z, n, h))
    return saturate_array(n + round_shift_array(z * (h - n), GATE_FRACTION), VALUE_BITS)[0]


@jit
def lstm_state(i, f, g, c):
    """State of an LSTM, and whether it was clipped."""
    return saturate(round_shift((f * c << UP) + i * g, STATE_SHIFT), VALUE_BITS)


@jit
def lstm_hidden(o, c):
    """Hidden state of an LSTM."""
    return round_shift(o * tanh(c), GATE_FRACTION)


@jit
def reset(r, h):
    """:func:`reset_array` of one element, and whether it was clipped."""
    return saturate(round_shift(r * h, GATE_FRACTION), VALUE_BITS)


@jit
def gru(z, n, h):
    """:func:`gru_array` of one element, and whether it was clipped."""
    return saturate(n + round_shift(z * (h - n), GATE_FRACTION), VALUE_BITS)
