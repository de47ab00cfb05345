"""Dequantizer: golden model and hardware. What it computes is tested in test_quantizer.py."""

import numpy as np

from golden.duet import dequantizer
from golden.duet.formats import Function
from golden.duet.quantizer import dequantize_array
from hdl.duet.dequantizer import Dequantizer
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_dequantizer"


def test_model_equals_spec():
    """Thousands of words with gaps and waits: the definition, after LATENCY cycles that are not waits."""
    rng = np.random.default_rng(1)
    s, inside = dequantizer.state(TINY, 1), [None] * dequantizer.LATENCY
    for _ in range(4000):
        assert dequantizer.valid_of(s, 0) == (inside[0] is not None)
        if inside[0] is not None:
            assert [dequantizer.value_of(s, 0, k) for k in range(TINY.columns)] == inside[0].tolist()
        advance, valid, codes = rng.random() < 0.7, rng.random() < 0.7, rng.integers(16, size=TINY.columns)
        function, scale = Function(int(rng.integers(4))), int(rng.integers(1 << 16))
        if advance:
            inside = [*inside[1:], dequantize_array(codes, function, scale) if valid else None]
        dequantizer.clock(s, 0, advance, valid, codes, function == Function.TANH, scale)


def test_latency():
    assert Dequantizer.LATENCY == dequantizer.LATENCY


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Dequantizer, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Dequantizer)


def test_mutant_is_noticed():
    """All codes are taken for unsigned ones."""
    assert_mutant_noticed(Dequantizer, TINY, BENCH, old="is_signed ?", new="1'h0 ?", match="o differ",
                          testcase="every_code")
