"""The benchmark of DOTA, on the smallest of its runs."""

import json

from golden.dota.config import PRESETS
from golden.dota.workloads import WORKLOADS
from sim.dota import bench


def test_smallest_run(tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert bench.main(["--presets", "tiny", "--workloads", "fig-7-15", "--json", str(file)]) == 0
    run = json.loads(file.read_text())["runs"][0]
    assert (run["workload"], run["mismatches"], run["functional_errors"]) == ("fig-7-15", 0, 0)
    assert run["checked_cycles"] > run["cycles"] > 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["fig-7-15", "tiny", str(run["cycles"])] in [row[:3] for row in rows]


def test_runs_exist():
    assert set(bench.RUNS) <= set(PRESETS)
    assert {workload for workloads in bench.RUNS.values() for workload in workloads} <= set(WORKLOADS)
