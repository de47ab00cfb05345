"""The encoder that makes ``text``: files, tokens, and the forward pass against scalar code."""

import math

import numpy as np
import pytest

from golden.dota import bert

from . import tiny_bert


@pytest.fixture(scope="module")
def model():
    return bert.read_model(*tiny_bert.files().values())


def test_files(model):
    """Every tensor comes back, of any known type; metadata is none."""
    for name, values in tiny_bert.tensors(1).items():
        assert np.array_equal(model.weights[name], values)
    assert model.weights["embeddings.position_ids"].tolist() == [list(range(256))]
    assert "__metadata__" not in model.weights
    assert (model.blocks, model.heads, model.epsilon) == (tiny_bert.BLOCKS, tiny_bert.HEADS, 1e-6)
    assert [model.vocabulary[piece] for piece in tiny_bert.PIECES] == list(range(len(tiny_bert.PIECES)))


@pytest.mark.parametrize(("key", "wrong", "right"), [
    ("model_type", "roberta", "bert"), ("hidden_act", "relu", "gelu"),
    ("position_embedding_type", "relative_key", "absolute")])
def test_wrong_model(key, wrong, right):
    with pytest.raises(ValueError, match=rf"^{key} must be '{right}', not '{wrong}'$"):
        bert.read_model(*tiny_bert.files(**{key: wrong}).values())


def test_wrong_tensors():
    data = tiny_bert.safetensors({"w": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="^w must be one of F32, F64, I64, I32, not 'F16'$"):
        bert.read_safetensors(data.replace(b"F32", b"F16"))
    with pytest.raises(ValueError, match=r"^w must have the numbers of shape \[3\], not 2$"):
        bert.read_safetensors(data[:-4])


def test_words():
    """Lower case, no accents, every sign a word; control characters are nothing."""
    words = ["cafe", "don", "'", "t", ",", "x", "_", "y", "$", "5", "\u2026"]
    assert bert.words_of("Caf\u00e9 don't,\tx_y $5\u200b\u2026 ") == words
    assert bert.words_of(" \n") == []


@pytest.mark.parametrize(("text", "pieces"), [
    ("Unaffable playing", ["un", "##aff", "##able", "play", "##ing"]),
    ("then", ["the", "##n"]),                       # the longest first
    ("ab\u4e2d", ["[UNK]"]),                        # the whole word, if a piece is missing
    ("a" * 101 + " a", ["[UNK]", "a"]),
    ("", [])])
def test_pieces(model, text, pieces):
    tokens = bert.tokens_of(text, model.vocabulary).tolist()
    assert [tiny_bert.PIECES[n] for n in tokens] == ["[CLS]", *pieces, "[SEP]"]


def test_gelu():
    x = np.concatenate([np.linspace(-7, 7, 2001), [0.0, -40.0, 40.0]]).astype(np.float32)
    exact = [v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x.tolist()]
    assert np.abs(bert.gelu(x) - exact).max() < 2e-6
    assert np.abs(bert.gelu(x.astype(np.float64)) - exact).max() < 1e-6


def scalar_linear(w, name, rows):
    weight, bias = w[f"{name}.weight"].tolist(), w[f"{name}.bias"].tolist()
    return [[sum(a * b for a, b in zip(row, out, strict=True)) + c for out, c in zip(weight, bias, strict=True)]
            for row in rows]


def scalar_normalise(w, name, rows):
    gain, shift = w[f"{name}.weight"].tolist(), w[f"{name}.bias"].tolist()
    result = []
    for row in rows:
        mean = sum(row) / len(row)
        deviation = math.sqrt(sum((v - mean)**2 for v in row) / len(row) + 1e-6)
        result.append([(v - mean) / deviation * g + b for v, g, b in zip(row, gain, shift, strict=True)])
    return result


def scalar_attention(q, k, v):
    result = []
    for query in q:
        scores = [sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in k]
        powers = [math.exp(score - max(scores)) for score in scores]
        result.append([sum(p * value[i] for p, value in zip(powers, v, strict=True)) / sum(powers)
                       for i in range(len(v[0]))])
    return result


def added(a, b):
    return [[x + y for x, y in zip(*rows, strict=True)] for rows in zip(a, b, strict=True)]


def scalar_forward(w, tokens):
    """Hidden states, in lists of Python's floats."""
    parts = (f"embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type"))
    word, position, kind = (w[name].tolist() for name in parts)
    h = [[a + b + c for a, b, c in zip(word[token], position[at], kind[0], strict=True)]
         for at, token in enumerate(tokens)]
    h = scalar_normalise(w, "embeddings.LayerNorm", h)
    size = tiny_bert.WIDTH // tiny_bert.HEADS
    for n in range(tiny_bert.BLOCKS):
        name = f"encoder.layer.{n}"
        qkv = [scalar_linear(w, f"{name}.attention.self.{part}", h) for part in ("query", "key", "value")]
        heads = [scalar_attention(*([row[first:first + size] for row in part] for part in qkv))
                 for first in range(0, tiny_bert.WIDTH, size)]
        z = [[value for head in heads for value in head[at]] for at in range(len(h))]
        z = scalar_linear(w, f"{name}.attention.output.dense", z)
        h = scalar_normalise(w, f"{name}.attention.output.LayerNorm", added(h, z))
        inner = [[v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in row]
                 for row in scalar_linear(w, f"{name}.intermediate.dense", h)]
        h = scalar_normalise(w, f"{name}.output.LayerNorm",
                             added(h, scalar_linear(w, f"{name}.output.dense", inner)))
    return h


@pytest.mark.parametrize("length", [1, 2, 9])
def test_forward(model, length):
    tokens = np.random.default_rng(length).integers(0, len(tiny_bert.PIECES), length)
    hidden, _ = bert.forward(model, tokens)
    assert np.abs(hidden - scalar_forward(model.weights, tokens.tolist())).max() < 2e-5


def test_blocks(model):
    """What is handed out as q, k, v of a block is linear in its x, head by head."""
    _, blocks = bert.forward(model, np.array([2, 9, 7, 3]))
    assert len(blocks) == tiny_bert.BLOCKS
    size = tiny_bert.WIDTH // tiny_bert.HEADS
    for n, block in enumerate(blocks):
        assert block.x.shape == (4, tiny_bert.WIDTH) and block.q.shape == (tiny_bert.HEADS, 4, size)
        for part, values in (("query", block.q), ("key", block.k), ("value", block.v)):
            made = bert.linear(model, f"encoder.layer.{n}.attention.self.{part}", block.x)
            for head in range(tiny_bert.HEADS):
                assert np.array_equal(values[head], made[:, size * head:size * (head + 1)])


def test_embedding(model):
    embedding = bert.embedding(model, "The un-playable!")
    mean = np.mean(scalar_forward(model.weights, bert.tokens_of("The un-playable!", model.vocabulary).tolist()), axis=0)
    assert np.allclose(embedding, mean / np.linalg.norm(mean), atol=1e-5)
