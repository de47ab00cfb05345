"""Floating-point adder: hardware against numpy and against the definition."""

from golden.enmc import formats
from hdl.enmc.fp32_add import Fp32Add
from tests.enmc.fp32_launch import (
    SMALL,
    assert_mutant_noticed,
    assert_wrong_widths_are_refused,
    run_blocks,
    run_lockstep,
)

BENCH, BLOCKS = "tests.enmc.tb_fp32_add", "tests.enmc.tb_fp32_blocks"


def test_latency():
    assert Fp32Add.LATENCY == formats.ADD_LATENCY


def test_rtl_equals_model():
    run_lockstep(Fp32Add, BENCH)


def test_a_million_pairs_equal_numpy():
    """Bit for bit; pairs biased to subnormal numbers, ties, cancellation, limits, infinities and NaNs."""
    run_blocks(Fp32Add, BLOCKS, "+", pairs=1_000_000)


def test_every_pair_of_a_small_format():
    run_blocks(Fp32Add, BLOCKS, "+", form=SMALL)


def test_bench_notices_lost_bits():
    """What is moved out is forgotten: everything beyond a half looks like a tie."""
    assert_mutant_noticed(Fp32Add, BENCH, old="moved[0] | sticky", new="moved[0]", match="o differ",
                          testcase="distances")


def test_wrong_widths():
    assert_wrong_widths_are_refused(Fp32Add)
