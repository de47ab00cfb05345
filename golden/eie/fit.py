"""From a float network to compressed layers: prune, share weights, choose fixed-point formats [EIE III,
VI.C].

Weights are [out, in], as in ``b = W a``. Retraining between the steps belongs to the tool that trained the
network; ``train_digits.py`` shows it with scikit-learn.
"""

from dataclasses import dataclass

import numpy as np

from .formats import CODEBOOK_SIZE
from .spec import MAX_FRAC, Layer, check_layers, layer_output, limits


@dataclass(frozen=True, kw_only=True, eq=False)
class SharedLayer:
    """A layer with shared float weights: W = ``centroids[codes]``, v = ``centroids[bias_codes]``.

    Attributes
    ----------
    codes : uint8 array, shape (out, in)
    centroids : float array, shape (16,)
        ``centroids[0] == 0``.
    bias_codes : uint8 array, shape (out,), or None
    relu : bool
    """

    codes: np.ndarray
    centroids: np.ndarray
    bias_codes: np.ndarray | None
    relu: bool

    def output(self, activations):
        """Float outputs, equation (1). Shapes (batch, in) to (batch, out)."""
        bias = 0.0 if self.bias_codes is None else self.centroids[self.bias_codes]
        sums = activations @ self.centroids[self.codes].T + bias
        return np.maximum(sums, 0) if self.relu else sums


def prune(weights, density: float) -> np.ndarray:
    """Copy of ``weights`` in which only the ``round(density * size)`` largest magnitudes are left.

    Raises
    ------
    ValueError
        If density is not in 0..1.
    """
    if not 0 <= density <= 1:
        raise ValueError(f"density must be in 0..1, not {density!r}")
    weights = np.array(weights)
    order = np.argsort(-np.abs(weights), axis=None, kind="stable")
    weights.reshape(-1)[order[round(density * weights.size):]] = 0
    return weights


def share(weights, bias=None, *, relu: bool, seed: int = 0) -> SharedLayer:
    """Replace every weight by one of 15 shared ones, or zero.

    The non-zero weights and biases are clustered by k-means that starts from evenly spaced centroids. Zero
    stays zero; a bias takes the nearest of all 16 values.

    Parameters
    ----------
    weights : float array, shape (out, in)
    bias : float array, shape (out,), or None

    Raises
    ------
    ValueError
        If weights or bias are not finite.
    RuntimeError
        If scikit-learn, of the dependency group ``train``, is missing.
    """
    weights = np.asarray(weights, np.float64)
    values = weights.ravel() if bias is None else np.append(weights, np.asarray(bias, np.float64))
    if not np.isfinite(values).all():
        raise ValueError("weights and bias must be finite, not NaN or infinite")
    centroids = np.zeros(CODEBOOK_SIZE)
    distinct = np.unique(values[values != 0])
    if len(distinct) < CODEBOOK_SIZE:
        centroids[1:1 + len(distinct)] = distinct
    else:
        start = np.linspace(distinct[0], distinct[-1], CODEBOOK_SIZE - 1)
        centroids[1:] = _kmeans(values[values != 0], start, seed)
    codes = 1 + _nearest(centroids[1:], weights)
    codes[weights == 0] = 0
    bias_codes = None if bias is None else _nearest(centroids, bias)
    return SharedLayer(codes=codes, centroids=centroids, bias_codes=bias_codes, relu=relu)


def _kmeans(values, start, seed):
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        raise RuntimeError("scikit-learn must be installed to share weights: it is in the dependency group "
                           "'train'") from None
    fitted = KMeans(len(start), init=start[:, None], n_init=1, random_state=seed).fit(values[:, None])
    return np.sort(fitted.cluster_centers_[:, 0])


def _nearest(centroids, values):
    return np.abs(np.asarray(values)[..., None] - centroids).argmin(axis=-1).astype(np.uint8)


def to_fixed(values, frac: int, data_bits: int) -> np.ndarray:
    """``round(values * 2**frac)``, cut off at the limits of ``data_bits``; int64."""
    low, high = limits(data_bits)
    return np.clip(np.rint(np.asarray(values, np.float64) * 2.0**frac), low, high).astype(np.int64)


def quantize(shared, calibration, data_bits: int, headroom: int = 1) -> list[Layer]:
    """Choose the fraction bits of every layer, as many as possible, so that nothing saturates on
    ``calibration``.

    Parameters
    ----------
    shared : list of SharedLayer
    calibration : float array, shape (batch, in)
        Typical inputs of the first layer.
    data_bits : int
    headroom : int
        Bits of every activation that stay free, for inputs larger than those seen.

    Raises
    ------
    ValueError
        If a value is too large even without fraction bits.
    """
    calibration = np.asarray(calibration, np.float64)
    act_frac = _frac("calibration", calibration, data_bits - headroom)
    if shared[0].bias_codes is not None:
        act_frac = min(act_frac, data_bits - 2)
    vectors = to_fixed(calibration, act_frac, data_bits)
    layers = []
    for k, layer in enumerate(shared):
        weight_frac = _frac(f"weights of layer {k}", layer.centroids, data_bits)
        most = min(MAX_FRAC, weight_frac + act_frac)
        if k + 1 < len(shared) and shared[k + 1].bias_codes is not None:
            most = min(most, data_bits - 2)     # its constant 1.0 has to fit
        fixed, vectors = _fit_output(k, layer, weight_frac, act_frac, most, vectors, data_bits, headroom)
        act_frac = fixed.act_frac_out
        layers.append(fixed)
    check_layers(layers, data_bits)
    return layers


def _frac(name, values, bits):
    """Most fraction bits with which ``values`` fit ``bits``."""
    largest = np.abs(values).max()
    for frac in range(MAX_FRAC, -1, -1):
        if np.rint(largest * 2.0**frac) <= limits(bits)[1]:
            return frac
    raise ValueError(f"{name} must be at most {limits(bits)[1]} in magnitude, not {float(largest)!r}")


def _fit_output(k, layer, weight_frac, act_frac, most, vectors, data_bits, headroom):
    """The layer with the most fraction bits of its output, and its outputs on ``vectors``."""
    codebook = to_fixed(layer.centroids, weight_frac, data_bits)
    for frac in range(most, -1, -1):
        fixed = Layer(codes=layer.codes, codebook=codebook, bias_codes=layer.bias_codes, relu=layer.relu,
                      weight_frac=weight_frac, act_frac_in=act_frac, act_frac_out=frac)
        outputs = _outputs(fixed, vectors, data_bits, headroom)
        if outputs is not None:
            return fixed, outputs
    raise ValueError(f"layer {k} must have sums below {limits(data_bits - headroom)[1]}, not larger ones")


def _outputs(layer, vectors, data_bits, headroom):
    """Outputs on ``vectors``; None if a sum saturates or uses the headroom."""
    high = limits(data_bits - headroom)[1]
    outputs = []
    for vector in vectors:
        output, saturated = layer_output(layer, vector, data_bits)
        if saturated.any() or np.abs(output).max() > high:
            return None
        outputs.append(output)
    return np.stack(outputs)


def fit(weights, biases, calibration, *, relu, density=None, data_bits: int = 16,
        seed: int = 0) -> list[Layer]:
    """Prune, share and quantize a float network in one go, without retraining.

    Parameters
    ----------
    weights : list of float array, shape (out, in)
    biases : list of float array, shape (out,), or None
    calibration : float array, shape (batch, in)
    relu : list of bool
    density : float, list of float, or None
        Share of the weights to keep, for all layers or for each; None keeps all.
    """
    if not isinstance(density, list | tuple):
        density = [density] * len(weights)
    shared = [share(w if d is None else prune(w, d), b, relu=r, seed=seed)
              for w, b, r, d in zip(weights, biases, relu, density, strict=True)]
    return quantize(shared, calibration, data_bits)
