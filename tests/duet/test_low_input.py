"""QDR input buffer: golden model and hardware."""

from golden.duet import low_input
from hdl.duet.low_input import LowInput
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_low_input"


def test_order():
    """Pixels 0 and 2, two words, two groups of outputs: pixel by pixel, a tile of weights a word."""
    first, last, end, final = low_input.FIRST, low_input.LAST, low_input.END, low_input.FINAL
    two = 2 << low_input.PIXEL
    assert low_input.order(0b101, 2, 2) == [
        (0, 0, 0, first), (0, 1, 1, last), (2, 0, 0, first | end | two), (2, 1, 1, last | end | two),
        (0, 0, 2, first | final), (0, 1, 3, last | final),
        (2, 0, 2, first | end | final | two), (2, 1, 3, last | end | final | two)]


@configs("tiny", "tall", "square")
def test_rtl_equals_model(cfg):
    run_bench(LowInput, cfg, BENCH)


def test_bench_notices_that_rows_never_run_out():
    assert_mutant_noticed(LowInput, TINY, BENCH, testcase="rows_run_out", old="= | credit", new="= 1'h1",
                          match="o_valid, .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(LowInput)
