"""Row of PEs: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.dota import row
from golden.dota.formats import PE_LATENCY, ROW_LATENCY, Precision
from golden.dota.multiplier import SLOTS, unpack
from golden.dota.pe import accumulate
from golden.dota.row import low_sum_of, sums_of
from hdl.dota.row import Row
from sim.common.runner import BenchFailure
from tests.dota.array_traffic import corner, packed_sums, run_array, word
from tests.dota.launch import CONFIGS, TINY, assert_wrong_cfg_is_refused, configs

BENCH = "tests.dota.tb_row"


@configs("tiny", "small", "flat")
def test_model_equals_spec(cfg):
    """Thousands of cycles: sums belong to the partial sums of two cycles before, in the precision of the last fire."""
    rng = random.Random(cfg.columns)
    s = row.state(cfg, 1)
    columns = cfg.columns
    operand, slots, totals = [0] * columns, [[0] * SLOTS for _ in range(columns)], [0] * columns
    due, last = [0] * (PE_LATENCY + ROW_LATENCY), Precision.FX16
    for _ in range(3000):
        precision = Precision(rng.randrange(4)) if rng.random() < 0.3 else last
        make = corner if rng.random() < 0.3 else word
        new = [make(rng, precision) for _ in range(columns)]
        take, load = ([rng.random() < 0.5 for _ in range(columns)] for _ in range(2))
        slot, fire, first = rng.randrange(SLOTS), rng.random() < 0.7, rng.random() < 0.1
        assert packed_sums(s.sums[0, 0]) == due.pop(0)
        row.clock(s, 0, np.array(new), np.array(take, np.int64), np.array(load, np.int64), slot, int(precision), fire,
                  first)
        for c in range(columns):
            operand[c] = new[c] if take[c] else operand[c]
            slots[c][slot] = new[c] if load[c] else slots[c][slot]
            if fire:
                totals[c] = accumulate(0 if first else totals[c], operand[c], slots[c], precision)
        last = precision if fire else last
        due.append(sums_of(cfg, totals, last))


@pytest.mark.parametrize("name", ["tiny", "small", "flat", "tall", "paper"])
def test_sums(name):
    """What belongs to which query, from numbers that tell PEs and fields apart."""
    cfg = CONFIGS[name]
    columns = cfg.columns
    fields = [[100 * c + f for f in range(4)] for c in range(columns)]
    elements = [sum(value << 12 * f for f, value in enumerate(own)) for own in fields]
    if columns <= 16:  # so that no field leaves its range
        assert unpack(sums_of(cfg, elements, Precision.INT2), 24, 96) == [
            sum(own[f] for own in fields) for f in range(4)]
    elements = [(c << 24) | 1 for c in range(columns)]
    half = columns // 2
    assert unpack(sums_of(cfg, elements, Precision.INT4), 24, 96) == [
        half, sum(range(half)), half, sum(range(half, columns))]
    elements = list(range(columns))
    assert unpack(sums_of(cfg, elements, Precision.INT8), 24, 96) == [
        sum(elements[t * columns // 4:(t + 1) * columns // 4]) for t in range(4)]
    dots = [sum(elements[:half]), sum(elements[half:])] if cfg.dots_per_row == 2 else [sum(elements), 0]
    assert unpack(sums_of(cfg, elements, Precision.FX16), 48, 96) == dots


def test_low_sum():
    s = row.state(TINY, 1)
    s.sums[0, 0] = (-1 & 0xFFFFFF) | 5 << 24, -1
    assert [low_sum_of(s, 0, 0, query) for query in range(4)] == [-1, 5, -1, -1]


@configs("tiny", "small", "flat", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_array(Row, cfg, BENCH)


def test_bench_notices_a_wrong_quarter():
    """In INT8 the sum of the third query is that of the second one."""
    with pytest.raises(BenchFailure, match="sums differ"):
        run_array(Row, TINY, BENCH, old="quarter_2[23:0]", new="quarter_1[23:0]", testcase="full_throughput/name=INT8")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Row)
