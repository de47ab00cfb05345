"""python -m sim enmc: users' files on the RTL, traces, waveforms, exit codes and one-line errors."""

import json
import re

import numpy as np
import pytest

import golden.enmc.cli
from golden.__main__ import main as model_main
from golden.common.cli import run_main
from golden.enmc import verify
from golden.enmc.formats import Function
from sim.__main__ import main
from sim.enmc import dram_trace

KEYS = {"accelerator", "preset", "config", "workload", "seed", "cycles", "checked_cycles", "mismatches",
        "functional_errors", "utilization", "wall_seconds", "cycles_per_second", "metrics"}


def run(*argv, preset="tiny", main=main):
    return run_main(main, ["enmc", "--preset", preset, *map(str, argv)])


def user_file(path, *, classes=45, elements=9, inputs=3, seed=1, **more):
    """A random classifier; the path."""
    rng = np.random.default_rng(seed)
    arrays = {"w": rng.standard_normal((classes, elements)), "b": rng.standard_normal(classes),
              "h": rng.standard_normal((inputs, elements))}
    np.savez(path, **arrays | {key: np.asarray(value) for key, value in more.items()})
    return path


@pytest.mark.parametrize(("package", "shape", "more", "options"), [
    ("golden", {"classes": 1, "elements": 1, "inputs": 1}, {}, []),
    ("sim", {"classes": 45, "elements": 9, "inputs": 3}, {"candidates": 7, "function": Function.SIGMOID},
     ["--scores"]),
    ("golden", {"classes": 33, "elements": 14, "inputs": 4},
     {"k": 14, "function": Function.NONE, "labels": [0, 1, 32, 4]}, ["--batch", "1", "--inputs", "2"]),
    ("golden", {"classes": 20, "elements": 5, "inputs": 1}, {}, ["--full"]),
    ("sim", {"classes": 20, "elements": 3, "inputs": 2},
     {"p": np.eye(3), "w_screen": np.ones((20, 3), int), "b_screen": np.arange(20), "threshold": 12}, []),
])
def test_user_file(tmp_path, capsys, package, shape, more, options):
    """Any number of classes, elements and inputs; own and fitted screeners."""
    file, is_rtl = user_file(tmp_path / "net.npz", **shape, **more), package == "sim"
    assert run("--workload", file, "--json", tmp_path / "out.json", *options, main=main if is_rtl else model_main) == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert set(report) == KEYS and report["accelerator"] == "enmc" and report["workload"] == str(file)
    assert (report["mismatches"], report["functional_errors"]) == (0, 0)
    assert report["cycles"] > 0 and 0 <= report["utilization"] <= 1
    assert (report["checked_cycles"] > report["cycles"]) == is_rtl
    metrics = report["metrics"]
    assert metrics["classes"] == shape["classes"] and metrics["full"] == ("--full" in options)
    assert sum(metrics["batches"]) == report["cycles"] and metrics["violations"] == (0 if is_rtl else None)
    assert metrics["traffic"]["read"] == sum(rank["counters"]["bursts_read"] for rank in metrics["ranks"]) * 16
    assert (metrics["quality"]["accuracy"] is None) == ("labels" not in more)
    out = capsys.readouterr().out
    assert "0 differences from the equations" in out
    assert ("0 mismatches, 0 violations of DDR4" in out) == is_rtl


def test_differences_fail(tmp_path, monkeypatch, capsys):
    """What the equations do not say is counted, and the exit code is 1."""
    monkeypatch.setattr(verify, "_softmax", lambda *_: 1)
    assert golden.enmc.cli.main(["--preset", "tiny", "--workload", "random", "--inputs", "2"]) == 1
    assert "2 differences from the equations (2 softmax)" in capsys.readouterr().out


@pytest.mark.parametrize(("more", "message"), [
    ({"w": np.zeros((2, 3, 4))}, r"w must have shape \(any, any\), not \(2, 3, 4\)"),
    ({"h": np.zeros((3, 8))}, r"h must have shape \(any, 9\), not \(3, 8\)"),
    ({"b": np.full(45, np.nan)}, r"b\[0\] must be a finite number in float32, not nan"),
    ({"k": 10}, r"k must be in 1\.\.9, not 10"),
    ({"function": 3}, r"function must be in 0\.\.2, not 3"),
    ({"threshold": 3}, r"threshold must be left out when there is no p, not present"),
    ({"nonsense": 1}, r"key must be one of .*, not 'nonsense'"),
])
def test_bad_files(tmp_path, capsys, more, message):
    """One line, exit code 2, nothing written."""
    path = user_file(tmp_path / "net.npz", **more)
    assert run("--workload", path, "--json", tmp_path / "out.json") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"error: {path}: ")
    assert re.search(message + r"\n$", error)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(("argv", "message"), [
    (["--workload", "nonsense"], "workload must be a built-in name or an .npz file, not 'nonsense'"),
    (["--workload", "tokens"], "d must be in 1..127 in this configuration, not 256"),
    (["--workload", "random", "--inputs", "0"], "inputs must be at least 1, not 0"),
    (["--workload", "random", "--batch", "3"], "batch must be in 1..2 for k = 7 and d = 23, not 3"),
    (["--workload", "random", "--classes", "204"], "classes must be a part of 0..202, not 0..203"),
    (["--workload", "random", "--candidates", "0"], "candidates must be above 0 and at most 203, not 0"),
    (["--workload", "random", "--candidates", "nan"], "candidates must be above 0 and at most 203, not nan"),
    (["--workload", "random", "--full", "--scores"], "scores must be left out with full, which does not screen"),
    (["--workload", "random", "--full", "--candidates", "5"], "candidates must be left out with full, which does not"),
    (["--seed", "-1"], "seed must be at least 0, not -1"),
    (["--set", "ranks=9"], "ranks must be an integer in 1..8, not 9"),
    (["--set", "row_bits=4", "--set", "column_bits=4", "--workload", "random"], "a rank's DRAM must hold "),
    (["--load", "magic"], "argument --load: invalid choice: 'magic'"),
    (["--waves", "nowhere/x.vcd"], "waveform must be in an existing folder, not 'nowhere/x.vcd'"),
    (["--dram-trace", "nowhere/x.csv"], "DRAM trace must be in an existing folder, not 'nowhere/x.csv'"),
    (["--json", "nowhere/x.json"], "JSON file must be in an existing folder, not 'nowhere/x.json'"),
])
def test_wrong_arguments(capsys, argv, message):
    assert run(*argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


def test_trace_and_ports(tmp_path, capsys):
    """The file of DRAM commands stands for itself; the host's writes are in it."""
    trace = tmp_path / "x.csv"
    assert run("--workload", "no-class", "--inputs", 1, "--load", "ports", "--dram-trace", trace) == 0
    out = capsys.readouterr().out
    assert "everything was written by the host through the DIMM" in out and f"DRAM commands: {trace}, 0 viola" in out
    assert run_main(dram_trace.main, [str(trace), "--preset", "tiny"]) == 0
    [rank] = dram_trace.check_trace(trace, golden.enmc.cli.PRESETS["tiny"]).values()
    assert rank.statistics.counts["WR"] > 100 and rank.statistics.counts["RD"] > 20


def test_a_broken_rule_in_the_trace_fails(tmp_path, monkeypatch, capsys):
    """The file is read and checked again after the run."""
    plain = dram_trace.check_trace
    monkeypatch.setattr(dram_trace, "check_trace", lambda path, cfg: plain(path, cfg.replace(trcd=cfg.trcd + 1)))
    assert run("--workload", "no-class", "--inputs", 1, "--dram-trace", tmp_path / "x.csv") == 1
    assert "tRCD: RD of bank" in capsys.readouterr().out


def test_waves_and_list(tmp_path, capsys):
    assert run("--workload", "no-class", "--inputs", 1, "--waves", tmp_path / "x.vcd") == 0
    assert (tmp_path / "x.vcd").stat().st_size > 1000 and "waveform: " in capsys.readouterr().out
    assert run("--list-workloads") == 0
    assert "transformer-w268k" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        run("--help")
    assert "--dram-trace" in capsys.readouterr().out
