"""The report of layers: what counts as an error, shares of the array, a user's layer from file to exit code."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

import golden.dota.cli
from golden.common.cli import run_main
from golden.dota.config import PRESETS
from golden.dota.model import ProgramRun
from golden.dota.report import evaluate, to_dict
from golden.dota.tables import print_report
from golden.dota.workloads import load

SMALL = PRESETS["small"]
CYCLES = {"project": 7, "transform": 9, "linear": 400, "attend": 300, "project_out": 200, "ffn": 100}


def report_of(change=None):
    """A run with right outputs, but for one element of ``change``, and made-up cycles."""
    workload = load("encoder", SMALL, 1)
    results = {name: values.copy() for name, values in workload.layers.results(SMALL).items() if name in ("o", "out")}
    if change:
        results[change][2, 3] += 1
    return evaluate(SMALL, workload, [ProgramRun(results, CYCLES)], preset="small", seed=1, wall_seconds=1.0)


@pytest.mark.parametrize("change", [None, "o", "out"])
def test_errors(change):
    report = report_of(change)
    assert report.functional_errors == (change is not None)
    assert report.cycles == sum(CYCLES.values()) and not report.heads


def test_shares():
    """Useful multiplications over those that the used lanes could have made; half the array in attention."""
    stages = {stage.phase: stage for stage in report_of().stages}
    assert {phase: stage.cycles for phase, stage in stages.items()} == CYCLES
    assert all(stage.lanes == 2 for stage in stages.values())
    assert stages["ffn"].macs == 2 * 9 * 12 * 40 and stages["ffn"].utilization == 8640 / (100 * 2 * 64)
    assert stages["attend"].macs == 648 and stages["attend"].utilization == 648 / (300 * 2 * 32)
    assert stages["project"].macs == stages["project"].utilization == 0
    exact = [stages[phase] for phase in ("linear", "attend", "project_out", "ffn")]
    assert report_of().utilization == pytest.approx(sum(s.utilization * s.cycles for s in exact) / 1000)


def test_json_and_table():
    report = report_of()
    stages = to_dict(report)["metrics"]["stages"]
    assert [stage["phase"] for stage in stages] == ["project", "transform", "attend", "linear", "project_out", "ffn"]
    console = Console(file=io.StringIO(), width=110)
    print_report(report, console)
    text = console.file.getvalue()
    for stage in stages:
        (line,) = [line.split() for line in text.splitlines() if line.strip().startswith(stage["phase"] + " ")]
        assert line[1:3] == ["2", str(stage["cycles"])] and line[-1] in ("-", f"{stage['utilization']:.1%}")


def test_users_layer(tmp_path, capsys):
    """A file with x, w and shift runs; outputs that differ from those expected are errors."""
    rng = np.random.default_rng(1)
    x, w = rng.integers(-300, 300, (5, 3)), rng.integers(-300, 300, (4, 3))
    right = (x @ w.T + 2 >> 2).clip(-(1 << 15), (1 << 15) - 1)
    for expected, code in ((right, 0), (right + np.eye(5, 4, dtype=int), 1)):
        file = tmp_path / "layer.npz"
        np.savez(file, x=x, w=w, shift=2, expected=expected)
        assert run_main(golden.dota.cli.main, ["--preset", "tiny", "--workload", str(file), "--json",
                                               str(tmp_path / "out.json")]) == code
        report = json.loads((tmp_path / "out.json").read_text())
        assert report["functional_errors"] == 4 * code and report["metrics"]["stages"][0]["phase"] == "linear"
        assert f"{4 * code} differences from the equations" in capsys.readouterr().out


def test_not_in_parts(capsys):
    assert run_main(golden.dota.cli.main, ["--preset", "tiny", "--workload", "encoder", "--heads", "2"]) == 2
    assert capsys.readouterr().err == "error: heads must be left out with encoder, which is run as a whole, not 2\n"


def test_too_large(capsys):
    """One line before anything runs."""
    assert run_main(golden.dota.cli.main, ["--preset", "tiny", "--workload", "text-linear"]) == 2
    error = capsys.readouterr().err
    assert error == "error: words of a token must be at most 128 (two banks), not 193 for its inputs\n"
