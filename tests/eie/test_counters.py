"""Performance counters: golden model and hardware."""

import random

import numpy as np
import pytest

from golden.eie import counters as golden
from golden.eie.formats import CAUSES, COUNTER_BITS, COUNTERS, WORK
from hdl.eie.counters import Counters
from sim.common.runner import run_unit
from tests.common.mutation import assert_mutant_fails
from tests.eie.counters_traffic import CONFIGS, CountersModel, expected, idle, random_cycle

BENCH = {"name": "eie_counters", "test_module": "tests.eie.tb_counters"}


@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_model_equals_spec(density):
    rng = random.Random(density)
    for cfg in CONFIGS[:3]:
        for _ in range(50):
            model = CountersModel(cfg)
            history = [random_cycle(cfg, rng, density) for _ in range(rng.randrange(30))]
            for x in [*history, idle(cfg), idle(cfg)]:
                model.step(x)
            assert model.step(idle(cfg)) == expected(history)


def test_totals_of_a_short_history():
    work = np.array([[1, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0]])
    history = [(True, 0, work), (True, 2, work), (False, 1, 0 * work)]
    counted = {name: count for name, count in golden.totals(history).items() if count}
    assert counted == {"cycles": 2, "broadcasts": 1, "stall_lnzd": 1, "entries": 4, "padding": 2, "act_writes": 2}


def test_counters_wrap():
    model = CountersModel(CONFIGS[0])
    model.s.total[0] = (1 << COUNTER_BITS) - 1
    model.step(idle(CONFIGS[0])._replace(running=True))
    model.step(idle(CONFIGS[0]))
    assert model.step(idle(CONFIGS[0])).cycles == 0


def test_every_counter_has_a_port():
    members = Counters(CONFIGS[0]).signature.members
    assert [name for name in members if name in COUNTERS] == ["cycles", *CAUSES, *WORK]


def test_wrong_cfg_type():
    with pytest.raises(TypeError, match="^cfg must be an EieConfig, not None$"):
        Counters(None)


@pytest.mark.parametrize("cfg", CONFIGS, ids=lambda cfg: f"n{cfg.n_pe}")
def test_rtl_equals_model(cfg):
    run_unit(Counters(cfg), cfg=cfg, **BENCH)


def test_bench_notices_a_lost_cause():
    """Two causes are taken for one."""
    cfg = CONFIGS[0]
    assert_mutant_fails(Counters(cfg), cfg=cfg, **BENCH, testcase="one_event_alone",
                        old="== 3'h5", new="== 3'h4", match="counters: control differ")
