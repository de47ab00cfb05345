"""The benchmark of DUET, on the smallest of its runs."""

import json

import numpy as np

from golden.duet.compiler import compile_network
from golden.duet.config import PRESETS
from golden.duet.interpret import run
from golden.duet.spec import MODES
from golden.duet.workloads import WORKLOADS, load
from sim.duet import bench

TINY = PRESETS["tiny"]


def test_smallest_run(tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert bench.main(["--presets", "tiny", "--workloads", "dense", "--json", str(file)]) == 0
    [own] = json.loads(file.read_text())["runs"]
    assert (own["case"], own["mismatches"], own["functional_errors"]) == ("dense", 0, 0)
    assert own["checked_cycles"] > own["cycles"] > 0
    sums = own["sums"]
    assert sums["insensitive"] == sums["speculate"] == 0 and sums["execute"] < 1.1 * sums["floor"]
    assert own["utilization"] > 0.9
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    [row] = [row for row in rows if row[:3] == ["dense", "tiny", f"{own['cycles']:,}"]]
    assert row[3:5] == [f"{sums['execute']:,}", f"{sums['floor']:,}"] and row[8] == "0.0%"


def test_dense_has_nothing_to_skip():
    """No input is 0, so all that skipping can leave out are the pixels around the map."""
    workload = bench.dense(TINY, 1)
    network = workload.network
    assert network.layers[0].low is None and np.all(network.inputs) and workload.synthetic
    base, duet = (run(compile_network(network, TINY, mode), network.inputs)[1][0][0] for mode in ("base", "duet"))
    assert base.macs == base.dense and not duet.skipped_output
    height, width = network.inputs.shape[2:]
    inside = (3 * height - 2) * (3 * width - 2)
    assert duet.macs * 9 * height * width == base.macs * inside


def test_cases():
    """All are run, on presets that there are; parts are those of a single convolution."""
    assert set(bench.RUNS) <= set(PRESETS)
    assert {case for cases in bench.RUNS.values() for case in cases} == set(bench.CASES)
    assert {case.workload for case in bench.CASES.values()} <= {*WORKLOADS, "dense"}
    assert {case.mode for case in bench.CASES.values() if case.workload == "digits-cnn"} == set(MODES)
    assert all(len(load(case.workload, TINY, 1).network.layers) == 1
               for case in bench.CASES.values() if case.tiles is not None)
