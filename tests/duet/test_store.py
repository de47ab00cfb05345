"""Store: golden model and hardware."""

import numpy as np
import pytest

from golden.duet import store, store_row
from golden.duet.formats import Kind
from hdl.duet.store import WAITING, Store
from hdl.duet.store_row import StoreRow
from tests.duet.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.store_traffic import random_groups, random_job, sum_words

BENCH = "tests.duet.tb_store"


def test_arithmetic():
    """Rounding with halves up, ReLU, clipping, in unbounded integers."""
    rng = np.random.default_rng(1)
    for _ in range(5000):
        bits, shift, relu = int(rng.integers(1, 33)), int(rng.integers(32)), bool(rng.integers(2))
        partial, bias = (int(value) for value in rng.integers(-1 << bits - 1, 1 << bits - 1, 2))
        exact = partial + bias + (1 << shift) // 2 >> shift
        exact = max(exact, 0) if relu else exact
        kept = min(max(exact, -32768), 32767)
        assert store_row.result(partial, bias, shift, relu) == (kept, kept != exact)
        assert [int(part) for part in store_row.result_array(partial, bias, shift, relu)] == [kept, kept != exact]


def run_model(cfg, job, groups, rng, p_ready):
    """Memories after the model has written everything, cycles, tiles, and the flag."""
    s, data, maps = store.state(cfg, 1), *(np.full((64 + 256, cfg.values), -1) for _ in range(2))
    zero, tiles, cycles = np.zeros(cfg.rows, np.int64), 0, 0
    waiting, sums, sending = list(groups), [sum_words(group, job) for group in groups if not group.empty], []
    while waiting or sums or sending or store.busy_of(s, 0):
        cycles += 1
        word = sending.pop(0) if sending and rng.random() < 0.8 else None
        begins = bool(not sending and word is None and sums and store.drain_ready_of(s, 0))
        if begins:
            sending = sums.pop(0)
        offer = waiting[0] if waiting and rng.random() < 0.7 else None
        parts = offer.arguments if offer is not None else (0, 0, False, False, *[zero] * 4)
        if offer is not None and store.ready_of(s, 0):
            waiting.pop(0)
        write_ready = bool(rng.random() < p_ready)
        if write_ready and store.write_valid_of(s, 0):
            for memory, addr, mask, values in ((data, s.w_addr, s.w_mask, s.w_data),
                                               (maps, s.w_map_addr, s.w_map_mask, s.w_map)):
                memory[addr[0]] = np.where(mask[0], values[0], memory[addr[0]])
        tiles += store.tile_done_of(s, 0)
        store.clock(s, 0, offer is not None, *parts, begins, word is not None, *(word or (0, zero)), int(job.kind),
                    int(job.function), job.shift, write_ready)
        assert cycles < 100_000
    return data, maps, tiles + store.tile_done_of(s, 0), store.saturated_of(s, 0)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("p_ready", [0.5, 1.0])
@configs("tiny", "square", "tall")
def test_model_equals_spec(cfg, p_ready, kind):
    """Thousands of rows at any pace: the memories are those of the definition, in the order of the groups."""
    rng = np.random.default_rng(1)
    for _ in range(25):
        job = random_job(rng, kind)
        groups = random_groups(rng, cfg, job, 12)
        shape = 64 + 256, cfg.columns, cfg.pixels
        data, maps, flag = *(np.full(shape, -1) for _ in range(2)), False
        for group in groups:
            values, clipped = store.group_values(group.sums, group.bias, group.sensitive, *job)
            store.store_group(data, maps, values, group.on, group.channels, group.word, group.map_word, kind)
            arrived = clipped[:, :1] if kind == Kind.VECTOR else clipped
            flag |= bool(arrived[group.on].any()) and not group.empty
        got = run_model(cfg, job, groups, rng, p_ready)
        assert np.array_equal(got[0].reshape(shape), data)
        assert np.array_equal(got[1].reshape(shape), maps)
        assert got[2:] == (sum(group.tile_done for group in groups), flag)


def test_constants_match_golden():
    assert (Store.LATENCY, Store.VECTOR_LATENCY, WAITING) == (store.LATENCY, store.VECTOR_LATENCY, store.WAITING)
    assert StoreRow.LATENCY == store_row.LATENCY


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Store, cfg, BENCH)


def test_bench_notices_a_stall_that_is_ignored():
    assert_mutant_noticed(Store, TINY, BENCH, testcase="corners", old="| write__ready;", new="| 1'h1;",
                          match="duet_store")


def test_bench_notices_a_cut_bias():
    """The sum with the bias has 33 bits."""
    assert_mutant_noticed(Store, TINY, BENCH, testcase="limits", old="$signed(sum) + $signed(bias)",
                          new="$signed({sum + bias})", match="duet_store: .* differ")


@pytest.mark.parametrize("unit", [Store, StoreRow])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
