"""Quantiser: golden model and hardware."""

import dataclasses

import numpy as np
import pytest

from golden.dota import quantize
from hdl.dota.quantize import Quantize
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.dota.shapes import QuantizeShape

BENCH = "tests.dota.tb_quantize"
SHAPES = {"dots": QuantizeShape(4, 48, 16), "estimate": QuantizeShape(3, 24, 12), "narrow": QuantizeShape(1, 5, 2),
          "wider": QuantizeShape(2, 8, 10), "word": QuantizeShape(64, 48, 16)}


def unit(shape):
    return Quantize(shape.n, shape.in_bits, shape.out_bits)


def test_definition():
    """Rounding with halves up, then ReLU, then clipping, in unbounded integers."""
    rng = np.random.default_rng(1)
    for _ in range(3000):
        in_bits, out_bits = int(rng.integers(2, 62)), int(rng.integers(2, 32))
        value = int(rng.integers(-1 << in_bits - 1, 1 << in_bits - 1))
        shift, relu = int(rng.integers(64)), rng.random() < 0.5
        exact = value + (1 << shift) // 2 >> shift
        exact = max(exact, 0) if relu else exact
        kept = min(max(exact, -1 << out_bits - 1), (1 << out_bits - 1) - 1)
        assert quantize.quantize(value, shift, relu, out_bits) == (kept, kept != exact)


@pytest.mark.parametrize("relu", [False, True])
def test_model_equals_spec(relu):
    """Thousands of words with gaps: the definition, LATENCY cycles later; the flag a cycle after that."""
    rng = np.random.default_rng(relu)
    s, expected, flag = quantize.state(3, 1), [None] * quantize.LATENCY, False
    for _ in range(3000):
        was, before = expected.pop(0), flag
        assert (quantize.valid_of(s, 0), quantize.saturated_of(s, 0)) == (was is not None, before)
        if was is not None:
            assert [quantize.value_of(s, 0, index) for index in range(3)] == was[0].tolist()
        flag = was is not None and bool(was[1].any())
        valid, shift = bool(rng.random() < 0.8), int(rng.integers(48))
        values = rng.integers(-1 << 47, 1 << 47, 3) >> rng.integers(48)
        expected.append(quantize.quantize_array(values, shift, relu, 16) if valid else None)
        quantize.clock(s, 0, valid, values, shift, relu, 16)


def test_latency():
    assert Quantize.LATENCY == quantize.LATENCY


@pytest.mark.parametrize("shape", [pytest.param(shape, id=name) for name, shape in SHAPES.items()])
def test_rtl_equals_model(shape):
    run_unit(unit(shape), name="dota_quantize", cfg=shape, test_module=BENCH)


def test_bench_notices_a_missing_half():
    shape = SHAPES["dots"]
    assert_mutant_fails(unit(shape), name="dota_quantize", cfg=shape, test_module=BENCH, testcase="limits/relu=False",
                        old="{ 1'h0, half }", new="2'h0", match="o differ")


@pytest.mark.parametrize(("name", "limits"), [("n", "1..1024"), ("in_bits", "2..64"), ("out_bits", "2..64")])
@pytest.mark.parametrize("value", [0, 2000, "8"])
def test_wrong_parameter(name, limits, value):
    with pytest.raises(ValueError, match=rf"^{name} must be an integer in {limits}, not {value!r}$"):
        unit(dataclasses.replace(SHAPES["dots"], **{name: value}))
