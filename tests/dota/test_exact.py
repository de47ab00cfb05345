"""Exact unit: golden model against the order without time, and the hardware."""

import random

import pytest

from golden.dota import exact as golden
from golden.dota.formats import Step
from hdl.dota import exact as hdl
from hdl.dota.exact import Exact
from tests.dota.exact_traffic import Model, Traffic, run_model
from tests.dota.exact_work import cycles_of, random_work, runs_of
from tests.dota.launch import CONFIGS, TINY, assert_mutant_noticed, assert_wrong_cfg_is_refused, configs, run_bench

BENCH = "tests.dota.tb_exact"


@pytest.mark.parametrize("options", [{}, {"p_rounds": 0.1, "p_weights": 0.3, "p_ready": 0.4, "delay": 8}],
                         ids=["steady", "waits"])
def test_model_equals_spec(options):
    """Hundreds of steps: every request, read, write and partial sum in its turn."""
    rng = random.Random(str(options))
    for name in "tiny", "small", "flat":
        cfg = CONFIGS[name]
        works = [random_work(cfg, rng, rng.choice([Step.ATTEND, Step.LINEAR])) for _ in range(60)]
        traffic = Traffic(cfg, works, rng, **options)
        run_model(Model(cfg), traffic)
        assert options or traffic.spent == [cycles_of(cfg, work) for work in works]


def test_order_of_attention():
    """Scores are a group ahead of sums; sums have a run for each word of the values."""
    work = random_work(TINY, random.Random(1), Step.ATTEND, queries=9, chunks=2)
    assert [run.name for run in runs_of(TINY, work)] == [
        ("score", 0), ("score", 1), ("sum", 0, 0), ("sum", 0, 1), ("score", 2), ("sum", 1, 0), ("sum", 1, 1),
        ("sum", 2, 0), ("sum", 2, 1)]


def test_states_match_golden():
    for enum in hdl.State, hdl.Kind:
        assert {one.name: one.value for one in enum} == {one.name: getattr(golden, one.name) for one in enum}


@configs("tiny", "small", "paper")
def test_rtl_equals_model(cfg):
    run_bench(Exact, cfg, BENCH)


def test_bench_notices_vectors_of_another_group():
    """The second group begins three queries after the first one."""
    assert_mutant_noticed(Exact, TINY, BENCH, testcase="scores_come_first", old="q_group + 3'h4", new="q_group + 3'h3",
                          match="dota_exact: .* differ")


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Exact)
