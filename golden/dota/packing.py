"""Matrices as words of the SRAM of a lane, and back.

FX16: word ``c * stride + r`` holds elements ``c * vector .. c * vector + vector - 1`` of row r, the first one in the
low bits.

Low precision: rows lie in blocks of ``cfg.block``. A word has ``units_per_key`` units of 32 bits of ``keys_per_word``
rows, row after row; where that is fewer than a block has rows, the words of all its rows follow each other, and then
comes the next part of the rows::

    MSB                                                            LSB
    +---------------+-----+---------------+-------------------------+
    | row 15 unit 1 | ... | row 1  unit 0 | row 0 unit 1 | r 0 u 0  |     paper: 16 rows, 2 units of each
    +---------------+-----+---------------+-------------------------+

Element e of a row lies in unit ``e // n``, the first one in the low bits, where n = 32 / bits.
"""

import numpy as np

from .config import DotaConfig
from .formats import FX_BITS, QUERIES, UNIT_BITS

__all__ = ["chunks_of", "low_rows", "low_words", "pack_fx", "pack_low", "unpack_fx", "unpack_low"]

_MASK = (1 << UNIT_BITS) - 1


def chunks_of(cfg: DotaConfig, elements: int) -> int:
    """Words of a row of FX16 elements."""
    return -(-elements // cfg.vector)


def pack_fx(cfg: DotaConfig, rows) -> np.ndarray:
    """FX16 rows, int [rows, elements], as words: int64 [chunks, rows, units]."""
    rows = np.asarray(rows, np.int64)
    chunks = chunks_of(cfg, rows.shape[1])
    padded = np.zeros((len(rows), chunks * cfg.vector), np.int64)
    padded[:, :rows.shape[1]] = rows & (1 << FX_BITS) - 1
    halves = padded.reshape(len(rows), chunks, cfg.units_per_word, 2).swapaxes(0, 1)
    return halves[..., 0] | halves[..., 1] << FX_BITS


def unpack_fx(words, elements: int) -> np.ndarray:
    """The inverse of :func:`pack_fx`: int64 [rows, elements]."""
    words = np.asarray(words, np.int64)
    halves = np.stack([words & (1 << FX_BITS) - 1, words >> FX_BITS], axis=-1)
    signed = halves - (halves >> FX_BITS - 1 << FX_BITS)
    return signed.swapaxes(0, 1).reshape(words.shape[1], -1)[:, :elements]


def low_rows(cfg: DotaConfig, rows: int) -> int:
    """Rows that are stored: whole blocks and whole groups."""
    whole = max(cfg.block, QUERIES)
    return -(-rows // whole) * whole


def low_words(cfg: DotaConfig, elements: int, bits: int) -> int:
    """Words in which a low-precision row has units: ``low_words`` of a step."""
    units = -(-elements * bits // UNIT_BITS)
    return -(-units // cfg.units_per_key)


def pack_low(cfg: DotaConfig, rows, bits: int) -> np.ndarray:
    """Low-precision rows, int [rows, elements], as words: int64 [words, units]."""
    rows = np.asarray(rows, np.int64)
    words, parts = low_words(cfg, rows.shape[1], bits), cfg.block // cfg.keys_per_word
    per_unit = UNIT_BITS // bits
    padded = np.zeros((low_rows(cfg, len(rows)), words * cfg.units_per_key * per_unit), np.int64)
    padded[:len(rows), :rows.shape[1]] = rows & (1 << bits) - 1
    units = (padded.reshape(len(padded), -1, per_unit) << bits * np.arange(per_unit)).sum(axis=2) & _MASK
    # [blocks, parts, rows of a word, words, units of a row] -> [blocks, words, parts, rows, units].
    placed = units.reshape(-1, parts, cfg.keys_per_word, words, cfg.units_per_key).transpose(0, 3, 1, 2, 4)
    return placed.reshape(-1, cfg.keys_per_word * cfg.units_per_key)


def unpack_low(cfg: DotaConfig, words, shape, bits: int) -> np.ndarray:
    """The inverse of :func:`pack_low`: int64 of ``shape`` (rows, elements)."""
    n_words, parts = low_words(cfg, shape[1], bits), cfg.block // cfg.keys_per_word
    placed = np.asarray(words, np.int64).reshape(-1, n_words, parts, cfg.keys_per_word, cfg.units_per_key)
    units = placed.transpose(0, 2, 3, 1, 4).reshape(-1, n_words * cfg.units_per_key)
    elements = units[:, :, None] >> bits * np.arange(UNIT_BITS // bits) & (1 << bits) - 1
    elements = elements.reshape(len(units), -1)
    return (elements - (elements >> bits - 1 << bits))[:shape[0], :shape[1]]
