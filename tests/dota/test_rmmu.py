"""Reconfigurable matrix multiplication unit: golden model and hardware."""

import numpy as np
import pytest

from golden.dota import rmmu
from golden.dota.formats import DOT_LATENCY, PE_LATENCY, QUERIES, ROW_LATENCY, SUM_BITS, Precision
from golden.dota.multiplier import SLOTS
from golden.dota.pe import accumulate
from golden.dota.row import sums_of
from hdl.common.emit import emit
from hdl.dota.rmmu import Rmmu
from sim.common.runner import BenchFailure
from tests.dota.array_traffic import packed_sums, run_array
from tests.dota.launch import TINY, assert_wrong_cfg_is_refused, configs

BENCH = "tests.dota.tb_rmmu"


@configs("tiny", "small", "flat", "tall")
def test_model_equals_spec(cfg):
    """Thousands of cycles: sums, dot products, elements and counts are what the fires of some cycles ago have left."""
    rng = np.random.default_rng(cfg.rows)
    shape = cfg.rows, cfg.columns
    s = rmmu.state(cfg, 1)
    operand, slots, totals = np.zeros(shape, int), np.zeros((*shape, SLOTS), int), np.zeros(shape, object)
    last = np.zeros(cfg.rows, int)
    history = [(totals.copy(), last.copy())] * (PE_LATENCY + ROW_LATENCY + DOT_LATENCY)
    for _ in range(1000):
        precision, slot = rng.integers(4, size=cfg.rows), rng.integers(SLOTS, size=cfg.rows)
        fire, first = (rng.random(cfg.rows) < p for p in (0.7, 0.2))
        take, load = (rng.random(shape) < p for p in (0.7, 0.2))
        new, select = rng.integers(1 << 32, size=shape), int(rng.integers(QUERIES))
        check(cfg, s, history)
        expected = history[-PE_LATENCY][0].reshape(2, QUERIES, cfg.vector)[:, select]
        rmmu.clock(s, 0, new, take.astype(int), load.astype(int), slot, precision, fire.astype(int), first.astype(int),
                   select)
        assert packed_sums(s.elements[0]) == pack_elements(expected)
        assert s.macs[0] == sum(cfg.columns * (1, 4, 16, 64)[precision[r]] for r in range(cfg.rows) if fire[r])
        operand = np.where(take, new, operand)
        for r, c in zip(*np.nonzero(load), strict=True):
            slots[r, c, slot[r]] = new[r, c]
        for r in np.flatnonzero(fire):
            for c in range(cfg.columns):
                totals[r, c] = accumulate(0 if first[r] else totals[r, c], int(operand[r, c]), slots[r, c].tolist(),
                                          Precision(precision[r]))
        last = np.where(fire, precision, last)
        history = [*history[1:], (totals.copy(), last.copy())]


def check(cfg, s, history):
    """Sums and dot products of this cycle; ``history`` has the partial sums as fires have left them, oldest first."""
    sums = [sums_of(cfg, history[0 + DOT_LATENCY][0][r].tolist(), Precision(history[DOT_LATENCY][1][r]))
            for r in range(cfg.rows)]
    assert packed_sums(s.rows.sums[0]) == sum(value << 2 * SUM_BITS * r for r, value in enumerate(sums))
    totals, last = history[0]
    words = [sums_of(cfg, totals[r].tolist(), Precision(last[r])) >> SUM_BITS * part & (1 << SUM_BITS) - 1
             for r in range(cfg.rows) for part in range(cfg.dots_per_row)]
    dots = np.array(words, object).reshape(2 * QUERIES, -1).sum(axis=1) & (1 << SUM_BITS) - 1
    assert packed_sums(s.dots[0]) == pack_elements(dots)


def pack_elements(values) -> int:
    """Numbers of 48 bits side by side."""
    return sum(int(value) << SUM_BITS * k for k, value in enumerate(np.ravel(values)))


@configs("tiny", "small", "flat", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_array(Rmmu, cfg, BENCH)


def test_units_are_emitted_once():
    """However large the array, its Verilog has one multiplier, one PE and one row."""
    assert emit(Rmmu(TINY), name="dota_rmmu", cfg=TINY).units == ("dota_multiplier", "dota_pe", "dota_row", "dota_rmmu")


def test_bench_notices_a_wrong_weight():
    """A fire in INT4 is counted as one in INT8."""
    with pytest.raises(BenchFailure, match="macs differ"):
        run_array(Rmmu, TINY, BENCH, old="* 7'h40", new="* 7'h10", testcase="full_rate/name=INT4")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Rmmu)
