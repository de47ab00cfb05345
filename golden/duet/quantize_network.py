"""From a float network to the fixed point of the Executor, and then to little modules for its layers [Thesis 3.3.4]."""

from dataclasses import replace

import numpy as np

from .fit import fit_low
from .formats import GATE_FRACTION, STATE_FRACTION, SUM_BITS, VALUE_BITS
from .layers import MOST_SHIFT, Layer, Network
from .spec import columns_of, forward

__all__ = ["fit_network", "fixed_layer", "fixed_recurrent", "inputs_of"]

MOST = (1 << VALUE_BITS - 1) - 1
#: Share of the outputs on the samples that fit 16 bits; the others saturate.
KEPT = 0.9995
#: Rows at most that a little module is fitted to.
SAMPLES = 20000


def fixed_layer(w, b, *, scale_in: float, largest: float, sums: float, **fields) -> tuple[Layer, float]:
    """A convolution or fully connected layer, and the scale of its outputs (integer over real number).

    Parameters
    ----------
    w, b : float arrays
    scale_in : float
        Of the inputs.
    largest : float
        Output that becomes the largest integer.
    sums : float
        Largest magnitude of a sum.
    fields
        ``kind``, ``stride``, ``pad``, ``relu`` of the layer.
    """
    scale_out = MOST / largest
    # As many bits of the weights as fit them and the sums; what they have beyond the outputs is shifted out.
    shift = max(n for n in range(MOST_SHIFT + 1) if n == 0 or (
        np.abs(w).max() * scale_out / scale_in * 2.0**n <= MOST
        and sums * scale_out * 2.0**n < 1 << SUM_BITS - 2))
    scale_w = scale_out / scale_in * 2.0**shift
    return Layer(w=np.rint(w * scale_w).astype(np.int64), b=np.rint(b * scale_w * scale_in).astype(np.int64),
                 shift=shift, **fields), scale_out


def fixed_recurrent(kind: str, w, b) -> Layer:
    """An LSTM or GRU; h and x have 15 fraction bits."""
    fraction = int(np.floor(np.log2(MOST / np.abs(w).max())))
    # A sum of full-scale inputs must fit 32 bits.
    largest = (np.abs(w).sum(axis=2) + np.abs(b)).max()
    fraction = min(fraction, int(np.floor(np.log2((1 << SUM_BITS - 1) / largest))) - GATE_FRACTION)
    scale = 2.0**fraction
    return Layer(kind=kind, w=np.rint(w * scale).astype(np.int64),
                 b=np.rint(b * scale * 2.0**GATE_FRACTION).astype(np.int64),
                 shift=fraction + GATE_FRACTION - STATE_FRACTION)


def inputs_of(network: Network, k: int, speculate: bool = True) -> np.ndarray:
    """Inputs of layer ``k`` as its little module meets them: int64 [samples, d], at most ``SAMPLES`` of them.

    Layers before use their little modules; of a recurrent layer the hidden states come from the layer without.
    """
    layer = network.layers[k]
    traces = forward(network, speculate)
    x = traces[k - 1].out if k else network.inputs
    if layer.kind == "conv":
        rows = columns_of(x, layer.w.shape[2:], layer.stride, layer.pad)
    elif layer.recurrent:
        h = traces[k].out
        rows = np.concatenate([np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1), x], axis=2)
    else:
        rows = x[:, -1] if k and network.layers[k - 1].recurrent else x.reshape(len(x), -1)
    rows = rows.reshape(-1, layer.elements)
    return rows[::max(1, len(rows) // SAMPLES)]


def fit_network(network: Network, sizes: dict, ratios: dict, *, seed: int = 0) -> Network:
    """Little modules one after the other, each fitted to what those before it leave.

    Parameters
    ----------
    network : Network
        Its inputs are the samples.
    sizes, ratios : dict of int to int, of int to float
        By layer: k and the wanted share of insensitive outputs.
    """
    for k, size in sizes.items():
        layers = list(network.layers)
        layers[k] = fit_low(layers[k], inputs_of(network, k), size, ratios[k], seed=seed + k)
        network = replace(network, layers=layers)
    return network
