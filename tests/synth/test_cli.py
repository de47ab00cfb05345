"""python -m synth and python -m synth.diff: exit codes, files, one-line errors, what has moved."""

import json

import pytest

from golden.common.cli import run_main
from synth import __main__, diff
from synth.common import liberty, tools
from tests.synth.planted import Planted, pair
from tests.synth.planted import liberty as cells


def run(*argv):
    return run_main(__main__.main, list(map(str, argv)))


@pytest.fixture
def library(tmp_path, monkeypatch):
    path = tmp_path / "cells.lib"
    path.write_text(cells())
    monkeypatch.setattr(tools, "sta_version", lambda: None)
    return path


def test_report_on_screen_and_as_json(tmp_path, capsys):
    file = tmp_path / "report.json"
    assert run("eie.lnzd", "--preset", "tiny", "--target", "generic", "--json", file) == 0
    report = json.loads(file.read_text())
    assert {"unit", "target", "config", "tools", "critical_path_ns", "fmax_mhz", "critical_path"} <= set(report)
    assert {"comb_paths", "unregistered_outputs"} == set(report["ports"])
    out = capsys.readouterr().out
    assert "eie.lnzd, preset tiny, target generic" in out and f"{report['gates']:,}" in out


def test_whole_accelerator_has_its_units(tmp_path, library):
    file = tmp_path / "report.json"
    assert run("eie", "--preset", "tiny", "--target", "asic", "--liberty", library, "--json", file) == 0
    report = json.loads(file.read_text())
    assert report["units"]["eie_pe"]["instances"] == 4
    assert report["area_um2"] == pytest.approx(
        report["own_area_um2"] + sum(u["own_area_um2"] * u["instances"] for u in report["units"].values()), rel=1e-6)
    assert sum(sram["bits"] for sram in report["srams"]) == 59392
    assert {"eie_lnzd", "eie_registers", "eie_regfile"} <= set(report["units"])


def test_all_targets(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(liberty, "DEFAULT", tmp_path / "none")
    file = tmp_path / "report.json"
    assert run("eie.lnzd", "--preset", "tiny", "--target", "all", "--seeds", 1, "--json", file) == 0
    assert list(json.loads(file.read_text())) == ["generic", "ecp5"]
    assert ("target asic is left out: pass --liberty FILE, or install the Debian package qflow-tech-osu018"
            in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(("argv", "message"), [
    (["nope", "--target", "generic"], "accelerator must be one of eie, dota, enmc, duet, not 'nope'"),
    (["eie.nope", "--target", "generic"], "unit of eie must be one of "),
    (["eie"], "the following arguments are required: --target"),
    (["eie", "--target", "gold"], "argument --target: invalid choice: 'gold'"),
    (["eie.lnzd", "--target", "generic", "--jobs", "0"], "argument --jobs: invalid number value: '0'"),
    (["eie.lnzd", "--target", "asic", "--liberty", "/dev/null"], "liberty must be a Liberty file with "),
    (["eie.lnzd", "--target", "asic", "--liberty", "nowhere.lib"], "liberty must be a readable Liberty file, not "),
])
def test_wrong_arguments(capsys, argv, message):
    assert run(*argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"error: {message}")


def test_no_library(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(liberty, "DEFAULT", tmp_path / "none")
    assert run("eie.lnzd", "--target", "asic") == 2
    assert capsys.readouterr().err == ("error: target asic must have a cell library: pass --liberty FILE, or "
                                       "install the Debian package qflow-tech-osu018\n")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """synth.diff with a small design instead of the accelerator, and with results in a folder of its own."""
    monkeypatch.setattr(diff, "RESULTS", tmp_path / "results")
    measure = diff.flow.run
    asked = []

    def run_planted(choice, target, options):
        asked.append((choice.label, choice.preset, choice.cfg.n_pe, target))
        return measure(Planted(pair()), target, options)

    monkeypatch.setattr(diff.flow, "run", run_planted)
    yield lambda *argv: run_main(diff.main, ["eie", "--target", "generic", *argv])
    assert set(asked) == {("eie", "paper", 64, "generic")}


def test_diff(tiny, capsys):
    assert tiny() == 1
    assert "eie generic: no committed figures; --accept writes them" in capsys.readouterr().out
    assert not diff.RESULTS.exists()
    assert tiny("--accept") == 0
    assert tiny() == 0
    assert "eie generic: nothing moved" in capsys.readouterr().out
    file = diff.RESULTS / "eie-generic.json"
    committed = json.loads(file.read_text())
    before = committed["units"]["planted_unit"]["gates"]
    committed["units"]["planted_unit"]["gates"] = 2 * before
    file.write_text(json.dumps(committed))
    assert tiny() == 1
    row = next(line for line in capsys.readouterr().out.splitlines() if "planted_unit" in line)
    assert row.split() == ["planted_unit", "gates", str(2 * before), str(before), "0.500"]
    assert tiny("--accept") == 0 and json.loads(file.read_text())["units"]["planted_unit"]["gates"] == before


def test_diff_sees_units_conditions_and_paths():
    old = {"config": {"a": 1}, "tools": {}, "conditions": {"period_ps": 1}, "units": {"x": {"ns": 1}, "gone": {}}}
    new = {"config": {"a": 1}, "tools": {"sta": "2"}, "conditions": {"period_ps": 2},
           "units": {"x": {"ns": 1, "p": "q"}}}
    assert diff.moved(old, new) == [("", "tools.sta", None, "2"), ("", "conditions.period_ps", 1, 2),
                                    ("x", "p", None, "q"), ("gone", "unit", "there", "not there")]


def test_diff_wrong_accelerator(capsys):
    assert run_main(diff.main, ["nope"]) == 2
    assert capsys.readouterr().err == "error: accelerator must be one of eie, dota, enmc, duet, not 'nope'\n"
