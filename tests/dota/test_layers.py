"""Layer 1 of the encoder: linear layers are exact however they are split, a block is what its equations say."""

import dataclasses
import re

import numpy as np
import pytest

from golden.dota.config import PRESETS
from golden.dota.layers import (
    Block,
    Linear,
    add_and_norm,
    fit_shift,
    forward,
    linear,
    random_block,
    split_linear,
)
from golden.dota.spec import float_attention

TINY = PRESETS["tiny"]
LOW, HIGH = -(1 << 15), (1 << 15) - 1


def a_layer(rng, tokens=3, inputs=5, outputs=4, **more):
    """Full-range numbers."""
    return Linear(**{"x": rng.integers(LOW, HIGH + 1, (tokens, inputs)), "w": rng.integers(LOW, HIGH + 1,
                  (outputs, inputs)), "frac_x": 8, "frac_w": 12, "shift": 17} | more)


def a_block(rng, **sizes):
    return random_block(rng, TINY, **{"tokens": 9, "heads": 4, "dim": 3, "inner": 40, "keep": 3} | sizes)


def test_linear_by_hand():
    """Rounds half up, then ReLU, then the limits."""
    x, w = np.array([[1, 2], [-3, 4]]), np.array([[1, -1, 30000], [2, 0, 30000]])
    assert linear(x, w, 1).tolist() == [[3, 0, HIGH], [3, 2, 15000]]
    assert linear(x, w, 1, relu=True).tolist() == [[3, 0, HIGH], [3, 2, 15000]]
    assert linear(-x, w, 0).tolist() == [[-5, 1, LOW], [-5, -3, -30000]]
    assert linear(-x, w, 0, relu=True).tolist() == [[0, 1, 0], [0, 0, 0]]


def test_a_sum_beyond_48_bits_is_refused():
    many = 1 << 17
    with pytest.raises(ValueError, match=rf"^x w\[0, 0\] must be in {-(1 << 47)}\.\.{(1 << 47) - 1}, not {1 << 47}$"):
        linear(np.full((1, many), LOW), np.full((many, 1), LOW), 0)
    half = (np.full((1, many // 2), LOW), np.full((many // 2, 1), LOW))
    with pytest.raises(ValueError, match=r"^x w\[0, 0\] must be in "):
        split_linear([half, half], 0)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("cuts", [(), (1,), (3, 4), (2, 2, 11)])
def test_split_is_exact(cuts, relu):
    """Parts of the inputs are added before anything is rounded."""
    rng = np.random.default_rng(len(cuts))
    for shift in (0, 1, 17, 31, 63):
        layer = a_layer(rng, inputs=13)
        parts = zip(np.split(layer.x, cuts, axis=1), np.split(layer.w.T, cuts), strict=True)
        parts = [part for part in parts if part[0].size]
        assert np.array_equal(split_linear(parts, shift, relu), linear(layer.x, layer.w.T, shift, relu))


def test_fit_shift():
    """The smallest shift that clips nothing; rounding up counts."""
    assert [fit_shift(np.array([value])) for value in (0, HIGH, LOW, HIGH + 1, LOW - 1, 2 * HIGH, 2 * HIGH + 1)] == \
        [0, 0, 0, 1, 1, 1, 2]


def test_add_and_norm():
    """Mean 0 and variance 1 in float, rounded; fraction bits differ; a constant row is 0."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(-2000, 2000, (5, 64)), rng.integers(-500, 500, (5, 64))
    real = add_and_norm(a, 10, b, 7, 12) / 2.0**12
    assert np.allclose(real.mean(axis=1), 0, atol=1e-3) and np.allclose(real.var(axis=1), 1, atol=1e-3)
    wanted = a / 2**10 + b / 2**7
    assert np.corrcoef(real[0], wanted[0])[0, 1] > 0.999999
    assert not add_and_norm(np.full((1, 4), 7), 3, np.zeros((1, 4), np.int64), 3, 12).any()


@pytest.mark.parametrize(("change", "text"), [
    ({"x": np.zeros((2, 5))}, "x must be integers, not float64"),
    ({"w": np.zeros((4, 6), np.int64)}, "w must have shape (any, 5), not (4, 6)"),
    ({"w": np.full((4, 5), HIGH + 1)}, f"w[0, 0] must be in {LOW}..{HIGH}, not {HIGH + 1}"),
    ({"shift": 64}, "shift must be an integer in 0..63, not 64"),
    ({"frac_x": -1}, "frac_x must be an integer in 0..15, not -1"),
])
def test_wrong_layer(change, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        a_layer(np.random.default_rng(1), **change)


@pytest.mark.parametrize(("change", "text"), [
    ({"x": np.zeros((9, 11), np.int64)}, "wq must have shape (4, 11, 3), not (4, 12, 3)"),
    ({"w2": np.zeros((41, 12), np.int64)}, "w2 must have shape (40, 12), not (41, 12)"),
    ({"past": np.zeros((2, 3), np.int64)}, "past must have shape (any, 12), not (2, 3)"),
    ({"shift_o": -1}, "shift_o must be an integer in 0..63, not -1"),
    ({"frac_y": 16}, "frac_y must be an integer in 0..15, not 16"),
])
def test_wrong_block(change, text):
    block = a_block(np.random.default_rng(1))
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        dataclasses.replace(block, **change)


@pytest.mark.parametrize(("tokens", "past"), [(9, 0), (1, 12), (3, 2)])
def test_block_is_close_to_float(tokens, past):
    """The formats lose little: against the same block in float, with the same connections."""
    block = a_block(np.random.default_rng(2), tokens=tokens, past=past)
    assert (block.tokens, block.keys) == (tokens, tokens + past)
    done = forward(block, TINY.estimate_bits)
    assert done.masks.shape == (4, tokens, tokens + past) and (done.masks.sum(axis=2) == 3).all()
    z = [float_attention(head, mask) for head, mask in zip(block.heads, done.masks, strict=True)]
    frac = block.heads[0].frac
    assert np.abs(np.array(z) - done.z / 2.0**frac).max() < 0.01
    o = np.hstack(list(done.z)) @ block.wo
    assert np.abs(done.o - o / 2.0**block.shift_o).max() <= 0.5
    out = done.out / 2.0**block.frac_y
    assert np.allclose(out.mean(axis=1), 0, atol=1e-2) and np.allclose(out.var(axis=1), 1, atol=1e-2)


def test_block_uses_its_formats():
    """Nothing is clipped, and the largest numbers use the whole width."""
    block = a_block(np.random.default_rng(3))
    done = forward(block, TINY.estimate_bits)
    for values in (done.o, done.u, done.f):
        assert 1 << 13 < np.abs(values).max() <= HIGH
    assert (done.u >= 0).all() and (done.u == 0).any()


def test_heads_have_what_the_layer_makes():
    """Q, K and V of a head are those of the linear transformation, the past included."""
    block = a_block(np.random.default_rng(4), tokens=2, past=5)
    for n, head in enumerate(block.heads):
        for made, kept in zip(block.qkv(n), (head.q, head.k, head.v), strict=True):
            assert np.array_equal(made, kept)
        assert head.x_q.shape[0] == 2 and head.x_k.shape[0] == 7 and np.array_equal(head.x_k[5:], head.x_q)


def test_work():
    """MACs of the stages: every weight once a token; in attention two products a connection."""
    block = a_block(np.random.default_rng(5))
    assert block.work(block.results(TINY)) == {
        "linear": 3 * 9 * 12 * 12, "attend": 2 * 4 * 9 * 3 * 3, "project_out": 9 * 12 * 12, "ffn": 2 * 9 * 12 * 40}
    assert isinstance(block, Block) and a_layer(np.random.default_rng(1)).work({}) == {"linear": 3 * 5 * 4}
