"""Users' files: what is written is read back, and every mistake is one line with file, key, value and rule."""

import re
import zipfile

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.eie import npz
from golden.eie.config import PRESETS
from golden.eie.workloads import random_layers

GOOD = {"codes": np.array([[1, 0, 15], [2, 3, 0]], np.uint8), "codebook": np.arange(16, dtype=np.int16),
        "weight_frac": np.array(4), "act_frac_in": np.array(5), "act_frac_out": np.array(6),
        "relu": np.array(True), "activations": np.array([1, -2, 3], np.int16)}


def write(tmp_path, arrays):
    path = tmp_path / "net.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def two_layers(**changes):
    """A file with layers 3 -> 2 -> 2."""
    arrays = {f"l0_{key}": value for key, value in GOOD.items() if key != "activations"}
    arrays |= {key.replace("l0_", "l1_"): value for key, value in arrays.items()}
    arrays |= {"l1_codes": np.ones((2, 2), np.uint8), "l1_act_frac_in": np.array(6),
               "activations": GOOD["activations"]}
    return arrays | changes


@pytest.mark.parametrize("batch", [None, 1, 3])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_round_trip(tmp_path, count, batch):
    rng = np.random.default_rng(count)
    for data_bits in (16, 32):
        layers, vector = random_layers(rng, PRESETS["tiny"].replace(data_bits=data_bits), layers=count)
        activations = vector if batch is None else rng.permuted(np.tile(vector, (batch, 1)), axis=1)
        expected = rng.integers(-9, 9, (batch or 1, layers[-1].n_out))
        path = tmp_path / "net.npz"
        npz.save(path, layers, activations, expected if batch else None)
        read, read_activations, read_expected = npz.load(path, data_bits)
        assert len(read) == count
        for a, b in zip(layers, read, strict=True):
            for name in npz.LAYER_KEYS:
                assert np.array_equal(getattr(a, name), getattr(b, name)) or getattr(a, name) is None
            assert (a.bias_codes is None) == (b.bias_codes is None)
        assert read_activations.dtype == np.int64
        assert np.array_equal(read_activations, activations.reshape(batch or 1, -1))
        assert read_expected is None if batch is None else np.array_equal(read_expected, expected)


def test_minimal_file(tmp_path):
    layers, activations, expected = npz.load(write(tmp_path, GOOD), 16)
    assert layers[0].relu is True and layers[0].shift == 3 and layers[0].bias_codes is None
    assert activations.tolist() == [[1, -2, 3]] and expected is None


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64])
def test_any_integer_type(tmp_path, dtype):
    changes = {key: GOOD[key].astype(dtype) for key in GOOD if key != "activations"}
    layers, _, _ = npz.load(write(tmp_path, GOOD | changes), 16)
    assert layers[0].codes.dtype == np.uint8 and layers[0].relu is True
    assert np.array_equal(layers[0].codes, GOOD["codes"])


def test_prefix_of_a_single_layer(tmp_path):
    arrays = {f"l0_{key}": value for key, value in GOOD.items() if key != "activations"}
    layers, _, _ = npz.load(write(tmp_path, arrays | {"activations": GOOD["activations"]}), 16)
    assert len(layers) == 1


@pytest.mark.parametrize(("changes", "message"), [
    ({"codes": None}, "codes must be present, not missing"),
    ({"relu": None}, "relu must be present, not missing"),
    ({"activations": None}, "activations must be present, not missing"),
    ({"bias": np.zeros(2)}, r"key must be one of codes, codebook, .*, expected \(.*\), not 'bias'"),
    ({"l1_codes": GOOD["codes"]}, "layers must be numbered from l0_ without a gap, not without l0_"),
    ({"codes": np.array([[1, 2, 16], [99, 0, 0]])}, r"codes\[0, 2\] must be in 0\.\.15, not 16"),
    ({"codes": np.array([[1, 2, -1], [0, 0, 0]])}, r"codes\[0, 2\] must be in 0\.\.15, not -1"),
    ({"codes": np.ones((2, 3))}, "codes must be integers, not float64"),
    ({"codes": np.ones((2, 3), bool)}, "codes must be integers, not bool"),
    ({"codes": np.ones(3, np.uint8)}, r"codes must have 2 dimensions, not shape \(3,\)"),
    ({"codes": np.ones((0, 3), np.uint8)}, r"codes must have at least one element, not shape \(0, 3\)"),
    ({"codebook": np.arange(1, 17)}, r"codebook\[0\] must be 0, not 1"),
    ({"codebook": np.arange(15)}, r"codebook must have shape \(16,\), not \(15,\)"),
    ({"codebook": np.arange(16.0)}, "codebook must be integers, not float64"),
    ({"codebook": np.append(np.zeros(15), np.nan)}, "codebook must be integers, not float64"),
    ({"codebook": np.arange(16) * 4000}, r"codebook\[9\] must be in -32768\.\.32767, not 36000"),
    ({"codebook": np.arange(16, dtype=np.uint64) << np.uint64(60)},
     r"codebook\[1\] must be in -32768\.\.32767, not 1152921504606846976"),
    ({"bias_codes": np.zeros(3, np.uint8)},
     r"bias_codes must have shape \(2,\), as codes has 2 rows, not \(3,\)"),
    ({"bias_codes": np.array([0, 16])}, r"bias_codes\[1\] must be in 0\.\.15, not 16"),
    ({"weight_frac": np.array([4])}, r"weight_frac must have 0 dimensions, not shape \(1,\)"),
    ({"weight_frac": np.array(4.0)}, "weight_frac must be integers, not float64"),
    ({"weight_frac": np.array(64)}, r"weight_frac must be in 0\.\.63, not 64"),
    ({"act_frac_in": np.array(-1)}, r"act_frac_in must be in 0\.\.63, not -1"),
    ({"act_frac_out": np.array(10)},
     r"layer 0: shift = weight_frac \+ act_frac_in - act_frac_out must be in 0\.\.31, not -1"),
    ({"act_frac_in": np.array(15), "bias_codes": np.zeros(2, np.uint8)},
     "layer 0: act_frac_in must be at most 14 when there is a bias, not 15"),
    ({"relu": np.array(2)}, r"relu must be in 0\.\.1, not 2"),
    ({"relu": np.array("yes")}, "relu must be integers, not <U3"),
    ({"activations": np.array([1, 2])}, "activations must have 3 elements a vector, not 2"),
    ({"activations": np.array([1.0, np.inf, 2])}, "activations must be integers, not float64"),
    ({"activations": np.array([1, 2, 40000])}, r"activations\[2\] must be in -32768\.\.32767, not 40000"),
    ({"activations": np.array([[1, 2, 3], [4, 5, -40000]])},
     r"activations\[1, 2\] must be in -32768\.\.32767, not -40000"),
    ({"activations": np.zeros((0, 3), np.int16)},
     r"activations must have at least one element, not shape \(0, 3\)"),
    ({"activations": np.zeros((1, 1, 3), np.int16)},
     r"activations must have 2 dimensions, not shape \(1, 1, 3\)"),
    ({"expected": np.zeros(3, np.int16)}, "expected must have 2 elements a vector, not 3"),
    ({"expected": np.zeros((2, 2), np.int16)}, "expected must have 1 vectors, as activations has, not 2"),
    ({"codes": np.array([[None]])}, "codes must be an array of numbers, not Python objects"),
])
def test_wrong_file(tmp_path, changes, message):
    path = write(tmp_path, GOOD | changes)
    with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: {message}$"):
        npz.load(path, 16)


@pytest.mark.parametrize(("changes", "message"), [
    ({"l1_codes": np.ones((2, 3), np.uint8)}, "layer 1: inputs must be the 2 outputs of layer 0, not 3"),
    ({"l1_act_frac_in": np.array(5)}, "layer 1: act_frac_in must be act_frac_out of layer 0, 6, not 5"),
    ({"l1_codebook": None}, "l1_codebook must be present, not missing"),
    ({"l3_codes": np.ones((2, 2), np.uint8)}, "layers must be numbered from l0_ without a gap, not without l2_"),
    ({"codes": GOOD["codes"]}, "key must be one of .*, not 'codes'"),
    ({"l1_codes": np.full((2, 2), 16)}, r"l1_codes\[0, 0\] must be in 0\.\.15, not 16"),
])
def test_wrong_layers(tmp_path, changes, message):
    npz.load(write(tmp_path, two_layers()), 16)
    path = write(tmp_path, two_layers(**changes))
    with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: {message}$"):
        npz.load(path, 16)


def test_wrong_container(tmp_path):
    def refused(name, message):
        path = tmp_path / name
        with pytest.raises(UsageError, match=f"^{re.escape(str(path))}: {message}$"):
            npz.load(path, 16)

    refused("absent.npz", "must be a readable file, not No such file or directory")
    refused("", "must be a readable file, not Is a directory")
    (tmp_path / "text.npz").write_text("codes: 1 2 3")
    refused("text.npz", "must be an .npz file, not something else")
    (tmp_path / "empty.npz").touch()
    refused("empty.npz", "must be an .npz file, not something else")
    np.save(tmp_path / "one.npy", np.arange(3))
    refused("one.npy", "must be an .npz file, not something else")
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    refused("objects.npy", "must be an .npz file, not something else")
    whole = write(tmp_path, GOOD).read_bytes()
    for size in (len(whole) // 2, len(whole) - 10, 10):
        (tmp_path / "cut.npz").write_bytes(whole[:size])
        refused("cut.npz", "must be a complete .npz file, not a damaged one")


def test_other_files_in_the_container(tmp_path):
    path = write(tmp_path, GOOD | {"codes": None})
    with zipfile.ZipFile(path, "a") as container:
        container.writestr("codes", "1 2 3")
    with pytest.raises(UsageError, match=r": codes must be an array of numbers, not other data$"):
        npz.load(path, 16)


def test_damaged_contents(tmp_path):
    """A flipped byte in any place is refused in one line, or changes nothing that is read."""
    whole = bytearray(write(tmp_path, GOOD).read_bytes())
    path = tmp_path / "flipped.npz"
    refused = 0
    for position in range(0, len(whole), 7):
        damaged = whole.copy()
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            npz.load(path, 16)
        except UsageError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            refused += 1
    assert refused > len(whole) // 14


def test_values_follow_the_width_of_the_data_path(tmp_path):
    path = write(tmp_path, GOOD | {"activations": np.array([1, 2, 40000])})
    assert npz.load(path, 32)[1].tolist() == [[1, 2, 40000]]
    with pytest.raises(UsageError, match=r": activations\[2\] must be in -128\.\.127, not 40000$"):
        npz.load(path, 8)
