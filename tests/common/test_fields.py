"""Packing of bit fields."""

import random

import pytest

from golden.common.fields import beats_of, pack_fields, unpack_fields

FIELDS = {"low": 3, "middle": 1, "high": 60}


def test_first_field_is_lowest():
    assert pack_fields(FIELDS, {"low": 5, "high": 1}) == 0b1_0_101
    assert pack_fields(FIELDS, {}) == 0
    assert unpack_fields(FIELDS, 1 << 64 | 0b11_1_010) == {"low": 2, "middle": 1, "high": 3}


def test_unpack_is_the_inverse():
    rng = random.Random(1)
    for _ in range(1000):
        word = rng.getrandbits(64)
        assert pack_fields(FIELDS, unpack_fields(FIELDS, word)) == word


@pytest.mark.parametrize("value", [8, -1])
def test_wrong_value(value):
    with pytest.raises(ValueError, match=rf"^low must be in 0\.\.7, not {value}$"):
        pack_fields(FIELDS, {"low": value})


def test_wrong_name():
    with pytest.raises(ValueError, match="^field must be one of low, middle, high, not 'top'$"):
        pack_fields(FIELDS, {"low": 1, "top": 1})


def test_beats_of_a_word():
    assert [beats_of(bits, 64) for bits in (1, 64, 65, 1024)] == [1, 1, 2, 16]
