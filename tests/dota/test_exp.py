"""Exponential unit: golden model and hardware."""

import numpy as np

from golden.dota import exp
from hdl.dota.exp import Exp
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.dota.shapes import Nothing

BENCH = "tests.dota.tb_exp"
ALL = np.arange(1 << exp.Y_BITS)


def test_error():
    """Every operand against 2**-y in floating point: within the bound, which is no wider than it has to be."""
    error = np.abs(exp.exp_array(ALL) - 2.0**exp.UNIT_BITS * 2.0**(-ALL / (1 << exp.FRACTION_BITS)))
    assert 0.9 * exp.MAX_ERROR < error.max() <= exp.MAX_ERROR


def test_ends_and_order():
    """2**0 is exact, nothing increases, and what is at most a quarter of a unit is 0."""
    results = exp.exp_array(ALL)
    assert results[0] == 1 << exp.UNIT_BITS
    assert np.all(np.diff(results) <= 0)
    assert not results[17 << exp.FRACTION_BITS:].any()


def test_table_fits():
    """Segments follow each other without a step, in the bits that the hardware has for them."""
    base, drop = exp.table()
    assert np.array_equal(base[:-1] - drop[:-1], base[1:])
    assert base.max() < 1 << 19
    assert drop.min() > 0
    assert drop.max() < 1 << 13


def test_model_equals_spec():
    """Every operand through the clocked model: the definition, LATENCY cycles later."""
    model = exp.ExpModel()
    results = [model.step(int(y)) for y in ALL]
    assert results == [0] * exp.LATENCY + exp.exp_array(ALL[:-exp.LATENCY]).tolist()


def test_latency():
    assert Exp.LATENCY == exp.LATENCY


def test_rtl_equals_model():
    run_unit(Exp(), name="dota_exp", cfg=Nothing(), test_module=BENCH)


def test_bench_notices_a_wrong_table():
    """One bit of one segment."""
    base = f"19'h{exp.table()[0][37]:05x}"
    assert_mutant_fails(Exp(), name="dota_exp", cfg=Nothing(), test_module=BENCH, testcase="every_operand", old=base,
                        new=f"19'h{exp.table()[0][37] ^ 16:05x}", match="o differ")
