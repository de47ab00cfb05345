"""Work for the front of the Speculator: random jobs, words that tiles need, vectors that must come out."""

from dataclasses import dataclass

import numpy as np

from golden.common.fields import pack_fields, unpack_fields
from golden.duet import projection
from golden.duet.activation_buffer import span_of
from golden.duet.formats import SPECULATE_FIELDS, Kind
from sim.common.build import once

#: The simulator's model has the adder tree once, not once a tree: it is built in a third of the time.
CONTROL = once("duet_adder_tree")


@dataclass(frozen=True)
class Word:
    """A word on its way into the Speculator; ``values`` [values] INT16."""

    block_y: int
    block_x: int
    word: int
    last: bool
    values: np.ndarray


@dataclass(frozen=True)
class Work:
    """A job and its data.

    ``job``: field to value. ``words``: a list a tile. ``projection`` [words, trees, values], from word
    ``projection_base`` on. ``vectors``: (pixel, word, last, values) in the order in which they come out.
    """

    job: dict
    words: list
    projection: np.ndarray
    vectors: list

    @property
    def windows(self) -> int:
        """Windows that are read."""
        job = self.job
        return len(self.vectors) * job["depth"] * job["windows_y"] * job["windows_x"]


def job_bits(job) -> int:
    """The pins of a job, field to value; those that are not there are 0."""
    return pack_fields(SPECULATE_FIELDS, job)


def job_array(raw: int) -> np.ndarray:
    """A job as the models want it."""
    return np.array(list(unpack_fields(SPECULATE_FIELDS, raw).values()), np.int64)


def junk(rng, shape):
    """Values that must not count."""
    return rng.integers(-1 << 15, 1 << 15, shape)


def _direction(cfg, size, kernel, stride, pad):
    """Fields of a job for one direction."""
    outputs = (size + 2 * pad - kernel) // stride + 1
    first = -(-pad // cfg.side)
    near = ((cfg.side - 1) * stride + kernel - 1 - pad) // cfg.side + first + 1
    return {"outputs": outputs, "tiles": -(-outputs // cfg.side), "windows": projection.windows(cfg, kernel),
            "first": first, "near": near, "blocks": -(-size // cfg.side), "in_size": size}


def conv(cfg, rng, *, x, p, stride, pad, shift, base=0) -> Work:
    """Work of a convolution; arguments as :func:`golden.duet.projection.reduce_map`.

    Raises
    ------
    ValueError
        If it does not fit.
    """
    channels, depth = x.shape[0], -(-x.shape[0] // cfg.columns)
    y, z = (_direction(cfg, x.shape[1 + k], p.shape[2 + k], stride, pad) for k in range(2))
    span = max(span_of(cfg, stride=stride, pad=pad, windows=d["windows"], first=d["first"], near=d["near"])
               for d in (y, z))
    reduced = projection.reduced_words(cfg, p.shape[0])
    words = projection.pack_projection(cfg, p)
    if depth << 2 * span > cfg.activation_words or base + len(words) > cfg.projection_words \
            or reduced > cfg.reduced_words:
        raise ValueError("does not fit")
    job = {"run": 1, "kind": Kind.CONV.value, "stride": stride, "pad": pad, "windows_y": y["windows"],
           "windows_x": z["windows"], "tiles_y": y["tiles"], "tiles_x": z["tiles"], "height": y["outputs"],
           "width": z["outputs"], "in_height": x.shape[1], "in_width": x.shape[2], "span": span, "depth": depth,
           "projection_base": base, "reduced": reduced, "reduce_shift": shift}
    full = junk(rng, (depth * cfg.columns, y["blocks"] * cfg.side, z["blocks"] * cfg.side))
    full[:channels, :x.shape[1], :x.shape[2]] = x
    low = projection.reduce_map(x, p, stride=stride, pad=pad, shift=shift)
    tiles, vectors = [], []
    for tile_y in range(y["tiles"]):
        for tile_x in range(z["tiles"]):
            tiles.append(_tile_words(cfg, rng, full, depth, y, z, stride, tile_y, tile_x))
            vectors += _tile_vectors(cfg, low, reduced, tile_y * cfg.side, tile_x * cfg.side)
    return Work(job, tiles, words, vectors)


def _tile_words(cfg, rng, full, depth, y, x, stride, tile_y, tile_x):
    """Words of the blocks near a tile, in any order."""
    side, places = cfg.side, []
    for block_y in range(tile_y * stride - y["first"], tile_y * stride - y["first"] + y["near"]):
        for block_x in range(tile_x * stride - x["first"], tile_x * stride - x["first"] + x["near"]):
            if 0 <= block_y < y["blocks"] and 0 <= block_x < x["blocks"]:
                places += [(block_y, block_x, word) for word in range(depth)]
    if not places:      # a tile that needs nothing: any word
        return [Word(int(rng.integers(y["blocks"])), int(rng.integers(x["blocks"])), int(rng.integers(depth)), True,
                     junk(rng, cfg.values))]
    words = []
    for n, place in enumerate(rng.permutation(len(places)).tolist()):
        block_y, block_x, word = places[place]
        block = full[word * cfg.columns:(word + 1) * cfg.columns, block_y * side:(block_y + 1) * side,
                     block_x * side:(block_x + 1) * side]
        words.append(Word(block_y, block_x, word, n == len(places) - 1, block.ravel()))
    return words


def _tile_vectors(cfg, low, reduced, y, x):
    """Vectors of a tile: word by word, of each the pixels that exist."""
    low = np.concatenate([low, np.zeros((reduced * cfg.trees - low.shape[0], *low.shape[1:]), np.int64)])
    pixels = [(i, j) for i in range(cfg.side) for j in range(cfg.side)
              if y + i < low.shape[1] and x + j < low.shape[2]]
    return [(i * cfg.side + j, word, word == reduced - 1 and (i, j) == pixels[-1],
             tuple(low[word * cfg.trees:(word + 1) * cfg.trees, y + i, x + j].tolist()))
            for word in range(reduced) for i, j in pixels]


def vector(cfg, rng, *, x, p, shift, base=0) -> Work:
    """Work of a vector; arguments as :func:`golden.duet.projection.reduce_vector`. Raises ValueError if too large."""
    depth, reduced = -(-len(x) // cfg.values), projection.reduced_words(cfg, p.shape[0])
    words = projection.pack_projection(cfg, p)
    if depth > cfg.activation_words or base + len(words) > cfg.projection_words or reduced > cfg.reduced_words:
        raise ValueError("does not fit")
    # What a vector does not use may hold anything.
    job = {"run": 1, "kind": Kind.VECTOR.value, "stride": int(rng.integers(8)), "pad": int(rng.integers(16)),
           "windows_y": 1, "windows_x": 1, "tiles_y": 1, "tiles_x": 1, "height": 1, "width": 1,
           "in_height": int(rng.integers(4096)), "in_width": int(rng.integers(4096)), "span": int(rng.integers(4)),
           "depth": depth, "projection_base": base, "reduced": reduced, "reduce_shift": shift}
    full = junk(rng, depth * cfg.values)
    full[:len(x)] = x
    blocks = full.reshape(depth, cfg.pixels, cfg.columns).transpose(0, 2, 1).reshape(depth, -1)
    order = rng.permutation(depth).tolist()
    words_in = [Word(int(rng.integers(256)), int(rng.integers(256)), word, n == depth - 1, blocks[word])
                for n, word in enumerate(order)]
    low = np.zeros(reduced * cfg.trees, np.int64)
    low[:p.shape[0]] = projection.reduce_vector(x, p, shift=shift)
    vectors = [(0, word, word == reduced - 1, tuple(low[word * cfg.trees:(word + 1) * cfg.trees].tolist()))
               for word in range(reduced)]
    return Work(job, [words_in], words, vectors)


def ternary(rng, shape, density=0.6):
    """Random -1, 0, 1."""
    return (rng.integers(0, 2, shape) * 2 - 1) * (rng.random(shape) < density)


def values(rng, shape):
    """INT16 values: small ones, large ones, the ends."""
    x = rng.integers(-1 << 15, 1 << 15, shape) >> rng.integers(0, 14, shape)
    return np.where(rng.random(shape) < 0.05, rng.choice([-1 << 15, (1 << 15) - 1], shape), x)


def random_conv(cfg, rng, *, most=9, tiles=None) -> Work:
    """A convolution that fits: kernels 1, 2, 3, 5, 7, strides 1..3, padding 0..3, maps from 1 x 1 on."""
    while True:
        kernel = rng.choice([1, 2, 3, 5, 7], 2)
        pad, stride = int(rng.integers(4)), int(rng.integers(1, 4))
        size = rng.integers(1, most, 2)
        if (size + 2 * pad < kernel).any():
            continue
        channels, length = int(rng.integers(1, 3 * cfg.columns)), int(rng.integers(1, 2 * cfg.trees + 1))
        x, p = values(rng, (channels, *size)), ternary(rng, (length, channels, *kernel), rng.random())
        try:
            work = conv(cfg, rng, x=x, p=p, stride=stride, pad=pad, shift=_shift(rng, p[0].size),
                        base=int(rng.integers(cfg.projection_words)))
        except ValueError:
            continue
        if tiles is None or work.job["tiles_y"] * work.job["tiles_x"] <= tiles:
            return work


def random_vector(cfg, rng, *, words=5) -> Work:
    """A vector that fits."""
    while True:
        elements, length = int(rng.integers(1, words * cfg.values)), int(rng.integers(1, 3 * cfg.trees))
        try:
            return vector(cfg, rng, x=values(rng, elements), p=ternary(rng, (length, elements), rng.random()),
                          shift=_shift(rng, elements), base=int(rng.integers(cfg.projection_words)))
        except ValueError:
            continue


def _shift(rng, inputs):
    """A shift after which results are neither all 0 nor all clipped; sometimes an extreme one."""
    return int(rng.integers(32)) if rng.random() < 0.1 else int(rng.integers(1 + max(1, inputs.bit_length() // 2 + 2)))


def pack(numbers, bits: int) -> int:
    """The bit pattern of many small numbers, the first lowest; ``bits`` is 2, 4, 8, 16 or 32."""
    raw = np.asarray(numbers, np.int64).ravel() & (1 << bits) - 1
    if bits < 8:
        per = 8 // bits
        raw = np.pad(raw, (0, -len(raw) % per)).reshape(-1, per) << bits * np.arange(per)
        return int.from_bytes(raw.sum(axis=1).astype(np.uint8).tobytes(), "little")
    return int.from_bytes(raw.astype(f"<u{bits // 8}").tobytes(), "little")


def unpack(raw: int, count: int, bits: int) -> np.ndarray:
    """The inverse of :func:`pack`: int64, two's complement."""
    size = -(-count * bits // 8)
    flat = np.frombuffer(raw.to_bytes(size, "little"), np.uint8 if bits < 8 else f"<u{bits // 8}").astype(np.int64)
    if bits < 8:
        flat = (flat[:, None] >> bits * np.arange(8 // bits)).ravel()[:count] & (1 << bits) - 1
    return flat - ((flat >> bits - 1) << bits)
