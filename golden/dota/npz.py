"""Attention and linear layers as ``.npz`` files: what users bring.

Either numbers of real attention, or only masks, which are scheduled and not computed with, or a linear layer. Any
integer type is taken if its values fit; booleans are not integers.

==================================== ============================ ==================================================
Key                                  Shape                        Meaning
==================================== ============================ ==================================================
``q``                                [heads, queries, d]          queries in FX16: ``round(value * 2**frac)``
``k``, ``v``                         [heads, keys, d]             keys and values in FX16
``frac``                             one integer                  fraction bits of q, k, v and the output, 0..15
``keep`` or ``threshold``            one integer                  connections of a row, or least estimated score of
(optional)                                                        one; without both a tenth of the keys is kept
``precision`` (optional)             one integer                  bits of the estimate: 2, 4 (default) or 8
``transform`` (optional)             one integer                  bits of X, P, WQ, WK: 2, 4 or 8 (default)
``x`` (optional)                     [queries, inputs] or one for input of the layer, integer or float; needs as many
                                     each head                    queries as keys
``p`` (optional)                     [inputs, k]                  trained predictor: -1, 0, 1; inputs are those of x, or
                                                                  the d of q and k
``wq_low``, ``wk_low`` (with ``p``)  [k, k] or one for each head  integer or float: only relations count
``expected`` (optional)              [heads, queries, d]          output that the run is checked against
``masks``, alone                     [4, keys] or [groups, 4,     connections, bool; rows may differ in number
                                     keys]
==================================== ============================ ==================================================

A linear layer, ``sat16(round_shift(x w^T, shift))``, is a file with ``w``:

==================================== ============================ ==================================================
Key                                  Shape                        Meaning
==================================== ============================ ==================================================
``x``                                [tokens, inputs]             FX16
``w``                                [outputs, inputs]            FX16
``shift``                            one integer                  fraction bits of x and w together less those of the
                                                                  output, 0..63
``relu`` (optional)                  one integer                  1: negative outputs become 0
``expected`` (optional)              [tokens, outputs]            output that the run is checked against
==================================== ============================ ==================================================
"""

from dataclasses import dataclass

import numpy as np

from golden.common.npz import read_file, require

from .formats import FX_BITS, QUERIES
from .head import LOW_BITS, check_range, check_shape
from .layers import MAX_SHIFT, Linear

REQUIRED = ("q", "k", "v", "frac")
CHOICES = ("keep", "threshold", "precision", "transform")
PREDICTOR = ("p", "wq_low", "wk_low")
ATTENTION_KEYS = (*REQUIRED, *CHOICES, "x", *PREDICTOR, "expected")
LINEAR_KEYS = ("x", "w", "shift", "relu", "expected")
#: Widest integers of x and of the predictor's weights: they become floats on the way.
EXACT_BITS = 53


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """What a file holds; integers are int64.

    Attributes
    ----------
    q, k, v : int64 arrays, shape (heads, queries, d), (heads, keys, d), (heads, keys, d)
    frac : int
    keep, threshold : int or None
        At most one of them.
    precision, transform : int or None
    x : float array, shape (heads, queries, inputs), or None
    p : int64 array, shape (inputs, k), or None
    wq_low, wk_low : float arrays, shape (heads, k, k), or None
    expected : int64 array, shape (heads, queries, d), or None
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    frac: int
    keep: int | None = None
    threshold: int | None = None
    precision: int | None = None
    transform: int | None = None
    x: np.ndarray | None = None
    p: np.ndarray | None = None
    wq_low: np.ndarray | None = None
    wk_low: np.ndarray | None = None
    expected: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearFile:
    """What a file of a linear layer holds; ``expected`` is int64 [tokens, outputs] or None."""

    layer: Linear
    expected: np.ndarray | None = None


def load(path, estimate_bits: int):
    """Read a file.

    Parameters
    ----------
    estimate_bits : int
        Width of an estimated score, which a threshold must fit.

    Returns
    -------
    Layer, LinearFile, or bool array of shape (groups, 4, keys)

    Raises
    ------
    UsageError
        One line that names the file, the key, the value and the rule.
    """
    return read_file(path, lambda arrays: _file(arrays, estimate_bits))


def save(path, layer) -> None:
    """Write a :class:`Layer` or masks to a file that :func:`load` reads back; integers take 16 bits if they can."""
    arrays = vars(layer) if isinstance(layer, Layer) else {"masks": layer}
    np.savez_compressed(path, **{key: _narrow(np.asarray(value)) for key, value in arrays.items() if value is not None})


def _narrow(values):
    if values.dtype != np.int64:
        return values
    narrow = values.astype(np.int16)
    return narrow if np.array_equal(narrow, values) else values


def _file(arrays, estimate_bits):
    if "w" in arrays:
        return _linear(arrays)
    return _masks(arrays) if "masks" in arrays else _layer(arrays, estimate_bits)


def _masks(arrays):
    for key in arrays:
        if key != "masks":
            raise ValueError(f"masks must be the only key, not beside {key!r}")
    masks = arrays["masks"]
    if masks.dtype != bool or masks.ndim not in (2, 3) or masks.shape[-2] != QUERIES or masks.size == 0:
        raise ValueError(f"masks must be bools of shape (4, keys) or (groups, 4, keys), not {masks.dtype} of shape "
                         f"{masks.shape}")
    return masks.reshape(-1, *masks.shape[-2:])


def _linear(arrays):
    for key in arrays:
        if key not in LINEAR_KEYS:
            raise ValueError(f"key must be one of {', '.join(LINEAR_KEYS)} beside w, not {key!r}")
    require(arrays, LINEAR_KEYS[:3])
    x = _fixed(arrays, "x", (None, None))
    w = _fixed(arrays, "w", (None, x.shape[1]))
    layer = Linear(x=x, w=w, shift=_scalar(arrays, "shift", 0, MAX_SHIFT),
                   relu="relu" in arrays and _scalar(arrays, "relu", 0, 1) == 1)
    expected = _fixed(arrays, "expected", (len(x), len(w))) if "expected" in arrays else None
    return LinearFile(layer=layer, expected=expected)


def _layer(arrays, estimate_bits):
    for key in arrays:
        if key not in ATTENTION_KEYS:
            raise ValueError(f"key must be one of {', '.join((*ATTENTION_KEYS, 'masks'))}, not {key!r}")
    require(arrays, REQUIRED)
    q = _fixed(arrays, "q", (None, None, None))
    heads, queries, dim = q.shape
    k = _fixed(arrays, "k", (heads, None, dim))
    keys = k.shape[1]
    values = {"q": q, "k": k, "v": _fixed(arrays, "v", (heads, keys, dim)), "frac": _scalar(arrays, "frac", 0, 15)}
    values |= _choices(arrays, keys, estimate_bits)
    if "x" in arrays:
        if queries != keys:
            raise ValueError(f"x must be left out when there are {queries} queries and {keys} keys, not present")
        values["x"] = _per_head(arrays, "x", heads, (queries, None))
    values |= _predictor(arrays, heads, values["x"].shape[2] if "x" in arrays else dim)
    if "expected" in arrays:
        values["expected"] = _fixed(arrays, "expected", (heads, queries, dim))
    return Layer(**values)


def _choices(arrays, keys, estimate_bits):
    values = {}
    if "keep" in arrays and "threshold" in arrays:
        raise ValueError("keep must be left out when there is a threshold, not present")
    if "keep" in arrays:
        values["keep"] = _scalar(arrays, "keep", 1, keys)
    if "threshold" in arrays:
        values["threshold"] = _scalar(arrays, "threshold", -(1 << estimate_bits - 1), (1 << estimate_bits - 1) - 1)
    for key in ("precision", "transform"):
        if key in arrays:
            values[key] = _scalar(arrays, key, min(LOW_BITS), max(LOW_BITS))
            if values[key] not in LOW_BITS:
                raise ValueError(f"{key} must be 2, 4 or 8, not {values[key]!r}")
    return values


def _predictor(arrays, heads, inputs):
    present = [key for key in PREDICTOR if key in arrays]
    if not present:
        return {}
    for key in PREDICTOR:
        if key not in arrays:
            raise ValueError(f"{key} must be present when {present[0]} is, not missing")
    p = _shaped(arrays, "p", (inputs, None), "iu")
    bad = p[(p < -1) | (p > 1)]
    if len(bad):
        raise ValueError(f"p must be -1, 0 or 1, not {int(bad[0])!r}")
    size = p.shape[1]
    return {"p": p.astype(np.int64), **{key: _per_head(arrays, key, heads, (size, size)) for key in PREDICTOR[1:]}}


def _scalar(arrays, key, low, high):
    value = _shaped(arrays, key, (), "iu")
    if not low <= value <= high:
        raise ValueError(f"{key} must be in {low}..{high}, not {int(value)!r}")
    return int(value)


def _fixed(arrays, key, shape):
    values = _shaped(arrays, key, shape, "iu")
    check_range(key, values, FX_BITS)
    return values.astype(np.int64)


def _per_head(arrays, key, heads, shape):
    """Finite floats of that shape for every head, from an array of the shape, or with a leading dimension of heads."""
    values = _shaped(arrays, key, shape if arrays[key].ndim == 2 else (heads, *shape), "iuf")
    if values.dtype.kind == "f":
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            where = tuple(int(i) for i in bad[0])
            raise ValueError(f"{key}{list(where)} must be a finite number, not {float(values[where])!r}")
    else:
        check_range(key, values, EXACT_BITS)
    values = values.astype(np.float64)
    return values if values.ndim == 3 else np.tile(values, (heads, 1, 1))


def _shaped(arrays, key, shape, kinds):
    """The array if it has that type and shape (None: any size but 0)."""
    values = arrays[key]
    if values.dtype.kind not in kinds:
        raise ValueError(f"{key} must be {'integers or floats' if 'f' in kinds else 'integers'}, not {values.dtype}")
    if not shape and values.ndim:
        raise ValueError(f"{key} must be one integer, not an array of shape {values.shape}")
    check_shape(key, values, shape)
    return values
