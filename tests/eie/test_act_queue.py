"""Activation queue: golden model and hardware."""

from collections import deque

import numpy as np
import pytest

from golden.common.fifo import fifo_front, fifo_step, fifo_valid
from golden.eie import act_queue
from hdl.eie.act_queue import ActQueue
from tests.eie.launch import TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.eie.tb_act_queue"


@pytest.mark.parametrize("depth", [1, 2, 8])
def test_model_is_a_queue(depth):
    """Random broadcasts into two lanes: each is a queue of (column, value) with fifo_depth places."""
    rng = np.random.default_rng(depth)
    s = act_queue.state(TINY.replace(fifo_depth=depth), 2)
    queues = deque(), deque()
    for _ in range(2000):
        for k, queue in enumerate(queues):
            assert fifo_valid(s, k) == bool(queue)
            assert [act_queue.has_room(s, k, count) for count in (1, 2)] == [len(queue) < depth, len(queue) < depth - 1]
            if queue:
                assert (fifo_front(s, k, act_queue.COLUMN), fifo_front(s, k, act_queue.VALUE)) == queue[0]
            item = int(rng.integers(1 << 8)), int(rng.integers(-1 << 15, 1 << 15))
            valid, ready = rng.integers(2, size=2)
            take, give = valid and len(queue) < depth, ready and queue
            fifo_step(s, k, valid, *item, 0, ready)
            if give:
                queue.popleft()
            if take:
                queue.append(item)


@configs("tiny", "wide", "narrow")
def test_rtl_equals_model(cfg):
    run_bench(ActQueue, cfg, BENCH)


def test_bench_notices_a_lost_entry():
    assert_mutant_noticed(ActQueue, TINY, BENCH, old="level + 2'h2", new="level + 2'h1", match="room",
                          testcase="usable_entries")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(ActQueue)
