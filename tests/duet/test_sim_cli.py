"""python -m sim duet and python -m golden duet: the same cycles, users' files, exit codes and one-line errors."""

import json
import re

import numpy as np
import pytest

import golden.duet.report
from golden.__main__ import main as model_main
from golden.common.cli import run_main
from golden.duet import npz
from golden.duet.spec import MODES
from golden.duet.workloads import WORKLOADS
from sim.__main__ import main
from sim.common.runner import BenchFailure
from sim.duet import cli
from tests.duet.networks import network_of, recurrent_network

KEYS = {"accelerator", "preset", "config", "workload", "seed", "cycles", "checked_cycles", "mismatches",
        "functional_errors", "utilization", "wall_seconds", "cycles_per_second", "metrics"}


def run(*argv, preset="tiny", main=main):
    return run_main(main, ["duet", "--preset", preset, *map(str, argv)])


def told(folder, *argv, main=main):
    """What a run that must be right writes."""
    assert run(*argv, "--json", folder / "out.json", main=main) == 0
    return json.loads((folder / "out.json").read_text())


def counted(report):
    """All that the RTL decides: cycles of the whole and, by layer, those of its units and the words that they read."""
    return report["cycles"], report["utilization"], report["metrics"]["layers"]


@pytest.mark.parametrize(("workload", "mode", "options"), [
    ("fig-5-3", "os", ()), ("fig-5-4", "bos", ()), ("random", "ios", ()), ("random-lstm", "duet", ()),
    ("random-gru", "base", ()), ("digits-cnn", "duet", ("--inputs", 1)),
    ("alexnet-conv3", "base", ("--inputs", 1, "--tiles", 2, "--channels", 8))])
def test_rtl_takes_the_cycles_of_the_model(tmp_path, capsys, workload, mode, options):
    arguments = ("--workload", workload, "--mode", mode, *options)
    rtl, model = told(tmp_path, *arguments), told(tmp_path, *arguments, main=model_main)
    assert set(rtl) == set(model) == KEYS and counted(rtl) == counted(model)
    for report, checked in ((rtl, True), (model, False)):
        assert (report["accelerator"], report["workload"], report["preset"]) == ("duet", workload, "tiny")
        assert (report["mismatches"], report["functional_errors"]) == (0, 0)
        assert report["metrics"]["mode"] == mode and report["cycles"] > 0 and 0 < report["utilization"] <= 1
        assert (report["checked_cycles"] > report["cycles"]) == checked
        assert (report["metrics"]["base_cycles"] is None) == (mode == "base")
    # Registers are those of the whole run.
    assert rtl["metrics"]["counters"]["cycles"] == rtl["cycles"] and not model["metrics"]["counters"]
    out = capsys.readouterr().out
    assert out.count("0 differences from the equations") == 2 and out.count(", 0 mismatches, ") == 1
    assert out.count("everything was loaded through the stream port") == 1


def test_all_modes(tmp_path, capsys):
    """A run for each mode on one build; each is the run that the mode alone is."""
    arguments = ("--workload", "fig-5-3", "--mode")
    rtl, model = told(tmp_path, *arguments, "all"), told(tmp_path, *arguments, "all", main=model_main)
    assert list(rtl["modes"]) == list(model["modes"]) == list(MODES)
    for mode in MODES:
        alone = told(tmp_path, *arguments, mode, main=model_main)
        assert counted(rtl["modes"][mode]) == counted(model["modes"][mode]) == counted(alone)
        assert set(rtl["modes"][mode]) == KEYS
    assert rtl["checked_cycles"] == sum(own["checked_cycles"] for own in rtl["modes"].values()) > 0
    assert (rtl["mismatches"], rtl["functional_errors"]) == (0, 0)
    out = capsys.readouterr().out
    assert f"{rtl['checked_cycles']} cycles compared with the hardware, 0 mismatches" in out


@pytest.mark.parametrize(("name", "package"), [("chain", "sim"), ("3x3-stride", "golden"), ("lstm-37", "golden"),
                                               ("gru-37", "sim"), ("fc", "golden")])
def test_user_file(tmp_path, capsys, name, package):
    """Layers of every kind; without labels there is no accuracy."""
    network = network_of(name)
    npz.save(tmp_path / "net.npz", network)
    main_of = {"sim": main, "golden": model_main}[package]
    report = told(tmp_path, "--workload", tmp_path / "net.npz", "--inputs", 1, main=main_of)
    assert report["workload"] == str(tmp_path / "net.npz") and report["functional_errors"] == 0
    assert [layer["name"] for layer in report["metrics"]["layers"]] == [
        f"{k}: {layer.kind}" for k, layer in enumerate(network.layers)]
    assert report["metrics"]["accuracies"] == {} and "accuracy" not in capsys.readouterr().out


def test_labels_are_accuracies(tmp_path, capsys):
    report = told(tmp_path, "--workload", "digits-cnn", "--inputs", 1, main=model_main)
    assert report["metrics"]["accuracies"] == {"fixed point": 1.0, "with little modules": 1.0, "cycle model": 1.0}
    assert "cycle model          100.00%" in capsys.readouterr().out


def test_differences_fail(monkeypatch, capsys):
    """What the program without time does not say is counted, and the exit code is 1."""
    plain = golden.duet.report.interpret.run

    def wrong(program, inputs):
        outputs, counts, machine = plain(program, inputs)
        return outputs + 1, counts, machine

    monkeypatch.setattr(golden.duet.report.interpret, "run", wrong)
    assert run("--workload", "fig-5-3", main=model_main) == 1
    assert "3 differences from the equations" in capsys.readouterr().out


def test_a_mismatch_fails(monkeypatch, capsys):
    """The first difference ends the run; what repeats it is told, of all modes the one that failed."""
    asked = []

    def simulate(_built, program, _inputs, **options):
        asked.append((program.mode, options["repeat"]))
        if program.mode == "bos":
            raise BenchFailure("duet: running differ in cycle 7")
        return plain(_built, program, _inputs, **options)

    plain = cli.simulate
    monkeypatch.setattr(cli, "simulate", simulate)
    assert run("--workload", "fig-5-3", "--mode", "all") == 1
    captured = capsys.readouterr()
    assert captured.err == "duet: running differ in cycle 7\n" and "all layers" not in captured.out
    assert [mode for mode, _ in asked] == ["base", "os", "bos"]
    assert asked[-1][1] == "python -m sim duet --preset tiny --workload fig-5-3 --mode all --mode bos"


@pytest.mark.parametrize(("changes", "message"), [
    ({"l0_shift": np.array(32)}, r"l0_shift must be in 0\.\.31, not 32"),
    ({"l0_w_low": np.full((4, 37, 9), 8)}, r"l0_w_low\[0, 0, 0\] must be in -8\.\.7, not 8"),
    ({"l0_p": None}, "l0_p must be present, not missing"),
    ({"input": np.zeros((1, 2, 3))}, r"input must be integers, not float64"),
    ({"nonsense": np.array(1)}, r"key must be one of .*, not 'nonsense'"),
])
@pytest.mark.parametrize("package", [main, model_main], ids=["sim", "golden"])
def test_bad_files(tmp_path, capsys, package, changes, message):
    """One line, exit code 2, nothing written."""
    path = tmp_path / "net.npz"
    npz.save(path, recurrent_network(np.random.default_rng(1), "lstm", hidden=37, features=5, low=9))
    with np.load(path) as file:
        arrays = {key: value for key, value in (dict(file) | changes).items() if value is not None}
    np.savez(path, **arrays)
    assert run("--workload", path, "--json", tmp_path / "out.json", main=package) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"error: {path}: ")
    assert re.search(message + r"\n$", error)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(("argv", "message"), [
    (["--workload", "nonsense"], "workload must be a built-in name or an .npz file, not 'nonsense'"),
    (["--mode", "fast"], "argument --mode: invalid choice: 'fast'"),
    (["--inputs", "0"], "inputs must be at least 1, not 0"),
    (["--tiles", "0"], "tiles must be at least 1, not 0"),
    (["--channels", "-1"], "channels must be at least 1, not -1"),
    (["--tiles", "1"], "tiles and channels must be for a workload of one convolution, not for 'digits-cnn'"),
    (["--seed", "-1"], "seed must be at least 0, not -1"),
    (["--set", "rows=3"], "rows must be a power of two in 2..32, not 3"),
    (["--set", "glb_words=64"], "layer 0: outputs need "),
    (["--mode", "all", "--set", "lut=32"], "layer 0: a step of a 3 x 3 kernel with stride 1 needs 36 "),
    (["--json", "nowhere/x.json"], "JSON file must be in an existing folder, not 'nowhere/x.json'"),
])
@pytest.mark.parametrize("package", [main, model_main], ids=["sim", "golden"])
def test_wrong_arguments(capsys, package, argv, message):
    assert run(*argv, main=package) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


@pytest.mark.parametrize(("argv", "message"), [
    (["--waves", "nowhere/x.vcd"], "waveform must be in an existing folder, not 'nowhere/x.vcd'"),
    (["--golden-waves", "nowhere/x.vcd"], "waveform must be in an existing folder, not 'nowhere/x.vcd'"),
    (["--waves", "x.vcd", "--mode", "all"], "waveforms must be left out with mode all, which has a run for each mode"),
    (["--golden-waves", "x.vcd", "--mode", "all"],
     "waveforms must be left out with mode all, which has a run for each mode"),
])
def test_wrong_waves(capsys, argv, message):
    assert run(*argv) == 2
    assert capsys.readouterr().err == f"error: {message}\n"


def test_waves(tmp_path, capsys):
    assert run("--workload", "fig-5-3", "--waves", tmp_path / "x.vcd", "--golden-waves", tmp_path / "y.vcd") == 0
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("x.vcd", "y.vcd"))
    assert capsys.readouterr().out.endswith(f"waveform: {tmp_path / 'x.vcd'}\n")


@pytest.mark.parametrize("package", [main, model_main], ids=["sim", "golden"])
def test_help_and_list(capsys, package):
    assert run("--list-workloads", main=package) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(WORKLOADS)
    with pytest.raises(SystemExit, match="0"):
        run("--help", main=package)
    text = " ".join(capsys.readouterr().out.split())
    assert "all: these five on the same inputs, in one table" in text and "--channels" in text
    assert ("--waves" in text) == (package is main)
