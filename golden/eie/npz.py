"""Compressed networks as ``.npz`` files: what users bring.

One layer uses the keys below as they are; several use ``l0_codes``, ``l1_codes`` and so on. ``activations``
and ``expected`` never have a prefix. Any integer type is taken if its values fit; booleans and floats are not
integers.

==================================== ====================== ==========================================
Key                                  Shape                  Meaning
==================================== ====================== ==========================================
``codes``                            [out, in]              codebook index 0..15; 0 = pruned
``codebook``                         [16]                   shared weights, ``codebook[0] == 0``
``bias_codes`` (optional)            [out]                  bias as codebook indices
``weight_frac``, ``act_frac_in``,    one integer each       fraction bits
``act_frac_out``
``relu``                             one bool, or 0 or 1    negative outputs become zero
``activations``                      [in] or [batch, in]    input of the first layer
``expected`` (optional)              [out] or [batch, out]  output that the run is checked against
==================================== ====================== ==========================================
"""

import re

import numpy as np

from golden.common.npz import read_file, require

from .formats import CODEBOOK_SIZE
from .spec import MAX_FRAC, Layer, check_layers, check_range

SCALARS = ("weight_frac", "act_frac_in", "act_frac_out", "relu")
REQUIRED = ("codes", "codebook", *SCALARS)
LAYER_KEYS = (*REQUIRED, "bias_codes")
NETWORK_KEYS = ("activations", "expected")


def load(path, data_bits: int):
    """Read a file.

    Returns
    -------
    layers : list of Layer
    activations : int64 array, shape (batch, in)
    expected : int64 array, shape (batch, out), or None

    Raises
    ------
    UsageError
        One line that names the file, the key, the value and the rule.
    """
    return read_file(path, lambda arrays: _network(arrays, data_bits))


def save(path, layers, activations, expected=None) -> None:
    """Write a file that :func:`load` reads back."""
    arrays = {"activations": activations}
    if expected is not None:
        arrays["expected"] = expected
    for k, layer in enumerate(layers):
        prefix = f"l{k}_" if len(layers) > 1 else ""
        for name in LAYER_KEYS:
            if getattr(layer, name) is not None:
                arrays[prefix + name] = getattr(layer, name)
    np.savez_compressed(path, **{key: _narrow(np.asarray(value)) for key, value in arrays.items()})


def _narrow(values):
    """16-bit integers where they suffice, else 32-bit ones; other types as they are."""
    if values.dtype != np.int64:
        return values
    narrow = values.astype(np.int16)
    return narrow if np.array_equal(narrow, values) else values.astype(np.int32)


def _network(arrays, data_bits):
    layers = []
    for prefix in _prefixes(arrays):
        layers.append(_layer(arrays, prefix, data_bits))
    check_layers(layers, data_bits)
    activations = _vectors(arrays, "activations", layers[0].n_in, data_bits)
    expected = None
    if "expected" in arrays:
        expected = _vectors(arrays, "expected", layers[-1].n_out, data_bits)
        if len(expected) != len(activations):
            raise ValueError(f"expected must have {len(activations)} vectors, as activations has, "
                             f"not {len(expected)}")
    return layers, activations, expected


def _prefixes(arrays):
    """[""] for one layer, ["l0_", "l1_", ...] for several; all keys are known and none is missing."""
    numbers = sorted({int(m[1]) for key in arrays if (m := re.fullmatch(r"l(\d+)_\w+", key))})
    if numbers and numbers != list(range(len(numbers))):
        gap = next(k for k, number in enumerate(numbers) if k != number)
        raise ValueError(f"layers must be numbered from l0_ without a gap, not without l{gap}_")
    prefixes = [f"l{k}_" for k in numbers] or [""]
    known = {prefix + name for prefix in prefixes for name in LAYER_KEYS} | set(NETWORK_KEYS)
    for key in arrays:
        if key not in known:
            raise ValueError(f"key must be one of {', '.join((*LAYER_KEYS, *NETWORK_KEYS))} (the first "
                             f"{len(LAYER_KEYS)} with l0_, l1_, ... for several layers), not {key!r}")
    require(arrays, [prefix + name for prefix in prefixes for name in REQUIRED] + ["activations"])
    return prefixes


def _layer(arrays, prefix, data_bits):
    values = {}
    for name in ("codes", "bias_codes"):
        if prefix + name in arrays:
            codes = _integers(arrays, prefix + name, 2 if name == "codes" else 1)
            _in_range(prefix + name, codes, 0, CODEBOOK_SIZE - 1)
            values[name] = codes.astype(np.uint8)
    codebook = _integers(arrays, prefix + "codebook", 1)
    if codebook.shape != (CODEBOOK_SIZE,):
        raise ValueError(f"{prefix}codebook must have shape ({CODEBOOK_SIZE},), not {codebook.shape}")
    check_range(f"{prefix}codebook", codebook, data_bits)
    if codebook[0] != 0:
        raise ValueError(f"{prefix}codebook[0] must be 0, not {int(codebook[0])!r}")
    values["codebook"] = codebook
    for name in SCALARS:
        value = arrays[prefix + name]
        if name == "relu" and value.dtype.kind == "b":
            value = value.astype(np.int64)
        value = _integers({prefix + name: value}, prefix + name, 0)
        most = 1 if name == "relu" else MAX_FRAC
        if not 0 <= value <= most:
            raise ValueError(f"{prefix}{name} must be in 0..{most}, not {int(value)!r}")
        values[name] = bool(value) if name == "relu" else int(value)
    n_out = len(values["codes"])
    if "bias_codes" in values and values["bias_codes"].shape != (n_out,):
        raise ValueError(f"{prefix}bias_codes must have shape ({n_out},), as {prefix}codes has {n_out} rows, "
                         f"not {values['bias_codes'].shape}")
    return Layer(**values)


def _vectors(arrays, key, length, data_bits):
    values = arrays[key]
    values = _integers(arrays, key, 1 if values.ndim == 1 else 2)
    if values.shape[-1] != length:
        raise ValueError(f"{key} must have {length} elements a vector, not {values.shape[-1]}")
    check_range(key, values, data_bits)
    return values.reshape(-1, length).astype(np.int64)


def _integers(arrays, key, ndim):
    """The array if it is made of integers, is not empty and has ``ndim`` dimensions."""
    values = arrays[key]
    if values.dtype.kind not in "iu":
        raise ValueError(f"{key} must be integers, not {values.dtype}")
    if values.ndim != ndim:
        raise ValueError(f"{key} must have {ndim} dimensions, not shape {values.shape}")
    if values.size == 0:
        raise ValueError(f"{key} must have at least one element, not shape {values.shape}")
    return values


def _in_range(key, values, low, high):
    bad = np.argwhere((values < low) | (values > high))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{key}{list(where)} must be in {low}..{high}, not {int(values[where])!r}")
