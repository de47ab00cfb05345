"""Floating-point multiplier: hardware against numpy and against the definition."""

from golden.enmc import formats
from hdl.enmc.fp32_multiply import Fp32Multiply
from tests.enmc.fp32_launch import (
    SMALL,
    assert_mutant_noticed,
    assert_wrong_widths_are_refused,
    run_blocks,
    run_lockstep,
)

BENCH, BLOCKS = "tests.enmc.tb_fp32_multiply", "tests.enmc.tb_fp32_blocks"


def test_latency():
    assert Fp32Multiply.LATENCY == formats.MULTIPLY_LATENCY


def test_rtl_equals_model():
    run_lockstep(Fp32Multiply, BENCH)


def test_a_million_pairs_equal_numpy():
    """Bit for bit; pairs biased to subnormal numbers, ties, cancellation, limits, infinities and NaNs."""
    run_blocks(Fp32Multiply, BLOCKS, "*", pairs=1_000_000)


def test_every_pair_of_a_small_format():
    run_blocks(Fp32Multiply, BLOCKS, "*", form=SMALL)


def test_bench_notices_lost_bits():
    """What is below the rounded place is forgotten: everything beyond a half looks like a tie."""
    assert_mutant_noticed(Fp32Multiply, BENCH, old="= sticky_s2 | ", new="= 1'h0 | ", match="o differ",
                          testcase="random_operands")


def test_wrong_widths():
    assert_wrong_widths_are_refused(Fp32Multiply)
