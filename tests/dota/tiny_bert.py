"""A BERT encoder of random weights, in the files of a real one."""

import json
import struct

import numpy as np

WIDTH, HEADS, BLOCKS, INNER = 8, 2, 2, 6
CONFIG = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "layer_norm_eps": 1e-6,
          "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:'!?()-"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *LETTERS, *("##" + letter for letter in LETTERS), "un", "##aff", "##able",
          "play", "##ing", "the"]


def tensors(seed: int) -> dict:
    """Random float32 arrays under the names of the file."""
    rng = np.random.default_rng(seed)
    shapes = {"embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
              "embeddings.position_embeddings.weight": (256, WIDTH),
              "embeddings.token_type_embeddings.weight": (2, WIDTH)}
    layers = {f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
    layers |= {"attention.output.dense": (WIDTH, WIDTH), "intermediate.dense": (INNER, WIDTH),
               "output.dense": (WIDTH, INNER), "attention.output.LayerNorm": (WIDTH,), "output.LayerNorm": (WIDTH,)}
    named = {"embeddings.LayerNorm": (WIDTH,)}
    named |= {f"encoder.layer.{n}.{name}": shape for n in range(BLOCKS) for name, shape in layers.items()}
    for name, shape in named.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def safetensors(arrays) -> bytes:
    """A file of float32 and int64 arrays."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, values in arrays.items():
        dtype = {"f": "F32", "i": "I64"}[values.dtype.kind]
        header[name] = {"dtype": dtype, "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def files(seed: int = 1, **config) -> dict:
    """Name -> contents."""
    arrays = tensors(seed) | {"embeddings.position_ids": np.arange(256)[None]}
    return {"config.json": json.dumps(CONFIG | config).encode(), "vocab.txt": "\n".join(PIECES).encode() + b"\n",
            "model.safetensors": safetensors(arrays)}
