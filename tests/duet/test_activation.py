"""Activation unit: golden model and hardware."""

import hashlib
import random

import numpy as np
import pytest

from golden.common.activation_table import RISE_BITS, SEGMENTS, tanh_table
from golden.duet import activation
from golden.duet.formats import GATE_FRACTION, STATE_FRACTION, Function
from hdl.duet.activation import Activation
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, run_bench

BENCH = "tests.duet.tb_activation"
OPERANDS = np.arange(-32768, 32768)
EXACT = {Function.SIGMOID: 1 / (1 + np.exp(-OPERANDS / 2.0**STATE_FRACTION)),
         Function.TANH: np.tanh(OPERANDS / 2.0**STATE_FRACTION)}


@pytest.mark.parametrize(("function", "limit"), [(Function.SIGMOID, activation.SIGMOID_ERROR),
                                                 (Function.TANH, activation.TANH_ERROR)])
def test_error_of_every_operand(function, limit):
    """The stated error is reached and never exceeded; results never fall."""
    results = activation.activate_array(OPERANDS, function)
    errors = abs(results - EXACT[function] * 2.0**GATE_FRACTION)
    assert limit - 0.02 < errors.max() <= limit
    assert limit / 2**GATE_FRACTION <= 2.0**-12
    assert np.all(np.diff(results) >= 0)


def test_symmetry_and_range():
    """tanh(-x) = -tanh(x) and sigmoid(-x) = 1 - sigmoid(x); 0, one half and the ends of the range."""
    x = OPERANDS[1:]
    assert np.array_equal(activation.tanh_array(-x), -activation.tanh_array(x))
    assert np.array_equal(activation.sigmoid_array(-x), 32768 - activation.sigmoid_array(x))
    assert activation.tanh_array([-32768, 0, 32767]).tolist() == [-32767, 0, 32767]
    assert activation.sigmoid_array([-32768, 0, 32767]).tolist() == [11, 16384, 32757]


@pytest.mark.parametrize("function", list(Function))
def test_scalar_equals_array(function):
    """The compiled functions of one integer and those of arrays agree, operand for operand."""
    expected = activation.activate_array(OPERANDS, function).tolist()
    assert [activation.activate(int(x), int(function)) for x in OPERANDS] == expected


def test_none_and_relu():
    assert activation.activate_array([-5, 0, 7], Function.NONE).tolist() == [-5, 0, 7]
    assert activation.activate_array([-5, 0, 7], Function.RELU).tolist() == [0, 0, 7]


def test_table_is_the_same_on_every_machine():
    """The table comes from the math library; another one that rounds differently must be noticed."""
    table = tanh_table()
    assert len(table) == SEGMENTS
    assert all(0 <= rise < 1 << RISE_BITS for _start, rise in table)
    digest = hashlib.sha256(repr(table).encode()).hexdigest()
    assert digest.startswith("3536ab0055ae6ff0")


@pytest.mark.parametrize("p_advance", [0.3, 1.0])
def test_model_equals_spec(p_advance):
    """Thousands of values with gaps and stalls: the function, with the tag, LATENCY moves later."""
    rng = random.Random(1)
    s, expected = activation.state(TINY, 1), [None] * activation.LATENCY
    for _ in range(5000):
        valid, advance = rng.random() < 0.8, rng.random() < p_advance
        assert activation.valid_of(s, 0) == (expected[0] is not None)
        if expected[0] is not None:
            assert (activation.value_of(s, 0), activation.tag_of(s, 0)) == expected[0]
        value, function, tag = rng.randint(-32768, 32767), rng.randrange(4), rng.getrandbits(16)
        if advance:
            expected = [*expected[1:], (activation.activate_array(value, function), tag) if valid else None]
        activation.clock(s, 0, advance, valid, value, function, tag)


def test_latency():
    assert Activation.LATENCY == activation.LATENCY


def test_rtl_equals_model():
    run_bench(Activation, TINY, BENCH)


def test_bench_notices_a_missing_half():
    """Results are rounded, not cut off."""
    assert_mutant_noticed(Activation, TINY, BENCH, testcase="every_operand/curve=tanh",
                          old="half ^ value_s4[15]", new="1'h0", match="o differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Activation)


@pytest.mark.parametrize("tag_bits", [0, -1, "8"])
def test_wrong_tag_bits(tag_bits):
    with pytest.raises(ValueError, match=rf"^tag_bits must be a positive integer, not {tag_bits!r}$"):
        Activation(TINY, tag_bits)
