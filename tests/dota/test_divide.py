"""Divider: golden model and hardware."""

from fractions import Fraction

import numpy as np

from golden.dota import divide
from hdl.dota.divide import Divide
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.dota.shapes import Nothing

BENCH = "tests.dota.tb_divide"
ONE = 1 << divide.WEIGHT_BITS


def operands(rng, count):
    """Pairs of all sizes."""
    divisor = np.maximum(rng.integers(1 << divide.DIVISOR_BITS, size=count) >> rng.integers(24, size=count), 1)
    return rng.integers(np.minimum(divisor, ONE) + 1), divisor


def test_definition():
    """The nearest integer of the exact quotient, halves up; only 1 itself is clipped."""
    for dividend, divisor in zip(*operands(np.random.default_rng(1), 3000), strict=True):
        exact = Fraction(int(dividend) * ONE, int(divisor))
        weight = divide.divide(int(dividend), int(divisor))
        assert weight == divide.divide_array(dividend, divisor)
        assert weight == ONE - 1 if dividend == divisor else -1 <= 2 * (exact - weight) < 1


def test_only_equal_operands_are_clipped():
    """The hardware relies on it: 16 quotient bits are all ones only if the dividend is as large as the divisor."""
    dividend = np.arange(1, ONE + 1)
    assert np.all((dividend - 1) * (1 << 16) // dividend < (1 << 16) - 1)


def test_model_equals_spec():
    """Thousands of pairs through the clocked model: the definition, LATENCY cycles later."""
    dividend, divisor = operands(np.random.default_rng(2), 5000)
    model = divide.DivideModel()
    results = [model.step(int(e), int(s)) for e, s in zip(dividend, divisor, strict=True)]
    assert results == [0] * divide.LATENCY + divide.divide_array(dividend, divisor)[:-divide.LATENCY].tolist()


def test_latency():
    assert Divide.LATENCY == divide.LATENCY


def test_rtl_equals_model():
    run_unit(Divide(), name="dota_divide", cfg=Nothing(), test_module=BENCH)


def test_bench_notices_a_lost_borrow():
    """A bit of the quotient is wrong when the remainder equals the divisor exactly."""
    assert_mutant_fails(Divide(), name="dota_divide", cfg=Nothing(), test_module=BENCH, testcase="small_operands",
                        old="fits_s3 = ~ less_s3[25]", new="fits_s3 = ~ less_s3[25] & (less_s3 != 0)", match="o differ")
