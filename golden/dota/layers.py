"""Layer 1 of the encoder: linear layers and a whole block in the integers of the hardware, no time [Thesis Fig. 7.11].

A linear layer is ``y = sat16(round_shift(x w, shift))``, with ReLU ``max(.., 0)`` in between; x w is exact in 48 bits,
also where it is split: parts of the input, one in each lane, are added up before they are shifted.

A block has three stages. Linear transformation: ``Q, K, V = X W`` for each head. Attention: sparse, ``Z`` of each head
as in :mod:`golden.dota.spec`, then the output projection ``O = [Z ...] Wo``. FFN: ``U = relu(Y W1)``, ``F = U W2``.
The source gives no unit to residual and layer norm, ``Y = norm(X + O)`` and ``norm(Y + F)``: the host does both in
float, between the stages.
"""

from dataclasses import dataclass, replace

import numpy as np

from golden.common.config import check_int

from .fit import fit_head, to_fixed
from .formats import FX_BITS, SUM_BITS
from .head import Head, check_range, matrix
from .metrics import macs
from .quantize import quantize_array
from .spec import attention, product

__all__ = ["Activations", "Block", "Linear", "add_and_norm", "fit_shift", "forward", "linear", "random_block",
           "split_linear"]

#: Largest shift of a result.
MAX_SHIFT = 63
#: Added to the variance in a layer norm.
EPSILON = 1e-5


def linear(x, w, shift: int, relu: bool = False) -> np.ndarray:
    """``sat16(round_shift(x w, shift))``: int64 [tokens, outputs].

    Parameters
    ----------
    x : int array, shape (tokens, inputs)
    w : int array, shape (inputs, outputs)
    shift : int
    relu : bool
        Negative results become 0.

    Raises
    ------
    ValueError
        If a sum does not fit the 48 bits of the hardware.
    """
    return quantize_array(product("x w", x, w, SUM_BITS), shift, relu, FX_BITS)[0]


def split_linear(parts, shift: int, relu: bool = False) -> np.ndarray:
    """The same of ``x = [x0 x1 ...]`` and ``w = [w0; w1; ...]``, given as ``parts`` (x0, w0), (x1, w1), ...

    Raises
    ------
    ValueError
        As :func:`linear`.
    """
    sums = sum(product("x w", x, w, SUM_BITS) for x, w in parts)
    check_range("x w", sums, SUM_BITS)
    return quantize_array(sums, shift, relu, FX_BITS)[0]


def fit_shift(sums) -> int:
    """Smallest shift with which no sum is clipped."""
    shift = 0
    while quantize_array(sums, shift, False, FX_BITS)[1].any():
        shift += 1
    return shift


def add_and_norm(a, frac_a: int, b, frac_b: int, frac: int) -> np.ndarray:
    """The host's work: layer norm of ``a + b``, FX16 with ``frac`` fraction bits, int64 [tokens, outputs]."""
    real = a / 2.0**frac_a + b / 2.0**frac_b
    real = (real - real.mean(axis=1, keepdims=True)) / np.sqrt(real.var(axis=1, keepdims=True) + EPSILON)
    high = (1 << FX_BITS - 1) - 1
    return np.clip(np.rint(real * 2.0**frac), -high - 1, high).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """A linear layer ``Y = X W``.

    Attributes
    ----------
    x : int64 array, shape (tokens, inputs)
        FX16, as ``w``.
    w : int64 array, shape (outputs, inputs)
        A row for each output.
    shift : int
        0..63.
    frac_x, frac_w : int
        Fraction bits, for those who look at the numbers.
    relu : bool

    Raises
    ------
    ValueError
        If a shape, a type or a range is wrong.
    """

    x: np.ndarray
    w: np.ndarray
    shift: int
    frac_x: int = 0
    frac_w: int = 0
    relu: bool = False

    def __post_init__(self):
        object.__setattr__(self, "x", matrix("x", self.x, FX_BITS))
        object.__setattr__(self, "w", matrix("w", self.w, FX_BITS, (None, self.x.shape[1])))
        for name in ("frac_x", "frac_w"):
            check_int(name, getattr(self, name), 0, FX_BITS - 1)
        check_int("shift", self.shift, 0, MAX_SHIFT)

    def results(self, _cfg) -> dict[str, np.ndarray]:
        """What the hardware gives."""
        return {"y": linear(self.x, self.w.T, self.shift, self.relu)}

    def work(self, _results) -> dict[str, int]:
        """Multiply-accumulates by phase."""
        return {"linear": self.x.size * len(self.w)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """An encoder block, and what it works on.

    Attributes
    ----------
    x : int64 array, shape (tokens, width)
        FX16, as all weights.
    past : int64 array, shape (keys - tokens, width)
        Inputs of earlier tokens; their keys and values are in the cache. Empty unless a decoder works on one token.
    wq, wk, wv : int64 array, shape (heads, width, d)
    wo : int64 array, shape (heads * d, width)
    w1, w2 : int64 array, shape (width, inner) and (inner, width)
    shift_qkv, shift_o, shift_1, shift_2 : int
    frac_x, frac_o, frac_y, frac_f : int
        Fraction bits of X, O, Y and the final output, and F.
    heads : list of Head
        With Q of x, K and V of past and x, and the predictor.

    Raises
    ------
    ValueError
        If a shape, a type or a range is wrong.
    """

    x: np.ndarray
    past: np.ndarray
    wq: np.ndarray
    wk: np.ndarray
    wv: np.ndarray
    wo: np.ndarray
    w1: np.ndarray
    w2: np.ndarray
    shift_qkv: int
    shift_o: int
    shift_1: int
    shift_2: int
    frac_x: int
    frac_o: int
    frac_y: int
    frac_f: int
    heads: list[Head]

    def __post_init__(self):
        object.__setattr__(self, "x", matrix("x", self.x, FX_BITS))
        width, d, inner = self.x.shape[1], self.wq.shape[2], self.w1.shape[1]
        if len(self.past):
            object.__setattr__(self, "past", matrix("past", self.past, FX_BITS, (None, width)))
        for name in ("wq", "wk", "wv"):
            object.__setattr__(self, name, matrix(name, getattr(self, name), FX_BITS, (len(self.heads), width, d)))
        for name, shape in (("wo", (len(self.heads) * d, width)), ("w1", (width, inner)), ("w2", (inner, width))):
            object.__setattr__(self, name, matrix(name, getattr(self, name), FX_BITS, shape))
        for name in ("shift_qkv", "shift_o", "shift_1", "shift_2"):
            check_int(name, getattr(self, name), 0, MAX_SHIFT)
        for name in ("frac_x", "frac_o", "frac_y", "frac_f"):
            check_int(name, getattr(self, name), 0, FX_BITS - 1)

    @property
    def tokens(self) -> int:
        """Rows of x."""
        return len(self.x)

    @property
    def keys(self) -> int:
        """Those of past and x."""
        return len(self.past) + len(self.x)

    def qkv(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Q of x, K and V of past and x of head ``n``: what the linear transformation gives."""
        every = np.concatenate([self.past, self.x])
        return (linear(self.x, self.wq[n], self.shift_qkv), linear(every, self.wk[n], self.shift_qkv),
                linear(every, self.wv[n], self.shift_qkv))

    def results(self, cfg) -> dict[str, np.ndarray]:
        """What the hardware and the host give."""
        return vars(forward(self, cfg.estimate_bits))

    def work(self, results) -> dict[str, int]:
        """Multiply-accumulates in FX16 by phase; of attention those of the connections."""
        attend = sum(macs(head, mask).sparse for head, mask in zip(self.heads, results["masks"], strict=True))
        return {"linear": 3 * self.x.shape[0] * self.wq.size, "attend": attend,
                "project_out": self.x.shape[0] * self.wo.size, "ffn": 2 * self.x.shape[0] * self.w1.size}


@dataclass(frozen=True, eq=False)
class Activations:
    """What a block computes: ``z`` [heads, tokens, d], ``o``, ``y``, ``f`` and ``out`` [tokens, width], ``u`` [tokens,
    inner], all FX16; ``masks`` [heads, tokens, keys], bool.
    """

    z: np.ndarray
    o: np.ndarray
    y: np.ndarray
    u: np.ndarray
    f: np.ndarray
    out: np.ndarray
    masks: np.ndarray


def forward(block: Block, estimate_bits: int) -> Activations:
    """A block, bit for bit.

    Raises
    ------
    ValueError
        If a sum does not fit the hardware.
    """
    heads = []
    for n, head in enumerate(block.heads):
        q, k, v = block.qkv(n)
        heads.append(attention(replace(head, q=q, k=k, v=v), estimate_bits))
    z = np.array([head.z for head in heads])
    d = z.shape[2]
    o = split_linear([(part, block.wo[n * d:(n + 1) * d]) for n, part in enumerate(z)], block.shift_o)
    y = add_and_norm(block.x, block.frac_x, o, block.frac_o, block.frac_y)
    u = linear(y, block.w1, block.shift_1, relu=True)
    f = linear(u, block.w2, block.shift_2)
    out = add_and_norm(y, block.frac_y, f, block.frac_f, block.frac_y)
    return Activations(z=z, o=o, y=y, u=u, f=f, out=out, masks=np.array([head.mask for head in heads]))


def random_block(rng, cfg, *, tokens: int, heads: int, dim: int, inner: int, past: int = 0,
                 keep: int | None = None, sigma: float = 0.25) -> Block:
    """A block of random numbers; formats from the ranges of what it computes: the finest powers of two.

    Parameters
    ----------
    rng : numpy.random.Generator
    cfg : DotaConfig
    inner : int
        Width of the FFN.
    keep : int, optional
        Connections of a query; a tenth of the keys unless said otherwise.
    sigma : float
        Size of the predictor over the width.
    """
    width = heads * dim
    every, frac_x = to_fixed(rng.standard_normal((past + tokens, width)))
    x = every[past:]
    qkv, frac_w = to_fixed(rng.standard_normal((3, heads, width, dim)) * np.sqrt(2 / width))
    sums = np.array([[every @ w for w in part] for part in qkv])
    shift_qkv = max(fit_shift(sums), frac_x + frac_w - (FX_BITS - 1))
    frac = frac_x + frac_w - shift_qkv
    made = quantize_array(sums, shift_qkv, False, FX_BITS)[0]
    fitted = []
    for q, k, v in zip(*made, strict=True):
        head = fit_head(q, k, v, frac, estimate_bits=cfg.estimate_bits, keep=keep or max(1, round(0.1 * len(every))),
                        x=every, sigma=sigma, seed=int(rng.integers(1 << 30)))
        fitted.append(replace(head, q=q[past:], x_q=head.x_q[past:] if past else head.x_k))
    z = np.hstack([attention(head, cfg.estimate_bits).z for head in fitted])
    wo, frac_wo = to_fixed(rng.standard_normal((width, width)) / np.sqrt(width))
    shift_o, frac_o = _format(z @ wo, frac + frac_wo)
    # A normalised element is at most sqrt(width).
    frac_y = FX_BITS - 1 - int(np.ceil(np.log2(np.sqrt(width) + 1)))
    y = add_and_norm(x, frac_x, linear(z, wo, shift_o), frac_o, frac_y)
    w1, frac_w1 = to_fixed(rng.standard_normal((width, inner)) / np.sqrt(width))
    shift_1, frac_u = _format(np.maximum(y @ w1, 0), frac_y + frac_w1)
    u = linear(y, w1, shift_1, relu=True)
    w2, frac_w2 = to_fixed(rng.standard_normal((inner, width)) / np.sqrt(inner))
    shift_2, frac_f = _format(u @ w2, frac_u + frac_w2)
    wq, wk, wv = qkv
    return Block(x=x, past=every[:past], wq=wq, wk=wk, wv=wv, wo=wo, w1=w1, w2=w2, shift_qkv=shift_qkv,
                 shift_o=shift_o, shift_1=shift_1, shift_2=shift_2, frac_x=frac_x, frac_o=frac_o, frac_y=frac_y,
                 frac_f=frac_f, heads=fitted)


def _format(sums, frac):
    """Shift of sums with ``frac`` fraction bits and the fraction bits of the results, at most 15."""
    shift = max(fit_shift(sums), frac - (FX_BITS - 1))
    return shift, frac - shift
