"""Skid buffer: golden model and hardware."""

from collections import deque

import numpy as np
import pytest

from golden.common.skid import SkidInputs, SkidModel
from hdl.common.skid import Skid
from sim.common.runner import run_unit
from tests.common.configs import SkidConfig
from tests.common.mutation import assert_mutant_fails

BENCH = {"name": "skid", "test_module": "tests.common.tb_skid"}


def test_model_is_a_queue_of_one():
    """What is offered comes out at once or is kept; nothing is accepted beside it."""
    rng = np.random.default_rng(1)
    model, kept = SkidModel(), deque()
    for _ in range(2000):
        x = SkidInputs(bool(rng.integers(2)), int(rng.integers(1 << 40)), bool(rng.integers(2)))
        y = model.step(x)
        assert y.i_ready == (not kept)
        if y.i_ready and x.i_valid:
            kept.append(x.i_payload)
        assert (y.o_valid, y.o_payload) == (bool(kept), kept[0] if kept else None)
        if y.o_valid and x.o_ready:
            kept.popleft()


@pytest.mark.parametrize("cfg", [SkidConfig(12), SkidConfig(1)], ids=lambda cfg: f"w{cfg.width}")
def test_rtl_equals_model(cfg):
    run_unit(Skid(cfg.width), cfg=cfg, **BENCH)


def test_bench_notices_a_lost_item():
    assert_mutant_fails(Skid(8), cfg=SkidConfig(8), **BENCH, testcase="random_stream/p_valid=1.0/p_ready=0.7",
                        old="kept <= _03_", new="kept <= 8'h00", match="payload .* changed")
