"""Pointer read unit: golden model and hardware."""

import numpy as np
import pytest

from golden.eie import pointer_read
from hdl.eie.pointer_read import PointerRead
from tests.eie.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_pointer_read"


@pytest.mark.parametrize("drop_empty", [False, True])
def test_model_equals_spec(drop_empty):
    """Thousands of random columns: p_j and p_j+1 of each, in order; empty ones are there or dropped."""
    rng = np.random.default_rng(drop_empty)
    s = pointer_read.state(TINY, 1)
    s.ptr[0] = rng.integers(8, size=TINY.ptr_words)
    columns = rng.integers(TINY.ptr_words, size=3000)
    sent, found = 0, []
    while sent < len(columns) or s.valid[0] or pointer_read.valid_of(s, 0):
        i_valid, o_ready = sent < len(columns) and rng.random() < 0.8, rng.random() < 0.7
        if pointer_read.valid_of(s, 0) and o_ready:
            found.append(tuple(pointer_read.field_of(s, 0, field) for field in range(3)))
        i_ready = pointer_read.ready_of(s, 0)
        pointer_read.clock(s, 0, i_valid, columns[min(sent, len(columns) - 1)], sent, o_ready, drop_empty)
        sent += bool(i_valid and i_ready)
    pairs = [(s.ptr[0, j], s.ptr[0, (j + 1) % TINY.ptr_words], k) for k, j in enumerate(columns)]
    assert found == [pair for pair in pairs if pair[1] > pair[0] or not drop_empty]


@configs("tiny", "wide", "narrow", "ahead-1", "ahead-4")
def test_rtl_equals_model(cfg):
    run_bench(PointerRead, cfg, BENCH)


def test_bench_notices_swapped_banks():
    """The last pointer's successor is looked up in the wrong place when the even bank forgets the carry."""
    assert_mutant_noticed(PointerRead, TINY, BENCH, old="+ 1'h1", new="+ 1'h0", match="o differ",
                          testcase="last_pointer")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(PointerRead)
