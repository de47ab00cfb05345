"""Multi-precision multiplier: golden model and hardware."""

import random
import re

import pytest

from golden.dota import multiplier
from golden.dota.formats import OUTPUTS, UNIT_BITS, Precision
from golden.dota.multiplier import pack, product_of, products, unpack
from hdl.dota.multiplier import Multiplier
from tests.dota.array_traffic import corner, word
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, run_bench

BENCH = "tests.dota.tb_multiplier"


@pytest.mark.parametrize("precision", list(Precision))
def test_model_equals_spec(precision):
    """Thousands of random words and of corners; the model is one cycle late, and holds."""
    rng = random.Random(precision)
    s = multiplier.state(TINY, 1)
    for step in range(3000):
        make = corner if step % 3 == 0 else word
        operand, slots = make(rng, precision), [make(rng, precision) for _ in range(multiplier.SLOTS)]
        expected = products(operand, slots, precision)
        assert unpack(product_of(operand, *slots, int(precision)), UNIT_BITS // OUTPUTS[precision]) == expected
        multiplier.clock(s, 0, True, operand, *slots, int(precision))
        multiplier.clock(s, 0, False, 0, 0, 0, 0, 0, 0)
        assert unpack(int(s.product[0]), UNIT_BITS // OUTPUTS[precision]) == expected


def test_spec():
    assert products(pack([-32768, -32768]), [], Precision.FX16) == [1 << 30]
    assert products(pack([1, 2, 3, 4]), [pack([5, 6, 7, -8])], Precision.INT8) == [5 + 12 + 21 - 32]
    slots = [pack([1] * 8), pack(range(-4, 4))]
    assert products(pack([-8] * 8), slots, Precision.INT4) == [-64, 32]
    assert products(pack([-2] * 16), [pack([-2] * 16)] * 4, Precision.INT2) == [64] * 4


def test_words():
    assert pack([-1, 1]) == 0x0001_FFFF and unpack(0x8000_7FFF, 16) == [32767, -32768]
    assert pack([-2, 1], bits=2) == 0b0110
    with pytest.raises(ValueError, match=re.escape("value must fit into 16 bits, not 32768") + "$"):
        pack([32768, 0])


def test_rtl_equals_model():
    run_bench(Multiplier, TINY, BENCH)


@pytest.mark.parametrize(("old", "new", "testcase"), [
    # The highest digit of aH, in column 0, meets the digits of bL as if it had no sign.
    ("flip_high_even_3 = 50'h3000000030000", "flip_high_even_3 = 50'h3000000000000", "corners_of_fx16"),
    # Part of the constant that makes up for the inverted partial products.
    ("more_odd_1 = 49'h1000100010001", "more_odd_1 = 49'h1000100010000", "every_pair_in_every_place/name=INT4"),
])
def test_bench_notices_a_broken_product(old, new, testcase):
    assert_mutant_noticed(Multiplier, TINY, BENCH, old=old, new=new, match="parts differ|must fit", testcase=testcase)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Multiplier)
