"""Fixed-point helpers: the definition, the golden functions and the hardware."""

import numpy as np
import pytest
from amaranth import Signal, signed

from golden.common import fixed as golden
from hdl.common.fixed import round_shift, saturate
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.common.probes import FIXED, FixedProbe


def test_round_shift_equals_definition():
    for shift in range(10):
        for value in range(-300, 301):
            assert golden.round_shift(value, shift) == (value + (1 << shift) // 2) >> shift


@pytest.mark.parametrize("bits", [16, 32])
def test_round_shift_of_products(bits):
    ends = [-(1 << bits - 1), -1, 0, 1, (1 << bits - 1) - 1]
    for product in (a * b + d for a in ends for b in ends for d in (-1, 0, 1)):
        for shift in range(64):
            assert golden.round_shift(product, shift) == (product + (1 << shift) // 2) >> shift


@pytest.mark.parametrize("bits", [1, 2, 5, 16, 32, 63])
def test_saturate_and_wrap_equal_definition(bits):
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    for value in {mark + d for mark in (low, 0, high) for d in range(-3, 4)}:
        if -(1 << 63) <= value < 1 << 63:
            clipped = min(max(value, low), high)
            assert golden.saturate(value, bits) == (clipped, clipped != value)
            if abs(value) < 1 << 62:
                assert golden.wrap(value, bits) == (value - low) % (1 << bits) + low


def test_array_forms_equal_scalar_forms():
    values = np.concatenate([np.arange(-300, 300), np.random.default_rng(1).integers(-2**62, 2**62, 200)])
    for n in (0, 1, 2, 7, 31, 62):
        assert golden.round_shift_array(values, n).tolist() == [golden.round_shift(int(v), n) for v in values]
        clipped, overflowed = golden.saturate_array(values, n + 1)
        assert list(zip(clipped.tolist(), overflowed.tolist(), strict=True)) == [
            golden.saturate(int(v), n + 1) for v in values]
        assert golden.wrap_array(values, n + 1).tolist() == [golden.wrap(int(v), n + 1) for v in values]


def test_wrong_shift():
    with pytest.raises(ValueError, match=r"^shift must be unsigned, not signed\(3\)$"):
        round_shift(Signal(signed(8)), Signal(signed(3)))


def test_wrong_saturate_value():
    with pytest.raises(ValueError, match=r"^value must be signed, not unsigned\(8\)$"):
        saturate(Signal(8), 4)


def test_wrong_saturate_bits():
    with pytest.raises(ValueError, match=r"^bits must be a positive integer, not 0$"):
        saturate(Signal(signed(8)), 0)


def test_rtl_equals_model():
    run_unit(FixedProbe(), name="fixed_probe", cfg=FIXED, test_module="tests.common.tb_fixed")


def test_bench_notices_a_missing_half():
    assert_mutant_fails(FixedProbe(), name="fixed_probe", cfg=FIXED, test_module="tests.common.tb_fixed",
                        testcase="exhaustive", old="[0] });", new="[1] });", match="rounded")
