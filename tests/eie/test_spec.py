"""Equation (3): against plain dense arithmetic, against scalar code that saturates, and what is refused."""

import numpy as np
import pytest

from golden.eie.spec import Layer, check_layers, layer_output, limits, network_outputs

FRACTIONS = {"weight_frac": 6, "act_frac_in": 5, "act_frac_out": 4}
TABLE = np.array([0, *range(-7, 8)])        # code 8 is another 0


def make(codes, codebook=TABLE, bias_codes=None, relu=False, **fractions):
    return Layer(codes=np.array(codes, np.uint8), codebook=np.array(codebook), bias_codes=bias_codes, relu=relu,
                 **(FRACTIONS | fractions))


def random_case(rng, data_bits, loud):
    """A layer and an input; ``loud`` ones use the whole range of numbers, so that sums saturate."""
    n_out, n_in = rng.integers(1, 40, 2)
    low, high = limits(data_bits if loud else data_bits // 2 - 3)
    codebook = rng.integers(low, high, 16, endpoint=True)
    codebook[0] = 0
    in_frac = int(rng.integers(0, data_bits - 1 if loud else data_bits // 2 - 3, endpoint=True))
    in_frac = min(in_frac, data_bits - 2)
    weight_frac = int(rng.integers(0, data_bits))
    out_frac = min(int(rng.integers(0, data_bits)), weight_frac + in_frac)
    fractions = {"weight_frac": weight_frac, "act_frac_in": in_frac, "act_frac_out": out_frac}
    codes = rng.integers(0, 16, (n_out, n_in), np.uint8) * (rng.random((n_out, n_in)) < rng.random())
    bias = rng.integers(0, 16, n_out, np.uint8) if rng.random() < 0.5 else None
    layer = make(codes, codebook, bias, relu=bool(rng.integers(2)), **fractions)
    activations = rng.integers(low, high, n_in, endpoint=True) * (rng.random(n_in) < rng.random())
    return layer, activations


def scalar_output(layer, activations, data_bits):
    """The definition, one addition after the other, in Python's unbounded integers."""
    low, high = limits(data_bits)
    outputs, saturated = [], []
    for i in range(layer.n_out):
        acc, clipped = 0, False
        terms = [(layer.codes[i, j], a) for j, a in enumerate(activations)]
        if layer.bias_codes is not None:
            terms.append((layer.bias_codes[i], 1 << layer.act_frac_in))
        for code, a in terms:
            product = 2 * int(layer.codebook[code]) * int(a)
            total = acc + (product // 2**layer.shift + 1) // 2
            acc = min(max(total, low), high)
            clipped |= acc != total
        outputs.append(max(acc, 0) if layer.relu else acc)
        saturated.append(clipped)
    return outputs, saturated


@pytest.mark.parametrize("data_bits", [8, 13, 16, 32])
@pytest.mark.parametrize("loud", [False, True])
def test_equals_scalar_definition(data_bits, loud):
    rng = np.random.default_rng(data_bits)
    clipped = total = 0
    for _ in range(60):
        layer, activations = random_case(rng, data_bits, loud)
        outputs, saturated = layer_output(layer, activations, data_bits)
        assert outputs.dtype == np.int64 and saturated.dtype == bool
        expected, expected_saturated = scalar_output(layer, activations, data_bits)
        assert outputs.tolist() == expected
        assert saturated.tolist() == expected_saturated
        clipped += saturated.sum()
        total += saturated.size
    assert (0 < clipped < total) == loud        # the cases are what they are meant to be


def test_without_saturation_it_is_a_dense_product():
    rng = np.random.default_rng(3)
    for _ in range(100):
        layer, activations = random_case(rng, 16, loud=False)
        products = layer.codebook[layer.codes] * activations
        if layer.bias_codes is not None:
            bias = layer.codebook[layer.bias_codes] << layer.act_frac_in
            products = np.append(products, bias[:, None], axis=1)
        rounded = np.floor(products / 2.0**layer.shift + 0.5).astype(np.int64)
        dense = rounded.sum(axis=1)
        outputs, saturated = layer_output(layer, activations, 16)
        assert not saturated.any()
        assert np.array_equal(outputs, np.maximum(dense, 0) if layer.relu else dense)


def test_exact_shift_zero_is_the_matrix_product():
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 16, (9, 12), np.uint8)
    activations = rng.integers(-9, 9, 12)
    layer = make(codes, weight_frac=2, act_frac_in=3, act_frac_out=5)
    assert layer.shift == 0
    assert np.array_equal(layer_output(layer, activations, 16)[0], TABLE[codes] @ activations)


def test_rounding_is_half_up():
    layer = make([[15], [1], [14]], [0, -7, *[0] * 12, 6, 7], weight_frac=1, act_frac_in=0, act_frac_out=0)
    assert layer_output(layer, [1], 16)[0].tolist() == [4, -3, 3]       # 3.5, -3.5, 3.0


def test_order_of_additions_shows_when_sums_saturate():
    table = [0, 127, -128, *[0] * 13]
    formats = {"weight_frac": 0, "act_frac_in": 0, "act_frac_out": 0}
    up_first = make([[1, 1, 2]], table, **formats)
    down_first = make([[2, 1, 1]], table, **formats)
    assert layer_output(up_first, [1, 1, 1], 8) == ([-1], [True])
    assert layer_output(down_first, [1, 1, 1], 8) == ([126], [False])


def test_bias_comes_last():
    formats = {"weight_frac": 0, "act_frac_in": 0, "act_frac_out": 0}
    layer = make([[1, 1]], [0, 127, -128, *[0] * 13], np.array([2], np.uint8), **formats)
    assert layer_output(layer, [1, 1], 8) == ([-1], [True])


def test_relu_and_saturation_flag_are_independent():
    formats = {"weight_frac": 0, "act_frac_in": 0, "act_frac_out": 0, "relu": True}
    layer = make([[1], [2]], [0, 127, -128, *[0] * 13], **formats)
    outputs, saturated = layer_output(layer, [2], 8)
    assert outputs.tolist() == [127, 0] and saturated.tolist() == [True, True]


def test_network_is_the_layers_in_turn():
    rng = np.random.default_rng(5)
    first = make(rng.integers(0, 16, (7, 5)), relu=True)
    second = make(rng.integers(0, 16, (3, 7)), act_frac_in=4)
    activations = rng.integers(-99, 99, 5)
    results = network_outputs([first, second], activations, 16)
    hidden = layer_output(first, activations, 16)
    assert np.array_equal(results[0][0], hidden[0])
    assert np.array_equal(results[1][0], layer_output(second, hidden[0], 16)[0])


@pytest.mark.parametrize(("arguments", "message"), [
    ({"codes": [[0, 16]]}, r"codes\[0, 1\] must be in 0\.\.15, not 16"),
    ({"codes": [1, 2]}, r"codes must be a non-empty 2-D uint8 array, not uint8 \(2,\)"),
    ({"codes": np.zeros((3, 0))}, r"codes must be a non-empty 2-D uint8 array, not uint8 \(3, 0\)"),
    ({"codebook": [1] * 16}, r"codebook\[0\] must be 0, not 1"),
    ({"codebook": [0] * 15}, r"codebook must be 16 integers, not int64 \(15,\)"),
    ({"codebook": [0.0] * 16}, r"codebook must be 16 integers, not float64 \(16,\)"),
    ({"bias_codes": np.zeros(3, np.uint8)}, r"bias_codes must have shape \(1,\), not \(3,\)"),
    ({"bias_codes": np.full(1, 99, np.uint8)}, r"bias_codes\[0\] must be in 0\.\.15, not 99"),
    ({"bias_codes": np.zeros(1)}, r"bias_codes must be a non-empty 1-D uint8 array, not float64 \(1,\)"),
    ({"weight_frac": -1}, r"weight_frac must be an integer in 0\.\.63, not -1"),
    ({"act_frac_in": 64}, r"act_frac_in must be an integer in 0\.\.63, not 64"),
    ({"act_frac_out": 1.0}, r"act_frac_out must be an integer in 0\.\.63, not 1\.0"),
    ({"relu": 1}, r"relu must be True or False, not 1"),
])
def test_wrong_layer(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make(**({"codes": [[1, 2]]} | arguments))


@pytest.mark.parametrize(("arguments", "message"), [
    ({"act_frac_out": 12}, r"shift = weight_frac \+ act_frac_in - act_frac_out must be in 0\.\.31, not -1"),
    ({"weight_frac": 31}, r"shift = weight_frac \+ act_frac_in - act_frac_out must be in 0\.\.31, not 32"),
    ({"codebook": [0, 32768, *[0] * 14]}, r"codebook\[1\] must be in -32768\.\.32767, not 32768"),
    ({"codebook": [*[0] * 15, -32769]}, r"codebook\[15\] must be in -32768\.\.32767, not -32769"),
    ({"act_frac_in": 15, "bias_codes": np.zeros(1, np.uint8)},
     r"act_frac_in must be at most 14 when there is a bias, not 15"),
])
def test_layer_that_does_not_fit_the_data_path(arguments, message):
    layer = make(**({"codes": [[1, 2]]} | arguments))
    with pytest.raises(ValueError, match=f"^{message}$"):
        layer_output(layer, [0, 0], 16)
    with pytest.raises(ValueError, match=f"^layer 0: {message}$"):
        check_layers([layer], 16)


def test_one_as_bias_just_fits():
    layer = make([[0]], bias_codes=np.array([15], np.uint8), act_frac_in=14, weight_frac=4, act_frac_out=4)
    assert layer_output(layer, [0], 16)[0] == 7


@pytest.mark.parametrize(("activations", "message"), [
    ([1], r"activations must be 2 integers, not int64 \(1,\)"),
    ([1.0, 2.0], r"activations must be 2 integers, not float64 \(2,\)"),
    ([0, 40000], r"activations\[1\] must be in -32768\.\.32767, not 40000"),
])
def test_wrong_activations(activations, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        layer_output(make([[1, 2]]), activations, 16)


def test_wrong_chain():
    first = make(np.ones((3, 2)))
    with pytest.raises(ValueError, match="^layer 1: inputs must be the 3 outputs of layer 0, not 4$"):
        check_layers([first, make(np.ones((2, 4)), act_frac_in=4)], 16)
    with pytest.raises(ValueError, match="^layer 1: act_frac_in must be act_frac_out of layer 0, 4, not 5$"):
        check_layers([first, make(np.ones((2, 3)))], 16)
    with pytest.raises(ValueError, match="^layers must be at least one layer, not none$"):
        network_outputs([], [1], 16)
