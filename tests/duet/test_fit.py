"""Fitting: least squares is one, INT4 is good for something, ratios are met."""

import numpy as np
import pytest

from golden.duet.fit import fit_low, insensitive_ratio, least_squares, reduce_shift_of
from golden.duet.quantize_network import fit_network, fixed_layer, fixed_recurrent, inputs_of
from golden.duet.random_network import random_conv, random_fc, random_network, random_recurrent, ternary
from golden.duet.spec import forward, low_outputs, product, quantise, reduced_input
from tests.duet.networks import network_of


def mixed(rng, samples, elements, causes=6):
    """16-bit inputs that a few causes explain, as they occur in networks."""
    x = rng.standard_normal((samples, causes)) @ rng.standard_normal((causes, elements))
    return np.clip(np.rint(x * 32767 / np.abs(x).max()), 0, 32767).astype(np.int64)


def test_projection_is_ternary():
    """(3.6) without its factor."""
    p = ternary(np.random.default_rng(1), 100, 300)
    shares = [(p == value).mean() for value in (-1, 0, 1)]
    assert np.abs(np.array(shares) - [1 / 6, 2 / 3, 1 / 6]).max() < 0.01


def test_least_squares():
    """Against numpy's, up to the prior."""
    rng = np.random.default_rng(2)
    xq = rng.integers(-8, 8, (500, 6)).astype(float)
    z = xq @ rng.standard_normal((6, 3)) + rng.standard_normal(3) + 0.1 * rng.standard_normal((500, 3))
    w, b = least_squares(xq, z)
    wanted = np.linalg.lstsq(np.column_stack([xq, np.ones(500)]), z, rcond=None)[0]
    assert np.abs(w.T - wanted[:-1]).max() < 5e-3 and np.abs(b - wanted[-1]).max() < 5e-3


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.6, 1.0])
def test_ratio_is_met(ratio):
    rng = np.random.default_rng(3)
    layer, x = random_conv(rng, 8, 20), mixed(rng, 800, 72)
    fitted = fit_low(layer, x, 24, ratio)
    assert abs(insensitive_ratio(fitted, x) - ratio) < 0.05
    layer, x = random_recurrent(rng, "lstm", 12, 6), mixed(rng, 800, 18)
    fitted = fit_low(layer, x, 16, ratio)
    for gate in range(4):
        assert abs(insensitive_ratio(fitted, x, gate) - ratio) < 0.08
    fc = fit_low(random_fc(rng, 18, 30, relu=True), x, 16, ratio)
    assert abs(insensitive_ratio(fc, x) - ratio) < 0.05


def test_fit_beats_chance():
    """Of the outputs that are left out, far fewer matter than of others; gates follow the real sums."""
    rng = np.random.default_rng(4)
    x, layer = mixed(rng, 1000, 72), random_conv(rng, 8, 32)
    fitted = fit_low(layer, x, 32, 0.5)
    z = product(x, layer.w.reshape(32, -1)) + layer.b
    y = low_outputs(fitted.low, reduced_input(fitted.low, quantise(x)))
    matters = z > np.quantile(z, 0.5)
    assert (matters & (y < 0)).sum() / matters.sum() < 0.25
    layer = random_recurrent(rng, "gru", 16, 56)
    fitted = fit_low(layer, x, 32, 0.4)
    for gate in range(3):
        y = low_outputs(fitted.low, reduced_input(fitted.low, quantise(x)), gate) / 2.0**fitted.low.low_shift[gate] / 16
        z = (product(x, layer.w[gate]) + layer.b[gate]) / 2.0**layer.shift / 4096
        assert np.sqrt(np.mean((y - z) ** 2)) < 0.5 * z.std()


def test_reduce_shift_keeps_sums_in_range():
    rng = np.random.default_rng(5)
    for spread, low, high in ((2, 0, 0), (9, 1, 2), (200, 5, 6)):
        assert low <= reduce_shift_of(np.rint(rng.standard_normal(5000) * spread).astype(np.int64)) <= high


def test_seeds():
    rng = np.random.default_rng(6)
    layer, x = random_conv(rng, 2, 4), mixed(rng, 100, 18)
    one, same, other = (fit_low(layer, x, 8, 0.5, seed=seed).low.p for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize(("x", "ratio", "message"), [
    (np.zeros((4, 18), int), 1.5, r"ratio must be in 0\.\.1, not 1\.5"),
    (np.zeros((4, 17), int), 0.5, r"x must have shape \(any, 18\), not \(4, 17\)")])
def test_wrong_arguments(x, ratio, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        fit_low(random_conv(np.random.default_rng(7), 2, 4), x, 4, ratio)


def test_inputs_that_never_change():
    """No division by zero."""
    layer = random_conv(np.random.default_rng(8), 2, 4)
    assert fit_low(layer, np.zeros((10, 18), np.int64), 4, 0.5).low.w.shape == (1, 4, 4)


def test_fixed_point_layers_are_near_float():
    rng = np.random.default_rng(9)
    x = rng.random((200, 30))
    w, b = rng.standard_normal((12, 30)) / 5, rng.standard_normal(12)
    real = np.maximum(x @ w.T + b, 0)
    sums = (x @ np.abs(w).T + np.abs(b)).max()
    layer, scale = fixed_layer(w, b, scale_in=2.0**15, largest=real.max(), sums=sums, kind="fc", relu=True)
    network = random_network(rng, (30,), [layer])
    out = forward(network, False, np.rint(x * 2**15).astype(np.int64).clip(0, 32767))[0].out
    assert np.abs(out / scale - real).max() < 2e-3 * real.max()
    layer = fixed_recurrent("lstm", rng.standard_normal((4, 5, 8)), rng.standard_normal((4, 5)))
    assert np.abs(layer.w).max() > 1 << 11 and layer.features == 3


@pytest.mark.parametrize("name", ["chain", "stack"])
def test_networks_are_fitted_layer_by_layer(name):
    network = network_of(name)
    sizes = {k: 8 for k, layer in enumerate(network.layers) if layer.low is not None}
    fitted = fit_network(network, sizes, dict.fromkeys(sizes, 0.5))
    for k in sizes:
        layer = fitted.layers[k]
        assert layer.low.size == 8 and layer.low is not network.layers[k].low
        assert inputs_of(fitted, k).shape[1] == layer.elements
        # One input of a random network: the ratio is not met closely.
        assert 0.2 <= insensitive_ratio(layer, inputs_of(fitted, k)) <= 0.8
