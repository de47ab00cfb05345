"""The whole DIMM: RTL and golden model agree in every cycle, answers are those of the equations, DDR4 is obeyed."""

import itertools
import json

import numpy as np
import pytest

import golden.enmc.cli
import sim.enmc.cli
from golden.common.config import to_json
from golden.enmc.config import PRESETS
from golden.enmc.formats import Function
from golden.enmc.model import Dimm as Model
from golden.enmc.plan import plan
from golden.enmc.workloads import load
from hdl.enmc.dimm import Dimm
from sim.common import runner
from sim.enmc import accelerator, dram_trace
from tests.enmc.launch import CONFIGS, TINY, assert_wrong_cfg_is_refused
from tests.enmc.runs import answers_of, check, random_plan

TWO, MIDDLE = TINY.replace(ranks=2), CONFIGS["middle"]


@pytest.mark.parametrize(("cfg", "given"), [
    (TINY, {"classes": 83, "elements": 23, "size": 7, "inputs": 3, "candidates": 9, "scores": True}),
    (TINY, {"classes": 19, "elements": 127, "size": 64, "inputs": 1, "candidates": np.inf,
            "function": Function.SIGMOID}),
    (TINY, {"classes": 20, "elements": 8, "size": 3, "inputs": 2, "candidates": 4, "full": True}),
    (TWO, {"classes": 60, "elements": 12, "size": 5, "inputs": 3, "candidates": np.inf, "function": Function.NONE}),
    (TWO, {"classes": 10, "elements": 12, "size": 5, "inputs": 3, "candidates": 0}),
    (MIDDLE, {"classes": 150, "elements": 31, "size": 33, "inputs": 6, "candidates": 12, "scores": True}),
], ids=["scores", "every-class", "full", "two-ranks", "no-class", "middle"])
def test_rtl_equals_model(cfg, given, tmp_path):
    """Batches one after the other; answers, cycles and activity are those of a model of its own."""
    what, trace = random_plan(cfg, 2, **given), tmp_path / "trace.csv"
    jobs = [what.jobs(n) for n in range(what.batches)]
    ran = accelerator.simulate(accelerator.build(cfg), cfg, jobs, dram_trace=trace)
    check(what, ran.runs)
    alone = Model(cfg)
    assert [len(a.records) for batch in ran.runs for a in batch] == \
        [len(a.records) for batch in answers_of(alone, what) for a in batch]
    np.testing.assert_array_equal(ran.activity, alone.activity)
    assert ran.checked_cycles == alone.cycles and len(ran.batches) == what.batches
    # The commands, as a file that is checked by itself.
    ranks = dram_trace.check_trace(trace, cfg)
    assert ran.violations == sum(entry.rules.total for entry in ranks.values()) == 0
    for k, entry in ranks.items():
        counters, counts = ran.runs[-1][k].counters, entry.statistics.counts
        read = sum(len(batch[k].read) for batch in jobs)
        assert counts["RD"] == counters["bursts_read"] + read and counts["WR"] == counters["bursts_written"]


def test_tokens_on_a_rank():
    """Real data on the logic of a rank of the source."""
    cfg = PRESETS["rank"]
    what = plan(cfg, load("tokens", cfg, 1), inputs=2, classes=640)
    ran = accelerator.simulate(accelerator.build(cfg), cfg, [what.jobs(0)])
    check(what, ran.runs)
    assert ran.violations == 0 and len(ran.runs[0][0].records) > 100


def test_everything_through_the_pins():
    """The host writes classifier and inputs by ordinary DDR4 commands."""
    what = random_plan(TWO, classes=40, elements=9, size=5, inputs=3, candidates=6, scores=True)
    jobs = [what.jobs(n) for n in range(what.batches)]
    at_once, written = (accelerator.simulate(accelerator.build(TWO), TWO, jobs, ports=ports)
                        for ports in (False, True))
    check(what, written.runs)
    bursts = sum(len(segment.words) for batch in jobs for job in batch for segment in job.memory)
    assert written.checked_cycles > at_once.checked_cycles + bursts


@pytest.mark.parametrize(("preset", "options"), [
    ("tiny", ["--workload", "random", "--inputs", "3", "--scores"]),
    ("tiny", ["--workload", "every-class", "--set", "ranks=2", "--in-order"]),
    ("tiny", ["--workload", "no-class"])])
def test_golden_cycles_equal_rtl_cycles(preset, options, tmp_path):
    """`python -m golden enmc` and `python -m sim enmc` report the same but for who ran it."""
    reports = []
    for cli in (golden.enmc.cli, sim.enmc.cli):
        file = tmp_path / "report.json"
        assert cli.main(["--preset", preset, *options, "--seed", "3", "--json", str(file)]) == 0
        reports.append(json.loads(file.read_text()))
    model, rtl = reports
    assert rtl["cycles"] == model["cycles"] == sum(rtl["metrics"]["batches"]) > 0
    assert rtl["checked_cycles"] > rtl["cycles"] and rtl["mismatches"] == rtl["functional_errors"] == 0
    own = {"checked_cycles", "wall_seconds", "cycles_per_second", "metrics"}
    assert {key: value for key, value in rtl.items() if key not in own} == \
        {key: value for key, value in model.items() if key not in own}
    assert {**rtl["metrics"], "violations": None} == model["metrics"] and rtl["metrics"]["violations"] == 0


@pytest.mark.parametrize(("changes", "where"), [
    ({"trcd": 7}, r"rank_0\.dram_pins_"), ({"instructions": 7}, r"rank_0\.answer")], ids=["timing", "status"])
def test_a_wrong_model_is_noticed(changes, where, monkeypatch):
    """The comparison names the rank, the field and the cycle."""
    plain = runner.run
    monkeypatch.setenv("WRONG_MODEL", json.dumps(changes))
    monkeypatch.setattr(runner, "run", lambda built, **given: plain(built, **given | {
        "test_module": "tests.enmc.tb_top_wrong_model"}))
    what = random_plan(TINY, classes=20, elements=5, size=3, inputs=1, candidates=3)
    with pytest.raises(runner.BenchFailure, match=rf"^enmc: .*{where}.* differ in cycle \d+ \(cfg="):
        accelerator.simulate(accelerator.build(TINY), TINY, [what.jobs(0)])


def test_settings_make_a_configuration(tmp_path):
    """`--set` of every field gives the configuration that the run reports."""
    settings = itertools.chain(*(["--set", f"{key}={value}"] for key, value in json.loads(to_json(TWO)).items()))
    file = tmp_path / "report.json"
    assert golden.enmc.cli.main(["--preset", "paper", *settings, "--workload", "no-class", "--json", str(file)]) == 0
    assert json.loads(file.read_text())["config"] == json.loads(to_json(TWO))


def test_wrong_cfg():
    assert_wrong_cfg_is_refused(Dimm)
