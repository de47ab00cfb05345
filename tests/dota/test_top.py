"""The whole accelerator: RTL and golden model agree in every cycle, and outputs are those of layer 1."""

import itertools
import json

import numpy as np
import pytest

import golden.dota.cli
import sim.dota.cli
from golden.common.config import to_json
from golden.dota.compiler import plan_head
from golden.dota.model import Dota as Model
from golden.dota.spec import attention
from golden.dota.workloads import random_head
from hdl.dota.top import Dota
from sim.common import runner
from sim.dota import accelerator
from tests.dota.launch import CONFIGS, TINY, assert_wrong_cfg_is_refused

#: All precisions, queries and keys of odd number, a threshold, vectors of several words, one query, one key.
SHAPES = (
    {"queries": 9, "keys": 13, "dim": 5, "keep": 3},
    {"queries": 1, "keys": 23, "dim": 2, "bits": 2},
    {"queries": 5, "keys": 1, "dim": 1, "bits": 8, "transform_bits": 4},
    {"queries": 12, "keys": 12, "dim": 7, "inputs": 11, "keep": 12},
    {"queries": 7, "keys": 30, "dim": 3, "threshold": 4, "keep": 9, "transform_bits": 2},
)


def heads_of(cfg, count=None):
    """Random heads of these shapes."""
    rng = np.random.default_rng([4, cfg.rows, cfg.columns])
    return [random_head(rng, cfg, **shape | {"keep": min(shape.get("keep", cfg.queue), shape["keys"], cfg.queue)})
            for shape in SHAPES[:count]]


def check(ran, heads, cfg):
    """Outputs are those of layer 1; cycles those of a model of its own."""
    assert len(ran.runs) == len(heads)
    for n, (rtl, head) in enumerate(zip(ran.runs, heads, strict=True)):
        np.testing.assert_array_equal(rtl.z, attention(head, cfg.estimate_bits, cfg.balance).z)
        alone = Model(cfg).run(plan_head(head, cfg), n % cfg.lanes)
        assert (rtl.cycles, rtl.lane) == (alone.cycles, alone.lane)
    assert ran.checked_cycles > sum(sum(rtl.cycles.values()) for rtl in ran.runs) / cfg.lanes


@pytest.mark.parametrize("cfg", [
    TINY, CONFIGS["small"], CONFIGS["tall"], CONFIGS["flat"].replace(lanes=2, balance=True)],
    ids=["tiny", "small", "tall", "flat-balance"])
def test_rtl_equals_model(cfg):
    """Heads of all shapes one after the other, so that each begins with what the last one left."""
    heads = heads_of(cfg)
    ran = accelerator.simulate(accelerator.build(cfg), cfg, [plan_head(head, cfg) for head in heads])
    check(ran, heads, cfg)


def test_one_accumulator_for_all_lanes():
    """Steps that need it, and READs, wait for each other, also in different lanes."""
    cfg = TINY.replace(lanes=2)
    runner.run(accelerator.build(cfg), test_module="tests.dota.tb_top", seed=1, env={"DUT_CONFIG": to_json(cfg)})


def test_pauses_change_nothing():
    """The host pauses: the same outputs and cycles of every step."""
    heads = heads_of(TINY, 2)
    plans, built = [plan_head(head, TINY) for head in heads], accelerator.build(TINY)
    steady, paused = (accelerator.simulate(built, TINY, plans, stalls=stalls)
                      for stalls in ((), (1, 0, 0, 1, 1, 1, 0)))
    check(paused, heads, TINY)
    assert [run.cycles for run in steady.runs] == [run.cycles for run in paused.runs]
    assert paused.checked_cycles > steady.checked_cycles


@pytest.mark.parametrize(("cfg", "workload"), [
    (TINY, "fig-7-15"), (TINY, "random"), (TINY, "decode"), (CONFIGS["small"], "saturating"),
    (CONFIGS["small"], "equal-scores")])
def test_golden_cycles_equal_rtl_cycles(cfg, workload, tmp_path):
    """`python -m golden dota` and `python -m sim dota` report the same cycles, loads and quality."""
    settings = itertools.chain(*(["--set", f"{key}={value}"] for key, value in json.loads(to_json(cfg)).items()))
    options = ["--preset", "tiny", *settings, "--workload", workload, "--seed", "3", "--json"]
    reports = []
    for cli in (golden.dota.cli, sim.dota.cli):
        file = tmp_path / "report.json"
        assert cli.main([*options, str(file)]) == 0
        reports.append(json.loads(file.read_text()))
    model, rtl = reports
    assert model["config"] == rtl["config"] == json.loads(to_json(cfg))
    assert rtl["cycles"] == model["cycles"] > 0
    assert rtl["checked_cycles"] > rtl["cycles"] and rtl["mismatches"] == rtl["functional_errors"] == 0
    assert rtl["utilization"] == model["utilization"]
    assert rtl["metrics"]["heads"] == model["metrics"]["heads"]


@pytest.mark.parametrize(("workload", "loads"), [("fig-7-14", [10, 5, 5, 4]), ("fig-7-15", [12, 11, 7, 6])])
def test_figures(workload, loads, tmp_path):
    """[Thesis Fig. 7.14, 7.15]: row by row, in order, as the RTL schedules them, distinct."""
    file = tmp_path / "report.json"
    assert sim.dota.cli.main(["--preset", "tiny", "--workload", workload, "--json", str(file)]) == 0
    metrics = json.loads(file.read_text())["metrics"]
    found = metrics["masks"][0] if metrics["masks"] else metrics["heads"][0]["loads"]
    assert list(found.values()) == loads


@pytest.mark.parametrize(("changes", "where"), [
    ({"estimate_bits": 8}, r"lane_0\.owners"), ({"late": True}, r"dota\.m_")], ids=["estimates", "one-cycle"])
def test_a_wrong_model_is_noticed(changes, where, monkeypatch):
    """The comparison names the unit, the field and the cycle."""
    plain = runner.run
    monkeypatch.setenv("WRONG_MODEL", json.dumps(changes))
    monkeypatch.setattr(runner, "run", lambda built, **given: plain(built, **given | {
        "test_module": "tests.dota.tb_top_wrong_model"}))
    with pytest.raises(runner.BenchFailure, match=rf"^dota: .*{where}.* differ in cycle \d+ \(cfg="):
        accelerator.simulate(accelerator.build(TINY), TINY, [plan_head(head, TINY) for head in heads_of(TINY, 1)])


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Dota)
