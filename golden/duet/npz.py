"""Networks as ``.npz`` files: what users bring.

Layer by layer, ``l0_kind``, ``l1_kind`` and so on; the number of layers follows from the keys. Any integer type is
taken if its values fit; booleans and floats are not integers. n outputs, c channels, k elements of the reduced input;
gates: i, f, g, o of an lstm, r, z, n of a gru; d inputs of an output: c * kh * kw of a conv, hidden + features of a
recurrent layer, h before x.

============================ ====================================== ==================================================
Key                          Shape                                  Meaning
============================ ====================================== ==================================================
``l0_kind``                  one string                             conv, fc, lstm or gru
``l0_w``                     conv [n, c, kh, kw], fc [n, d], lstm   weights, 16 bits
                             and gru [gates, hidden, d]
``l0_b``                     [n] or [gates, hidden]                 bias in units of the sum, 32 bits
``l0_shift``                 one integer                            from sum to output, 0..31; lstm and gru: to 12
                                                                    fraction bits
``l0_stride``, ``l0_pad``    one integer each, conv only            1..7, 0..15
``l0_relu``                  one integer, conv and fc only          1: negative outputs become 0
============================ ====================================== ==================================================

The little module of a layer, all keys or none; without it every output of the layer is sensitive:

============================ ====================================== ==================================================
``l0_p``                     [k, d]                                 ternary projection, in the order of w
``l0_w_low``                 [n, k] or [gates, hidden, k]           INT4: -8..7
``l0_b_low``                 [n] or [gates, hidden]                 bias in units of the INT4 products, 32 bits
``l0_threshold``             one integer or [gates]                 an output is insensitive: conv and fc, if it is
                                                                    below; gates, if it is further from 0
``l0_reduce_shift``          one integer                            from sums of the projection to INT4, 0..31
``l0_low_shift``             [gates], lstm and gru only             from INT4 products to 4 fraction bits, 0..31
============================ ====================================== ==================================================

``input`` is [count, c, height, width] before a conv, [count, d] before an fc, [count, steps, features] before an lstm
or gru, 16 bits (features: 15 fraction bits, as h has). ``labels`` (optional) [count]: the output that should be the
largest.
"""

import re

import numpy as np

from golden.common.npz import read_file, require

from .layers import GATES, KINDS, Layer, Low, Network

__all__ = ["load", "save"]

BIG = {"conv": ("w", "b", "shift", "stride", "pad", "relu"), "fc": ("w", "b", "shift", "relu"),
       "lstm": ("w", "b", "shift"), "gru": ("w", "b", "shift")}
LITTLE = ("p", "w_low", "b_low", "threshold", "reduce_shift")


def load(path) -> Network:
    """Read a file.

    Raises
    ------
    UsageError
        One line that names the file, the key, the value and the rule.
    """
    return read_file(path, _network)


def save(path, network: Network) -> None:
    """Write a file that :func:`load` reads back; integers take as few bits as they can."""
    arrays = {"input": network.inputs}
    if network.labels is not None:
        arrays["labels"] = network.labels
    for k, layer in enumerate(network.layers):
        own = {name: getattr(layer, name) for name in BIG[layer.kind]}
        if layer.low is not None:
            own |= _little(layer)
        arrays |= {f"l{k}_{name}": value for name, value in own.items()}
        arrays[f"l{k}_kind"] = np.array(layer.kind)
    np.savez_compressed(path, **{key: _narrow(np.asarray(value)) for key, value in arrays.items()})


def _little(layer):
    low, gate = layer.low, slice(None) if layer.recurrent else 0
    values = {"p": low.p, "w_low": low.w[gate], "b_low": low.b[gate], "threshold": low.threshold[gate],
              "reduce_shift": low.reduce_shift}
    return values | ({"low_shift": low.low_shift} if layer.recurrent else {})


def _narrow(values):
    if values.dtype.kind not in "iub":
        return values
    values = values.astype(np.int64)
    return next(narrow for bits in (8, 16, 32, 64)
                if np.array_equal(narrow := values.astype(f"i{bits // 8}"), values))


def _network(arrays):
    numbers = sorted({int(m[1]) for key in arrays if (m := re.fullmatch(r"l(0|[1-9]\d*)_\w+", key))})
    if not numbers:
        raise ValueError("l0_kind must be present, not missing")
    if numbers != list(range(len(numbers))):
        gap = next(k for k, number in enumerate(numbers) if k != number)
        raise ValueError(f"layers must be numbered from l0_ without a gap, not without l{gap}_")
    kinds = [_kind(arrays, f"l{k}_kind") for k in numbers]
    _check_keys(arrays, kinds)
    layers = [_named(f"l{k}_", _layer, arrays, f"l{k}_", kind) for k, kind in enumerate(kinds)]
    labels = _integers(arrays, "labels") if "labels" in arrays else None
    return Network(layers=layers, inputs=_integers(arrays, "input"), labels=labels)


def _named(prefix, make, *args):
    try:
        return make(*args)
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.startswith(prefix) else prefix + text) from None


def _kind(arrays, key):
    require(arrays, [key])
    value = arrays[key]
    if value.dtype.kind != "U" or value.ndim:
        raise ValueError(f"{key} must be one string, not {value.dtype} of shape {value.shape}")
    if str(value) not in KINDS:
        raise ValueError(f"{key} must be one of {', '.join(KINDS)}, not {str(value)!r}")
    return str(value)


def _check_keys(arrays, kinds):
    """All keys are known and none is missing."""
    known, needed = {"input", "labels"}, ["input"]
    for k, kind in enumerate(kinds):
        little = LITTLE + (("low_shift",) if kind in GATES else ())
        known |= {f"l{k}_{name}" for name in ("kind", *BIG[kind], *little)}
        needed += [f"l{k}_{name}" for name in BIG[kind]]
        present = [name for name in little if f"l{k}_{name}" in arrays]
        needed += [f"l{k}_{name}" for name in (little if present else ())]
    for key in arrays:
        if key not in known:
            match = re.fullmatch(r"l(\d+)_\w+", key)
            names = [name for name in sorted(known) if match and name.startswith(f"l{match[1]}_")] or sorted(known)
            raise ValueError(f"key must be one of {', '.join(names)}, not {key!r}")
    require(arrays, needed)


def _layer(arrays, prefix, kind):
    values = {name: _integers(arrays, prefix + name) for name in ("w", "b")}
    values |= {name: _scalar(arrays, prefix + name) for name in BIG[kind][2:]}
    if "relu" in values:
        if values["relu"] not in (0, 1):
            raise ValueError(f"relu must be 0 or 1, not {values['relu']!r}")
        values["relu"] = bool(values["relu"])
    low = None
    if prefix + "p" in arrays:
        outputs = values["w"].shape[0] if values["w"].ndim else 0
        low = _low(arrays, prefix, kind in GATES, outputs)
    return Layer(kind=kind, low=low, **values)


def _low(arrays, prefix, gates, outputs):
    values = {name: _integers(arrays, prefix + name) for name in ("p", "w_low", "b_low", "threshold")}
    low_shift = _integers(arrays, prefix + "low_shift") if gates else np.zeros(1, np.int64)
    if not gates:
        _scalar(arrays, prefix + "threshold")
        for name, shape in (("w_low", (outputs, *values["p"].shape[:1])), ("b_low", (outputs,))):
            if values["p"].ndim == 2 and values[name].shape != shape:
                raise ValueError(f"{name} must have shape {shape}, not {values[name].shape}")
        values |= {name: values[name][None] for name in ("w_low", "b_low", "threshold")}
    try:
        return Low(p=values["p"], w=values["w_low"], b=values["b_low"], threshold=values["threshold"],
                   low_shift=low_shift, reduce_shift=_scalar(arrays, prefix + "reduce_shift"))
    except ValueError as error:
        # What has no gates has no index of them in the file.
        text = str(error) if gates else re.sub(r"^(w_low|b_low|threshold)\[0(, )?", r"\1[", str(error))
        raise ValueError(text.replace("[]", "", 1)) from None


def _integers(arrays, key):
    values = arrays[key]
    if values.dtype.kind not in "iu":
        raise ValueError(f"{key} must be integers, not {values.dtype}")
    if values.dtype == np.uint64 and (values > np.iinfo(np.int64).max).any():
        raise ValueError(f"{key} must fit 32 bits, not {int(values.max())!r}")
    return values.astype(np.int64)


def _scalar(arrays, key):
    if arrays[key].ndim or arrays[key].dtype.kind not in "iu":
        raise ValueError(f"{key} must be one integer, not {arrays[key].dtype} of shape {arrays[key].shape}")
    return int(arrays[key])
