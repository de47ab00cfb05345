"""Built-in workloads, users' files, and random heads for tests.

Only ``text``, ``text-x`` and ``text-linear`` are real, of a pretrained sentence transformer; the figures are the
source's worked examples; all others are made of random numbers.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from golden.common.cli import UsageError
from golden.common.workload import find

from . import npz
from .config import DotaConfig
from .fit import BITS, SIGMA, TRANSFORM_BITS, fit_head, score_format, to_fixed
from .formats import FX_BITS, QUERIES
from .head import Head, Predictor
from .layers import Block, Linear, random_block

DATA = Path(__file__).parent / "data"
#: Share of the keys that a query keeps, unless asked otherwise.
RETENTION = 0.1

#: Connections of [Thesis Fig. 7.14] and [Fig. 7.15]: keys of each query, counted from 1.
FIG_7_14 = ((2, 3), (1, 2, 5), (2, 3), (1, 3, 5))
FIG_7_15 = ((1, 2, 3), (2, 3, 4), (2, 5, 6), (3, 4, 5))


@dataclass(frozen=True, kw_only=True, eq=False)
class Workload:
    """Heads of attention, only masks, or layers.

    Attributes
    ----------
    name, description : str
    heads : list of Head
        Empty when there are only masks to be scheduled, or layers.
    masks : bool array, shape (groups, 4, keys), or None
        Connections that are given; with heads, those that the estimate must come to, for every head.
    expected : int64 array, shape (heads, queries, d), or (tokens, outputs) of a linear layer, or None
        Outputs that came with a user's file.
    linear : Linear or None
        The layer from which the first head came; it is not run with the heads.
    layers : Linear, Block or None
        What is run in place of heads.
    synthetic : bool
        Made of random numbers.
    """

    name: str
    description: str
    heads: list
    masks: np.ndarray | None = None
    expected: np.ndarray | None = None
    linear: Linear | None = None
    layers: Linear | Block | None = None
    synthetic: bool = False


def mask_of(rows) -> np.ndarray:
    """A mask from the keys of each query, counted from 1: bool [4, keys]."""
    mask = np.zeros((QUERIES, max(map(max, rows))), bool)
    for row, keys in zip(mask, rows, strict=True):
        row[[key - 1 for key in keys]] = True
    return mask


def fig_7_14(_cfg: DotaConfig, _seed: int) -> dict:
    """A mask alone: its rows are not balanced, so no detector makes it."""
    return {"heads": [], "masks": mask_of(FIG_7_14)[None]}


def fig_7_15(_cfg: DotaConfig, _seed: int) -> dict:
    """Attention whose largest scores are the figure's crosses.

    Keys are unit vectors and a query is the sum of its keys, so q . k is 1 where there is a cross and 0 elsewhere. The
    predictor copies q and k, all in INT2. The value of key i is i in all elements.
    """
    mask = mask_of(FIG_7_15)
    keys, frac = mask.shape[1], 8
    one = np.eye(keys, dtype=np.int64)
    low = mask.astype(np.int64)
    predictor = Predictor(p=one, wq=one, wk=one, transform_bits=2, bits=2, shift_x=frac, shift_t=0, shift_q=0,
                          shift_k=0, shift_s=0)
    values = np.repeat(np.arange(1, keys + 1)[:, None] << frac, keys, axis=1)
    score_shift, scale, scale_shift = score_format(low << frac, one << frac, frac)
    head = Head(q=low << frac, k=one << frac, v=values, frac=frac, x_q=low, x_k=one, predictor=predictor,
                keep=int(mask.sum(axis=1).max()), score_shift=score_shift, scale=scale, scale_shift=scale_shift)
    return {"heads": [head], "masks": mask[None]}


def text(cfg: DotaConfig, seed: int, *, from_x: bool) -> dict:
    """Heads of the network of ``make_text.py`` on a paragraph; does not depend on the seed.

    Parameters
    ----------
    from_x : bool
        Estimate Q~ and K~ from the layer's input with the trained predictor; otherwise from q and k themselves.
    """
    path = DATA / "text.npz"
    layer = npz.load(path, cfg.estimate_bits)
    if not from_x:
        layer = replace(layer, x=None, p=None, wq_low=None, wk_low=None)
    return {"heads": heads_of(path, layer, cfg, seed), "linear": text_layer(layer.frac)}


def text_layer(frac: int) -> Linear:
    """The layer that makes Q, K and V of the first head, with ``frac`` fraction bits."""
    with np.load(DATA / "text_linear.npz") as file:
        frac_x, frac_w = int(file["frac_x"]), int(file["frac_w"])
        return Linear(x=file["x"].astype(np.int64), w=file["w"].astype(np.int64), frac_x=frac_x, frac_w=frac_w,
                      shift=frac_x + frac_w - frac)


def text_linear(cfg: DotaConfig, _seed: int) -> dict:
    """The linear layer of ``text`` alone."""
    return {"heads": [], "layers": text_layer(npz.load(DATA / "text.npz", cfg.estimate_bits).frac)}


def encoder(cfg: DotaConfig, seed: int, **sizes) -> dict:
    """A block of random numbers, see :func:`golden.dota.layers.random_block`."""
    return {"heads": [], "layers": random_block(np.random.default_rng([seed, *sizes.values()]), cfg, **sizes)}


def of_file(path, cfg: DotaConfig, seed: int) -> dict:
    """Heads, masks or a linear layer of a user's file.

    Raises
    ------
    UsageError
        If the file is malformed.
    """
    layer = npz.load(path, cfg.estimate_bits)
    if isinstance(layer, npz.LinearFile):
        return {"heads": [], "layers": layer.layer, "expected": layer.expected}
    if not isinstance(layer, npz.Layer):
        return {"heads": [], "masks": layer}
    return {"heads": heads_of(path, layer, cfg, seed), "expected": layer.expected}


def heads_of(path, layer: npz.Layer, cfg: DotaConfig, seed: int) -> list[Head]:
    """Heads that are ready for the hardware; ``path`` is named in errors.

    Raises
    ------
    UsageError
        If a sum of a predictor does not fit the hardware.
    """
    keys = layer.k.shape[1]
    keep = layer.keep or default_keep(keys)
    if layer.threshold is not None:     # as many as pass it, if the queue holds them
        keep = min(keys, cfg.queue)
    heads = []
    for n in range(len(layer.q)):
        try:
            heads.append(fit_head(
                layer.q[n], layer.k[n], layer.v[n], layer.frac, estimate_bits=cfg.estimate_bits, keep=keep,
                threshold=layer.threshold, x=None if layer.x is None else scaled(layer.x[n]),
                weights=None if layer.p is None else (layer.p, layer.wq_low[n], layer.wk_low[n]),
                transform_bits=layer.transform or TRANSFORM_BITS, bits=layer.precision or BITS, seed=seed))
        except ValueError as error:
            raise UsageError(f"{path}: head {n}: {error}") from None
    return heads


def scaled(x) -> np.ndarray:
    """Floats of any size as FX16; only the relations of x count in the estimate. int64."""
    largest = np.abs(x).max()
    return to_fixed(x / largest / 2)[0] if largest else np.zeros(x.shape, np.int64)


def default_keep(keys: int) -> int:
    """A tenth of the keys, at least one."""
    return max(1, round(RETENTION * keys))


def random_head(rng, cfg: DotaConfig, *, queries: int, keys: int, dim: int, inputs: int = 0, keep: int | None = None,
                threshold: int | None = None, sharpness: float = 2.0, sigma: float = SIGMA, bits: int = BITS,
                transform_bits: int = TRANSFORM_BITS) -> Head:
    """A head of random numbers whose scores have a structure that can be predicted.

    Parameters
    ----------
    rng : numpy.random.Generator
    inputs : int
        Width of the layer's input x, from which q, k and v are then made; 0 for none, otherwise queries and keys must
        be as many.
    sharpness : float
        Standard deviation of the scores, about.
    sigma : float
        Size of the predictor over ``inputs``.
    """
    if inputs:
        if queries != keys:
            raise ValueError(f"queries must be the {keys} of keys when there are inputs, not {queries!r}")
        x = rng.standard_normal((keys, min(inputs, dim))) @ rng.standard_normal((min(inputs, dim), inputs))
        q, k, v = (x @ rng.standard_normal((inputs, dim)) for _ in range(3))
    else:
        x = None
        q, k, v = (rng.standard_normal((rows, dim)) for rows in (queries, keys, keys))
    q, k, v = (values / np.sqrt(np.mean(values**2)) for values in (q, k, v))
    q, k = q * np.sqrt(sharpness), k * np.sqrt(sharpness)
    fixed, frac = to_fixed(np.concatenate([q, k, v]))
    q, k, v = np.split(fixed, [queries, queries + keys])
    return fit_head(q, k, v, frac, estimate_bits=cfg.estimate_bits, keep=keep or default_keep(keys),
                    threshold=threshold, x=None if x is None else scaled(x), sigma=sigma, bits=bits,
                    transform_bits=transform_bits, seed=int(rng.integers(1 << 30)))


def random(cfg: DotaConfig, seed: int, *, heads: int, length: int, dim: int, inputs: int, sigma: float = SIGMA,
           keep: int | None = None) -> dict:
    """Random heads of one layer."""
    rng = np.random.default_rng([seed, length, dim])
    return {"heads": [random_head(rng, cfg, queries=length, keys=length, dim=dim, inputs=inputs, keep=keep,
                                  sigma=sigma)
                      for _ in range(heads)]}


def decode(cfg: DotaConfig, seed: int) -> dict:
    """One query: what a decoder does for a token [Thesis 7.6.4]."""
    return {"heads": [random_head(np.random.default_rng(seed), cfg, queries=1, keys=23, dim=6, keep=3)]}


def equal_scores(_cfg: DotaConfig, _seed: int) -> dict:
    """All estimates are 0: every tie goes to the lower key, so all queries keep the same ones."""
    zero, one = np.zeros((9, 4), np.int64), np.ones((4, 4), np.int64)
    predictor = Predictor(p=one, wq=one, wk=one, transform_bits=8, bits=4, shift_x=0, shift_t=0, shift_q=0, shift_k=0,
                          shift_s=0)
    values = (np.arange(36).reshape(9, 4) - 18) << 6
    mask = np.zeros((3, QUERIES, 9), bool)
    mask[:2, :, :3] = mask[2, 0, :3] = True
    return {"heads": [Head(q=zero, k=zero, v=values, frac=8, x_q=zero, x_k=zero, predictor=predictor, keep=3,
                           score_shift=0, scale=1, scale_shift=0)], "masks": mask}


def saturating(cfg: DotaConfig, seed: int) -> dict:
    """Numbers at both limits of FX16, a single key kept, and one far above all others."""
    rng = np.random.default_rng(seed)
    low, high = -(1 << FX_BITS - 1), (1 << FX_BITS - 1) - 1
    q, k, v = (rng.choice([low, high], (11, 5)) for _ in range(3))
    return {"heads": [fit_head(q, k, v, frac, estimate_bits=cfg.estimate_bits, keep=keep, bits=bits)
                      for frac, keep, bits in ((15, 1, 8), (0, 11, 2))]}


#: Name -> (one line, factory(cfg, seed) that gives the other fields of :class:`Workload`, whether it is random).
WORKLOADS = {
    "text": ("real: 4 heads of all-MiniLM-L6-v2 on a paragraph of 158 tokens; the estimate is made of q and k",
             partial(text, from_x=False), False),
    "text-x": ("real: the same heads; the estimate is made of the layer's input X, k 96: finds less, and costs more",
               partial(text, from_x=True), False),
    "fig-7-14": ("worked example: the mask of Fig. 7.14, 4 queries and 5 keys, to be scheduled", fig_7_14, False),
    "fig-7-15": ("worked example: attention whose estimate gives the mask of Fig. 7.15, 4 queries and 6 keys", fig_7_15,
                 False),
    "random": ("synthetic: 2 random heads of odd shape, length 29, d 12, input 24, 5 connections a row",
               partial(random, heads=2, length=29, dim=12, inputs=24, keep=5), True),
    "random-384": ("synthetic: a random head of length 384, d 64, input 256, 10 % of the connections",
                   partial(random, heads=1, length=384, dim=64, inputs=256), True),
    "random-2048": ("synthetic: a random head of length 2048, d 64, input 256, 10 % of the connections",
                    # A quarter of the inputs would make more of Q~ and K~ than the SRAM of the paper holds.
                    partial(random, heads=1, length=2048, dim=64, inputs=256, sigma=0.125), True),
    "decode": ("corner case: a single query with 23 keys", decode, True),
    "text-linear": ("real: the layer that makes Q, K and V of a head of text, 385 inputs, 96 outputs; not for tiny",
                    text_linear, False),
    "encoder": ("synthetic: a whole encoder block, 9 tokens, 4 heads of d 3, FFN of 40",
                partial(encoder, tokens=9, heads=4, dim=3, inner=40, keep=3), True),
    "encoder-decode": ("synthetic: the same for one token, with a cache of 12 keys",
                       partial(encoder, tokens=1, past=12, heads=4, dim=3, inner=40, keep=3), True),
    "encoder-256": ("synthetic: an encoder block of width 256, 64 tokens, 4 heads of d 64, FFN of 1024; for paper",
                    partial(encoder, tokens=64, heads=4, dim=64, inner=1024, keep=6), True),
    "equal-scores": ("corner case: all scores equal, the last group has one query", equal_scores, False),
    "saturating": ("corner case: all numbers at the limits of FX16; one key a query, and all of them", saturating,
                   True),
}
DEFAULT_WORKLOAD = "text"


def load(name_or_path: str, cfg: DotaConfig, seed: int) -> Workload:
    """A built-in workload, or a file in the format of :mod:`golden.dota.npz`.

    Raises
    ------
    UsageError
        If there is no such workload, or the file is malformed.
    """
    return Workload(**find(name_or_path, WORKLOADS, of_file, cfg, seed))
