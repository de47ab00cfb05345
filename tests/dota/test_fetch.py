"""Fetch unit: golden model against the number of cycles that a request must take, and the hardware."""

import itertools
import random

import numpy as np
import pytest

from golden.dota import fetch
from golden.dota.fetch import TAGS, cycles_of
from golden.dota.formats import KEY_BANKS, QUERIES
from hdl.dota.fetch import Fetch
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.dota.requests import request

BENCH = "tests.dota.tb_fetch"


def run_model(cfg, requests, rng, p_valid):
    """Cycles that each request is at work, and the vectors that are read for it."""
    s, sent, spent, read = fetch.state(cfg, 1), 0, [], []
    taken = 0
    while len(spent) < len(requests) or s.valid[0]:
        offers = sent < len(requests) and rng.random() < p_valid
        one = requests[min(sent, len(requests) - 1)]
        ready = fetch.ready_of(s, 0)
        if s.valid[0]:
            if s.fresh[0]:
                spent, read, taken = [*spent, 0], [*read, []], 0
            spent[-1] += 1
            now, at_work = fetch.served(s, 0), requests[len(spent) - 1]
            assert not now & taken, "each query is served once"
            taken |= now
            assert (taken == 15) == bool(fetch.finishes(s, 0))
            for bank in range(KEY_BANKS):
                first = fetch.chosen(s, 0, bank)
                if first >= 0:
                    read[-1].append(at_work["addr"][first])
                    assert at_work["addr"][first] % KEY_BANKS == bank and now >> first & 1
        reads = fetch.clock(s, 0, offers, np.array(one["addr"]), one["live"], np.array(one["weights"]),
                            np.array([one[name] for name in TAGS]))
        assert reads == 0 or reads <= len(read[-1])
        sent += offers and ready
    return spent, read


@pytest.mark.parametrize("p_valid", [0.5, 1])
def test_model_equals_spec(p_valid):
    """Thousands of requests: as many cycles as the busiest bank has distinct vectors, each read once."""
    rng = random.Random(p_valid)
    for name in "tiny", "paper":
        requests = [request(rng, CONFIGS[name]) for _ in range(2000)]
        spent, read = run_model(CONFIGS[name], requests, rng, p_valid)
        for one, cycles, addresses in zip(requests, spent, read, strict=True):
            live = [one["live"] >> query & 1 for query in range(QUERIES)]
            assert cycles == cycles_of(one["addr"], live)
            assert sorted(addresses) == sorted({a for a, lives in zip(one["addr"], live, strict=True) if lives})


def test_cycles_by_hand():
    """Shared, spread over the banks, and in one bank; who is idle wants nothing."""
    for addresses, live, cycles in (((7, 7, 7, 7), 15, 1), ((4, 5, 6, 7), 15, 1), ((0, 4, 8, 12), 15, 4),
                                    ((0, 4, 0, 4), 15, 2), ((0, 4, 8, 1), 0b1011, 2), ((0, 4, 8, 12), 0, 1)):
        assert cycles_of(addresses, [live >> query & 1 for query in range(QUERIES)]) == cycles


def test_all_small_requests():
    """Every choice of four among eight words."""
    rng = random.Random(5)
    requests = [request(rng, TINY, live=15) | {"addr": list(one)}
                for one in itertools.product(range(8), repeat=QUERIES)]
    spent, _read = run_model(TINY, requests, rng, 1)
    assert spent == [cycles_of(one["addr"], [1] * QUERIES) for one in requests]


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Fetch, cfg, BENCH)


def test_bench_notices_a_vector_that_is_read_for_each_query():
    """Nobody else is served with the first that waits for a bank."""
    assert_mutant_noticed(Fetch, TINY, BENCH, testcase="full_throughput", old="== request[15:8]",
                          new="!= request[15:8]", match="dota_fetch: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Fetch)
