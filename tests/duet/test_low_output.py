"""QDR output buffer: golden model and hardware."""

import numpy as np

from golden.duet import low_output
from golden.duet.low_output import Piece
from hdl.duet.low_output import LowOutput
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_low_output"


def test_accumulate():
    """One pixel, two words, two groups of two outputs, by hand; and a sum that wraps."""
    vectors = [[[1, 2], [3, -1]]]
    weights = [[[[1, 0], [2, 1]], [[1, 1], [0, 5]]], [[[0, 0], [1, 1]], [[2, 0], [0, 0]]]]
    biases = [[10, 20], [-(1 << 31), (1 << 31) - 1]]
    assert low_output.accumulate(vectors, weights, biases).tolist() == [
        [10 + 5 + 3, 20 + 2 + 3 - 5, -(1 << 31) + 2 + 6, -(1 << 31) + 1]]


def test_pieces():
    """Pixels 1 and 3 of 9 outputs, 4 lanes, 8 columns: two parts of the first group, one of the second."""
    assert low_output.pieces(TINY, [1, 3], 9) == [
        Piece(1, 0, False, False), Piece(3, 0, True, False), Piece(1, 4, False, False), Piece(3, 4, True, False),
        Piece(1, 8, False, False), Piece(3, 8, True, True)]


def test_biases_are_kept():
    s = low_output.state(TINY, 1)
    low_output.write_bias(s, 0, 3, np.arange(TINY.systolic_columns))
    assert s.bias[0, 3].tolist() == list(range(TINY.systolic_columns))


@configs("tiny", "tall", "square")
def test_rtl_equals_model(cfg):
    run_bench(LowOutput, cfg, BENCH)


def test_bench_notices_a_bias_that_is_added_again():
    """Every product begins a sum."""
    assert_mutant_noticed(LowOutput, TINY, BENCH, testcase="full_throughput/pixels=1", old="tag_s1[0] ?", new="1'h1 ?",
                          match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(LowOutput)
