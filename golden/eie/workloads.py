"""Built-in workloads, users' files, and random networks for tests.

Only ``digits`` is a real network. The nine layers of [EIE Table III] are synthetic: they have the table's
shapes and densities, but random weights and activations from a seed.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from golden.common.workload import find

from . import corners, npz
from .config import EieConfig
from .corners import random_codes, symmetric_codebook
from .fit import SharedLayer, quantize, to_fixed
from .formats import CODEBOOK_SIZE
from .spec import Layer, limits

DATA = Path(__file__).parent / "data"
#: Largest pixel of the digits: activation 1.0.
PIXEL_MAX = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """A network and its inputs.

    Attributes
    ----------
    name, description : str
    layers : list of Layer
    activations : int64 array, shape (batch, in)
    expected : int64 array, shape (batch, out), or None
        Outputs that came with a user's file.
    synthetic : bool
        Made of random numbers.
    labels : int array, shape (batch,), or None
        True classes.
    logits : dict of float arrays, shape (batch, classes)
        Outputs of the same network before it became fixed point: ``float``, and ``compressed`` (pruned, with
        shared weights). Empty when there is no such network.
    """

    name: str
    description: str
    layers: list
    activations: np.ndarray
    expected: np.ndarray | None = None
    synthetic: bool = False
    labels: np.ndarray | None = None
    logits: dict = dataclasses.field(default_factory=dict)


class Table3(NamedTuple):
    """A row of [EIE Table III]; ``relu`` is ours: false where the network has none."""

    n_in: int
    n_out: int
    weights: float
    activations: float
    relu: bool = True


TABLE3 = {
    "alex-6": Table3(9216, 4096, 0.09, 0.351),
    "alex-7": Table3(4096, 4096, 0.09, 0.353),
    "alex-8": Table3(4096, 1000, 0.25, 0.375, relu=False),
    "vgg-6": Table3(25088, 4096, 0.04, 0.183),
    "vgg-7": Table3(4096, 4096, 0.04, 0.375),
    "vgg-8": Table3(4096, 1000, 0.23, 0.411, relu=False),
    "nt-we": Table3(4096, 600, 0.10, 1.0, relu=False),
    "nt-wd": Table3(600, 8791, 0.11, 1.0, relu=False),
    "nt-lstm": Table3(1201, 2400, 0.10, 1.0, relu=False),
}


def table3(cfg: EieConfig, seed: int, *, name: str) -> dict:
    """One layer with the shape and the densities of a row of Table III.

    No bias. The number of non-zero activations is exact, that of weights is random.
    """
    row = TABLE3[name]
    rng = np.random.default_rng([seed, *name.encode()])
    bits = cfg.data_bits
    act_frac = bits - 5         # -16..16: the largest sums of these layers stay below
    layer = Layer(codes=random_codes(rng, (row.n_out, row.n_in), row.weights),
                  codebook=symmetric_codebook(bits, bits - 1), weight_frac=bits - 1, act_frac_in=act_frac,
                  act_frac_out=act_frac, relu=row.relu)
    activations = np.zeros(row.n_in, np.int64)
    where = rng.choice(row.n_in, round(row.activations * row.n_in), replace=False)
    activations[where] = rng.integers(1, 1 << act_frac, len(where), endpoint=True)
    if row.activations == 1.0:      # not the output of a ReLU
        activations *= rng.choice([-1, 1], row.n_in)
    return {"layers": [layer], "activations": activations[None]}


def digits(cfg: EieConfig, seed: int) -> dict:
    """The trained network of ``train_digits.py`` on all its test images; does not depend on the seed.

    With other than 16 bits the shared float weights are quantized anew.
    """
    layers, activations, expected = npz.load(DATA / "digits.npz", 16)
    with np.load(DATA / "digits_float.npz") as file:
        extra = dict(file)
    images = activations / 2.0**layers[0].act_frac_in
    shared = [SharedLayer(codes=x.codes, centroids=extra[f"l{k}_centroids"].astype(np.float64),
                          bias_codes=x.bias_codes, relu=x.relu) for k, x in enumerate(layers)]
    dense = compressed = images
    for k, layer in enumerate(shared):
        dense = dense @ extra[f"l{k}_weights"].T + extra[f"l{k}_bias"]
        dense = np.maximum(dense, 0) if layer.relu else dense
        compressed = layer.output(compressed)
    if cfg.data_bits != 16:
        layers, expected = quantize(shared, extra["calibration"] / PIXEL_MAX, cfg.data_bits), None
        activations = to_fixed(images, layers[0].act_frac_in, cfg.data_bits)
    return {"layers": layers, "activations": activations, "expected": expected,
            "labels": extra["labels"].astype(np.int64), "logits": {"float": dense, "compressed": compressed}}


def of_file(path, cfg: EieConfig, _seed: int) -> dict:
    """What a user's file holds."""
    layers, activations, expected = npz.load(path, cfg.data_bits)
    return {"layers": layers, "activations": activations, "expected": expected}


def _describe(name):
    row = TABLE3[name]
    return (f"synthetic: random, {row.n_in} in, {row.n_out} out, weights {row.weights:.0%}, activations "
            f"{row.activations:.1%} (shape and densities of Table III)")


#: Name -> (one line, factory(cfg, seed) that gives the other fields of :class:`Workload`, whether it is random).
WORKLOADS = {
    "digits": ("real: perceptron 64-300-100-10 on the UCI handwritten digits, pruned, shared weights",
               digits, False),
    **{name: (_describe(name), partial(table3, name=name), True) for name in TABLE3},
    "empty-columns": ("corner case: runs of 0..fifo_depth+2 empty columns, first, last, and all of one PE",
                      corners.empty_columns, True),
    "dense": ("corner case: no zero weight and no zero activation", corners.dense, True),
    "all-zero-input": ("corner case: two layers whose input is zero", corners.all_zero_input, True),
    "one-hot": ("corner case: a single non-zero activation", corners.one_hot, True),
    "saturating": ("corner case: sums that reach both limits", corners.saturating, True),
}
DEFAULT_WORKLOAD = "digits"


def load(name_or_path: str, cfg: EieConfig, seed: int) -> Workload:
    """A built-in workload, or a file in the format of :mod:`golden.eie.npz`.

    Raises
    ------
    UsageError
        If there is no such workload, or the file is malformed.
    """
    return Workload(**find(name_or_path, WORKLOADS, of_file, cfg, seed))


def random_layers(rng, cfg: EieConfig, *, layers: int | None = None, wide: bool | None = None):
    """A random network that fits ``cfg``, and a random input vector: for tests.

    Sizes are odd, densities from empty to full, some layers have a bias, some saturate, and some vectors are
    longer than a pass.

    Parameters
    ----------
    rng : numpy.random.Generator
    layers : int, optional
        Number of layers; 1..4 when not given.
    wide : bool, optional
        Whether at least one vector needs several passes (False: none does); left to chance when not given.

    Returns
    -------
    (list of Layer, int64 array of shape (in,))

    Raises
    ------
    ValueError
        If ``wide`` asks for what ``cfg`` cannot hold.
    """
    sizes = _random_sizes(rng, cfg, int(rng.integers(1, 5)) if layers is None else layers, wide)
    bits = cfg.data_bits
    low, high = limits(bits)
    frac = int(rng.integers(0, bits - 1))
    network = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        reach = high >> int(rng.integers(0, bits - 2))
        codebook = rng.integers(-reach - 1, reach, CODEBOOK_SIZE, endpoint=True)
        codebook[0] = 0
        weight_frac = int(rng.integers(0, bits))
        # A product keeps between none and all of its magnitude.
        frac_out = int(np.clip(weight_frac + frac - int(rng.integers(0, bits)), 0, bits - 2))
        weight_frac = max(weight_frac, frac_out - frac)
        weight_frac = min(weight_frac, 2 * bits - 1 - frac + frac_out)
        density = rng.choice([0.0, 0.02, 0.1, 0.4, 1.0], p=[0.05, 0.25, 0.3, 0.3, 0.1])
        network.append(Layer(codes=random_codes(rng, (n_out, n_in), density), codebook=codebook,
                             bias_codes=random_codes(rng, n_out, 0.5) if rng.random() < 0.5 else None,
                             weight_frac=weight_frac, act_frac_in=frac, act_frac_out=frac_out,
                             relu=bool(rng.random() < 0.7)))
        frac = frac_out
    activations = rng.integers(low, high, sizes[0], endpoint=True) >> int(rng.integers(0, bits - 1))
    activations[rng.random(sizes[0]) >= rng.choice([0.0, 0.1, 0.4, 1.0])] = 0
    return network, activations


def _random_sizes(rng, cfg, layers, wide):
    """Vector lengths whose worst case, no zero weight at all, fits every memory; tried until it does."""
    longest = min(3 * cfg.pass_length, cfg.vector_length)
    for attempt in range(1000):
        most = max(1, round(longest * 0.99**attempt))
        tops = rng.integers(1, most, layers + 1, endpoint=True)
        sizes = [int(rng.integers(1, top, endpoint=True)) for top in tops]
        if wide is False:
            sizes = [min(size, cfg.pass_length) for size in sizes]
        elif wide:
            sizes[rng.integers(layers + 1)] = int(rng.integers(cfg.pass_length + 1, longest, endpoint=True)) \
                if longest > cfg.pass_length else 0
        if min(sizes) and _fits(sizes, cfg) and layers <= cfg.codebooks:
            return sizes
    raise ValueError(f"cfg must hold a random network of {layers} layers with wide={wide}, not {cfg!r}")


def _fits(sizes, cfg):
    chunks = [-(-size // cfg.pass_length) for size in sizes]
    rows = [-(-size // cfg.n_pe) for size in sizes]
    stored = [r if c > 1 else 0 for r, c in zip(rows, chunks, strict=True)]
    pairs = list(zip(range(len(sizes)), range(1, len(sizes)), strict=False))
    columns = sum((sizes[i] + 1) * chunks[o] for i, o in pairs)
    entries = sum((sizes[i] + 1) * rows[o] for i, o in pairs)
    return (columns < cfg.ptr_words and entries <= cfg.spmat_entries
            and sum(chunks[i] * chunks[o] for i, o in pairs) <= cfg.program_words
            and all(stored[i] + stored[o] <= cfg.act_words for i, o in pairs))
