"""Loader: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.duet import groups, reader, step_loads
from hdl.duet.groups import Groups
from hdl.duet.input_walk import InputWalk
from hdl.duet.load_layouts import row_tag_layout, step_tag_layout
from hdl.duet.loader import Loader
from hdl.duet.reader import Reader
from hdl.duet.row_pick import RowPick
from hdl.duet.row_walk import RowWalk
from hdl.duet.step_loads import StepLoads
from hdl.duet.weight_requests import WeightRequests
from tests.duet.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench
from tests.duet.load_work import random_work
from tests.duet.loader_model import Model, Parties

BENCH = "tests.duet.tb_loader"


def run_model(cfg, model, work, rng, p=1.0, p_done=1.0):
    """Carry out a job on the cycle model; the sink checks what is sent. Returns the cycles in which it was busy."""
    parties, start, busy, cycles = Parties(cfg, work, rng, p, p_done), True, True, -1
    while busy:
        x = parties.offer(start)
        y = model.step(x)
        parties.taken(x, y)
        busy, start, cycles = start or y.busy, False, cycles + 1
        assert cycles < 100_000
    assert parties.sink.done
    return cycles


@pytest.mark.parametrize(("name", "jobs"), [("tiny", 120), ("tall", 80), ("square", 50)])
def test_model_equals_spec(name, jobs):
    """Random jobs one after the other: groups, steps and requests of the definition, no bank written too early."""
    cfg, rng, numbers = CONFIGS[name], random.Random(1), np.random.default_rng(1)
    model = Model(cfg)
    for _ in range(jobs):
        run_model(cfg, model, random_work(cfg, numbers), rng, rng.choice([0.2, 0.6, 1]), rng.choice([0.05, 0.5, 1]))


def test_constants():
    assert Reader.LATENCY == reader.LATENCY
    assert Groups.LATENCY == groups.LATENCY
    assert (StepLoads.AHEAD, StepLoads.STEPS, StepLoads.SETTLED) == (
        step_loads.AHEAD, step_loads.STEPS, step_loads.SETTLED)
    assert row_tag_layout().size == 26
    assert step_tag_layout().size == 26


@configs("tiny", "tall", "square", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Loader, cfg, BENCH)


@pytest.mark.parametrize("unit", [Loader, Reader, RowWalk, Groups, StepLoads, InputWalk, RowPick, WeightRequests])
def test_wrong_cfg(unit):
    assert_wrong_cfg_is_refused(unit)


def test_bench_notices_a_bank_too_early():
    """Two steps ahead: a bank is written while its step runs."""
    assert_mutant_noticed(Loader, TINY, BENCH, testcase="random_jobs/p=1.0/p_done=0.02", old="ahead <= 1'h1",
                          new="ahead <= 2'h2", match="differ|Mismatch")
