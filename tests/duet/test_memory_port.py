"""Memory port: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import memory_port
from hdl.duet import memory_port as hdl_port
from hdl.duet.memory_port import MemoryPort
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.memory_model import Memory, Model, random_requests

BENCH = "tests.duet.tb_memory_port"


def test_bursts():
    """Words of 512 bytes, beats of 64: eight words a page."""
    paper = CONFIGS["paper"]
    assert memory_port.bursts(paper, 6, 4) == [(3072, 16), (4096, 16)]
    assert memory_port.bursts(paper, 8, 17) == [(4096, 64), (8192, 64), (12288, 8)]
    assert memory_port.bursts(TINY, 0xFFFFFFFF, 1) == [(0xFFFFFFFF * 32, 1)]


@pytest.mark.parametrize(("name", "runs"), [("tiny", 150), ("tall", 150), ("square", 80), ("paper", 30)])
def test_model_equals_spec(name, runs):
    """Random requests: their bursts, none across a page, and their words in order."""
    cfg, rng, numbers = CONFIGS[name], random.Random(1), np.random.default_rng(1)
    model = Model(cfg)
    for _ in range(runs):
        pace = dict(zip(("p_request", "p_beat", "p_word"), rng.choices([0.2, 1.0], k=3), strict=True))
        memory = Memory(cfg, random_requests(cfg, numbers, 10), rng, latency=rng.choice([1, 10]), **pace)
        while not memory.done:
            x = memory.offer()
            memory.taken(x, model.step(x))
        assert not model.step(Model.INPUTS()).busy


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=list(CONFIGS))
def test_constants(cfg):
    assert hdl_port.beat_bits(cfg) == memory_port.beat_bits(cfg)
    assert (hdl_port.PAGE, MemoryPort.MOST_BURSTS, MemoryPort.BEATS) == (
        memory_port.PAGE, memory_port.MOST_BURSTS, memory_port.BEATS)


@configs("tiny", "tall", "paper")
def test_rtl_equals_model(cfg):
    run_bench(MemoryPort, cfg, BENCH)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(MemoryPort)


def test_bench_notices_bursts_across_pages():
    assert_mutant_noticed(MemoryPort, TINY, BENCH, testcase="pages", old="left < _033_[7:0]", new="1'h1",
                          match="ar, .*differ|ar differ")
