"""PE: golden model and hardware."""

import random

import pytest

from golden.dota import pe
from golden.dota.formats import PE_LATENCY, SUM_BITS, Precision
from golden.dota.multiplier import SLOTS, pack
from golden.dota.pe import accumulate
from hdl.dota.pe import Pe
from tests.dota.array_traffic import corner, word
from tests.dota.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, run_bench

BENCH = "tests.dota.tb_pe"
MASK = (1 << SUM_BITS) - 1


@pytest.mark.parametrize("seed", range(3))
def test_model_equals_spec(seed):
    """Thousands of cycles: the sum is what the fires of three cycles ago and before have made of the operands then."""
    rng = random.Random(seed)
    s = pe.state(TINY, 1)
    operand, slots, total = 0, [0] * SLOTS, 0
    sums = [0] * PE_LATENCY
    for _ in range(4000):
        precision = Precision(rng.randrange(4))
        make = corner if rng.random() < 0.3 else word
        new, take, load, slot = make(rng, precision), rng.random() < 0.6, rng.random() < 0.2, rng.randrange(SLOTS)
        fire, first = rng.random() < 0.7, rng.random() < 0.1
        assert int(s.sum[0, 0, 0]) & MASK == sums.pop(0)
        pe.clock(s, 0, new, take, load, slot, int(precision), fire, first)
        operand = new if take else operand
        if load:
            slots[slot] = new
        if fire:
            total = accumulate(0 if first else total, operand, slots, precision)
        sums.append(total)


def test_fields_wrap_apart():
    """The 511 largest products fit into a field of INT2; one more does not, and its neighbours do not notice."""
    largest = pack([-2] * 16)
    slots = [largest, pack([1] * 16), 0, pack([-1] * 16)]
    total = 0
    for _ in range(31):
        total = accumulate(total, largest, slots, Precision.INT2)
    last = pack([-2] * 15 + [0])
    full = accumulate(total, last, slots, Precision.INT2)
    assert full & 0xFFF == 511 * 4
    assert accumulate(full, pack([-2] + [0] * 15), slots, Precision.INT2) & 0xFFF == 0x800
    assert accumulate(full, pack([-2] + [0] * 15), slots, Precision.INT2) >> 12 & 0xFFF == -2 * 512 & 0xFFF


def test_rtl_equals_model():
    run_bench(Pe, TINY, BENCH)


def test_bench_notices_a_carry_between_fields():
    """In INT4 the lower field is no longer cut from the upper one."""
    assert_mutant_noticed(Pe, TINY, BENCH, old="48'h800000800000", new="48'h800000000000", match="sum differ",
                          testcase="longest_sums/name=INT4")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Pe)
