"""The dual-module algorithm in fixed point, untimed, and independent of tiles, words and memories [Thesis 3, 5.1].

All numbers are int64 arrays. A layer's *little* module gives y', from which the switching map follows (5.2); the *big*
module is computed where the map says so; the output is the mixture (5.1). With ReLU an insensitive output is 0; in a
gate it is the dequantised INT4 approximation.
"""

from typing import NamedTuple

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array, wrap_array

from .activation import sigmoid_array, tanh_array
from .formats import GATE_FRACTION, LOW_BITS, STATE_FRACTION, SUM_BITS, VALUE_BITS, Function
from .layers import Layer, Low, Network

__all__ = ["MODES", "SCALE", "Trace", "apply_function", "columns_of", "dequantise", "forward", "gru_cell", "low_codes",
           "low_outputs", "lstm_cell", "mixture", "output_of", "quantise", "reduced_input", "reorder", "reset_cell",
           "results", "sensitive"]

#: No skipping; output switching; with adaptive mapping; input and output switching; with adaptive mapping [5.3.3].
MODES = ("base", "os", "bos", "ios", "duet")
#: Of the dequantizer, so that the largest code comes near 1 in the format of a gate; with ReLU nothing is taken over.
SCALE = {Function.NONE: 0, Function.RELU: 0, Function.SIGMOID: 2185, Function.TANH: 4681}
#: Fraction bits of what goes into the approximate functions, and its width.
CODE_FRACTION, CODE_BITS = 4, 8


class Trace(NamedTuple):
    """What happened in a layer, for a batch of inputs.

    Attributes
    ----------
    out : int64 array, shape (count, ...)
        Outputs; recurrent: hidden states [count, steps, hidden].
    sensitive : bool array or None
        As ``out``; recurrent: [count, steps, gates, hidden]. None without a little module.
    """

    out: np.ndarray
    sensitive: np.ndarray | None


def product(a, b):
    """``a b^T`` of integers, exact as long as no sum reaches 2**53: float64 is much faster."""
    return (a.astype(np.float64) @ b.T.astype(np.float64)).astype(np.int64)


def quantise(x):
    """16 bits to INT4: the 4 most significant bits [5.1.1 step 1]."""
    return np.asarray(x) >> VALUE_BITS - LOW_BITS


def columns_of(x, kernel, stride: int, pad: int):
    """im2col: inputs of every output pixel, zeros outside of the map.

    Parameters
    ----------
    x : int64 array, shape (count, channels, height, width)
    kernel : (int, int)

    Returns
    -------
    int64 array, shape (count, out height, out width, channels * kernel height * kernel width)
    """
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(*windows.shape[:1], *windows.shape[2:4], -1)


def reduced_input(low: Low, x4):
    """``sat4(round_shift(P x4, reduce_shift))``: [..., d] to [..., k] [5.1.1 step 2]."""
    return saturate_array(round_shift_array(product(x4, low.p), low.reduce_shift), LOW_BITS)[0]


def low_outputs(low: Low, xq, gate: int = 0):
    """y' from the reduced input: [..., k] to [..., outputs] [5.1.1 step 3]."""
    return product(xq, low.w[gate]) + low.b[gate]


def sensitive(y, function, threshold):
    """The switching map (5.2): True where the big module is needed."""
    return np.abs(y) <= threshold if function in (Function.SIGMOID, Function.TANH) else y >= threshold


def low_codes(y, function, low_shift):
    """INT4 codes of the approximations: 15 sigmoid, 7 tanh, 16 ReLU of y' with four fraction bits, to the nearest.

    Codes of sigmoid and ReLU are 0..15, of tanh -7..7.
    """
    x = saturate_array(round_shift_array(y, low_shift), CODE_BITS)[0]
    real = x / 2.0**CODE_FRACTION
    if function == Function.SIGMOID:
        return np.floor(15 / (1 + np.exp(-real)) + 0.5).astype(np.int64)
    if function == Function.TANH:
        return np.rint(7 * np.tanh(real)).astype(np.int64)
    return np.clip(x, 0, 15)


def dequantise(codes, scale: int):
    """INT4 codes to 16 bits."""
    return saturate_array(codes * scale, VALUE_BITS)[0]


def apply_function(value, function):
    """ReLU, sigmoid or tanh of 16-bit values; sigmoid and tanh take 12 fraction bits and give 15."""
    if function == Function.SIGMOID:
        return sigmoid_array(value)
    if function == Function.TANH:
        return tanh_array(value)
    return np.maximum(value, 0) if function == Function.RELU else value


def results(w, b, x, shift: int, function):
    """Big module: ``f(sat16(round_shift(wrap32(W x) + b, shift)))``: [..., d] to [..., outputs].

    A sum of products wraps at 32 bits; the bias is added to it without wrapping.
    """
    total = wrap_array(product(x, w), SUM_BITS) + b
    return apply_function(saturate_array(round_shift_array(total, shift), VALUE_BITS)[0], function)


def mixture(exact, approximate, maps):
    """(5.1): ``y = y m + y' (1 - m)``."""
    return np.where(maps, exact, approximate)


def output_of(layer: Layer, x, speculate: bool, gate: int = 0):
    """Outputs of a layer or gate, and the switching map (None without one).

    Parameters
    ----------
    x : int64 array, shape (..., d)
    """
    function = layer.functions[gate]
    w, b = (layer.w[gate], layer.b[gate]) if layer.recurrent else (layer.w.reshape(layer.outputs, -1), layer.b)
    exact = results(w, b, x, layer.shift, function)
    if layer.low is None or not speculate:
        return exact, None
    y = low_outputs(layer.low, reduced_input(layer.low, quantise(x)), gate)
    maps = sensitive(y, function, layer.low.threshold[gate])
    codes = low_codes(y, function, layer.low.low_shift[gate])
    return mixture(exact, dequantise(codes, SCALE[function]), maps), maps


def lstm_cell(i, f, g, o, c):
    """``c' = f c + i g``, ``h = o tanh(c')``: (c', h). Gates and h have 15 fraction bits, c has 12."""
    up = GATE_FRACTION - STATE_FRACTION
    total = f * c * (1 << up) + i * g
    c = saturate_array(round_shift_array(total, 2 * GATE_FRACTION - STATE_FRACTION), VALUE_BITS)[0]
    return c, round_shift_array(o * tanh_array(c), GATE_FRACTION)


def reset_cell(r, h):
    """``r h``, 15 fraction bits."""
    return round_shift_array(r * h, GATE_FRACTION)


def gru_cell(z, n, h):
    """``n + z (h - n)``, 15 fraction bits."""
    return saturate_array(n + round_shift_array(z * (h - n), GATE_FRACTION), VALUE_BITS)[0]


def _steps(layer, x, speculate):
    """A recurrent layer over a sequence [count, steps, features]."""
    count, steps, _ = x.shape
    h = c = np.zeros((count, layer.outputs), np.int64)
    states, maps = [], []

    def gate(number, state, now):
        out, own = output_of(layer, np.concatenate([state, now], axis=1), speculate, number)
        maps.append(own)
        return out

    for t in range(steps):
        if layer.kind == "lstm":
            c, h = lstm_cell(*(gate(k, h, x[:, t]) for k in range(layer.gates)), c)
        else:
            r, z = gate(0, h, x[:, t]), gate(1, h, x[:, t])
            h = gru_cell(z, gate(2, reset_cell(r, h), x[:, t]), h)
        states.append(h)
    if maps[0] is None:
        return Trace(np.stack(states, axis=1), None)
    maps = np.stack(maps, axis=1).reshape(count, steps, layer.gates, layer.outputs)
    return Trace(np.stack(states, axis=1), maps)


def forward(network: Network, speculate: bool, inputs=None) -> list[Trace]:
    """All layers of a network on a batch; ``speculate`` False is mode ``base``, True all others.

    Parameters
    ----------
    inputs : int64 array, optional
        In place of the network's own.
    """
    x = network.inputs if inputs is None else inputs
    traces = []
    for k, layer in enumerate(network.layers):
        if layer.recurrent:
            traces.append(_steps(layer, x, speculate))
            x = traces[-1].out if k + 1 < len(network.layers) and network.layers[k + 1].recurrent \
                else traces[-1].out[:, -1]
            continue
        if layer.kind == "conv":
            out, maps = output_of(layer, columns_of(x, layer.w.shape[2:], layer.stride, layer.pad), speculate)
            out = out.transpose(0, 3, 1, 2)
            maps = None if maps is None else maps.transpose(0, 3, 1, 2)
        else:
            out, maps = output_of(layer, x.reshape(len(x), -1), speculate)
        traces.append(Trace(out, maps))
        x = out
    return traces


def reorder(counts, limits):
    """Channels by bucket, in order of arrival within one: a channel's bucket is the number of limits that its count of
    sensitive outputs does not exceed [5.2.1, Fig. 5.5].

    Parameters
    ----------
    counts : int array, shape (channels,)
    limits : sequence of int
        Largest first.
    """
    buckets = (np.asarray(counts)[:, None] <= np.asarray(limits, np.int64)[None]).sum(axis=1)
    return np.argsort(buckets, kind="stable")
