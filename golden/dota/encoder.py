"""The program of an encoder block: what each lane keeps, and what goes to the host [Thesis 7.6.1, Fig. 7.11].

A lane owns some heads and a part of the FFN. All lanes get the same X; each makes Q, K and V of its head where
attention wants them, attends, and keeps Z, which is its part of the input of the output projection; the accumulator
adds the parts up. In the FFN a lane keeps its part of ``relu(Y W1)``, which is its part of the input of the next layer.
So all that leaves the lanes are sums; residual and layer norm are the host's.

Memory of a lane, in attention and then in the FFN::

    key banks     | K | Q, then Z, of each head | weights |     | U | weights |
    value banks   | V | X                       | weights |     | Y | weights |
    last banks    | Q~, K~ of each head                   |     |             |
"""

import math
from dataclasses import dataclass

import numpy as np

from golden.common.cli import UsageError

from .compiler import Place, Run, Write, attend_step, check_head, predict
from .config import DotaConfig
from .formats import BANKS, KEY_BANKS, VALUE_BANKS
from .layers import Block, Linear, add_and_norm
from .linear import Input, On, Room, local_product, mask_of, plan_layer, summed_product, to_rows
from .packing import chunks_of, low_rows, low_words

__all__ = ["Layout", "lanes_of", "layout_of", "plan_block", "plan_layers"]


@dataclass(frozen=True)
class Layout:
    """Addresses of a lane; ``low`` has those of Q~ and K~ of each of its heads."""

    keys: int
    results: int
    values: int
    x: Input
    room: Room
    low: list[tuple[int, int]]


def lanes_of(block: Block, cfg: DotaConfig) -> int:
    """Lanes that are used: each has as many heads as the others."""
    return math.gcd(cfg.lanes, len(block.heads))


def layout_of(block: Block, cfg: DotaConfig) -> Layout:
    """Where everything lies in attention.

    Raises
    ------
    UsageError
        If it does not fit: one line that names the limit.
    """
    of_a_lane = len(block.heads) // lanes_of(block, cfg)
    bank, width = cfg.bank_words, block.x.shape[1]
    chunks, x_chunks = chunks_of(cfg, block.heads[0].dim), chunks_of(cfg, width)
    v_base = KEY_BANKS * bank
    low, at = [], (KEY_BANKS + VALUE_BANKS) * bank
    for n in range(of_a_lane):
        predictor = block.heads[n].predictor
        words = low_words(cfg, predictor.size, predictor.bits) * (cfg.block // cfg.keys_per_word)
        q_words, k_words = (low_rows(cfg, rows) // cfg.block * words for rows in (block.tokens, block.keys))
        low.append((at, at + q_words))
        at += q_words + k_words
    _fits("Q~ and K~ of a lane's heads", at - (KEY_BANKS + VALUE_BANKS) * bank, (BANKS - 8) * bank)
    kept = chunks * block.keys
    first = kept + of_a_lane * chunks * block.tokens
    second = v_base + kept + x_chunks * block.tokens
    rows = KEY_BANKS * bank - max(first, second - v_base)
    _fits("K, Q, V, X and a row of weights for each input", KEY_BANKS * bank - rows + width, KEY_BANKS * bank)
    return Layout(keys=0, results=kept, values=v_base, x=Input(v_base + kept, block.tokens, block.tokens),
                  room=Room(first, second, rows), low=low)


def _fits(what, words, most):
    if words > most:
        raise UsageError(f"{what} must take at most {most} words, not {words}: choose a larger configuration")


def plan_layers(layers: Linear | Block, cfg: DotaConfig):
    """The program of a layer or of a block."""
    return plan_layer(layers, cfg) if isinstance(layers, Linear) else plan_block(layers, cfg)


def plan_block(block: Block, cfg: DotaConfig):
    """A program that returns ``{"o", "y", "f", "out"}``, each int64 [tokens, width].

    Raises
    ------
    UsageError
        If it does not fit: one line that names the limit.
    """
    for head in block.heads:
        check_head(head, cfg)
    layout = layout_of(block, cfg)
    lanes = lanes_of(block, cfg)
    of_a_lane = len(block.heads) // lanes
    heads = [range(lane * of_a_lane, (lane + 1) * of_a_lane) for lane in range(lanes)]
    for n in range(of_a_lane):
        yield from _predict(block, cfg, layout, heads, n)
    yield [On(mask_of(lanes), Write(layout.x.base, to_rows(cfg, block.x)))]
    for n in range(of_a_lane):
        own = [numbers[n] for numbers in heads]
        yield from _transform(block, cfg, layout, own, n)
        yield [On(1 << lane, Run("attend", attend_step(
            block.heads[head], cfg, queries=_results(block, cfg, layout, n), count=block.tokens,
            v_base=layout.values, low_q=layout.low[n][0], low_k=layout.low[n][1]))) for lane, head in enumerate(own)]
    o = yield from _project(block, cfg, layout, heads)
    y = add_and_norm(block.x, block.frac_x, o, block.frac_o, block.frac_y)
    f = yield from _ffn(block, cfg, lanes, y)
    return {"o": o, "y": y, "f": f, "out": add_and_norm(y, block.frac_y, f, block.frac_f, block.frac_y)}


def _results(block, cfg, layout, n):
    """Where Q and then Z of a lane's head ``n`` lie."""
    return layout.results + n * chunks_of(cfg, block.heads[0].dim) * block.tokens


def _predict(block, cfg, layout, heads, n):
    """Q~ and K~ of head ``n`` of each lane; all lanes have the same number of commands."""
    place = Place(0, 0, *layout.low[n])
    for commands in zip(*(predict(block.heads[numbers[n]], cfg, place) for numbers in heads), strict=True):
        yield [On(1 << lane, command) for lane, command in enumerate(commands)]


def _transform(block, cfg, layout, own, n):
    """K and V together, one in each half of the array, then Q; keys and values of the past come from the host."""
    chunks, keys, past = chunks_of(cfg, block.heads[0].dim), block.keys, len(block.past)
    made = [block.qkv(head)[1:] for head in own] if past else []
    for lane, (k, v) in enumerate(made):
        for base, rows in ((layout.keys, k), (layout.values, v)):
            for chunk in range(chunks):
                part = rows[:past, chunk * cfg.vector:(chunk + 1) * cfg.vector]
                yield [On(1 << lane, Write(base + chunk * keys, to_rows(cfg, part)))]
    for chunk in range(chunks):
        columns = slice(chunk * cfg.vector, (chunk + 1) * cfg.vector)
        both = [np.hstack([_wide(cfg, w[head][:, columns]) for w in (block.wk, block.wv)]) for head in own]
        yield from local_product(cfg, layout.x, both, layout.room, phase="linear", shift=block.shift_qkv,
                                 z_base=layout.keys + chunk * keys + past, z_stride=layout.values - layout.keys)
    yield from local_product(cfg, layout.x, [block.wq[head] for head in own], layout.room, phase="linear",
                             shift=block.shift_qkv, z_base=_results(block, cfg, layout, n), z_stride=block.tokens)


def _wide(cfg, w):
    """Columns, filled with zeros up to a whole word."""
    return np.pad(w, ((0, 0), (0, -w.shape[1] % cfg.vector)))


def _project(block, cfg, layout, heads):
    """Z Wo: the Z of a lane, word by word, times the rows of Wo that belong to them."""
    dim = block.heads[0].dim
    chunks = chunks_of(cfg, dim)
    weights = []
    for numbers in heads:
        rows = np.zeros((len(numbers), chunks * cfg.vector, block.wo.shape[1]), np.int64)
        rows[:, :dim] = block.wo.reshape(-1, dim, block.wo.shape[1])[list(numbers)]
        weights.append(rows.reshape(-1, block.wo.shape[1]))
    z = Input(layout.results, block.tokens, block.tokens)
    return (yield from summed_product(cfg, z, weights, layout.room, phase="project_out", shift=block.shift_o))


def _ffn(block, cfg, lanes, y):
    """relu(Y W1) W2, a part of the inner elements in each lane."""
    bank, tokens, inner = cfg.bank_words, block.tokens, block.w1.shape[1]
    part = -(-inner // lanes)
    w1 = np.pad(block.w1, ((0, 0), (0, lanes * part - inner)))
    w2 = np.pad(block.w2, ((0, lanes * part - inner), (0, 0)))
    first, second = chunks_of(cfg, part) * tokens, chunks_of(cfg, len(block.w1)) * tokens
    rows = KEY_BANKS * bank - max(first, second)
    _fits("Y and U and a row of weights for each input", KEY_BANKS * bank - rows + len(block.w1), KEY_BANKS * bank)
    x, u = Input(KEY_BANKS * bank, tokens, tokens), Input(0, tokens, tokens)
    room = Room(first, KEY_BANKS * bank + second, rows)
    yield [On(mask_of(lanes), Write(x.base, to_rows(cfg, y)))]
    yield from local_product(cfg, x, np.split(w1, lanes, axis=1), room, phase="ffn", z_base=u.base, z_stride=tokens,
                             shift=block.shift_1, relu=True)
    return (yield from summed_product(cfg, u, np.split(w2, lanes), room, phase="ffn", shift=block.shift_2))
