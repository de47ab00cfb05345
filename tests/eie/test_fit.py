"""From float to compressed layers: what each step keeps, and formats that do not saturate."""

import sys

import numpy as np
import pytest

from golden.eie.fit import SharedLayer, fit, prune, quantize, share, to_fixed
from golden.eie.spec import network_outputs


def float_outputs(layers, vectors):
    for layer in layers:
        vectors = layer.output(vectors)
    return vectors


def random_shared(rng, sizes, scale=1.0, bias=True):
    """Float layers with shared weights of the given vector lengths."""
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        centroids = np.append(0, rng.normal(0, scale / np.sqrt(n_in), 15))
        layers.append(SharedLayer(codes=rng.integers(0, 16, (n_out, n_in), np.uint8), centroids=centroids,
                                  bias_codes=rng.integers(0, 16, n_out, np.uint8) if bias else None, relu=True))
    return layers


@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
def test_prune_keeps_the_largest(density):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(20, 30))
    pruned = prune(weights, density)
    kept = pruned != 0
    assert kept.sum() == round(density * 600)
    assert np.array_equal(pruned[kept], weights[kept])
    if 0 < density < 1:
        assert np.abs(weights[kept]).min() >= np.abs(weights[~kept]).max()


def test_prune_keeps_the_number_among_equals_and_the_argument():
    weights = np.ones((4, 4))
    assert np.count_nonzero(prune(weights, 0.25)) == 4
    assert weights.all()


@pytest.mark.parametrize("density", [-0.1, 1.1])
def test_wrong_density(density):
    with pytest.raises(ValueError, match=rf"^density must be in 0\.\.1, not {density}$"):
        prune(np.ones((2, 2)), density)


def test_share_few_values_is_exact():
    """Up to 15 values need no clustering."""
    rng = np.random.default_rng(2)
    weights = rng.integers(-7, 8, (9, 11)) / 8
    bias = rng.integers(-7, 8, 9) / 8
    layer = share(weights, bias, relu=True)
    assert layer.codes.dtype == layer.bias_codes.dtype == np.uint8
    assert layer.centroids[0] == 0
    assert np.array_equal(layer.centroids[layer.codes], weights)
    assert np.array_equal(layer.centroids[layer.bias_codes], bias)
    assert np.array_equal(layer.codes == 0, weights == 0)
    assert share(weights, relu=False).bias_codes is None


def test_share_clusters():
    """Every weight takes its nearest centroid, a centroid is the mean of its weights, and pruned ones stay pruned."""
    rng = np.random.default_rng(3)
    weights = prune(rng.normal(size=(60, 50)), 0.3)
    layer = share(weights, relu=True, seed=1)
    assert np.array_equal(layer.codes == 0, weights == 0)
    assert len(np.unique(layer.centroids)) == 16
    kept = weights != 0
    error = np.abs(layer.centroids[layer.codes] - weights)[kept]
    assert np.allclose(error, np.abs(weights[kept][:, None] - layer.centroids[1:]).min(axis=1))
    for code in range(1, 16):
        assert abs(weights[layer.codes == code].mean() - layer.centroids[code]) < 2e-2
    again = share(weights, relu=True, seed=1)
    assert np.array_equal(again.centroids, layer.centroids)


def test_share_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    message = "^scikit-learn must be installed to share weights: it is in the dependency group 'train'$"
    with pytest.raises(RuntimeError, match=message):
        share(np.random.default_rng(4).normal(size=(5, 5)), relu=True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_wrong_weights(value):
    with pytest.raises(ValueError, match="^weights and bias must be finite, not NaN or infinite$"):
        share(np.array([[1.0, value]]), relu=True)
    with pytest.raises(ValueError, match="^weights and bias must be finite, not NaN or infinite$"):
        share(np.array([[1.0]]), np.array([value]), relu=True)


def test_to_fixed():
    assert to_fixed([0.5, -0.26, 100, -100], 3, 8).tolist() == [4, -2, 127, -128]


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("data_bits", [8, 16, 32])
def test_quantize_is_close_and_does_not_saturate(data_bits, bias):
    rng = np.random.default_rng(data_bits)
    for scale in (0.01, 1.0, 30.0):
        shared = random_shared(rng, (20, 16, 9), scale, bias)
        if scale > 1 and data_bits == 8:
            continue        # sums of layer 1 need more than 8 bits
        calibration = rng.uniform(-1, 1, (12, 20))
        layers = quantize(shared, calibration, data_bits)
        exact = float_outputs(shared, calibration)
        for vector, expected in zip(calibration, exact, strict=True):
            results = network_outputs(layers, to_fixed(vector, layers[0].act_frac_in, data_bits), data_bits)
            assert not any(saturated.any() for _, saturated in results)
            outputs = results[-1][0] / 2.0**layers[-1].act_frac_out
            if data_bits > 8:
                assert np.abs(outputs - expected).max() < 2.0**(7 - data_bits) * max(np.abs(exact).max(), scale)


def test_quantize_uses_the_bits():
    """One more fraction bit anywhere would not keep the headroom or would break a rule of the format."""
    rng = np.random.default_rng(5)
    shared = random_shared(rng, (20, 16, 9), bias=False)
    calibration = rng.uniform(-1, 1, (12, 20))
    for headroom in (0, 1, 3):
        layers = quantize(shared, calibration, 16, headroom)
        vectors = [to_fixed(v, layers[0].act_frac_in, 16) for v in calibration]
        largest = [max(np.abs(v).max() for v in vectors)]
        largest += [max(np.abs(network_outputs(layers, v, 16)[k][0]).max() for v in vectors) for k in range(2)]
        for value in largest:
            assert 2**(14 - headroom) <= value < 2**(15 - headroom)
        for layer in layers:
            assert 2**14 <= np.abs(layer.codebook).max() < 2**15


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-3, 1e3])
@pytest.mark.parametrize("bias", [False, True])
def test_quantize_inputs_of_any_size(scale, bias):
    """Formats follow the data, to no activation at all; they are always legal and keep the precision."""
    rng = np.random.default_rng(8)
    shared = random_shared(rng, (20, 16, 9), bias=bias)
    calibration = scale * rng.uniform(-1, 1, (6, 20))
    layers = quantize(shared, calibration, 16)
    vectors = [to_fixed(v, layers[0].act_frac_in, 16) for v in calibration]
    outputs = np.stack([network_outputs(layers, v, 16)[-1][0] for v in vectors]) / 2.0**layers[-1].act_frac_out
    exact = float_outputs(shared, calibration)
    assert np.abs(outputs - exact).max() <= 0.01 * np.abs(exact).max()


@pytest.mark.parametrize(("scale", "message"), [
    (1e6, "weights of layer 0 must be at most 32767 in magnitude, not 1000000.0"),
    (3e4, "layer 0 must have sums below 16383, not larger ones"),
])
def test_wrong_scale(scale, message):
    layer = SharedLayer(codes=np.ones((2, 3), np.uint8), centroids=np.array([0, scale, *[0] * 14]),
                        bias_codes=None, relu=False)
    with pytest.raises(ValueError, match=f"^{message}$"):
        quantize([layer], np.ones((1, 3)), 16)


def test_wrong_calibration():
    with pytest.raises(ValueError, match=r"^calibration must be at most 16383 in magnitude, not 1000000000\.0$"):
        quantize(random_shared(np.random.default_rng(6), (3, 2)), np.full((1, 3), 1e9), 16)


def test_fit_is_the_steps_in_turn():
    rng = np.random.default_rng(7)
    weights = [rng.integers(-7, 8, (8, 10)) / 16, rng.integers(-7, 8, (4, 8)) / 16]
    biases = [rng.integers(-7, 8, 8) / 16, None]
    calibration = rng.uniform(0, 1, (5, 10))
    layers = fit(weights, biases, calibration, relu=[True, False], density=[0.5, None])
    assert np.count_nonzero(layers[0].codes) == 40
    assert [x.relu for x in layers] == [True, False] and layers[1].bias_codes is None
    for layer, w in zip(layers, (prune(weights[0], 0.5), weights[1]), strict=True):
        assert np.allclose(layer.codebook[layer.codes] / 2.0**layer.weight_frac, w)
