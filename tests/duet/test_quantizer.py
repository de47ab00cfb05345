"""Quantizer: golden model and hardware."""

import numpy as np

from golden.duet import quantizer
from golden.duet.formats import Function
from hdl.duet.quantizer import Quantizer
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_quantizer"


def test_every_value():
    """The four most significant bits; times the scale, which grew by 4,096, they are less than a step below."""
    values = np.arange(-1 << 15, 1 << 15)
    low = quantizer.quantize_array(values)
    assert set(low.tolist()) == set(range(-8, 8))
    assert ((values - 4096 * low >= 0) & (values - 4096 * low < 4096)).all()
    assert [quantizer.quantize(value) for value in (-32768, -1, 0, 4095, 4096, 32767)] == [-8, -1, 0, 0, 1, 7]


def test_model_equals_spec():
    rng = np.random.default_rng(1)
    s, before, columns = quantizer.state(TINY, 1), None, range(TINY.values)
    for _ in range(2000):
        assert quantizer.valid_of(s, 0) == (before is not None)
        if before is not None:
            assert [quantizer.value_of(s, 0, k) for k in columns] == quantizer.quantize_array(before).tolist()
        before = rng.integers(-1 << 15, 1 << 15, TINY.values) if rng.random() < 0.8 else None
        quantizer.clock(s, 0, before is not None, np.zeros(TINY.values, np.int64) if before is None else before)


def test_dequantize():
    """Codes are signed for TANH; products are clipped."""
    for function in Function:
        codes = np.arange(16)
        exact = np.where((codes > 7) & (function == Function.TANH), codes - 16, codes)
        for scale in (0, 1, 2185, 4095, 4096, 4681, 65535):
            expected = np.clip(exact * scale, -32768, 32767).tolist()
            assert quantizer.dequantize_array(codes, function, scale).tolist() == expected
            assert [quantizer.dequantize(code, function.value, scale) for code in range(16)] == expected
    assert quantizer.dequantize_array([-8, -1], Function.TANH, 4681).tolist() == [-32768, -4681]


def test_latency():
    assert Quantizer.LATENCY == quantizer.LATENCY


@configs("tiny", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Quantizer, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Quantizer)


def test_mutant_is_noticed():
    """Value 0 loses its sign."""
    assert_mutant_noticed(Quantizer, TINY, BENCH, old="i[15:12]", new="{ 1'h0, i[14:12] }", match="o differ")
