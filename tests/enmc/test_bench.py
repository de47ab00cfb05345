"""The benchmark of ENMC, on the smallest of its runs."""

import json

from golden.enmc.config import PRESETS
from golden.enmc.workloads import WORKLOADS
from sim.enmc import bench


def test_smallest_run(tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert bench.main(["--presets", "tiny", "--workloads", "no-class", "--json", str(file)]) == 0
    [run] = json.loads(file.read_text())["runs"]
    assert (run["case"], run["mismatches"], run["functional_errors"]) == ("no-class", 0, 0)
    assert run["checked_cycles"] > run["cycles"] > 0 and run["metrics"]["violations"] == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    # Nothing is a candidate, so nothing is executed.
    [row] = [row for row in rows if row[:3] == ["no-class", "tiny", f"{run['cycles']:,}"]]
    assert row[3] == "0.0" and row[5] == row[7] == "-" and row[4].endswith("%")


def test_means_are_weighted():
    """A rank counts as much as it has cycles; a few cycles make no share."""
    ranks = [{"whole": {"cycles": cycles, "possible": share}} for cycles, share in ((300, 0.5), (100, 0.9), (0, 1.0))]
    few = [{"whole": {"cycles": bench.LEAST - 1, "possible": 1.3}}]
    assert bench._mean(ranks, "whole", "possible") == "60.0%"
    assert bench._mean(few, "whole", "possible") == "-"


def test_runs_exist():
    assert set(bench.RUNS) <= set(PRESETS)
    assert {case for cases in bench.RUNS.values() for case in cases} == set(bench.CASES)
    assert {case.workload for case in bench.CASES.values()} <= set(WORKLOADS)
