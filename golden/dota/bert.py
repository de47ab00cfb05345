"""A BERT encoder in numpy: its files, its tokens, its forward pass. It makes the data of the workload ``text``.

Tensors have the names and shapes of the files of the ``transformers`` library: a linear layer is ``y = x W^T + b`` with
W [outputs, inputs]. There is no padding: one sequence at a time.
"""

import json
import struct
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_DTYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4"}
#: Longer words are not looked up.
_LONGEST_WORD = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class Bert:
    """An encoder.

    Attributes
    ----------
    vocabulary : dict of str to int
        Pieces of words; those that continue a word begin with ``##``.
    weights : dict of str to float32 array
    blocks, heads : int
    epsilon : float
        Added to the variance before normalising.
    """

    vocabulary: dict
    weights: dict
    blocks: int
    heads: int
    epsilon: float


class Block(NamedTuple):
    """What the attention of a block works on."""

    #: Input, float [length, width].
    x: np.ndarray
    #: Float [heads, length, width / heads].
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray


def read_model(config: bytes, vocabulary: bytes, tensors: bytes) -> Bert:
    """An encoder from the contents of ``config.json``, ``vocab.txt`` and ``model.safetensors``.

    Raises
    ------
    ValueError
        If it is not the kind that :func:`forward` computes.
    """
    config = json.loads(config)
    for key, wanted in (("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config[key] != wanted:
            raise ValueError(f"{key} must be {wanted!r}, not {config[key]!r}")
    pieces = vocabulary.decode("utf-8").split("\n")
    return Bert(vocabulary={piece: number for number, piece in enumerate(pieces) if piece},
                weights=read_safetensors(tensors), blocks=config["num_hidden_layers"],
                heads=config["num_attention_heads"], epsilon=config["layer_norm_eps"])


def read_safetensors(data: bytes) -> dict:
    """Arrays by name: 8 bytes with the length of a JSON header, the header, then the numbers.

    Raises
    ------
    ValueError
        If a tensor has a type that is not known here, or lies outside of the file.
    """
    (size,) = struct.unpack_from("<Q", data)
    arrays = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in _DTYPES:
            raise ValueError(f"{name} must be one of {', '.join(_DTYPES)}, not {entry['dtype']!r}")
        first, end = (8 + size + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[first:end], _DTYPES[entry["dtype"]])
        if values.size != np.prod(entry["shape"], dtype=int):
            raise ValueError(f"{name} must have the numbers of shape {entry['shape']}, not {values.size!r}")
        arrays[name] = values.reshape(entry["shape"])
    return arrays


def words_of(text: str) -> list[str]:
    """Lower-case words without accents, and single signs. Chinese characters, which BERT takes one by one, stay
    together: the text is English."""
    words = []
    for chunk in text.split():
        words.append("")
        for char in unicodedata.normalize("NFD", chunk.lower()):
            if unicodedata.category(char) in ("Mn", "Cc", "Cf"):
                continue
            if _is_sign(char):
                words += [char, ""]
            else:
                words[-1] += char
    return [word for word in words if word]


def _is_sign(char):
    # All of ASCII that is neither letter nor digit counts, as $ and + do.
    return unicodedata.category(char)[0] == "P" or "!" <= char <= "~" and not char.isalnum()


def tokens_of(text: str, vocabulary: dict) -> np.ndarray:
    """Numbers of the longest pieces, from left to right, between the marks of begin and end; int [length]."""
    pieces = ["[CLS]", *(piece for word in words_of(text) for piece in _pieces(word, vocabulary)), "[SEP]"]
    return np.array([vocabulary[piece] for piece in pieces])


def _pieces(word, vocabulary):
    pieces, begin = [], 0
    while begin < len(word) <= _LONGEST_WORD:
        mark = "##" if begin else ""
        end = next((end for end in range(len(word), begin, -1) if mark + word[begin:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(mark + word[begin:end])
        begin = end
    return pieces or ["[UNK]"]


def forward(bert: Bert, tokens) -> tuple[np.ndarray, list[Block]]:
    """Final hidden states, float32 [length, width], and what the attention of each block worked on.

    Parameters
    ----------
    tokens : int array, shape (length,)
    """
    w, embeddings = bert.weights, "embeddings.{}.weight"
    h = (w[embeddings.format("word_embeddings")][tokens]
         + w[embeddings.format("position_embeddings")][:len(tokens)]
         + w[embeddings.format("token_type_embeddings")][0])
    h = _normalise(bert, "embeddings.LayerNorm", h)
    blocks = []
    for n in range(bert.blocks):
        name = f"encoder.layer.{n}"
        q, k, v = (_split(linear(bert, f"{name}.attention.self.{part}", h), bert.heads)
                   for part in ("query", "key", "value"))
        blocks.append(Block(h, q, k, v))
        z = softmax(q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(q.shape[-1]))) @ v
        z = linear(bert, f"{name}.attention.output.dense", z.swapaxes(0, 1).reshape(h.shape))
        h = _normalise(bert, f"{name}.attention.output.LayerNorm", h + z)
        inner = gelu(linear(bert, f"{name}.intermediate.dense", h))
        h = _normalise(bert, f"{name}.output.LayerNorm", h + linear(bert, f"{name}.output.dense", inner))
    return h, blocks


def embedding(bert: Bert, text: str) -> np.ndarray:
    """Mean of the final hidden states, of length 1: float [width]. Its products are the likeness of sentences."""
    mean = forward(bert, tokens_of(text, bert.vocabulary))[0].mean(axis=0)
    return mean / np.linalg.norm(mean)


def linear(bert: Bert, name: str, x) -> np.ndarray:
    """``x W^T + b``."""
    return x @ bert.weights[f"{name}.weight"].T + bert.weights[f"{name}.bias"]


def softmax(scores) -> np.ndarray:
    """Along the last dimension."""
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def gelu(x) -> np.ndarray:
    """x times the normal distribution function; that within 1e-7, by the rational approximation of Abramowitz and
    Stegun, 7.1.26."""
    a = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * a)
    tail = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail = (tail + np.float32(factor)) * t
    tail *= np.exp(-a * a) / 2
    return x * np.where(x < 0, tail, 1 - tail)


def _normalise(bert, name, h):
    centred = h - h.mean(axis=-1, keepdims=True)
    n = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(bert.epsilon))
    return n * bert.weights[f"{name}.weight"] + bert.weights[f"{name}.bias"]


def _split(x, heads):
    """[length, heads * d] as [heads, length, d]."""
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)
