"""Fetch of the Speculator: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import spec_fetch
from golden.duet.formats import SPECULATE_FIELDS
from hdl.duet.spec_fetch import SpecFetch
from tests.duet.fetch_model import Model, Parties, random_job
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.duet.tb_spec_fetch"


def test_words():
    """A map of 2 x 3 blocks; the second tile has a column of blocks in it, the one below none."""
    job = dict.fromkeys(SPECULATE_FIELDS, 0) | {
        "tiles_y": 2, "tiles_x": 2, "stride": 2, "near_y": 2, "near_x": 2, "blocks_y": 2, "blocks_x": 3, "depth": 2,
        "depends": 1, "in_base": 10}
    tiles = spec_fetch.words_spec(job)
    assert [needed for needed, _words in tiles] == [5, 6, 0, 0]
    assert tiles[1][1] == [(0, 2, 0, False, 14), (0, 2, 1, False, 15), (1, 2, 0, False, 20), (1, 2, 1, True, 21)]
    assert tiles[3][1] == [(-1, -1, 0, True, 10)]


@pytest.mark.parametrize(("name", "jobs"), [("tiny", 400), ("tall", 200), ("paper", 20)])
def test_model_equals_spec(name, jobs):
    """Random jobs one after the other: the words of the definition, none before it is there."""
    cfg, rng, numbers = CONFIGS[name], random.Random(1), np.random.default_rng(1)
    model = Model(cfg)
    for _ in range(jobs):
        p, p_done, p_next = rng.choices([0.2, 1.0], k=3)
        parties, start, busy, cycles = Parties(cfg, random_job(cfg, numbers), rng, p=p, p_done=p_done,
                                               p_next=p_next), True, True, 0
        while busy:
            x = parties.offer(start)
            y = model.step(x)
            parties.taken(x, y)
            busy, start, cycles = start or y.busy, False, cycles + 1
            assert cycles < 10_000
        assert parties.done


def test_constants():
    assert SpecFetch.LATENCY == spec_fetch.LATENCY


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(SpecFetch, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(SpecFetch)


def test_bench_notices_a_word_too_early():
    """The last tile that is needed is not waited for."""
    assert_mutant_noticed(SpecFetch, TINY, BENCH, testcase="corners", old="tiles_done > needs",
                          new="tiles_done >= needs", match="differ")
