"""Equations of the dual-module algorithm against independent ones: loops, floats, and the definitions of the units."""

import itertools

import numpy as np
import pytest

from golden.duet import dequantizer, mfu, quantizer, reorder, spec, store_row, switching_map
from golden.duet.config import PRESETS
from golden.duet.formats import Function
from golden.duet.projection import reduce_map, reduce_vector
from golden.duet.random_network import random_conv, random_fc, random_inputs, random_low, random_network
from tests.duet.networks import network_of, recurrent_network

FUNCTIONS = tuple(Function)


def wide(rng, shape):
    """Integers of all sizes up to 31 bits."""
    return rng.integers(-1 << 30, 1 << 30, shape) >> rng.integers(0, 31, shape)


def slow_convolution(x, layer):
    """Sums of a convolution of one input, loop by loop, in Python's integers."""
    outputs, channels, kh, kw = layer.w.shape
    _, height, width = layer.output_shape(x.shape)
    out = np.zeros((outputs, height, width), object)
    for n, y, col in np.ndindex(*out.shape):
        total = 0
        for c, i, j in itertools.product(range(channels), range(kh), range(kw)):
            row, column = y * layer.stride - layer.pad + i, col * layer.stride - layer.pad + j
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                total += int(x[c, row, column]) * int(layer.w[n, c, i, j])
        out[n, y, col] = total
    return out


def slow_value(total, bias, shift, function):
    """(wrapped sum + bias) / 2**shift, halves up, saturated, ReLU."""
    total = (int(total) + 2**31) % 2**32 - 2**31 + int(bias)
    value = (2 * total + 2**shift) // 2**(shift + 1)
    value = max(-2**15, min(2**15 - 1, value))
    return max(0, value) if function == Function.RELU else value


@pytest.mark.parametrize(("kernel", "stride", "pad"), [((3, 3), 1, 1), ((1, 1), 2, 0), ((2, 5), 3, 2)])
@pytest.mark.parametrize("shift", [0, 13])
def test_convolution(kernel, stride, pad, shift):
    """Without a little module; sums wrap, results saturate."""
    rng = np.random.default_rng(shift)
    layer = random_conv(rng, 3, 4, kernel, stride=stride, pad=pad)
    vars(layer)["shift"] = shift
    network = random_network(rng, (3, 6, 7), [layer])
    out = spec.forward(network, True)[0].out[0]
    sums = slow_convolution(network.inputs[0], layer)
    for where in np.ndindex(*out.shape):
        assert out[where] == slow_value(sums[where], layer.b[where[0]], shift, Function.RELU)


def test_sums_wrap_and_bias_does_not():
    x, w = np.full((1, 3), 32767), np.full((1, 3), 32767)
    for bias, shift in ((1 << 30, 20), (-(1 << 31), 17), (-(1 << 31), 16), ((1 << 31) - 1, 0)):
        assert spec.results(w, np.array([bias]), x, shift, Function.NONE)[0, 0] == \
            slow_value(3 * 32767**2, bias, shift, Function.NONE)


@pytest.mark.parametrize(("value", "code"), [(0, 0), (4095, 0), (4096, 1), (-1, -1), (32767, 7), (-32768, -8)])
def test_quantise(value, code):
    assert spec.quantise(value) == quantizer.quantize(value) == code


def test_reduced_input_is_that_of_the_units():
    rng = np.random.default_rng(2)
    for _ in range(20):
        channels, kernel = int(rng.integers(1, 6)), (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        stride, pad = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        layer = random_conv(rng, channels, 3, kernel, stride=stride, pad=pad, size=int(rng.integers(1, 9)))
        x = random_inputs(rng, (1, channels, 7, 5))
        rows = spec.columns_of(spec.quantise(x), kernel, stride, pad)
        xq = spec.reduced_input(layer.low, rows)[0].transpose(2, 0, 1)
        p = layer.low.p.reshape(-1, channels, *kernel)
        np.testing.assert_array_equal(xq, reduce_map(x[0], p, stride=stride, pad=pad, shift=layer.low.reduce_shift))
        vector = rng.integers(-32768, 32768, layer.elements)
        np.testing.assert_array_equal(spec.reduced_input(layer.low, spec.quantise(vector)[None])[0],
                                      reduce_vector(vector, layer.low.p, shift=layer.low.reduce_shift))


def test_little_module_is_that_of_the_units():
    """Switching map, codes, dequantiser, value of the store: the units' own definitions, over all kinds of numbers."""
    rng = np.random.default_rng(3)
    y = np.concatenate([wide(rng, 3000), np.arange(-300, 300)])
    for function, shift in itertools.product(FUNCTIONS, (0, 1, 4, 20)):
        codes = spec.low_codes(y, function, shift)
        np.testing.assert_array_equal(codes, mfu.code_array(y, function, shift))
        for scale in (0, spec.SCALE[function], 65535):
            np.testing.assert_array_equal(spec.dequantise(codes, scale),
                                          quantizer.dequantize_array(codes, function, scale))
        for threshold in (-7, 0, 12):
            np.testing.assert_array_equal(spec.sensitive(y, function, threshold),
                                          switching_map.sensitive_array(y, function, threshold))
    w, x, b = rng.integers(-32768, 32768, (40, 9)), rng.integers(-32768, 32768, (60, 9)), wide(rng, 40)
    for shift in (0, 9, 31):
        values, _ = store_row.result_array(spec.wrap_array(spec.product(x, w), 32), b, shift, True)
        np.testing.assert_array_equal(spec.results(w, b, x, shift, Function.RELU), values)
    assert dequantizer.LATENCY >= 1     # the unit that does it


@pytest.mark.parametrize(("function", "y", "sensitive"), [
    (Function.RELU, 4, False), (Function.RELU, 5, True), (Function.SIGMOID, 5, True), (Function.SIGMOID, 6, False),
    (Function.TANH, -5, True), (Function.TANH, -6, False)])
def test_switching_map_at_the_threshold(function, y, sensitive):
    """(5.2) with a threshold of 5."""
    assert spec.sensitive(np.array(y), function, 5) == sensitive


def test_largest_codes_come_near_one():
    assert spec.dequantise(np.array(15), spec.SCALE[Function.SIGMOID]) == 32767
    assert spec.dequantise(np.array([7, -7]), spec.SCALE[Function.TANH]).tolist() == [32767, -32767]


def test_mixture():
    """(5.1); with ReLU what is insensitive is 0."""
    rng = np.random.default_rng(4)
    network = random_network(rng, (20,), [random_fc(rng, 20, 50, relu=True, size=6)], 30)
    exact, mixed = (spec.forward(network, speculate)[0] for speculate in (False, True))
    assert exact.sensitive is None and 0.2 < mixed.sensitive.mean() < 0.8
    np.testing.assert_array_equal(mixed.out, exact.out * mixed.sensitive)


def float_cell(layer, x):
    """Recurrent layer in float: hidden states of one sequence [steps, features] of integers."""
    w, b = layer.w / 2.0**(layer.shift - 3), layer.b / 2.0**(layer.shift + 12)
    h = c = np.zeros(layer.outputs)
    states = []

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for now in x / 2.0**15:
        if layer.kind == "lstm":
            z = w @ np.concatenate([h, now]) + b
            c = sigmoid(z[1]) * c + sigmoid(z[0]) * np.tanh(z[2])
            h = sigmoid(z[3]) * np.tanh(c)
        else:
            r, z = sigmoid(w[:2] @ np.concatenate([h, now]) + b[:2])
            n = np.tanh(w[2] @ np.concatenate([r * h, now]) + b[2])
            h = n + z * (h - n)
        states.append(h)
    return np.array(states)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_recurrent_layers_are_near_float(kind):
    """Without little modules: Q0.15 gates, Q3.12 sums and states."""
    rng = np.random.default_rng(5)
    network = recurrent_network(rng, kind, hidden=12, features=4, steps=6, low=0, count=3)
    states = spec.forward(network, False)[0].out
    for x, own in zip(network.inputs, states, strict=True):
        assert np.abs(own / 2.0**15 - float_cell(network.layers[0], x)).max() < 3e-3


def test_cells_at_the_limits():
    """Nothing leaves its format."""
    values = np.array(list(itertools.product((-32767, 0, 32767), repeat=3)))
    a, b, c = values.T
    low = np.abs(a)
    state, h = spec.lstm_cell(low, low, b, np.abs(b), c)
    assert np.abs(h).max() <= 32767 and -32768 <= state.min() and state.max() <= 32767
    assert np.abs(spec.gru_cell(low, b, c)).max() <= 32767 and np.abs(spec.reset_cell(low, c)).max() <= 32767
    assert spec.lstm_cell(*(np.array([n]) for n in (32767, 32767, 32767, 32767, 32767)))[0] == 32767


@pytest.mark.parametrize("name", ["lstm-37", "gru-37", "stack"])
def test_recurrent_mixture(name):
    """A gate of all sensitive outputs is computed exactly; of none, it is the approximation."""
    network = network_of(name)
    for k, layer in enumerate(network.layers):
        if layer.recurrent:
            vars(layer.low)["threshold"] = np.full(layer.gates, (1 << 31) - 1)
        elif layer.low is not None:
            vars(layer.low)["threshold"] = np.full(1, -(1 << 31))
        assert k < len(network.layers)
    for mine, exact in zip(spec.forward(network, True), spec.forward(network, False), strict=True):
        np.testing.assert_array_equal(mine.out, exact.out)
        assert mine.sensitive is None or mine.sensitive.all()


def test_reorder():
    """Fig. 5.4, and any counts: as the reorder unit defines it."""
    assert spec.reorder([4, 1, 2, 4], [2]).tolist() == [0, 3, 1, 2]
    rng = np.random.default_rng(6)
    for cfg in PRESETS.values():
        limits = np.sort(rng.integers(0, cfg.pixels, cfg.buckets - 1))[::-1]
        counts = rng.integers(0, cfg.pixels + 1, 50)
        np.testing.assert_array_equal(spec.reorder(counts, limits), reorder.reorder(counts, limits))


def test_product_is_exact():
    rng = np.random.default_rng(7)
    a, b = rng.integers(-32768, 32768, (5, 4096)), rng.integers(-32768, 32768, (3, 4096))
    np.testing.assert_array_equal(spec.product(a, b), a @ b.T)


def test_low_module_of_a_gate():
    """Every gate has weights of its own, and one reduced input."""
    rng = np.random.default_rng(8)
    network = recurrent_network(rng, "lstm", hidden=5, features=2, low=3)
    low = random_low(rng, network.layers[0], 3)
    xq = rng.integers(-8, 8, (7, 3))
    for gate in range(4):
        np.testing.assert_array_equal(spec.low_outputs(low, xq, gate), xq @ low.w[gate].T + low.b[gate])
