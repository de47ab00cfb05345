"""Cell unit: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import cell, cell_lane
from golden.duet.activation import tanh_array
from golden.duet.formats import GLB_LATENCY, Cell
from hdl.duet import cell as hdl
from hdl.duet.cell import CellUnit
from hdl.duet.cell_lane import CellLane
from tests.duet.cell_jobs import BASES, ROWS, memory_of, random_job
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_cell"


def clip(value):
    return min(max(value, -32768), 32767)


def half_up(value, shift):
    return value + (1 << shift - 1) >> shift


def test_formulas():
    """Every formula in unbounded integers, one rounding a result."""
    rng = np.random.default_rng(1)
    edges = [-32768, -32767, -1, 0, 1, 32767]
    for _ in range(5000):
        i, f, g, o, c = (int(rng.choice(edges)) if rng.random() < 0.3 else int(rng.integers(-32768, 32768))
                         for _ in range(5))
        state = clip(half_up(f * c * 8 + i * g, 18))
        assert cell_lane.lstm_state(i, f, g, c)[0] == state
        assert cell_lane.lstm_hidden(o, state) == half_up(o * int(tanh_array(state)), 15)
        assert -32768 <= cell_lane.lstm_hidden(o, state) <= 32767
        assert cell_lane.reset(i, f)[0] == clip(half_up(i * f, 15))
        assert cell_lane.gru(i, f, g)[0] == clip(f + half_up(i * (g - f), 15))
        assert [int(part) for part in cell_lane.lstm_array(i, f, g, o, c)] == [state, cell_lane.lstm_hidden(o, state)]
        assert int(cell_lane.reset_array(i, f)) == cell_lane.reset(i, f)[0]
        assert int(cell_lane.gru_array(i, f, g)) == cell_lane.gru(i, f, g)[0]


def run_model(cfg, job, memory, rng, pace):
    """Carry out a job on ``memory``; returns the cycles of ``busy``."""
    s, answers, busy = cell.state(cfg, 1), [None] * GLB_LATENCY, 0
    op, length, *bases = job
    bases, nothing = np.array(bases, np.int64), np.zeros(cfg.values, np.int64)
    cell.clock(s, 0, True, op, length, bases, True, False, nothing, True)
    while cell.busy_of(s, 0):
        busy += 1
        answer = answers.pop(0)
        request_ready, write_ready = rng.random() < pace, rng.random() < pace
        asks = cell.request_valid_of(s, 0) and request_ready
        assert not (cell.request_valid_of(s, 0) and cell.write_valid_of(s, 0))
        answers.append(memory[s.r_addr[0]].copy() if asks else None)
        if cell.write_valid_of(s, 0) and write_ready:
            memory[s.w_addr[0]] = np.where(s.w_mask[0], s.w_data[0], memory[s.w_addr[0]])
        cell.clock(s, 0, False, op, length, bases, request_ready, answer is not None,
                   nothing if answer is None else answer, write_ready)
        assert busy < 100_000
    return busy


@pytest.mark.parametrize("pace", [0.5, 1.0])
@pytest.mark.parametrize("op", list(Cell))
@configs("tiny", "square", "tall")
def test_model_equals_spec(cfg, op, pace):
    """Thousands of elements at any pace: the memory is that of the definition."""
    rng, coins = np.random.default_rng(1), random.Random(1)
    for _ in range(25):
        job = random_job(cfg, rng, op)
        memory = memory_of(cfg, rng)
        expected = memory.copy()
        cell.apply(expected.reshape(ROWS, cfg.columns, cfg.pixels), *job)
        run_model(cfg, job, memory, coins, pace)
        assert np.array_equal(memory, expected)


@pytest.mark.parametrize("op", [Cell.LSTM, Cell.RESET, Cell.GRU])
@configs("tiny", "paper")
def test_cycles(cfg, op):
    """As stated, for 10 to 60 pixels."""
    for pixels in range(10, 61):
        memory = np.zeros((ROWS, cfg.values), np.int64)
        job = int(op), pixels * cfg.columns, *BASES
        assert run_model(cfg, job, memory, random.Random(1), 1.0) == cell.cycles(op, pixels)


def test_constants_match_golden():
    assert {op: tuple(name for name, _does in row) for op, row in hdl.READS.items()} == cell.READS
    assert (hdl.WRITES, hdl.IN_FLIGHT) == (cell.WRITES, cell.IN_FLIGHT)
    assert (hdl.RESULT_LATENCY, hdl.HIDDEN_LATENCY) == (cell_lane.RESULT_LATENCY, cell_lane.HIDDEN_LATENCY)


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(CellUnit, cfg, BENCH)


def test_bench_notices_a_state_that_is_not_aligned():
    """The product of gate and state has three fraction bits less than that of two gates."""
    assert_mutant_noticed(CellUnit, TINY, BENCH, testcase="short_jobs", old="{ product, 3'h0 }",
                          new="{ product, 2'h0 }", match="duet_cell: write differ")


@pytest.mark.parametrize("unit", [CellUnit, CellLane])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
