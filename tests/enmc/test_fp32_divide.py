"""Floating-point divider: hardware against numpy and against the definition."""

import pytest

from golden.enmc import fp32_divide
from hdl.enmc.fp32_divide import Fp32Divide
from tests.enmc.fp32_launch import (
    SMALL,
    assert_mutant_noticed,
    assert_wrong_widths_are_refused,
    run_blocks,
    run_lockstep,
)


@pytest.mark.parametrize("form", [(8, 23), SMALL], ids=str)
def test_latency(form):
    assert Fp32Divide(*form).latency == fp32_divide.latency(form[1])

BENCH, BLOCKS = "tests.enmc.tb_fp32_divide", "tests.enmc.tb_fp32_blocks"


def test_rtl_equals_model():
    run_lockstep(Fp32Divide, BENCH)


def test_many_pairs_equal_numpy():
    """Bit for bit; pairs biased to subnormal numbers, ties, limits, infinities and NaNs."""
    run_blocks(Fp32Divide, BLOCKS, "/", pairs=10_000)


def test_every_pair_of_a_small_format():
    run_blocks(Fp32Divide, BLOCKS, "/", form=SMALL)


def test_bench_notices_a_lost_remainder():
    """What is left after the last bit is forgotten: everything beyond a half looks like a tie."""
    assert_mutant_noticed(Fp32Divide, BENCH, old="sticky | quotient[0]", new="quotient[0]", match="o differ",
                          testcase="corners")


def test_wrong_widths():
    assert_wrong_widths_are_refused(Fp32Divide)
