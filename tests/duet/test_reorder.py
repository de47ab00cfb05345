"""Reorder unit: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.common.jit import ENABLED
from golden.duet import reorder, spec
from hdl.duet.reorder import Reorder, ReorderLists
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_reorder"
#: Tiles of a comparison with the definition; fewer where nothing is compiled.
MANY = 2000 if ENABLED else 50


def test_fig_5_4():
    """Sums 4, 1, 2, 4 and threshold 2: a sum that is just the threshold is in the second bucket."""
    assert reorder.fig_5_4() == ([4, 1, 2, 4], [2], [[0, 3], [1, 2]])
    assert reorder.reorder([4, 1, 2, 4], [2]).tolist() == [0, 3, 1, 2]


def test_definition():
    """Three limits, four buckets; equal limits leave a bucket empty."""
    assert reorder.buckets([9, 8, 4, 3, 0], [8, 3, 3]).tolist() == [0, 1, 1, 3, 3]
    assert reorder.reorder([0, 9, 3, 8, 4], [8, 3, 3]).tolist() == [1, 3, 4, 0, 2]
    counts = np.random.default_rng(1).integers(0, 17, 500)
    assert np.array_equal(reorder.reorder(counts, [12, 8, 4]), spec.reorder(counts, [12, 8, 4]))


def run(cfg, s, tiles, limits, rng):
    """Send the maps of tiles with gaps and stalls; the channels that leave, tile by tile."""
    channels, found, cycle, offered = len(tiles[0]), [[]], 0, False
    padded = [np.concatenate([maps, np.full(-len(maps) % cfg.columns, -1 % (1 << cfg.pixels))]) for maps in tiles]
    words = [maps[at:at + cfg.columns] for maps in padded for at in range(0, channels, cfg.columns)][::-1]
    while len(found) <= len(tiles):
        offered, ready = bool(words) and (offered or rng.random() < 0.6), rng.random() < 0.7
        taken = offered and reorder.ready_of(s, 0)
        if ready and reorder.valid_of(s, 0):
            found[-1].append(int(reorder.id_of(s, 0)))
            if reorder.last_of(s, 0):
                found.append([])
        word = words[-1] if offered else padded[0][:cfg.columns]
        reorder.clock(s, 0, offered, word, channels, limits, ready)
        if taken:
            words.pop()
            offered = False
        cycle += 1
        assert cycle < 50_000
    assert not words
    return found[:-1]


@pytest.mark.parametrize("name", ["tiny", "tall", "square"])
def test_model_equals_spec(name):
    """Tiles of any number of channels and any counts, with gaps and stalls: every channel once, in its order."""
    cfg, rng, draw = CONFIGS[name], random.Random(1), np.random.default_rng(1)
    s = reorder.state(cfg, 1)
    for _ in range(MANY // 3):
        channels = rng.choice([1, rng.randint(1, 3 * cfg.columns), rng.randint(1, min(64, cfg.channels))])
        limits = np.sort(draw.integers(0, cfg.pixels + 1, cfg.buckets - 1))[::-1].copy()
        tiles = [draw.integers(0, 1 << cfg.pixels, channels) & draw.integers(0, 1 << cfg.pixels, channels)
                 for _ in range(3)]
        expected = [reorder.reorder([bin(bits).count("1") for bits in maps], limits).tolist() for maps in tiles]
        assert run(cfg, s, tiles, limits, rng) == expected


@configs("tiny", "tall", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Reorder, cfg, BENCH)


def test_bench_notices_a_limit_that_is_reached():
    """``>=`` instead of ``>``: a count that is just the limit goes to the bucket before."""
    assert_mutant_noticed(Reorder, TINY, BENCH, testcase="fig_5_4", old="counts[2:0] > limits",
                          new="counts[2:0] >= limits", match="o differ")


@pytest.mark.parametrize("unit", [Reorder, ReorderLists])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)
