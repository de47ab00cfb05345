"""Users' files of ENMC: what is written is read back, and every mistake is one line with file, key, value and rule."""

import re
import zipfile

import numpy as np
import pytest

from golden.common.cli import UsageError
from golden.enmc import npz
from golden.enmc.spec import MOST_BIAS

RNG = np.random.default_rng(1)
GOOD = {"w": RNG.standard_normal((6, 3)).astype(np.float32), "b": RNG.standard_normal(6).astype(np.float32),
        "h": RNG.standard_normal((4, 3)).astype(np.float32)}
SCREENER = {"p": np.eye(2, 3), "w_screen": np.full((6, 2), -8, np.int8), "b_screen": np.arange(6, dtype=np.int32)}


def write(tmp_path, arrays):
    path = tmp_path / "classifier.npz"
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def refused(path, message):
    with pytest.raises(UsageError, match=rf"^{re.escape(str(path))}: {message}$") as info:
        npz.load(path)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("changes", [
    {}, SCREENER, SCREENER | {"threshold": np.array(-2**31)}, SCREENER | {"candidates": np.array(0.5)},
    SCREENER | {"feature_scale": np.array(3)}, {"candidates": np.array(7), "k": np.array(2)},
    {"samples": np.ones((9, 3), np.float32)}, {"labels": np.array([0, 5, 1, 2]), "function": np.array(0)},
], ids=["least", "screener", "threshold", "candidates", "scale", "fitted", "samples", "labels"])
def test_round_trip(tmp_path, changes):
    file = npz.load(write(tmp_path, GOOD | changes))
    npz.save(tmp_path / "again.npz", file)
    again = npz.load(tmp_path / "again.npz")
    for name in vars(file):
        ours, theirs = getattr(file, name), getattr(again, name)
        assert (ours is None) == (theirs is None) and (ours is None or np.array_equal(ours, theirs)), name
    for key, wanted in (GOOD | changes).items():
        assert np.array_equal(getattr(file, key), wanted), key
    assert file.w.dtype == file.b.dtype == file.h.dtype == np.float32
    if "p" in changes:
        assert (file.p.dtype, file.w_screen.dtype, file.b_screen.dtype) == (np.float64, np.int8, np.int32)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.float64])
def test_any_type_of_numbers(tmp_path, dtype):
    file = npz.load(write(tmp_path, {key: np.ones(value.shape, dtype) for key, value in GOOD.items()}))
    assert file.w.dtype == np.float32 and (file.h == 1).all()


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int64])
def test_any_type_of_integers(tmp_path, dtype):
    screener = SCREENER | {"w_screen": np.full((6, 2), 7, dtype), "b_screen": np.ones(6, dtype)}
    assert npz.load(write(tmp_path, GOOD | screener | {"threshold": np.array(3, dtype)})).threshold == 3


def test_one_vector(tmp_path):
    assert npz.load(write(tmp_path, GOOD | {"h": np.ones(3)})).h.shape == (1, 3)


def test_layouts_of_memory(tmp_path):
    """Transposed and strided arrays are arrays, too."""
    w = np.asfortranarray(GOOD["w"])
    assert np.array_equal(npz.load(write(tmp_path, GOOD | {"w": w})).w, w)


@pytest.mark.parametrize(("changes", "message"), [
    ({"w": None}, "w must be present, not missing"),
    ({"h": None}, "h must be present, not missing"),
    ({"weights": np.ones(2)}, r"key must be one of w, b, h, p, .*, function, labels, not 'weights'"),
    ({"w": np.ones((6, 3), bool)}, "w must be integers or floats, not bool"),
    ({"w": np.ones((6, 3), complex)}, "w must be integers or floats, not complex128"),
    ({"w": np.array("text")}, "w must be integers or floats, not <U4"),
    ({"w": np.ones(6)}, r"w must have shape \(any, any\), not \(6,\)"),
    ({"w": np.ones((0, 3))}, r"w must have shape \(any, any\), not \(0, 3\)"),
    ({"w": np.array([[np.nan]]), "b": np.ones(1), "h": np.ones(1)},
     r"w\[0, 0\] must be a finite number in float32, not nan"),
    ({"h": np.array([1, 1e39, 0])}, r"h\[1\] must be a finite number in float32, not 1e\+39"),
    ({"b": np.ones(5)}, r"b must have shape \(6,\), not \(5,\)"),
    ({"b": np.ones((6, 1))}, r"b must have shape \(6,\), not \(6, 1\)"),
    ({"h": np.ones((4, 2))}, r"h must have shape \(any, 3\), not \(4, 2\)"),
    ({"h": np.ones((1, 4, 3))}, r"h must have shape \(any, 3\), not \(1, 4, 3\)"),
    ({"h": np.array(1.0)}, r"h must have shape \(any, 3\), not \(\)"),
    ({"samples": np.ones((4, 2))}, r"samples must have shape \(any, 3\), not \(4, 2\)"),
    ({"p": SCREENER["p"]}, "w_screen must be present when p is, not missing"),
    ({"b_screen": SCREENER["b_screen"]}, "p must be present when b_screen is, not missing"),
    ({"threshold": np.array(1)}, "threshold must be left out when there is no p, not present"),
    ({"feature_scale": np.array(1)}, "feature_scale must be left out when there is no p, not present"),
    (SCREENER | {"k": np.array(2)}, "k must be left out when there is a p, not present"),
    (SCREENER | {"p": np.eye(2)}, r"p must have shape \(any, 3\), not \(2, 2\)"),
    (SCREENER | {"p": np.full((2, 3), np.inf)}, r"p\[0, 0\] must be a finite number in float64, not inf"),
    (SCREENER | {"w_screen": np.ones((6, 3), int)}, r"w_screen must have shape \(6, 2\), not \(6, 3\)"),
    (SCREENER | {"w_screen": np.ones((6, 2))}, "w_screen must be integers, not float64"),
    (SCREENER | {"w_screen": np.full((6, 2), 8)}, r"w_screen\[0, 0\] must be in -8\.\.7, not 8"),
    (SCREENER | {"w_screen": np.full((6, 2), -9)}, r"w_screen\[0, 0\] must be in -8\.\.7, not -9"),
    (SCREENER | {"b_screen": np.full(6, 2**31 - 1)},
     rf"b_screen\[0\] must be in -{MOST_BIAS}\.\.{MOST_BIAS}, not 2147483647"),
    (SCREENER | {"b_screen": np.full(6, 2**64 - 1, np.uint64)},
     r"b_screen\[0\] must be in .*, not 18446744073709551615"),
    (SCREENER | {"feature_scale": np.array(0.0)}, r"feature_scale must be a finite number above 0, not 0\.0"),
    (SCREENER | {"feature_scale": np.array(1e308)}, r"feature_scale must be a finite number in float32, not 1e\+308"),
    (SCREENER | {"p": np.full((2, 3), 1e300)}, r"p\[0, 0\] must be a finite number in float32, not 1e\+300"),
    (SCREENER | {"feature_scale": np.ones(2)}, r"feature_scale must be one number, not float64 of shape \(2,\)"),
    (SCREENER | {"threshold": np.array(1.5)}, "threshold must be integers, not float64"),
    (SCREENER | {"threshold": np.array([1])}, r"threshold must be one integer, not an array of shape \(1,\)"),
    (SCREENER | {"threshold": np.array(2**31)}, r"threshold must be in -2147483648\.\.2147483647, not 2147483648"),
    (SCREENER | {"threshold": np.array(1), "candidates": np.array(1)},
     "candidates must be left out when there is a threshold, not present"),
    ({"candidates": np.array(-1)}, "candidates must be a finite number above 0, not -1"),
    ({"candidates": np.array(np.inf)}, "candidates must be a finite number above 0, not inf"),
    ({"k": np.array(4)}, r"k must be in 1\.\.3, not 4"),
    ({"k": np.array(0)}, r"k must be in 1\.\.3, not 0"),
    ({"function": np.array(3)}, r"function must be in 0\.\.2, not 3"),
    ({"labels": np.array([0, 1, 2])}, r"labels must have shape \(4,\), not \(3,\)"),
    ({"labels": np.array([0, 1, 2, 6])}, r"labels\[3\] must be in 0\.\.5, not 6"),
    ({"labels": np.ones(4)}, "labels must be integers, not float64"),
])
def test_wrong_file(tmp_path, changes, message):
    refused(write(tmp_path, GOOD | changes), message)


def test_python_objects(tmp_path):
    path = tmp_path / "classifier.npz"
    np.savez(path, **GOOD | {"w": np.array([{}], dtype=object)}, allow_pickle=True)
    refused(path, "w must be an array of numbers, not Python objects")


def test_not_a_file(tmp_path):
    refused(tmp_path / "none.npz", "must be a readable file, not No such file or directory")
    refused(tmp_path, "must be a readable file, not Is a directory")


def test_damaged_files(tmp_path):
    path = tmp_path / "classifier.npz"
    path.write_bytes(b"text")
    refused(path, "must be an .npz file, not something else")
    data = write(tmp_path, GOOD).read_bytes()
    path.write_bytes(data[:len(data) // 2])
    refused(path, "must be a complete .npz file, not a damaged one")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("w.npy", b"no array")
    refused(path, "(must be a complete .npz file, not a damaged one|w must be an array of numbers, not .*)")
