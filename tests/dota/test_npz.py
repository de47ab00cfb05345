"""Users' files of DOTA: what is written is read back, and every mistake is one line with file, key, value and rule."""

import re
import zipfile

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.dota import npz

GOOD = {"q": np.arange(12, dtype=np.int16).reshape(2, 3, 2), "k": np.ones((2, 3, 2), np.int16),
        "v": np.full((2, 3, 2), -7, np.int16), "frac": np.array(8)}
X = {"x": np.linspace(-1, 1, 15).reshape(3, 5)}
TRAINED = {"p": np.eye(2, dtype=np.int8), "wq_low": np.ones((2, 2)), "wk_low": np.ones((2, 2, 2), np.int8)}
LINEAR = {"x": np.arange(12).reshape(3, 4), "w": np.full((2, 4), -5, np.int8), "shift": np.array(3)}
MASKS = {"masks": np.eye(4, 5, dtype=bool)}


def write(tmp_path, arrays):
    path = tmp_path / "layer.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def refused(path, message):
    with pytest.raises(UsageError, match=rf"^{re.escape(str(path))}: {message}$") as info:
        npz.load(path, 12)
    assert "\n" not in str(info.value)


def assert_same(one, other):
    for name in vars(one):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None) and (a is None or np.array_equal(a, b)), name


@pytest.mark.parametrize("changes", [
    {}, {"keep": np.array(2)}, {"threshold": np.array(-2048)}, {"precision": np.array(2), "transform": np.array(8)}, X,
    TRAINED, X | {"p": np.ones((5, 2), int), "wq_low": np.ones((2, 2)), "wk_low": np.ones((2, 2))},
    {"expected": GOOD["v"]},
], ids=["least", "keep", "threshold", "precision", "x", "trained", "trained-x", "expected"])
def test_round_trip(tmp_path, changes):
    layer = npz.load(write(tmp_path, GOOD | changes), 12)
    npz.save(tmp_path / "again.npz", layer)
    assert_same(layer, npz.load(tmp_path / "again.npz", 12))
    for key in changes:
        want = changes[key]
        assert np.array_equal(np.broadcast_to(want, np.shape(getattr(layer, key))), getattr(layer, key))
    assert layer.q.dtype == layer.k.dtype == layer.v.dtype == np.int64 and layer.frac == 8


def test_linear(tmp_path):
    path = write(tmp_path, LINEAR)
    file = npz.load(path, 12)
    assert np.array_equal(file.layer.x, LINEAR["x"]) and np.array_equal(file.layer.w, LINEAR["w"])
    assert (file.layer.shift, file.layer.relu, file.expected) == (3, False, None)
    file = npz.load(write(tmp_path, LINEAR | {"relu": np.array(1), "expected": np.ones((3, 2), int)}), 12)
    assert file.layer.relu and file.expected.tolist() == [[1, 1]] * 3


@pytest.mark.parametrize(("changes", "message"), [
    ({"q": GOOD["q"]}, r"key must be one of x, w, shift, relu, expected beside w, not 'q'"),
    ({"shift": None}, r"shift must be present, not missing"),
    ({"shift": np.array(64)}, r"shift must be in 0\.\.63, not 64"),
    ({"relu": np.array(2)}, r"relu must be in 0\.\.1, not 2"),
    ({"w": np.ones((2, 5), int)}, r"w must have shape \(any, 4\), not \(2, 5\)"),
    ({"x": np.ones((3, 4))}, r"x must be integers, not float64"),
    ({"expected": np.ones((2, 3), int)}, r"expected must have shape \(3, 2\), not \(2, 3\)"),
])
def test_wrong_linear(tmp_path, changes, message):
    refused(write(tmp_path, LINEAR | changes), message)


def test_fewer_queries_than_keys(tmp_path):
    layer = npz.load(write(tmp_path, GOOD | {"q": np.ones((2, 1, 2), int), "keep": np.array(3)}), 12)
    assert layer.q.shape == (2, 1, 2) and layer.k.shape == (2, 3, 2)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64])
def test_any_integer_type(tmp_path, dtype):
    layer = npz.load(write(tmp_path, GOOD | {"q": GOOD["q"].astype(dtype), "frac": np.array(8, dtype)}), 12)
    assert np.array_equal(layer.q, GOOD["q"]) and layer.frac == 8


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.float16, np.float32])
def test_types_of_x(tmp_path, dtype):
    """One for all heads, or one for each."""
    x = (np.arange(15) - 7).reshape(3, 5).astype(dtype)
    for given in (x, np.stack([x, x])):
        layer = npz.load(write(tmp_path, GOOD | {"x": given}), 12)
        assert layer.x.shape == (2, 3, 5) and layer.x.dtype == np.float64
        assert np.array_equal(layer.x[0], x) and np.array_equal(layer.x[1], x)


def test_masks(tmp_path):
    """One group or several, of any rows."""
    for given in (MASKS["masks"], MASKS["masks"][None].repeat(3, axis=0)):
        masks = npz.load(write(tmp_path, {"masks": given}), 12)
        assert masks.dtype == bool and np.array_equal(masks, given.reshape(-1, 4, 5))
        npz.save(tmp_path / "again.npz", masks)
        assert np.array_equal(npz.load(tmp_path / "again.npz", 12), masks)


@pytest.mark.parametrize(("changes", "message"), [
    ({"q": None}, "q must be present, not missing"),
    ({"frac": None}, "frac must be present, not missing"),
    ({"wq": np.ones(2)}, r"key must be one of q, k, v, frac, keep, .*, expected, masks, not 'wq'"),
    ({"q": np.ones((2, 3, 2))}, "q must be integers, not float64"),
    ({"q": np.ones((2, 3, 2), bool)}, "q must be integers, not bool"),
    ({"q": np.full((2, 3, 2), np.nan)}, "q must be integers, not float64"),
    ({"q": np.ones((3, 2), int)}, r"q must have shape \(any, any, any\), not \(3, 2\)"),
    ({"q": np.ones((0, 3, 2), int)}, r"q must have shape \(any, any, any\), not \(0, 3, 2\)"),
    ({"q": np.ones((2, 0, 2), int)}, r"q must have shape \(any, any, any\), not \(2, 0, 2\)"),
    ({"q": np.full((2, 3, 2), 40000)}, r"q\[0, 0, 0\] must be in -32768\.\.32767, not 40000"),
    ({"k": np.ones((1, 3, 2), int)}, r"k must have shape \(2, any, 2\), not \(1, 3, 2\)"),
    ({"k": np.ones((2, 3, 3), int)}, r"k must have shape \(2, any, 2\), not \(2, 3, 3\)"),
    ({"v": np.ones((2, 4, 2), int)}, r"v must have shape \(2, 3, 2\), not \(2, 4, 2\)"),
    ({"v": np.full((2, 3, 2), 1 << 63, np.uint64)}, r"v\[0, 0, 0\] must be in .*, not 9223372036854775808"),
    ({"frac": np.array(16)}, r"frac must be in 0\.\.15, not 16"),
    ({"frac": np.array(-1)}, r"frac must be in 0\.\.15, not -1"),
    ({"frac": np.array(8.0)}, "frac must be integers, not float64"),
    ({"frac": np.array([8])}, r"frac must be one integer, not an array of shape \(1,\)"),
    ({"keep": np.array(0)}, r"keep must be in 1\.\.3, not 0"),
    ({"keep": np.array(4)}, r"keep must be in 1\.\.3, not 4"),
    ({"keep": np.array(True)}, "keep must be integers, not bool"),
    ({"threshold": np.array(2048)}, r"threshold must be in -2048\.\.2047, not 2048"),
    ({"threshold": np.array(0.5)}, "threshold must be integers, not float64"),
    ({"keep": np.array(1), "threshold": np.array(1)},
     "keep must be left out when there is a threshold, not present"),
    ({"precision": np.array(3)}, "precision must be 2, 4 or 8, not 3"),
    ({"precision": np.array(16)}, r"precision must be in 2\.\.8, not 16"),
    ({"transform": np.array(6)}, "transform must be 2, 4 or 8, not 6"),
    ({"x": np.ones((4, 5))}, r"x must have shape \(3, any\), not \(4, 5\)"),
    ({"x": np.ones((1, 3, 5))}, r"x must have shape \(2, 3, any\), not \(1, 3, 5\)"),
    ({"x": np.ones(3)}, r"x must have shape \(2, 3, any\), not \(3,\)"),
    ({"x": np.array([[0, 1], [2, 3], [4, np.nan]])}, r"x\[2, 1\] must be a finite number, not nan"),
    ({"x": np.full((3, 5), np.inf, np.float16)}, r"x\[0, 0\] must be a finite number, not inf"),
    ({"x": np.full((3, 5), 1 << 60)}, r"x\[0, 0\] must be in .*, not 1152921504606846976"),
    ({"x": np.ones((3, 5), complex)}, "x must be integers or floats, not complex128"),
    (X | {"q": np.ones((2, 1, 2), int)}, "x must be left out when there are 1 queries and 3 keys, not present"),
    (TRAINED | {"p": None}, "p must be present when wq_low is, not missing"),
    (TRAINED | {"wk_low": None}, "wk_low must be present when p is, not missing"),
    (TRAINED | {"p": np.ones((2, 2))}, "p must be integers, not float64"),
    (TRAINED | {"p": np.full((2, 2), 2)}, "p must be -1, 0 or 1, not 2"),
    (TRAINED | {"p": np.ones((5, 2), int)}, r"p must have shape \(2, any\), not \(5, 2\)"),
    (TRAINED | X, r"p must have shape \(5, any\), not \(2, 2\)"),
    (TRAINED | {"wq_low": np.ones((3, 3))}, r"wq_low must have shape \(2, 2\), not \(3, 3\)"),
    (TRAINED | {"wk_low": np.ones((3, 2, 2))}, r"wk_low must have shape \(2, 2, 2\), not \(3, 2, 2\)"),
    (TRAINED | {"wk_low": np.array([[1, 2], [np.inf, 4]])}, r"wk_low\[1, 0\] must be a finite number, not inf"),
    ({"expected": np.ones((2, 3, 3), int)}, r"expected must have shape \(2, 3, 2\), not \(2, 3, 3\)"),
    (MASKS, "masks must be the only key, not beside 'q'"),
    ({"q": np.array([[[None]]])}, "q must be an array of numbers, not Python objects"),
])
def test_wrong_file(tmp_path, changes, message):
    refused(write(tmp_path, GOOD | changes), message)


@pytest.mark.parametrize("masks", [np.zeros((4, 3), int), np.zeros((3, 4), bool), np.zeros((4, 0), bool),
                                   np.zeros((0, 4, 3), bool), np.zeros(4, bool), np.zeros((1, 1, 4, 3), bool)])
def test_wrong_masks(tmp_path, masks):
    refused(write(tmp_path, {"masks": masks}), r"masks must be bools of shape \(4, keys\) or \(groups, 4, keys\), "
            + re.escape(f"not {masks.dtype} of shape {masks.shape}"))


def test_wrong_path(tmp_path):
    refused(tmp_path / "none.npz", "must be a readable file, not No such file or directory")
    refused(tmp_path, "must be a readable file, not Is a directory")
    path = tmp_path / "text.npz"
    path.write_text("q = 1")
    refused(path, "must be an .npz file, not something else")
    path.write_bytes(b"")
    refused(path, "must be an .npz file, not something else")


def test_damaged_file(tmp_path):
    """Cut off at any place, and with other data inside."""
    whole = write(tmp_path, GOOD).read_bytes()
    path = tmp_path / "cut.npz"
    for size in range(4, len(whole) - 1, 97):
        path.write_bytes(whole[:size])
        refused(path, "must be a complete .npz file, not a damaged one")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("q.txt", "1 2 3")
    refused(path, "q.txt must be an array of numbers, not other data")
