"""python -m sim dota: users' files on the RTL, waveforms, exit codes and one-line errors."""

import json
import re

import numpy as np
import pytest

from golden.common.cli import run_main
from sim.__main__ import main


def run(*argv, preset="tiny"):
    return run_main(main, ["dota", "--preset", preset, *map(str, argv)])


def user_file(path, *, heads, length, dim, seed=1, **more):
    """Random attention; the path."""
    rng = np.random.default_rng(seed)
    q, k, v = (np.round(rng.standard_normal((heads, length, dim)) * 512).astype(np.int16) for _ in range(3))
    np.savez(path, q=q, k=k, v=v, frac=8, **more)
    return path


@pytest.mark.parametrize(("preset", "heads", "length", "dim", "more"), [
    ("tiny", 1, 1, 1, {}),
    ("tiny", 3, 5, 3, {"keep": 2}),
    ("small", 2, 37, 20, {"threshold": 40}),
    ("small", 3, 5, 100, {"keep": 5, "precision": 2}),
])
def test_user_file(tmp_path, capsys, preset, heads, length, dim, more):
    """Odd lengths, any number of heads, any dimension."""
    file = user_file(tmp_path / "net.npz", heads=heads, length=length, dim=dim, **more)
    assert run("--workload", file, "--json", tmp_path / "out.json", preset=preset) == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["mismatches"], report["functional_errors"]) == (0, 0)
    assert report["checked_cycles"] > report["cycles"] > 0
    assert [head["queries"] for head in report["metrics"]["heads"]] == [length] * heads
    assert "0 mismatches" in capsys.readouterr().out


def test_expected_outputs_are_checked(tmp_path, capsys):
    """A file's own outputs that differ are functional errors, and the exit code is 1."""
    file = user_file(tmp_path / "net.npz", heads=1, length=5, dim=3, expected=np.full((1, 5, 3), 9999, np.int16))
    assert run("--workload", file) == 1
    assert "15 differences from the equations" in capsys.readouterr().out


@pytest.mark.parametrize(("more", "message"), [
    ({"q": np.zeros((1, 3, 2))}, r"q must be integers, not float64"),
    ({"frac": 16}, r"frac must be in 0\.\.15, not 16"),
    ({"keep": 6}, r"keep must be in 1\.\.5, not 6"),
    ({"v": np.zeros((1, 4, 3), np.int16)}, r"v must have shape \(1, 5, 3\), not \(1, 4, 3\)"),
    ({"nonsense": 1}, r"key must be one of .*, not 'nonsense'"),
])
def test_bad_files(tmp_path, capsys, more, message):
    """One line, exit code 2, nothing written."""
    path = user_file(tmp_path / "net.npz", heads=1, length=5, dim=3)
    with np.load(path) as file:
        np.savez(path, **{**file, **more})
    assert run("--workload", path, "--json", tmp_path / "out.json") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"error: {path}: ")
    assert re.search(message + r"\n$", error)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(("argv", "message"), [
    (["--workload", "nonsense"], "error: workload must be a built-in name or an .npz file, not 'nonsense'"),
    (["--workload", "random-384"], "error: keys must be at most 8 (32 that the detector takes and what 4 banks hold)"),
    (["--heads", "0"], "error: heads must be at least 1, not 0"),
    (["--set", "rows=5"], "error: rows must be a power of two in 4..64, not 5"),
    (["--waves", "nowhere/x.vcd"], "error: waveform must be in an existing folder, not 'nowhere/x.vcd'"),
])
def test_wrong_arguments(capsys, argv, message):
    assert run(*argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(message) and error.count("\n") == 1


def test_waves_and_list(tmp_path, capsys):
    assert run("--workload", "fig-7-15", "--waves", tmp_path / "x.vcd") == 0
    assert (tmp_path / "x.vcd").stat().st_size > 1000 and "waveform: " in capsys.readouterr().out
    assert run("--list-workloads") == 0
    assert "fig-7-14" in capsys.readouterr().out
