"""What lies where in the DRAM of a rank, in bursts of ``dq`` bytes, and how it gets there and back.

Classes are divided over the ranks in whole tiles of ``cfg.classes``. A rank holds, each at a multiple of the bursts of
an open pair of rows::

    tiles         4 bursts of int32 biases, then screen_bursts of INT4 weights, tile after tile: one stream
    rows          row_bursts of FP32 for every class: w, the bias, zeros
    features      INT4 features of every batch
    h             row_bursts of FP32 for every input: h, 1.0, zeros
    scores        approximate scores: of every batch, of every tile, of every input 4 bursts of int32

A burst of weights has two columns of all classes of a tile: byte c is class c, its low nibble column 2 j, its high
nibble column 2 j + 1. INT4 features lie as they do in the feature buffer: element e of input b is nibble
``2 * screen_bursts * b + e``. Padding is zero everywhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from golden.common.cli import UsageError

from .config import EnmcConfig
from .formats import INT4_BITS
from .spec import LOW, Screener, exact_bursts

__all__ = ["BIAS_BURSTS", "MOST_CLASSES", "Layout", "Segment", "features_image", "memory_of", "pack_exact",
           "pack_features", "pack_rows", "pack_tiles", "plan_layout", "unpack_features", "unpack_rows", "unpack_scores",
           "unpack_tiles"]

#: Bursts of a tile's biases, or of an input's scores of a tile: 32 bits a class.
BIAS_BURSTS = 4
#: Labels of records have 24 bits.
MOST_CLASSES = 1 << 24


class Segment(NamedTuple):
    """Bursts ``addr ..`` of a rank.

    Attributes
    ----------
    addr : int
    words : uint32 array, shape (bursts, cfg.burst_words)
    """

    addr: int
    words: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything lies; made by :func:`plan_layout`.

    Attributes
    ----------
    cfg : EnmcConfig
    classes : int
        Of all ranks together.
    elements : int
        d.
    size : int
        k.
    inputs : int
        Of all batches together.
    batch : int
        Inputs of a batch; the last one may have fewer.
    """

    cfg: EnmcConfig
    classes: int
    elements: int
    size: int
    inputs: int
    batch: int

    @property
    def screen_bursts(self) -> int:
        """Bursts of screening weights of a tile."""
        return -(-self.size // 2)

    @property
    def tile_bursts(self) -> int:
        """The same with the biases."""
        return BIAS_BURSTS + self.screen_bursts

    @property
    def row_bursts(self) -> int:
        """Bursts of the exact weights of a class, and of h."""
        return exact_bursts(self.elements, self.cfg.burst_words)

    @property
    def feature_bursts(self) -> int:
        """Bursts of the INT4 features of a full batch."""
        return -(-self.batch * 2 * self.screen_bursts // (2 * self.cfg.dq))

    @property
    def batches(self) -> int:
        """Programs that it takes."""
        return -(-self.inputs // self.batch)

    def batch_of(self, n: int) -> range:
        """Inputs of batch ``n``."""
        return range(n * self.batch, min((n + 1) * self.batch, self.inputs))

    def tiles_of(self, rank: int) -> int:
        """Tiles of a rank: as many as of any other, or one more in the first ranks."""
        tiles = -(-self.classes // self.cfg.classes)
        return tiles // self.cfg.ranks + (rank < tiles % self.cfg.ranks)

    def share(self, rank: int) -> range:
        """Classes of a rank; those of the last ranks may be none."""
        first = sum(map(self.tiles_of, range(rank))) * self.cfg.classes
        return range(min(first, self.classes), min(first + self.tiles_of(rank) * self.cfg.classes, self.classes))

    # The first rank has the most, and all ranks have the same addresses.

    @property
    def row_base(self) -> int:
        """First burst of the exact weights."""
        return self._aligned(self.tiles_of(0) * self.tile_bursts)

    @property
    def feature_base(self) -> int:
        """First burst of the INT4 features."""
        return self._aligned(self.row_base + len(self.share(0)) * self.row_bursts)

    @property
    def exact_base(self) -> int:
        """First burst of h."""
        return self._aligned(self.feature_base + self.batches * self.feature_bursts)

    @property
    def score_base(self) -> int:
        """First burst of the scores."""
        return self._aligned(self.exact_base + self.inputs * self.row_bursts)

    @property
    def bursts(self) -> int:
        """Bursts of a rank that are used."""
        return self.score_base + self.batches * self._batch_scores

    @property
    def _batch_scores(self):
        return self.tiles_of(0) * self.batch * BIAS_BURSTS

    def _aligned(self, addr):
        pair = 2 * self.cfg.page_bursts
        return -(-addr // pair) * pair

    def tile_at(self, tile: int) -> int:
        """Burst of the biases of a tile; its weights follow."""
        return tile * self.tile_bursts

    def row_at(self, label: int) -> int:
        """Burst of the exact weights of a class of the rank, counted from its first one."""
        return self.row_base + label * self.row_bursts

    def features_at(self, n: int) -> int:
        """Burst of the INT4 features of batch ``n``."""
        return self.feature_base + n * self.feature_bursts

    def exact_at(self, n: int) -> int:
        """Burst of h of the first input of batch ``n``."""
        return self.exact_base + n * self.batch * self.row_bursts

    def scores_at(self, n: int, tile: int) -> int:
        """Burst of the scores of a tile in batch ``n``: input after input."""
        return self.score_base + n * self._batch_scores + tile * len(self.batch_of(n)) * BIAS_BURSTS


def plan_layout(cfg: EnmcConfig, *, classes: int, elements: int, size: int, inputs: int,
                batch: int | None = None) -> Layout:
    """Places for a classifier and its inputs.

    Parameters
    ----------
    classes, elements, size, inputs : int
        Classes, d, k and vectors h; at least 1.
    batch : int, optional
        Inputs of a batch. Without it as many as the buffers hold.

    Raises
    ------
    UsageError
        If it does not fit: one line that names the limit.
    """
    for name, value, most in (("classes", classes, MOST_CLASSES), ("d", elements, cfg.exact_features - 1),
                              ("k", size, cfg.features), ("inputs", inputs, None)):
        if value < 1 or most is not None and value > most:
            rule = "at least 1" if most is None else f"in 1..{most}"
            raise UsageError(f"{name} must be {rule} in this configuration, not {value}")
    # Both are at least 1, as d and k are in range.
    most = min(cfg.batch, cfg.features // (2 * -(-size // 2)),
               cfg.exact_features // (exact_bursts(elements, cfg.burst_words) * cfg.burst_words))
    if batch is not None and not 1 <= batch <= most:
        raise UsageError(f"batch must be in 1..{most} for k = {size} and d = {elements}, not {batch}")
    layout = Layout(cfg=cfg, classes=classes, elements=elements, size=size, inputs=inputs,
                    batch=min(most if batch is None else batch, inputs))
    if layout.bursts > cfg.bursts:
        raise UsageError(f"a rank's DRAM must hold {layout.bursts} bursts of {cfg.dq} bytes, not {cfg.bursts}: take "
                         "fewer classes or inputs, or more ranks, row_bits or column_bits")
    return layout


def _bursts(cfg, data):
    """Bytes as uint32 [bursts, words]; the last burst is filled with zeros."""
    data = np.ascontiguousarray(data).view(np.uint8).ravel()
    padded = np.zeros(-(-data.size // cfg.dq) * cfg.dq, np.uint8)
    padded[:data.size] = data
    return padded.view("<u4").astype(np.uint32, copy=False).reshape(-1, cfg.burst_words)


def _bytes(words):
    return np.ascontiguousarray(words, "<u4").view(np.uint8)


def _signed(nibbles):
    nibbles = nibbles.astype(np.int8)
    return np.where(nibbles > -LOW - 1, nibbles + 2 * LOW, nibbles).astype(np.int8)


def pack_tiles(cfg: EnmcConfig, w, b) -> np.ndarray:
    """Biases and INT4 weights of whole tiles: uint32 [tiles, tile_bursts, words].

    Parameters
    ----------
    w : int8 array, shape (classes, k)
    b : int32 array, shape (classes,)
    """
    tiles, bursts = -(-len(w) // cfg.classes), -(-w.shape[1] // 2)
    columns = np.zeros((tiles * cfg.classes, 2 * bursts), np.uint8)
    columns[:len(w), :w.shape[1]] = w & (1 << INT4_BITS) - 1
    pairs = (columns[:, 0::2] | columns[:, 1::2] << INT4_BITS).reshape(tiles, cfg.classes, bursts)
    biases = np.zeros(tiles * cfg.classes, "<i4")
    biases[:len(b)] = b
    parts = [_bursts(cfg, biases).reshape(tiles, BIAS_BURSTS, -1),
             _bursts(cfg, pairs.swapaxes(1, 2)).reshape(tiles, bursts, -1)]
    return np.concatenate(parts, axis=1)


def unpack_tiles(cfg: EnmcConfig, words, shape) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of :func:`pack_tiles` for ``shape`` (classes, k): weights int8 and biases int32."""
    words = np.asarray(words, np.uint32)
    biases = words[:, :BIAS_BURSTS].reshape(-1).view(np.int32)[:shape[0]]
    pairs = _bytes(words[:, BIAS_BURSTS:]).reshape(len(words), -1, cfg.classes).swapaxes(1, 2)
    nibbles = np.stack([pairs & (1 << INT4_BITS) - 1, pairs >> INT4_BITS], axis=-1)
    return _signed(nibbles).reshape(len(words) * cfg.classes, -1)[:shape[0], :shape[1]], biases


def pack_rows(cfg: EnmcConfig, w, b) -> np.ndarray:
    """Rows of exact weights: uint32 [classes * row_bursts, words].

    Parameters
    ----------
    w : float32 array, shape (classes, d)
    b : float32 array, shape (classes,)
    """
    rows = np.zeros((len(w), exact_bursts(w.shape[1], cfg.burst_words) * cfg.burst_words), "<f4")
    rows[:, :w.shape[1]] = w
    rows[:, w.shape[1]] = b
    return _bursts(cfg, rows)


def pack_exact(cfg: EnmcConfig, h) -> np.ndarray:
    """FP32 features, float32 [batch, d], each followed by 1.0 for the bias: uint32 [batch * row_bursts, words]."""
    return pack_rows(cfg, h, np.ones(len(h), np.float32))


def unpack_rows(words, elements: int) -> np.ndarray:
    """The inverse of :func:`pack_rows`: float32 [classes, elements + 1], the bias last."""
    words = np.ascontiguousarray(words, np.uint32)
    return words.view(np.float32).reshape(-1, exact_bursts(elements, words.shape[1]) * words.shape[1])[:, :elements + 1]


def pack_features(cfg: EnmcConfig, features) -> np.ndarray:
    """INT4 features of a batch, int8 [batch, k]: uint32 [bursts, words]."""
    batch, size = features.shape
    nibbles = np.zeros((batch, 2 * -(-size // 2)), np.uint8)
    nibbles[:, :size] = features & (1 << INT4_BITS) - 1
    return _bursts(cfg, nibbles.ravel()[0::2] | nibbles.ravel()[1::2] << INT4_BITS)


def unpack_features(words, shape) -> np.ndarray:
    """The inverse of :func:`pack_features` for ``shape`` (batch, k): int8."""
    pairs = _bytes(words).ravel()
    nibbles = np.stack([pairs & (1 << INT4_BITS) - 1, pairs >> INT4_BITS], axis=-1).ravel()
    padded = 2 * -(-shape[1] // 2)
    return _signed(nibbles[:shape[0] * padded]).reshape(shape[0], padded)[:, :shape[1]]


def unpack_scores(cfg: EnmcConfig, words, classes: int, batch: int) -> np.ndarray:
    """Scores as STR wrote them, uint32 [tiles * batch * 4, words]: int32 [batch, classes]."""
    scores = np.ascontiguousarray(words, np.uint32).view(np.int32).reshape(-1, batch, cfg.classes)
    return scores.swapaxes(0, 1).reshape(batch, -1)[:, :classes]


def memory_of(layout: Layout, rank: int, screener: Screener | None, w, b, rows=None) -> list[Segment]:
    """What the host writes into a rank before the first batch.

    Parameters
    ----------
    screener : Screener or None
        None leaves the tiles out.
    w : float32 array, shape (classes, d), or LowRank
    b : float32 array, shape (classes,)
    rows : int array, optional
        Classes whose exact weights are wanted, ascending, for runs that need no others. Without it all of the rank's.
    """
    cfg, share = layout.cfg, layout.share(rank)
    segments = []
    if not share:
        return segments
    own = slice(share.start, share.stop)
    if screener is not None:
        tiles = pack_tiles(cfg, screener.w[own], screener.b[own])
        segments.append(Segment(0, tiles.reshape(-1, cfg.burst_words)))
    if rows is None:
        segments.append(Segment(layout.row_base, pack_rows(cfg, w[own], b[own])))
        return segments
    rows = np.asarray(rows)
    rows = rows[(rows >= share.start) & (rows < share.stop)]
    packed = pack_rows(cfg, w[rows], b[rows]).reshape(len(rows), layout.row_bursts, cfg.burst_words)
    segments += [Segment(layout.row_at(int(n) - share.start), words) for n, words in zip(rows, packed, strict=True)]
    return segments


def features_image(layout: Layout, n: int, features, h) -> list[Segment]:
    """What the host writes into every rank for batch ``n``.

    Parameters
    ----------
    features : int8 array, shape (inputs, k), or None
        Of all batches. None leaves them out.
    h : float32 array, shape (inputs, d)
    """
    own, segments = slice(*_ends(layout.batch_of(n))), []
    if features is not None:
        segments.append(Segment(layout.features_at(n), pack_features(layout.cfg, features[own])))
    return [*segments, Segment(layout.exact_at(n), pack_exact(layout.cfg, h[own]))]


def _ends(inputs):
    return inputs.start, inputs.stop
