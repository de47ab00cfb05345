"""Classifiers as ``.npz`` files: what users bring.

Any type of numbers is taken if its values fit; booleans are not numbers.

========================= ================ ========================================================================
Key                       Shape            Meaning
========================= ================ ========================================================================
``w``                     [classes, d]     weights of the classifier; finite in FP32
``b``                     [classes]        its biases
``h``                     [inputs, d], [d] vectors to classify
``p`` (optional)          [k, d]           projection, finite in FP32; with ``w_screen`` and ``b_screen``, otherwise a
                                           screener is fitted to the samples
``w_screen`` (with ``p``) [classes, k]     screening weights, integers -8..7
``b_screen`` (with ``p``) [classes]        screening biases, integers, at most 2**31 - 1 - 2**18 in magnitude
``feature_scale``         one number       features are ``p h`` times this, rounded to -8..7; above 0. Without it the
(optional, with ``p``)                     one with the least error on ``h``
``threshold`` (optional,  one integer      integer score above which a class is a candidate, 32 bits
with ``p``)
``candidates`` (optional) one number       instead of a threshold: wanted candidates of an input on average, above 0;
                                           without both 32
``samples`` (optional)    [any, d]         vectors to which screener and threshold are fitted; without them ``h``
``k`` (optional)          one integer      features of a screener that is fitted, 1..d; without it a quarter of d
``function`` (optional)   one integer      of exact results: 0 none, 1 sigmoid, 2 softmax (default)
``labels`` (optional)     [inputs]         true classes, for the accuracy
========================= ================ ========================================================================
"""

from dataclasses import dataclass

import numpy as np

from golden.common.npz import read_file, require

from .formats import WORD_BITS, Function
from .packing import MOST_CLASSES
from .spec import HIGH, LOW, MOST_BIAS, check_range, check_shape

__all__ = ["KEYS", "File", "load", "save"]

REQUIRED = ("w", "b", "h")
SCREENER = ("p", "w_screen", "b_screen")
#: A threshold for a screener that is fitted would be in unknown units.
KEYS = (*REQUIRED, *SCREENER, "feature_scale", "threshold", "candidates", "samples", "k", "function", "labels")


@dataclass(frozen=True, kw_only=True, eq=False)
class File:
    """What a file holds.

    Attributes
    ----------
    w, b, h : float32 arrays, shape (classes, d), (classes,), (inputs, d)
    p : float64 array, shape (k, d), or None
    w_screen : int8 array, shape (classes, k), or None
    b_screen : int32 array, shape (classes,), or None
    feature_scale : float or None
    threshold : int or None
    candidates : float or None
        At most one of the two.
    samples : float32 array, shape (any, d), or None
    k : int or None
    function : int or None
    labels : int64 array, shape (inputs,), or None
    """

    w: np.ndarray
    b: np.ndarray
    h: np.ndarray
    p: np.ndarray | None = None
    w_screen: np.ndarray | None = None
    b_screen: np.ndarray | None = None
    feature_scale: float | None = None
    threshold: int | None = None
    candidates: float | None = None
    samples: np.ndarray | None = None
    k: int | None = None
    function: int | None = None
    labels: np.ndarray | None = None


def load(path) -> File:
    """Read a file.

    Raises
    ------
    UsageError
        One line that names the file, the key, the value and the rule.
    """
    return read_file(path, _file)


def save(path, file: File) -> None:
    """Write a file that :func:`load` reads back."""
    np.savez_compressed(path, **{key: value for key, value in vars(file).items() if value is not None})


def _file(arrays) -> File:
    for key in arrays:
        if key not in KEYS:
            raise ValueError(f"key must be one of {', '.join(KEYS)}, not {key!r}")
    require(arrays, REQUIRED)
    w = _floats(arrays, "w", (None, None), np.float32)
    classes, elements = w.shape
    if classes > MOST_CLASSES:
        raise ValueError(f"w must have at most {MOST_CLASSES} rows, not {classes}")
    values = {"w": w, "b": _floats(arrays, "b", (classes,), np.float32), "h": _vectors(arrays, "h", elements)}
    if "samples" in arrays:
        values["samples"] = _vectors(arrays, "samples", elements)
    values |= _screener(arrays, classes, elements) | _choices(arrays, elements)
    if "labels" in arrays:
        labels = _integers(arrays, "labels", (len(values["h"]),))
        check_range("labels", labels, 0, classes - 1)
        values["labels"] = labels.astype(np.int64)
    return File(**values)


def _screener(arrays, classes, elements):
    present = [key for key in SCREENER if key in arrays]
    if not present:
        for key in ("feature_scale", "threshold"):
            if key in arrays:
                raise ValueError(f"{key} must be left out when there is no p, not present")
        return {}
    for key in SCREENER:
        if key not in arrays:
            raise ValueError(f"{key} must be present when {present[0]} is, not missing")
    if "k" in arrays:
        raise ValueError("k must be left out when there is a p, not present")
    p = _floats(arrays, "p", (None, elements), np.float64)
    _floats(arrays, "p", (None, elements), np.float32)      # so that no product is infinite
    values = {"p": p}
    for key, shape, low, high, kind in (("w_screen", (classes, len(p)), LOW, HIGH, np.int8),
                                        ("b_screen", (classes,), -MOST_BIAS, MOST_BIAS, np.int32)):
        integers = _integers(arrays, key, shape)
        check_range(key, integers, low, high)
        values[key] = integers.astype(kind)
    if "feature_scale" in arrays:
        values["feature_scale"] = _positive(arrays, "feature_scale")
    return values


def _choices(arrays, elements):
    values = {}
    if "threshold" in arrays and "candidates" in arrays:
        raise ValueError("candidates must be left out when there is a threshold, not present")
    if "threshold" in arrays:
        values["threshold"] = _integer(arrays, "threshold", -1 << WORD_BITS - 1, (1 << WORD_BITS - 1) - 1)
    if "candidates" in arrays:
        values["candidates"] = _positive(arrays, "candidates")
    if "k" in arrays:
        values["k"] = _integer(arrays, "k", 1, elements)
    if "function" in arrays:
        values["function"] = _integer(arrays, "function", min(Function), max(Function))
    return values


def _vectors(arrays, key, elements):
    """[inputs, d], or one vector alone."""
    if arrays[key].ndim == 1:
        return _floats(arrays, key, (elements,), np.float32)[None]
    return _floats(arrays, key, (None, elements), np.float32)


def _floats(arrays, key, shape, kind):
    """Finite numbers of that shape, in that type."""
    values = arrays[key]
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{key} must be integers or floats, not {values.dtype}")
    check_shape(key, values, shape)
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(values, kind).reshape(values.shape)
    bad = np.argwhere(~np.isfinite(floats))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{key}{list(where)} must be a finite number in {np.dtype(kind)}, not "
                         f"{values[where].item()!r}")
    return floats


def _integers(arrays, key, shape):
    values = arrays[key]
    if values.dtype.kind not in "iu":
        raise ValueError(f"{key} must be integers, not {values.dtype}")
    if not shape and values.ndim:
        raise ValueError(f"{key} must be one integer, not an array of shape {values.shape}")
    check_shape(key, values, shape)
    return values


def _integer(arrays, key, low, high):
    value = int(_integers(arrays, key, ()))
    if not low <= value <= high:
        raise ValueError(f"{key} must be in {low}..{high}, not {value!r}")
    return value


def _positive(arrays, key):
    values = arrays[key]
    if values.dtype.kind not in "iuf" or values.ndim:
        raise ValueError(f"{key} must be one number, not {values.dtype} of shape {values.shape}")
    if not (np.isfinite(values) and values > 0):
        raise ValueError(f"{key} must be a finite number above 0, not {values.item()!r}")
    if values > np.finfo(np.float32).max:
        raise ValueError(f"{key} must be a finite number in float32, not {values.item()!r}")
    return float(values)
