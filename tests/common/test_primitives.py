"""Priority encoder, population count, OR tree: golden functions and hardware."""

import numpy as np
import pytest
from amaranth import Signal

from golden.common import primitives as golden
from hdl.common.primitives import find_first, or_tree, popcount
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.common.probes import PRIMITIVES, PrimitivesProbe


def test_golden_equals_definition():
    rng = np.random.default_rng(1)
    for n in (1, 2, 7, 64, 256):
        for density in (0.0, 0.02, 0.5, 1.0):
            bits = (rng.random(n) < density).astype(np.int64)
            ones = np.flatnonzero(bits)
            assert golden.find_first(bits) == (bool(ones.size), ones[0] if ones.size else 0)
            assert golden.popcount(bits) == ones.size
            words = rng.integers(0, 2**40, n) * bits
            assert golden.or_tree(words) == np.bitwise_or.reduce(words)


def test_shapes():
    for n in (1, 2, 3, 5, 8, 9, 256):
        found, index = find_first(Signal(n))
        assert (len(found), len(index)) == (1, (n - 1).bit_length())
        assert len(popcount(Signal(n))) == n.bit_length()


def test_wrong_bits():
    for function in (find_first, popcount):
        with pytest.raises(ValueError, match=r"^bits must be at least one bit wide, not \(sig empty\)$"):
            function(Signal(0, name="empty"))


def test_wrong_values():
    with pytest.raises(ValueError, match=r"^values must be a list of at least one value, not \[\]$"):
        or_tree([])


def test_rtl_equals_model():
    run_unit(PrimitivesProbe(), name="primitives_probe", cfg=PRIMITIVES,
             test_module="tests.common.tb_primitives")


def test_bench_notices_a_wrong_priority():
    assert_mutant_fails(PrimitivesProbe(), name="primitives_probe", cfg=PRIMITIVES,
                        test_module="tests.common.tb_primitives", testcase="one_and_two_bits",
                        old="| bits[127:0]", new="| bits[126:0]", match="index")
