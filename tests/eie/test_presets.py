"""Every preset on the RTL at its full size, and the figures that the design must reach on Table III's shapes."""

import json

import pytest

from golden.common.cli import run_main
from golden.eie import timing
from golden.eie.compiler import layer_floors, pack
from golden.eie.config import PRESETS
from golden.eie.workloads import load
from sim.__main__ import main
from sim.eie import bench

LAYERS = tuple(bench.PAPER_MICROSECONDS)


@pytest.mark.parametrize(("preset", "workload"), [("small", "nt-we"), ("fast", "nt-lstm"), ("paper-256", "alex-7")])
def test_rtl_equals_model(preset, workload, tmp_path):
    """Full layers in lockstep; ``tiny`` is everywhere in the tests and ``paper`` in ``make sim``."""
    file = tmp_path / "out.json"
    assert run_main(main, ["eie", "--preset", preset, "--workload", workload, "--json", str(file)]) == 0
    report = json.loads(file.read_text())
    assert report["mismatches"] == report["functional_errors"] == 0 < report["cycles"] < report["checked_cycles"]


@pytest.mark.slow
def test_all_layers(tmp_path):
    """The benchmark: nine layers and the corner cases at 64 PEs, with and without run-ahead."""
    file = tmp_path / "bench.json"
    assert run_main(bench.main, ["--json", str(file)]) == 0
    assert len(json.loads(file.read_text())["runs"]) == 2 * (len(LAYERS) + len(bench.CORNERS))


def over_floor(cfg, workload):
    """Cycles over the floor of one synthetic layer."""
    work = load(workload, cfg, 1)
    image = pack(work.layers, cfg)
    vector = work.activations[0]
    return timing.run(timing.work_of(image, [vector]), cfg).cycles / sum(layer_floors(image, [vector]))


@pytest.mark.parametrize("workload", LAYERS)
def test_cycles_over_floor(workload):
    """With run-ahead at most 1.06 of the floor; nt-we, with one entry a column, 1.25, and 1.05 at depth 32."""
    assert over_floor(PRESETS["fast"], workload) <= (1.25 if workload == "nt-we" else 1.06)
    if workload == "nt-we":
        assert over_floor(PRESETS["fast"].replace(fifo_depth=32), workload) <= 1.05
