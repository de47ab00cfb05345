"""Layer 1 of EIE: the paper's equations in integers, no time [EIE III.A].

A layer computes ``b = f(W a + v)`` (1). Weights are 4-bit indices into a table S of 16 shared weights, and
zeros are skipped on both sides::

    b_i = ReLU( sum over j in X_i and Y of S[I_ij] a_j )
    (3)

``X_i``: columns with a weight in row i. ``Y``: the non-zero activations. The bias v is one last column whose
activation is the constant 1.0. A real value x is stored as ``round(x * 2**frac)``.
"""

from dataclasses import dataclass

import numpy as np

from golden.common.config import check_bool, check_int
from golden.common.fixed import round_shift_array, saturate_array

from .formats import CODEBOOK_SIZE

#: Largest number of fraction bits that a layer may ask for.
MAX_FRAC = 63


def limits(data_bits: int) -> tuple[int, int]:
    """Smallest and largest value of a ``data_bits`` wide two's complement number."""
    return -(1 << data_bits - 1), (1 << data_bits - 1) - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """One compressed fully connected layer.

    Attributes
    ----------
    codes : uint8 array, shape (out, in)
        Index of each weight in ``codebook``, 0..15; 0 is a pruned weight.
    codebook : int64 array, shape (16,)
        The shared weights in fixed point; ``codebook[0] == 0``.
    bias_codes : uint8 array, shape (out,), or None
        Bias as indices into the same codebook.
    weight_frac, act_frac_in, act_frac_out : int
        Fraction bits of codebook, input and output, 0..63.
    relu : bool
        Negative outputs become zero.

    Raises
    ------
    ValueError
        If a shape, a code or ``codebook[0]`` breaks the rules above.
    """

    codes: np.ndarray
    codebook: np.ndarray
    bias_codes: np.ndarray | None = None
    weight_frac: int
    act_frac_in: int
    act_frac_out: int
    relu: bool

    def __post_init__(self):
        object.__setattr__(self, "codes", _codes("codes", self.codes, 2))
        codebook = np.asarray(self.codebook)
        if codebook.dtype.kind not in "iu" or codebook.shape != (CODEBOOK_SIZE,):
            raise ValueError(f"codebook must be {CODEBOOK_SIZE} integers, "
                             f"not {codebook.dtype} {codebook.shape}")
        if codebook[0] != 0:
            raise ValueError(f"codebook[0] must be 0, not {int(codebook[0])!r}")
        object.__setattr__(self, "codebook", codebook.astype(np.int64))
        if self.bias_codes is not None:
            bias_codes = _codes("bias_codes", self.bias_codes, 1)
            if bias_codes.shape != (self.n_out,):
                raise ValueError(f"bias_codes must have shape ({self.n_out},), not {bias_codes.shape!r}")
            object.__setattr__(self, "bias_codes", bias_codes)
        for name in ("weight_frac", "act_frac_in", "act_frac_out"):
            check_int(name, getattr(self, name), 0, MAX_FRAC)
        check_bool("relu", self.relu)

    @property
    def n_out(self) -> int:
        """Rows of W."""
        return self.codes.shape[0]

    @property
    def n_in(self) -> int:
        """Columns of W, without the bias column."""
        return self.codes.shape[1]

    @property
    def shift(self) -> int:
        """Right shift that brings a product to the format of the output."""
        return self.weight_frac + self.act_frac_in - self.act_frac_out

    @property
    def bias_value(self) -> int:
        """The constant 1.0 that multiplies the bias column; 0 without bias."""
        return 0 if self.bias_codes is None else 1 << self.act_frac_in


def _codes(name, codes, ndim):
    codes = np.asarray(codes)
    if codes.dtype != np.uint8 or codes.ndim != ndim or codes.size == 0:
        raise ValueError(f"{name} must be a non-empty {ndim}-D uint8 array, not {codes.dtype} {codes.shape}")
    if codes.max() >= CODEBOOK_SIZE:
        where = tuple(int(i) for i in np.argwhere(codes >= CODEBOOK_SIZE)[0])
        raise ValueError(f"{name}{list(where)} must be in 0..{CODEBOOK_SIZE - 1}, not {int(codes[where])!r}")
    return codes


def check_layer(layer: Layer, data_bits: int) -> None:
    """Check that the numbers of a layer fit a data path of ``data_bits``.

    Raises
    ------
    ValueError
        If the codebook or the constant 1.0 of the bias does not fit, or the shift is not in 0..2*data_bits-1.
    """
    if not 0 <= layer.shift < 2 * data_bits:
        raise ValueError("shift = weight_frac + act_frac_in - act_frac_out must be in "
                         f"0..{2 * data_bits - 1}, not {layer.shift!r}")
    check_range("codebook", layer.codebook, data_bits)
    if layer.bias_value > limits(data_bits)[1]:
        raise ValueError(f"act_frac_in must be at most {data_bits - 2} when there is a bias, "
                         f"not {layer.act_frac_in!r}")


def check_range(name: str, values: np.ndarray, data_bits: int) -> None:
    """Refuse the first of ``values`` that does not fit ``data_bits``, naming its position."""
    low, high = limits(data_bits)
    bad = np.argwhere((values < low) | (values > high))
    if len(bad):
        where = tuple(int(i) for i in bad[0])
        raise ValueError(f"{name}{list(where)} must be in {low}..{high}, not {int(values[where])!r}")


def check_layers(layers, data_bits: int) -> None:
    """Check every layer, and that each one's output is the next one's input in length and format.

    Raises
    ------
    ValueError
        With "layer k: " in front of what is wrong with layer k.
    """
    if not layers:
        raise ValueError("layers must be at least one layer, not none")
    for k, layer in enumerate(layers):
        try:
            check_layer(layer, data_bits)
            if k:
                before = layers[k - 1]
                if layer.n_in != before.n_out:
                    raise ValueError(f"inputs must be the {before.n_out} outputs of layer {k - 1}, "
                                     f"not {layer.n_in!r}")
                if layer.act_frac_in != before.act_frac_out:
                    raise ValueError(f"act_frac_in must be act_frac_out of layer {k - 1}, "
                                     f"{before.act_frac_out}, not {layer.act_frac_in!r}")
        except ValueError as error:
            raise ValueError(f"layer {k}: {error}") from None


def layer_output(layer: Layer, activations, data_bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Equation (3) in the order of the hardware, bit for bit.

    Accumulators start at zero. For every column j with ``a_j != 0``, ascending, then for the bias column::

        acc_i = saturate(acc_i + round_shift(S[I_ij] * a_j, shift))

    and at the end negative sums become zero when ``relu`` is set. ``round_shift`` rounds half up. A pruned
    weight and a padding entry add 0, so they change nothing.

    Parameters
    ----------
    layer : Layer
    activations : int array, shape (in,)
        In the format of ``act_frac_in``; must fit ``data_bits``.
    data_bits : int
        Width of activations, weights and accumulators.

    Returns
    -------
    outputs : int64 array, shape (out,)
    saturated : bool array, shape (out,)
        Rows in which at least one sum was cut off.

    Raises
    ------
    ValueError
        From :func:`check_layer`, or if the activations have a wrong shape or do not fit.
    """
    check_layer(layer, data_bits)
    activations = np.asarray(activations)
    if activations.dtype.kind not in "iu" or activations.shape != (layer.n_in,):
        raise ValueError(f"activations must be {layer.n_in} integers, "
                         f"not {activations.dtype} {activations.shape}")
    check_range("activations", activations, data_bits)
    columns = np.flatnonzero(activations)
    work = [(codes, int(activations[j])) for codes, j in zip(layer.codes.T[columns], columns, strict=True)]
    if layer.bias_codes is not None:
        work.append((layer.bias_codes, layer.bias_value))
    acc = np.zeros(layer.n_out, np.int64)
    saturated = np.zeros(layer.n_out, bool)
    for codes, value in work:
        total = acc + round_shift_array(layer.codebook * value, layer.shift)[codes]
        acc, cut = saturate_array(total, data_bits)
        saturated |= cut
    return (np.maximum(acc, 0) if layer.relu else acc), saturated


def network_outputs(layers, activations, data_bits: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """:func:`layer_output` of every layer in turn, the first one on ``activations``.

    Raises
    ------
    ValueError
        From :func:`check_layers` and :func:`layer_output`.
    """
    check_layers(layers, data_bits)
    results = []
    for layer in layers:
        results.append(layer_output(layer, activations, data_bits))
        activations = results[-1][0]
    return results
