"""From a layer to its little module: projection, least squares, INT4, threshold [Thesis 3.3.2, 3.3.3].

(3.12) minimises ``|(W x + b) - (W_LL P x_Q + b_LL)|^2`` over W_LL and b_LL by stochastic gradient descent; the problem
is linear in both, so it is solved in closed form. x_Q are the INT4 values that the hardware gets, P x_Q is rounded and
cut to INT4 as there, so that the fit makes up for both.

With ReLU only the sign of y' less its threshold counts. So every output may have a scale of its own, the one with which
its INT4 weights are best, and its bias takes the threshold in: the threshold itself is 0. Gates need y' itself for the
approximation: a gate has one scale, a power of two.
"""

from dataclasses import replace

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array

from .formats import LOW_BITS, STATE_FRACTION, Function
from .layers import LOW_LEAST, LOW_MOST, Layer, Low
from .random_network import ternary
from .spec import CODE_FRACTION, low_outputs, product, quantise, reduced_input

__all__ = ["fit_low", "insensitive_ratio", "least_squares", "reduce_shift_of"]

#: Weight of a prior under which W_LL is 0, relative to the variance of the reduced input.
RIDGE = 1e-3
#: Scales that are tried for INT4 weights: this many, this far apart.
SCALES, STEP = 32, 2**0.125
#: Most bits of a gate's scale behind the four fraction bits of an approximation.
MOST_LOW_SHIFT = 8
#: Largest weight of W_LL that still says something, over the largest output.
LEAST = 1e-6


def fit_low(layer: Layer, x, size: int, ratio: float, *, seed: int = 0) -> Layer:
    """The layer with a little module.

    Parameters
    ----------
    x : int64 array, shape (samples, d)
        Inputs of outputs as they occur; for a convolution columns of im2col.
    size : int
        k.
    ratio : float
        Wanted share of insensitive outputs on the samples, in every gate: top-K [Thesis (3.19)].

    Raises
    ------
    ValueError
        If the ratio is not in 0..1, or x has another shape.
    """
    if not 0 <= ratio <= 1:
        raise ValueError(f"ratio must be in 0..1, not {ratio!r}")
    if x.ndim != 2 or x.shape[1] != layer.elements:
        raise ValueError(f"x must have shape (any, {layer.elements}), not {x.shape}")
    p = ternary(np.random.default_rng(seed), size, layer.elements)
    sums = product(quantise(x), p)
    shift = reduce_shift_of(sums)
    xq = saturate_array(round_shift_array(sums, shift), LOW_BITS)[0]
    parts = [_gate(layer, gate, x, xq, ratio) for gate in range(layer.gates)]
    w, b, threshold, low_shift = (np.stack(part) for part in zip(*parts, strict=True))
    return replace(layer, low=Low(p=p, w=w, b=b, threshold=threshold, reduce_shift=shift, low_shift=low_shift))


def reduce_shift_of(sums) -> int:
    """The shift after which INT4 has the least squared error."""
    errors = []
    for shift in range(12):
        rounded = saturate_array(round_shift_array(sums, shift), LOW_BITS)[0]
        errors.append(float(np.square((rounded << shift) - sums).mean()))
    return int(np.argmin(errors))


def least_squares(xq, z) -> tuple[np.ndarray, np.ndarray]:
    """W_LL and b_LL: float64 [outputs, k] and [outputs], from reduced inputs [samples, k] and outputs before functions
    [samples, outputs]."""
    mean_x, mean_z = xq.mean(axis=0), z.mean(axis=0)
    centred = xq - mean_x
    own = centred.T @ centred / len(xq)
    own += (RIDGE * np.trace(own) / len(own) + 1e-9) * np.eye(len(own))
    w = np.linalg.solve(own, centred.T @ (z - mean_z) / len(xq)).T
    return w, mean_z - w @ mean_x


def _gate(layer, gate, x, xq, ratio):
    """W_low, b_low, threshold and low_shift of a gate."""
    w, b = (layer.w[gate], layer.b[gate]) if layer.recurrent else (layer.w.reshape(layer.outputs, -1), layer.b)
    z = (product(x, w) + b) / 2.0**layer.shift
    real, _ = least_squares(xq, z)
    covariance = np.cov(xq, rowvar=False, bias=True).reshape(len(real[0]), -1)
    if layer.functions[gate] == Function.RELU:
        scales, low_shift = _best_scales(real, covariance, LEAST * np.abs(z).max()), 0
    else:
        low_shift = _gate_shift(real, covariance)
        scales = np.full(len(real), 2.0 ** (CODE_FRACTION + low_shift - STATE_FRACTION))
    low = _rounded(real * scales[:, None], covariance)
    # Biases make up for the rounding of the weights.
    bias = z.mean(axis=0) - (low / scales[:, None]) @ xq.mean(axis=0)
    y = xq @ (low / scales[:, None]).T + bias
    if layer.functions[gate] == Function.RELU:
        return low, np.rint((bias - _quantile(y, ratio)) * scales).astype(np.int64), 0, low_shift
    threshold = int(np.floor(_quantile(np.abs(y), 1 - ratio) * scales[0]))
    return low, np.rint(bias * scales).astype(np.int64), threshold, low_shift


def _quantile(values, share):
    return float(np.quantile(values, share))


def _gate_shift(real, covariance):
    """Bits behind the four fraction bits of an approximation with which INT4 weights change y' least."""
    errors = []
    for shift in range(MOST_LOW_SHIFT + 1):
        scale = 2.0 ** (CODE_FRACTION + shift - STATE_FRACTION)
        change = _rounded(real * scale, covariance) / scale - real
        errors.append(float(np.einsum("oi,ij,oj->", change, covariance, change)))
    return int(np.argmin(errors))


def _best_scales(real, covariance, least):
    """Of every output the scale with which rounding its weights changes y' least: float [outputs]. Weights all below
    ``least`` say nothing, and their scale would make a bias too large."""
    largest = np.maximum(np.abs(real).max(axis=1), least + 1e-9)
    tried = LOW_MOST / largest * STEP ** np.arange(SCALES)[:, None]
    errors = []
    for scales in tried:
        low = np.clip(np.rint(real * scales[:, None]), LOW_LEAST, LOW_MOST) / scales[:, None]
        # Rounded, so that the last digits of another machine's arithmetic do not change the choice.
        errors.append(np.round(np.einsum("oi,ij,oj->o", low - real, covariance, low - real) / largest**2, 9))
    return tried[np.argmin(errors, axis=0), np.arange(len(real))]


def _rounded(real, covariance):
    """INT4 weights: one column after the other is rounded, and the columns to come make up for its error as far as the
    inputs are correlated. int64, as ``real`` [outputs, k]."""
    size = len(covariance)
    damped = covariance + (0.01 * np.trace(covariance) / size + 1e-9) * np.eye(size)
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    left, low = real.copy(), np.zeros(real.shape, np.int64)
    for column in range(size):
        low[:, column] = np.clip(np.rint(left[:, column]), LOW_LEAST, LOW_MOST)
        error = (left[:, column] - low[:, column]) / upper[column, column]
        left[:, column + 1:] -= error[:, None] * upper[column, column + 1:]
    return low


def insensitive_ratio(layer: Layer, x, gate: int = 0) -> float:
    """Share of insensitive outputs on samples [samples, d]."""
    from .spec import sensitive
    y = low_outputs(layer.low, reduced_input(layer.low, quantise(x)), gate)
    return 1 - float(sensitive(y, layer.functions[gate], layer.low.threshold[gate]).mean())
