"""Corner cases as named workloads, sized from the configuration.

Each factory returns ``{"layers": ..., "activations": ...}``.
"""

import numpy as np

from .config import EieConfig
from .fit import to_fixed
from .formats import CODEBOOK_SIZE
from .spec import Layer, limits


def random_codes(rng, shape, density: float) -> np.ndarray:
    """uint8 codes: 1..15 with probability ``density``, else 0; shape (out, in)."""
    codes = np.empty(shape, np.uint8)
    for rows in np.array_split(codes, max(1, codes.size >> 22)):        # views; bounds the memory
        rows[:] = rng.integers(1, CODEBOOK_SIZE, rows.shape, np.uint8)
        rows *= rng.random(rows.shape, np.float32) < density
    return codes


def symmetric_codebook(data_bits, frac):
    """0 and fifteen weights between -0.15 and 0.15, none of them zero."""
    weights = np.concatenate(([0], -np.arange(7, 0, -1), np.arange(1, 9))) / 50
    return to_fixed(weights, frac, data_bits)


def _corner(cfg, codes, activations, *, bias=None, relu=True):
    """Layers that all use the same formats: activations and sums in -16..16."""
    frac = cfg.data_bits - 5
    layers = [Layer(codes=c, codebook=symmetric_codebook(cfg.data_bits, cfg.data_bits - 1), bias_codes=b,
                    weight_frac=cfg.data_bits - 1, act_frac_in=frac, act_frac_out=frac, relu=relu)
              for c, b in zip(codes, bias or [None] * len(codes), strict=True)]
    return {"layers": layers, "activations": np.atleast_2d(activations).astype(np.int64)}


def empty_runs(cfg: EieConfig) -> list[int]:
    """Lengths of the runs of ``empty-columns``: 0..fifo_depth + 2, or both ends of it if all do not fit."""
    runs = range(cfg.fifo_depth + 3)
    room = min(cfg.ptr_words - 1, cfg.vector_length)
    if sum(runs) + len(runs) + 3 <= room:
        return list(runs)
    return [k for k in runs if k < 3 or k >= cfg.fifo_depth - 1]


def empty_columns(cfg: EieConfig, seed: int) -> dict:
    """Runs of empty columns between full ones; first and last columns empty; the last PE has no entry at all.

    Every activation is non-zero, so every column is broadcast. A second vector leaves out every other column.
    """
    rng = np.random.default_rng([seed, 1])
    columns = [False]
    for run in empty_runs(cfg):
        columns += [True] + [False] * run
    full = np.array([*columns, True, False])
    rows = cfg.n_pe * min(cfg.regfile_words, max(1, cfg.spmat_entries // len(full)), 3)
    codes = rng.integers(1, CODEBOOK_SIZE, (rows, len(full)), np.uint8)
    codes[:, ~full] = 0
    codes[rng.random(codes.shape) < 0.3] = 0        # then some are empty in some PEs only
    codes[:, np.flatnonzero(full)[::2]] |= 1        # and some are full in all
    codes[0, full] |= 1                             # the first PE sees the runs exactly
    if cfg.n_pe > 1:
        codes[cfg.n_pe - 1::cfg.n_pe] = 0
    activations = rng.integers(1, 1 << cfg.data_bits - 6, (2, len(full)), endpoint=True)
    activations[1, ::2] = 0
    return _corner(cfg, [codes], activations, relu=False)


def dense(cfg: EieConfig, seed: int) -> dict:
    """No zero at all: every weight is stored and every activation is broadcast, with bias."""
    rng = np.random.default_rng([seed, 2])
    n_in = min(cfg.pass_length, 64, cfg.ptr_words - 2, max(1, cfg.spmat_entries // cfg.regfile_words - 1))
    rows = min(cfg.regfile_words, max(1, cfg.spmat_entries // (n_in + 1))) * cfg.n_pe
    codes = rng.integers(1, CODEBOOK_SIZE, (rows, n_in), np.uint8)
    bias = rng.integers(1, CODEBOOK_SIZE, rows, np.uint8)
    activations = rng.integers(1, 1 << cfg.data_bits - 6, n_in, endpoint=True) * rng.choice([-1, 1], n_in)
    return _corner(cfg, [codes], activations, bias=[bias])


def _small(cfg):
    """Lengths of the vectors of two layers that fit any configuration that is not minute."""
    side = min(cfg.pass_length, max(1, (cfg.ptr_words - 4) // 3),
               max(1, cfg.spmat_entries // (4 * cfg.regfile_words)))
    return max(1, side - 1), max(1, side // 2), max(1, side // 3)


def all_zero_input(cfg: EieConfig, seed: int) -> dict:
    """Two layers on zeros: the first has nothing to broadcast, the second only its bias."""
    rng = np.random.default_rng([seed, 3])
    a, b, c = _small(cfg)
    codes = [random_codes(rng, (b, a), 0.5), random_codes(rng, (c, b), 0.5)]
    return _corner(cfg, codes, np.zeros(a), bias=[None, random_codes(rng, c, 1.0)], relu=False)


def one_hot(cfg: EieConfig, seed: int) -> dict:
    """One non-zero activation in a vector: the first, the last, that of the last PE, one in the middle."""
    rng = np.random.default_rng([seed, 4])
    a, b, _ = _small(cfg)
    activations = np.zeros((4, a), np.int64)
    activations[np.arange(4), [0, a - 1, min(cfg.n_pe, a) - 1, a // 2]] = 1 << cfg.data_bits - 6
    return _corner(cfg, [random_codes(rng, (b, a), 0.5)], activations, relu=False)


def saturating(cfg: EieConfig, seed: int) -> dict:
    """Sums that hit both limits and come back, so the order of the additions shows; with bias."""
    rng = np.random.default_rng([seed, 5])
    a, b, _ = _small(cfg)
    low, high = limits(cfg.data_bits)
    frac = cfg.data_bits - 2        # limits are -2.0 and almost 2.0
    codebook = np.append([0, low, high], rng.integers(low, high, CODEBOOK_SIZE - 3, endpoint=True))
    layer = Layer(codes=random_codes(rng, (b, a), 0.7), codebook=codebook,
                  bias_codes=random_codes(rng, b, 0.7),
                  weight_frac=frac, act_frac_in=frac, act_frac_out=frac, relu=False)
    activations = rng.integers(low, high, (2, a), endpoint=True)
    activations[1] = rng.choice([low, high], a)
    return {"layers": [layer], "activations": activations}
