"""Random layers, little modules and networks of any shape, for tests and for workloads that are random."""

import numpy as np

from .formats import VALUE_BITS
from .layers import GATES, Layer, Low, Network

__all__ = ["random_conv", "random_fc", "random_inputs", "random_low", "random_network", "random_recurrent", "ternary"]

#: Largest weight, so that the sums of small layers do not all saturate.
LARGEST = 255


def ternary(rng, size: int, elements: int) -> np.ndarray:
    """P without its factor: 1, 0, -1 with probabilities 1/6, 2/3, 1/6 [Thesis (3.6)], int64 [size, elements]."""
    return rng.choice(np.array([-1, 0, 0, 0, 0, 1]), (size, elements))


def random_low(rng, layer: Layer, size: int) -> Low:
    """A little module of random numbers: about half of the outputs come out sensitive."""
    shape = layer.gates, layer.outputs
    spread = max(1, int(4 * np.sqrt(size)))
    return Low(p=ternary(rng, size, layer.elements), w=rng.integers(-8, 8, (*shape, size)),
               b=rng.integers(-spread, spread + 1, shape), reduce_shift=max(0, round(np.log2(layer.elements / 3) / 2)),
               threshold=rng.integers(0, 4 * spread, layer.gates) if layer.recurrent else np.zeros(1, np.int64),
               low_shift=rng.integers(0, 4, layer.gates) if layer.recurrent else np.zeros(1, np.int64))


def _with_low(rng, values, size):
    layer = Layer(**values)
    return layer if not size else Layer(**values, low=random_low(rng, layer, size))


def _shift(elements):
    """So that a sum of full-scale inputs seldom saturates."""
    return max(0, round(np.log2(LARGEST * np.sqrt(elements))))


def random_conv(rng, channels: int, outputs: int, kernel=(3, 3), *, stride: int = 1, pad: int = 0,
                size: int = 0) -> Layer:
    """A convolution with ReLU; ``size``: k of its little module, 0 for none."""
    shape = (outputs, channels, *kernel)
    elements = int(np.prod(shape[1:]))
    return _with_low(rng, {
        "kind": "conv", "w": rng.integers(-LARGEST, LARGEST + 1, shape), "stride": stride, "pad": pad, "relu": True,
        "b": rng.integers(-1 << 18, 1 << 18, outputs), "shift": _shift(elements)}, size)


def random_fc(rng, elements: int, outputs: int, *, relu: bool = False, size: int = 0) -> Layer:
    """A fully connected layer."""
    return _with_low(rng, {
        "kind": "fc", "w": rng.integers(-LARGEST, LARGEST + 1, (outputs, elements)), "relu": relu,
        "b": rng.integers(-1 << 18, 1 << 18, outputs), "shift": _shift(elements)}, size)


def random_recurrent(rng, kind: str, hidden: int, features: int, *, size: int = 0) -> Layer:
    """An LSTM or GRU."""
    gates, elements = len(GATES[kind]), hidden + features
    return _with_low(rng, {
        "kind": kind, "w": rng.integers(-4095, 4096, (gates, hidden, elements)),
        "b": rng.integers(-1 << 20, 1 << 20, (gates, hidden)),
        "shift": max(0, round(np.log2(4096 * np.sqrt(elements))) - 1)}, size)


def random_inputs(rng, shape, density: float = 0.6, *, signed: bool = True) -> np.ndarray:
    """Values of full scale, a part of them zero."""
    most = 1 << VALUE_BITS - 1
    values = rng.integers(-most if signed else 0, most, shape)
    return values * (rng.random(shape) < density)


def random_network(rng, shape: tuple, layers, count: int = 1) -> Network:
    """Layers and inputs of that shape."""
    return Network(layers=list(layers), inputs=random_inputs(rng, (count, *shape)))
