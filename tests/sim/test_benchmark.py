"""What the benchmarks share: which runs, the file of figures, the verdict, the errors."""

import json

import pytest

from golden.common.cli import UsageError
from sim.common.benchmark import run_benchmark

PRESETS, WORKLOADS = {"small": 1, "large": 2}, {"one": "", "two": "", "three": ""}
RUNS = {"small": ("one", "two"), "large": ("three",)}


def run(tmp_path, *argv, wrong=0):
    """(Exit code, the file, configurations that were built) of a benchmark that measures nothing."""
    built = []

    def measure(build, preset, workload, seed):
        assert build == PRESETS[preset]
        return {"preset": preset, "workload": workload, "seed": seed, "checked_cycles": 10, "mismatches": 0,
                "functional_errors": wrong}

    def table(results):
        return ["workload", "seed"], [[workload, str(r["seed"])] for (_, workload), r in results.items()]

    file = tmp_path / "new" / "figures.json"
    code = run_benchmark("nothing", RUNS, description="", presets=PRESETS, workloads=WORKLOADS,
                         build=lambda cfg: built.append(cfg) or cfg, warm_up=lambda: None, measure=measure,
                         table=table, argv=["--json", str(file), *argv])
    return code, json.loads(file.read_text()), built


def names(figures):
    return [(r["preset"], r["workload"]) for r in figures["runs"]]


def test_all_runs(tmp_path, capsys):
    """Each preset with the workloads that are meant for it, built once."""
    code, figures, built = run(tmp_path)
    assert (code, built) == (0, [1, 2])
    assert names(figures) == [("small", "one"), ("small", "two"), ("large", "three")]
    assert list(figures["builds"]) == ["small", "large"]
    assert "30 compared cycles, 0 differences" in capsys.readouterr().out


def test_chosen_runs(tmp_path):
    code, figures, _ = run(tmp_path, "--presets", "large", "--workloads", "one,three", "--seed", "5")
    assert code == 0 and names(figures) == [("large", "one"), ("large", "three")]
    assert {r["seed"] for r in figures["runs"]} == {5}


def test_a_difference_fails(tmp_path, capsys):
    assert run(tmp_path, wrong=2)[0] == 1
    assert "6 differences" in capsys.readouterr().out


@pytest.mark.parametrize(("option", "message"), [
    ("presets", "^presets must be of small, large, not 'huge'$"),
    ("workloads", "^workloads must be of one, two, three, not 'huge'$")])
def test_wrong_names(tmp_path, option, message):
    with pytest.raises(UsageError, match=message):
        run(tmp_path, f"--{option}", "huge")
