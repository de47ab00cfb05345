"""python -m golden eie: the command as a user types it, its report, its exit codes and its one-line errors."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.__main__ import main
from golden.common.cli import run_main
from golden.eie import cli, npz
from golden.eie.config import PRESETS
from golden.eie.workloads import WORKLOADS, load

ROOT = Path(__file__).resolve().parents[2]


def run(*argv):
    return run_main(main, list(argv))


def test_list_workloads(capsys):
    assert run("eie", "--list-workloads") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(WORKLOADS)


def test_digits(capsys, tmp_path):
    """The default: the trained network on 20 test images."""
    path = tmp_path / "out.json"
    assert run("eie", "--json", str(path)) == 0
    out, err = capsys.readouterr()
    assert "20 of 360 vectors" in out and "0 differences" in out
    assert err == ""
    found = json.loads(path.read_text())
    assert found["workload"] == "digits" and found["preset"] == "paper"
    assert found["functional_errors"] == found["mismatches"] == found["checked_cycles"] == 0
    assert found["cycles"] > 0 and 0 < found["utilization"] < 1
    assert len(found["metrics"]["classes"]["fixed_point"]) == 20
    assert found["metrics"]["test_accuracy"]["fixed_point"] > 0.96


@pytest.mark.parametrize("name", ["empty-columns", "dense", "all-zero-input", "one-hot", "saturating"])
@pytest.mark.parametrize("setting", ["run_ahead=false", "run_ahead=true"])
def test_corner_cases(name, setting, tmp_path):
    """The cycle model equals the equations and never beats the floor."""
    path = tmp_path / "out.json"
    assert run("eie", "--preset", "tiny", "--set", setting, "--workload", name, "--json", str(path)) == 0
    found = json.loads(path.read_text())
    assert found["metrics"]["cycles_over_floor"] >= 1
    assert found["config"]["run_ahead"] == (setting == "run_ahead=true")


def test_users_file(tmp_path, capsys):
    """A right ``expected`` passes; a wrong one is an error of the network, exit code 1."""
    cfg = PRESETS["tiny"]
    workload = load("one-hot", cfg, 1)
    path = tmp_path / "mine.npz"
    outputs = np.stack([run.outputs for run in cli.run_model(cli.pack(workload.layers, cfg),
                                                            workload.activations)[0]])
    npz.save(path, workload.layers, workload.activations, outputs)
    assert run("eie", "--preset", "tiny", "--workload", str(path)) == 0
    outputs[0, 0] += 1
    npz.save(path, workload.layers, workload.activations, outputs)
    assert run("eie", "--preset", "tiny", "--workload", str(path)) == 1
    assert "1 differences" in capsys.readouterr().out


def test_same_seed_same_report(tmp_path):
    def cycles(seed):
        path = tmp_path / "out.json"
        assert run("eie", "--preset", "tiny", "--workload", "empty-columns", "--seed", seed,
                   "--json", str(path)) == 0
        found = json.loads(path.read_text())
        return {k: v for k, v in found.items() if k not in ("wall_seconds", "cycles_per_second")}
    assert cycles("1") == cycles("1") != cycles("2")


@pytest.mark.parametrize(("argv", "message"), [
    ([], "accelerator must be one of *eie*, and is missing"),
    (["eei"], "accelerator must be one of *eie*, not 'eei'"),
    (["eie", "--workload", "alex7"], "*not 'alex7'; did you mean alex-7*"),
    (["eie", "--workload", "no/such.npz"], "no/such.npz: must be a readable file, not No such file or directory"),
    (["eie", "--preset", "tiny"],
     "layer 0 needs 91 words of activation SRAM for 64 inputs and 300 outputs, must be at most 64"),
    (["eie", "--set", "n_pe=3"], "n_pe must be a power of two in 1..256, not 3"),
    (["eie", "--set", "data_bits=40"], "data_bits must be an integer in 8..32, not 40"),
    (["eie", "--images", "0"], "images must be at least 1, not 0"),
    (["eie", "--seed", "-1"], "seed must be at least 0, not -1"),
    (["eie", "--seed", "x"], "*invalid int value: 'x'*"),
    (["eie", "--json", "no/such/x.json"], "JSON file must be in an existing folder, not 'no/such/x.json'"),
    (["eie", "--wokload", "digits"], "unrecognized arguments: --wokload digits*"),
])
def test_wrong_arguments(capsys, argv, message):
    """One line, exit code 2, nothing on standard output."""
    assert run(*argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    pieces = f"error: {message}\n".split("*")
    assert err.startswith(pieces[0]) and err.rstrip("\n").endswith(pieces[-1].rstrip("\n"))
    assert all(piece.rstrip("\n") in err for piece in pieces)


def test_help(capsys):
    assert run("--help") == 0
    assert "eie" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="^0$"):
        run("eie", "--help")
    assert "--list-workloads" in capsys.readouterr().out


def test_as_a_program():
    """The module runs by its name, errors leave no traceback, and nothing but numpy's world is loaded."""
    def start(*argv):
        return subprocess.run([sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, check=False)

    done = start("-m", "golden", "eie", "--workload", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: workload must be") and done.stderr.count("\n") == 1
    loaded = "import golden.eie.cli, sys; print({m.split('.')[0] for m in sys.modules})"
    names = start("-c", loaded).stdout
    assert "numpy" in names
    for name in ("amaranth", "cocotb", "sklearn", "'hdl'", "'sim'"):
        assert name not in names
