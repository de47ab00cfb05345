"""Random heads of the full range of numbers, of any shape."""

import numpy as np

from golden.dota.head import Head, Predictor

__all__ = ["any_head", "numbers", "predictor"]


def numbers(rng, bits: int, *shape) -> np.ndarray:
    """Integers that use the whole width."""
    return rng.integers(-(1 << bits - 1), 1 << bits - 1, shape)


def predictor(rng, inputs: int, size: int, *, bits: int, transform_bits: int, identity: bool = False,
              **changes) -> Predictor:
    """A predictor; with ``identity`` it takes X as it is."""
    p = np.eye(inputs, dtype=np.int64) if identity else rng.integers(-1, 2, (inputs, size))
    size = p.shape[1]
    shifts = {name: int(rng.integers(0, transform_bits)) for name in ("shift_q", "shift_k", "shift_s")}
    shifts["shift_t"] = 0 if identity else int(rng.integers(0, 3))
    return Predictor(**{"p": p, "wq": numbers(rng, transform_bits, size, size),
                        "wk": numbers(rng, transform_bits, size, size), "transform_bits": transform_bits,
                        "bits": bits, "shift_x": 0} | shifts | changes)


def any_head(rng, *, queries: int, keys: int, dim: int, inputs: int = 5, size: int = 4, bits: int = 4,
             transform_bits: int = 8, keep: int = 3, threshold: int | None = None, identity: bool = False,
             shared: bool | None = None) -> Head:
    """A head; with ``shared`` queries and keys are made of the same X."""
    shared = queries == keys if shared is None else shared
    x_k = numbers(rng, transform_bits, keys, inputs)
    return Head(q=numbers(rng, 12, queries, dim), k=numbers(rng, 12, keys, dim), v=numbers(rng, 16, keys, dim), frac=8,
                x_q=x_k if shared else numbers(rng, transform_bits, queries, inputs), x_k=x_k,
                predictor=predictor(rng, inputs, size, bits=bits, transform_bits=transform_bits, identity=identity),
                keep=min(keep, keys), threshold=threshold, score_shift=int(rng.integers(4, 12)),
                scale=int(rng.integers(1, 1 << 12)), scale_shift=int(rng.integers(0, 12)))
