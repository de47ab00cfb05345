"""Activation register file: golden model and hardware."""

import numpy as np
import pytest

from golden.eie import regfile
from golden.eie.spec import limits
from hdl.eie.regfile import RegFile
from tests.eie.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_regfile"


@pytest.mark.parametrize("words", [2, 64])
def test_model_equals_spec(words):
    """Thousands of random accesses: a dictionary of what was written since the last flush says what a read shows."""
    rng = np.random.default_rng(words)
    s = regfile.state(TINY.replace(regfile_words=words), 2)
    low, high = limits(TINY.data_bits)
    written, answer = {}, None
    for _ in range(5000):
        w_row, r_row = rng.permutation(words)[:2]
        flush, w_en, relu, r_en, s_en = rng.random(5) < [0.02, 0.6, 0.5, 0.6, 0.5]
        s_en &= not r_en
        value = int(rng.choice([0, -1, low, high, rng.integers(low, high)]))
        if r_en:
            answer = written.get(r_row)
        regfile.clock(s, 1, flush, w_en, w_row, value, relu, r_en, r_row, s_en, r_row)
        if s_en:
            assert s.r_value[1] == s.words[1, r_row]
            answer = answer and (s.r_value[1], answer[1])
        if flush:
            written = {}
        if w_en:
            written[w_row] = value, value > 0 if relu else value != 0
        if answer is not None:
            assert (s.r_value[1], s.r_nonzero[1]) == answer
        assert s.r_live[1] == (answer is not None)
        assert [regfile.read(s, 1, row) for row in range(words)] == [
            value if counts else 0 for value, counts in (written.get(row, (0, False)) for row in range(words))]
    assert not s.live[0].any(), "the other lane is untouched"


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(RegFile, cfg, BENCH)


def test_bench_notices_that_relu_is_ignored():
    assert_mutant_noticed(RegFile, TINY, BENCH, old="w_relu & w_value[15]", new="1'h0", match="nonzero",
                          testcase="relu")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(RegFile)
