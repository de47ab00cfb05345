"""Dimension reduction without time [Thesis 3, 5.1.1 step 2]: what it computes, and the words of the projection buffer.

A word meets ``cfg.values`` quantised inputs: value ``column * pixels + pixel``. A convolution goes over its kernel in
windows of ``side`` x ``side`` pixels; kernel positions and channels that do not exist have zeros in the projection.
"""

import numpy as np

from golden.common.fixed import round_shift_array, saturate_array, wrap_array

from .config import DuetConfig
from .formats import LOW_BITS, TERNARY_BITS, TREE_BITS
from .quantizer import quantize_array

__all__ = ["pack_projection", "projection_bits", "reduce_map", "reduce_vector", "reduced_words", "windows"]


def windows(cfg: DuetConfig, kernel: int) -> int:
    """Windows that cover a kernel of this height or width."""
    return -(-kernel // cfg.side)


def reduced_words(cfg: DuetConfig, length: int) -> int:
    """Words of ``trees`` elements of a reduced input of this length."""
    return -(-length // cfg.trees)


def reduce_map(x, p, *, stride: int, pad: int, shift: int) -> np.ndarray:
    """Reduced input of every output pixel of a convolution.

    Parameters
    ----------
    x : int array, shape (channels, height, width)
        INT16; what lies outside counts 0.
    p : int array, shape (length, channels, kernel height, kernel width)
        -1, 0, 1.
    stride, pad : int
        Pixels.
    shift : int
        0..31; halves are rounded up.

    Returns
    -------
    int64 array, shape (length, out height, out width)
        INT4. The sums before the shift wrap at ``TREE_BITS`` bits.
    """
    _check_ternary(p, (4,))
    length, _channels, kernel_h, kernel_w = p.shape
    x = np.pad(quantize_array(x), ((0, 0), (pad, pad), (pad, pad)))
    height, width = (x.shape[1] - kernel_h) // stride + 1, (x.shape[2] - kernel_w) // stride + 1
    sums = np.zeros((length, height, width), np.int64)
    for y in range(height):
        for column in range(width):
            patch = x[:, y * stride:y * stride + kernel_h, column * stride:column * stride + kernel_w]
            sums[:, y, column] = p.reshape(length, -1).astype(np.int64) @ patch.ravel()
    return _to_low(sums, shift)


def reduce_vector(x, p, *, shift: int) -> np.ndarray:
    """Reduced input of a vector: ``x`` [elements] INT16, ``p`` [length, elements]; int64 [length], INT4."""
    _check_ternary(p, (2,))
    return _to_low(p.astype(np.int64) @ quantize_array(x), shift)


def pack_projection(cfg: DuetConfig, p) -> np.ndarray:
    """Words of the projection buffer, in the order in which they are used.

    Convolution: by word of the reduced input, row and column of windows, word of a block. Vector: by word of the
    reduced input, word of the vector.

    Parameters
    ----------
    cfg : DuetConfig
    p : int array, shape (length, channels, kernel height, kernel width) or (length, elements)
        -1, 0, 1.

    Returns
    -------
    int8 array, shape (words, trees, values)

    Raises
    ------
    ValueError
        If ``p`` has another number of axes, or another element.
    """
    p = np.asarray(p)
    _check_ternary(p, (2, 4))
    reduced = reduced_words(cfg, p.shape[0])
    if p.ndim == 2:
        depth = -(-p.shape[1] // cfg.values)
        full = np.zeros((reduced * cfg.trees, depth * cfg.values), np.int8)
        full[:p.shape[0], :p.shape[1]] = p
        split = full.reshape(reduced, cfg.trees, depth, cfg.pixels, cfg.columns)
        return split.transpose(0, 2, 1, 4, 3).reshape(-1, cfg.trees, cfg.values)
    length, channels, kernel_h, kernel_w = p.shape
    depth, rows, columns = -(-channels // cfg.columns), windows(cfg, kernel_h), windows(cfg, kernel_w)
    full = np.zeros((reduced * cfg.trees, depth * cfg.columns, rows * cfg.side, columns * cfg.side), np.int8)
    full[:length, :channels, :kernel_h, :kernel_w] = p
    split = full.reshape(reduced, cfg.trees, depth, cfg.columns, rows, cfg.side, columns, cfg.side)
    return split.transpose(0, 4, 6, 2, 1, 3, 5, 7).reshape(-1, cfg.trees, cfg.values)


def projection_bits(word) -> int:
    """The bits of a word [trees, values] as the host writes it: ``TERNARY_BITS`` an element, the first lowest."""
    codes = (np.asarray(word, np.int64).ravel() & 3).astype(np.uint8)
    bits = codes[:, None] >> np.arange(TERNARY_BITS) & 1
    return int.from_bytes(np.packbits(bits.ravel(), bitorder="little").tobytes(), "little")


def _to_low(sums, shift):
    return saturate_array(round_shift_array(wrap_array(sums, TREE_BITS), shift), LOW_BITS)[0]


def _check_ternary(p, axes):
    if np.ndim(p) not in axes:
        raise ValueError(f"p must have {' or '.join(map(str, axes))} axes, not {np.ndim(p)!r}")
    values = np.unique(p)
    if wrong := [value for value in values.tolist() if value not in (-1, 0, 1)]:
        raise ValueError(f"p must hold -1, 0 and 1 only, not {wrong[0]!r}")
