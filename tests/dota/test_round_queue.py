"""Queue of rounds: golden model against plain lists, and the hardware."""

import random

import numpy as np
import pytest

from golden.common.config import to_json
from golden.dota import round_queue
from golden.dota.formats import QUERIES, QUEUE_SLOTS
from hdl.common.emit import emit
from hdl.dota.round_queue import RoundQueue
from sim.common.runner import BenchFailure, build, run
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_round_queue"


def test_model_equals_spec():
    """Thousands of rounds: a list of complete groups, one that is filled, and what was read last."""
    cfg, rng = TINY, random.Random(1)
    s, complete, filled, released, read = round_queue.state(cfg, 1), [], [], 0, None
    for _ in range(20_000):
        assert round_queue.ready_of(s, 0) == (len(complete) < QUEUE_SLOTS) and s.complete[0] == len(complete)
        if read is not None:
            keys, live, last = read
            assert [round_queue.key_of(s, 0, query) for query in range(QUERIES)] == keys
            assert (round_queue.live_of(s, 0), round_queue.last_of(s, 0)) == (live, last)
        last = len(filled) == cfg.queue - 1 or rng.random() < 0.3
        one = [rng.randrange(cfg.keys) for _ in range(QUERIES)], rng.randrange(16), last
        i_valid, release = rng.random() < 0.7, bool(complete) and rng.random() < 0.1
        r_en = bool(complete) and rng.random() < 0.5
        group = rng.randrange(len(complete)) if r_en else 0
        number = rng.randrange(len(complete[group])) if r_en else 0
        taken = i_valid and len(complete) < QUEUE_SLOTS
        round_queue.clock(s, 0, i_valid, np.array(one[0]), one[1], last, r_en, (released + group) % QUEUE_SLOTS, number,
                          release)
        if r_en:
            read = complete[group][number]
        if release:
            complete, released = complete[1:], released + 1
        if taken:
            filled = [*filled, one]
            if last:
                complete, filled = [*complete, filled], []
    assert released > 100


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run_bench(RoundQueue, cfg, BENCH)


def test_hardware_asserts():
    """A group that is not there must not be released."""
    design = emit(RoundQueue(TINY), name="dota_round_queue", cfg=TINY)
    built = build("dota_round_queue", dict(design.files), design.top)
    with pytest.raises(BenchFailure, match="hardware assertion: .*a group must be there to be released"):
        run(built, test_module=BENCH, seed=1, testcase="release_of_nothing", env={"DUT_CONFIG": to_json(TINY)})


def test_bench_notices_a_slot_too_few():
    """Only three groups are taken."""
    assert_mutant_noticed(RoundQueue, TINY, BENCH, testcase="full_slots", old="complete != 2'h3",
                          new="complete != 2'h2", match="dota_round_queue: .* differ")


def test_the_queue_of_the_paper():
    """Four groups of 256 rounds: connections that a query may keep."""
    assert round_queue.state(CONFIGS["paper"], 1).keys.shape == (1, QUEUE_SLOTS, 256, QUERIES)


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(RoundQueue)
