"""Stream FIFO: golden models and hardware."""

from collections import deque

import numpy as np
import pytest

from golden.common.fifo import (
    FifoInputs,
    FifoModel,
    fifo_front,
    fifo_ready,
    fifo_state,
    fifo_step,
    fifo_valid,
)
from hdl.common.fifo import Fifo
from sim.common.runner import run_unit
from tests.common.configs import FifoConfig
from tests.common.mutation import assert_mutant_fails


@pytest.mark.parametrize("depth", [1, 2, 3, 8])
def test_model_is_a_queue(depth):
    rng = np.random.default_rng(depth)
    model, queue = FifoModel(depth), deque()
    for _ in range(2000):
        x = FifoInputs(bool(rng.integers(2)), int(rng.integers(1 << 40)), bool(rng.integers(2)))
        y = model.step(x)
        assert y == (len(queue) < depth, bool(queue), queue[0] if queue else None, len(queue))
        if y.o_valid and x.o_ready:
            queue.popleft()
        if x.i_valid and y.i_ready:
            queue.append(x.i_payload)


def test_lanes_are_independent():
    rng = np.random.default_rng(1)
    lanes, depth = 5, 4
    together, alone = fifo_state(lanes, depth, 3), [fifo_state(1, depth, 3) for _ in range(lanes)]
    for _ in range(300):
        for k in range(lanes):
            assert fifo_ready(together, k) == fifo_ready(alone[k], 0)
            assert fifo_valid(together, k) == fifo_valid(alone[k], 0)
            if fifo_valid(together, k):
                for field in range(3):
                    assert fifo_front(together, k, field) == fifo_front(alone[k], 0, field)
            x = bool(rng.integers(2)), *map(int, rng.integers(-99, 99, 3)), bool(rng.integers(2))
            fifo_step(together, k, *x)
            fifo_step(alone[k], 0, *x)


def test_fields_are_kept_in_order():
    s = fifo_state(1, 2, 3)
    fifo_step(s, 0, True, 1, 2, 3, False)
    fifo_step(s, 0, True, 4, 5, 6, False)
    assert [fifo_front(s, 0, f) for f in range(3)] == [1, 2, 3]
    fifo_step(s, 0, True, 7, 8, 9, True)  # full: the offer is not taken
    assert [fifo_front(s, 0, f) for f in range(3)] == [4, 5, 6]
    assert s.level[0] == 1


@pytest.mark.parametrize("depth", [0, 257])
def test_wrong_depth(depth):
    for make in (lambda: Fifo(8, depth), lambda: fifo_state(1, depth)):
        with pytest.raises(ValueError, match=rf"^depth must be an integer in 1\.\.256, not {depth}$"):
            make()


def test_wrong_fields():
    with pytest.raises(ValueError, match=r"^fields must be an integer in 1\.\.3, not 4$"):
        fifo_state(1, 1, 4)


CONFIGS = [FifoConfig(1), FifoConfig(2), FifoConfig(3), FifoConfig(8), FifoConfig(256, 2)]


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"d{cfg.depth}-w{cfg.width}")
def test_rtl_equals_model(cfg):
    run_unit(Fifo(cfg.width, cfg.depth), name="fifo", cfg=cfg, test_module="tests.common.tb_fifo")


def test_bench_notices_a_lost_entry():
    cfg = FifoConfig(8)
    assert_mutant_fails(Fifo(cfg.width, cfg.depth), name="fifo", cfg=cfg, test_module="tests.common.tb_fifo",
                        testcase="fill_and_drain", old="level != 3'h7", new="level != 3'h6", match="i_ready")
