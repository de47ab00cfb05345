"""Store of the Speculator: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.jit import ENABLED
from golden.duet import spec_store
from golden.duet.formats import Function, Kind
from hdl.duet.map_words import MapWords
from hdl.duet.order_words import OrderWords
from hdl.duet.spec_store import SpecStore
from hdl.duet.vector_words import VectorWords
from tests.duet import store_work
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_spec_store"
#: Jobs of a comparison with the definition; fewer where nothing is compiled.
MANY = 900 if ENABLED else 40
FIELDS = ("kind", "function", "ordered", "channels", "scale", "tiles_y", "tiles_x", "out_depth", "omap_base",
          "order_base", "approx_base")


def test_maps_and_order_by_hand():
    """Two tiles of five channels, of which the second has only pixel 1; 4 lanes, 4 pixels, limits 3, 1, 0."""
    job = {"kind": Kind.CONV, "channels": 5, "out_depth": 2, "omap_base": 10, "order_base": 20, "ordered": 1,
           "limit_0": 3, "limit_1": 1, "limit_2": 0}
    pixels = {0: [1, 0, 0, 1, 0], 1: [1, 1, 0, 1, 0], 2: [0, 1, 0, 1, 0], 3: [0, 0, 0, 1, 1]}
    found = spec_store.store(TINY, job, [pixels, {1: [0, 1, 1, 0, 1]}])
    maps = {addr: "".join(str(int(bits[place])) for place in range(16)) for addr, bits in found.maps.items()}
    assert maps == {10: "1100011000001111", 11: "0001000000000000",
                    12: "0000010001000000", 13: "0100000000000000"}
    assert found.data == {20: {0: 3, 4: 0, 8: 1, 12: 4, 1: 2}, 21: {0: 1, 4: 2, 8: 4, 12: 0, 1: 3}}


def test_vector_by_hand():
    """Six elements of tanh: elements 4 and 5 are pixel 1 of columns 0 and 1; the rest of the map word is cleared."""
    job = {"kind": Kind.VECTOR, "channels": 6, "function": Function.TANH, "scale": 100, "approx_base": 3,
           "omap_base": 7}
    found = spec_store.store(TINY, job, [{0: [1, 0, 0, 1, 0, 1]}], np.array([1, 2, 15, 9, 0, 7]))
    assert found.data == {3: {0: 100, 4: 200, 8: -100, 12: -700, 1: 0, 5: 700}}
    assert [place for place, bit in found.maps[7].items() if bit] == [0, 5, 12] and len(found.maps[7]) == 16


def run(cfg, s, work, rng):
    """Do a job with gaps and stalls; the writes."""
    writes, offered, cycle = [], False, 0
    items = work.items[::-1]
    limits = np.array([work.job[f"limit_{k}"] for k in range(cfg.buckets - 1)], np.int64)
    fields = [work.job[name] for name in FIELDS]
    start = True
    while start or spec_store.busy_of(s, 0):
        offered = not start and bool(items) and (offered or rng.random() < 0.7)
        ready = rng.random() < 0.6
        taken = offered and spec_store.ready_of(s, 0)
        if ready and spec_store.valid_of(s, 0):
            writes.append(write_of(cfg, s))
        piece, sensitive, codes = items[-1] if offered else work.items[0]
        spec_store.clock(s, 0, start, *fields, limits, cfg.pixels, offered, np.array(piece, np.int64),
                         np.array(sensitive, np.int64), np.array(codes, np.int64), ready)
        if taken:
            items.pop()
            offered = False
        start = False
        cycle += 1
        assert cycle < 100_000
    assert not items
    return writes


def write_of(cfg, s):
    """What is offered, as :func:`tests.duet.store_work.memories_after` wants it."""
    mask = map_mask = bits = 0
    for column in range(cfg.columns):
        for pixel in range(cfg.pixels):
            place = column * cfg.pixels + pixel
            mask |= int(s.lanes[0] >> column & s.pixels[0] >> pixel & 1) << place
            map_mask |= int(s.map_pixels[0] >> pixel & 1) << place
            bits |= int(s.bits[0, column] >> pixel & 1) << place
    data = [int(s.values[0, column]) for column in range(cfg.columns) for _ in range(cfg.pixels)]
    return int(s.addr[0]), int(s.map_addr[0]), mask, map_mask, data, bits


@pytest.mark.parametrize("name", ["tiny", "tall", "square"])
def test_model_equals_spec(name):
    """Jobs of all kinds and sizes, with gaps and stalls: the memories of the definition."""
    cfg, rng = CONFIGS[name], random.Random(1)
    s = spec_store.state(cfg, 1)
    for number in range(MANY // 3):
        work = store_work.vector(cfg, rng) if number % 3 == 0 else store_work.conv(cfg, rng)
        assert store_work.memories_after(run(cfg, s, work, rng)) == work.expected


@configs("tiny", "tall", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(SpecStore, cfg, BENCH)


def test_bench_notices_bits_that_are_left():
    """A vector's last elements do not clear the bits behind them."""
    assert_mutant_noticed(SpecStore, TINY, BENCH, testcase="random_vectors/function=TANH/p_valid=1.0/p_ready=1.0",
                          old="map_pixels <= ", new="map_pixels <= 4'h1 & ", match="write differ")


@pytest.mark.parametrize("unit", [SpecStore, MapWords, OrderWords, VectorWords])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
