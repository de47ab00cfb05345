"""Sparse-matrix read unit: golden model and hardware."""

import numpy as np
import pytest

from golden.eie import spmat_read
from hdl.eie.spmat_read import SpmatRead
from tests.eie.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_spmat_read"


@pytest.mark.parametrize("name", ["tiny", "wide"])
def test_model_equals_spec(name):
    """Thousands of random columns with random gaps: every entry of each, in order, and no row read without need."""
    cfg = CONFIGS[name]
    rng = np.random.default_rng(1)
    s = spmat_read.state(cfg, 1)
    s.spmat[0] = rng.integers(256, size=cfg.spmat_entries)
    bounds = rng.integers(cfg.spmat_entries + 1, size=(2000, 2))
    bounds[:, 1] = np.minimum(bounds[:, 1], bounds[:, 0] + rng.integers(3, 20))
    expected, found, sent, reads = [], [], 0, 0
    for number, (start, end) in enumerate(bounds):
        expected += [(at == start, s.spmat[0, at] >> 4, s.spmat[0, at] & 15, number) for at in range(start, end)]
    while sent < len(bounds) or s.busy[0] or s.e_valid[0] or s.o_valid[0]:
        if s.o_valid[0]:
            found.append((s.o_first[0], s.o_v[0], s.o_z[0], s.o_value[0]))
        valid = sent < len(bounds) and rng.random() < 0.8
        ready = spmat_read.ready_of(s, 0)
        start, end = bounds[min(sent, len(bounds) - 1)]
        reads += spmat_read.clock(s, 0, valid, start, end, sent, cfg.entries_per_row)
        sent += bool(valid and ready)
    assert found == expected
    rows = [at // cfg.entries_per_row for start, end in bounds for at in range(start, end)]
    assert reads == 1 + sum(a != b for a, b in zip(rows, rows[1:], strict=False))


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(SpmatRead, cfg, BENCH)


def test_bench_notices_a_stale_row():
    """An access of the host forgets which row stands at the output of the SRAM."""
    assert_mutant_noticed(SpmatRead, TINY, BENCH, old="if (io__en) begin\n", new="if (1'h0) begin\n", match="reads",
                          testcase="rows_are_rewritten")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(SpmatRead)
