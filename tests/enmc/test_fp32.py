"""Single precision in numpy, in integers and by definition: three forms that must be one."""

import numpy as np
import pytest

from golden.common.jit import ENABLED, jit
from golden.enmc import fp32
from tests.enmc.fp32_cases import CORNERS, corner_pairs, pairs

OPERATIONS = {"+": (fp32.add, fp32.add_bits), "*": (fp32.multiply, fp32.multiply_bits),
              "/": (fp32.divide, fp32.divide_bits)}


@jit
def each(operation, a, b, out):
    """One pair after the other, as the cycle models do it."""
    for k in range(len(a)):
        if operation == 0:
            out[k] = fp32.add_bits(a[k], b[k])
        elif operation == 1:
            out[k] = fp32.multiply_bits(a[k], b[k])
        else:
            out[k] = fp32.divide_bits(a[k], b[k])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_numpy_equals_the_definition(operation):
    """Every pair of corners, and thousands of random pairs, rounded in rational numbers."""
    function = OPERATIONS[operation][0]
    for a, b in corner_pairs(), pairs(np.random.default_rng(1), 8000):
        expected = [fp32.exact(operation, x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        np.testing.assert_array_equal(function(a, b), np.array(expected, np.uint32))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_integers_equal_numpy(operation):
    """A million pairs through the functions of the cycle models."""
    count = 1_000_000 if ENABLED else 3000
    for a, b in corner_pairs(), pairs(np.random.default_rng(2), count):
        found = np.zeros(len(a), np.int64)
        each("+*/".index(operation), a.astype(np.int64), b.astype(np.int64), found)
        np.testing.assert_array_equal(found, OPERATIONS[operation][0](a, b))


def test_pairs_reach_the_corners():
    """The random pairs are what the tests of the hardware rest on: each kind of result is there often."""
    a, b = pairs(np.random.default_rng(3), 100_000)
    for function in fp32.add, fp32.multiply, fp32.divide:
        magnitude = function(a, b) & 0x7FFF_FFFF
        for name, share in {"zero": magnitude == 0, "subnormal": (magnitude > 0) & (magnitude < 1 << 23),
                            "infinite": magnitude == fp32.INF, "no number": magnitude == fp32.NAN}.items():
            assert np.mean(share) > 0.003, f"{name} results of {function.__name__}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_nan_is_the_same(operation):
    function = OPERATIONS[operation][0]
    for nan in 0x7F80_0001, 0xFFC0_0000, 0xFFFF_FFFF, 0x7FC1_2345:
        for other in CORNERS:
            assert function(nan, other) == function(other, nan) == fp32.NAN


@pytest.mark.parametrize(("operation", "a", "b", "result"), [
    ("+", 0x3F80_0000, 0xBF80_0000, 0),                     # 1 - 1 is +0
    ("+", 0x8000_0000, 0x8000_0000, 0x8000_0000),           # -0 - 0 is -0
    ("+", 0x7F80_0000, 0xFF80_0000, fp32.NAN),
    ("+", 0x4B80_0000, 0x3F80_0000, 0x4B80_0000),           # 2**24 + 1: a tie, to the even one
    ("+", 0x4B80_0001, 0x3F80_0000, 0x4B80_0002),
    ("+", 0x7F7F_FFFF, 0x7300_0000, 0x7F80_0000),           # half of the last place beyond the largest number
    ("+", 0x0080_0000, 0x8000_0001, 0x007F_FFFF),
    ("*", 0x0000_0001, 0x3F00_0000, 0),                     # half of the smallest number: a tie
    ("*", 0x0000_0001, 0x3F00_0001, 1),
    ("*", 0x00FF_FFFF, 0x3F00_0000, 0x0080_0000),           # rounded up to the smallest normal number
    ("*", 0x7F80_0000, 0x8000_0000, fp32.NAN),
    ("*", 0x7F7F_FFFF, 0xC000_0000, 0xFF80_0000),
    ("/", 0x3F80_0000, 0x4040_0000, 0x3EAA_AAAB),
    ("/", 0x0000_0001, 0x4000_0000, 0),
    ("/", 0x0000_0003, 0x4000_0000, 2),
    ("/", 0x3F80_0000, 0x8000_0000, 0xFF80_0000),
    ("/", 0, 0, fp32.NAN),
])
def test_by_hand(operation, a, b, result):
    function, function_bits = OPERATIONS[operation]
    assert function(a, b) == function_bits(a, b) == fp32.exact(operation, a, b) == result


def test_formats():
    """Small formats: the numbers of 2 exponent and 2 fraction bits are multiples of 1/4 up to 3.5."""
    form = fp32.Format(2, 2)
    values = [float(fp32.value_of(bits, form)) for bits in range(form.inf)]
    assert values == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5]
    assert fp32.exact("+", 10, 1, form) == 10           # 3.25, a tie of 3 and 3.5
    assert fp32.exact("+", 11, 1, form) == form.inf     # 3.75, a tie of 3.5 and what would be 4
    assert fp32.exact("*", 3, 3, form) == 2             # 0.5625


def test_arrays_and_numbers():
    """Shapes are kept, plain integers and lists are taken."""
    a = np.arange(6, dtype=np.uint32).reshape(2, 3)
    assert fp32.add(a, 0).shape == (2, 3) and fp32.add(a, 0).dtype == np.uint32
    assert fp32.multiply([fp32.ONE], fp32.ONE).tolist() == [fp32.ONE]
    np.testing.assert_array_equal(fp32.bits_of(fp32.floats_of(a)), a)
