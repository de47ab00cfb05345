"""Words of the SRAM: where every element lies, and back again."""

import numpy as np
import pytest

from golden.dota.formats import FX_BITS, UNIT_BITS
from golden.dota.packing import chunks_of, low_rows, low_words, pack_fx, pack_low, unpack_fx, unpack_low
from tests.dota.heads import numbers
from tests.dota.launch import CONFIGS, configs

every_config = configs(*CONFIGS)
SIZES = (1, 2, 3, 5, 7, 8, 15, 16, 17, 29, 64, 65)


def shapes(rng):
    """Rows and elements: each odd size once for both."""
    return [*zip(SIZES, rng.permutation(SIZES).tolist(), strict=True), (1, 1), (3, 130), (70, 1)]


def raw_of(word):
    """A word as one number."""
    return sum(int(unit) << UNIT_BITS * i for i, unit in enumerate(word))


def element(raw, first_bit, bits):
    """Two's complement number in a word."""
    value = raw >> first_bit & (1 << bits) - 1
    return value - (value >> bits - 1 << bits)


@every_config
def test_fx_round_trip(cfg):
    rng = np.random.default_rng(1)
    for rows, elements in shapes(rng):
        matrix = numbers(rng, FX_BITS, rows, elements)
        words = pack_fx(cfg, matrix)
        assert words.shape == (chunks_of(cfg, elements), rows, cfg.units_per_word)
        assert words.min() >= 0 and words.max() < 1 << UNIT_BITS
        np.testing.assert_array_equal(unpack_fx(words, elements), matrix)


@every_config
def test_fx_layout(cfg):
    """Element e of row r: word ``e // vector`` of the row, element 0 lowest; what is beyond is 0."""
    rng = np.random.default_rng(2)
    matrix = numbers(rng, FX_BITS, 5, 2 * cfg.vector + 1)
    words = pack_fx(cfg, matrix)
    for chunk, rows in enumerate(words):
        for r, word in enumerate(rows):
            for e in range(cfg.vector):
                at = chunk * cfg.vector + e
                expected = matrix[r, at] if at < matrix.shape[1] else 0
                assert element(raw_of(word), FX_BITS * e, FX_BITS) == expected


@every_config
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_low_round_trip(cfg, bits):
    rng = np.random.default_rng(3)
    for rows, elements in shapes(rng):
        matrix = numbers(rng, bits, rows, elements)
        words = pack_low(cfg, matrix, bits)
        stored = low_rows(cfg, rows) // cfg.block * low_words(cfg, elements, bits) * (cfg.block // cfg.keys_per_word)
        assert words.shape == (stored, cfg.units_per_word)
        assert words.min() >= 0 and words.max() < 1 << UNIT_BITS
        np.testing.assert_array_equal(unpack_low(cfg, words, matrix.shape, bits), matrix)


@every_config
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_low_layout(cfg, bits):
    """Block, word of the row, part of the block, row of the word, unit, element: the first one in the low bits."""
    rng = np.random.default_rng(4)
    per_unit = UNIT_BITS // bits
    matrix = numbers(rng, bits, cfg.block + 1, 2 * cfg.units_per_key * per_unit + 1)
    packed = pack_low(cfg, matrix, bits)
    words, parts = low_words(cfg, matrix.shape[1], bits), cfg.block // cfg.keys_per_word
    assert words == 3
    for r, row in enumerate(matrix):
        block, part, key = r // cfg.block, r % cfg.block // cfg.keys_per_word, r % cfg.keys_per_word
        for e, expected in enumerate(row):
            word, unit = e // per_unit // cfg.units_per_key, e // per_unit % cfg.units_per_key
            raw = raw_of(packed[(block * words + word) * parts + part])
            assert element(raw, (key * cfg.units_per_key + unit) * UNIT_BITS + e % per_unit * bits, bits) == expected


@every_config
def test_rows_that_do_not_exist_are_zero(cfg):
    packed = pack_low(cfg, -np.ones((1, 1), np.int64), 4)
    assert packed[0, 0] == 15 and packed.sum() == 15
    assert len(packed) * cfg.keys_per_word >= low_rows(cfg, 1)


def test_words_of_the_paper():
    """64 elements of 16 bits; two units of each of 16 rows."""
    cfg = CONFIGS["paper"]
    assert (cfg.vector, cfg.keys_per_word, cfg.units_per_key) == (64, 16, 2)
    assert [chunks_of(cfg, d) for d in (1, 64, 65)] == [1, 1, 2]
    assert [low_words(cfg, 16, bits) for bits in (2, 4, 8)] == [1, 1, 2]
    assert [low_rows(cfg, rows) for rows in (1, 16, 17)] == [16, 16, 32]
    packed = pack_low(cfg, np.arange(32 * 16).reshape(32, 16) % 16 - 8, 4)
    assert packed.shape == (2, 32)
    assert packed[0, 0] == packed[1, 30] == 0xFEDCBA98 and packed[0, 1] == 0x76543210


@pytest.mark.parametrize(("name", "layout"), [("tiny", (2, 1, 1)), ("small", (8, 4, 1)), ("flat", (8, 2, 2)),
                                              ("tall", (8, 4, 1))])
def test_corners_that_the_configurations_cover(name, layout):
    """A word with half of the rows of a block, with all of them, with several units of each."""
    cfg = CONFIGS[name]
    assert (cfg.vector, cfg.keys_per_word, cfg.units_per_key) == layout
    assert (cfg.block == cfg.keys_per_word) == (name in ("small", "flat"))
