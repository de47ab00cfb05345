"""python -m sim eie: users' files on the RTL, waveforms, exit codes and one-line errors."""

import json

import numpy as np
import pytest

from golden.common.cli import run_main
from golden.eie import npz
from golden.eie.spec import Layer, limits
from sim.__main__ import main
from sim.eie import cli


def run(*argv):
    return run_main(main, ["eie", "--preset", "tiny", *map(str, argv)])


def dense(layer, activations):
    """Plain integer arithmetic on the whole matrix: rounded products, their sum, ReLU."""
    def rounded(products):
        return (products + (1 << layer.shift >> 1)) >> layer.shift

    sums = rounded(layer.codebook[layer.codes] * activations).sum(axis=1)
    if layer.bias_codes is not None:
        sums += rounded(layer.codebook[layer.bias_codes] << layer.act_frac_in)
    assert np.all((sums >= limits(16)[0]) & (sums <= limits(16)[1]))
    return np.maximum(sums, 0) if layer.relu else sums


def user_file(path, n_out, n_in, *, bias, relu, vectors, density, seed=1):
    """A layer of random weights with its outputs as ``expected``; the path."""
    rng = np.random.default_rng(seed)
    codebook = np.concatenate(([0], rng.integers(-40, 40, 15)))
    layer = Layer(codes=(rng.integers(0, 16, (n_out, n_in)) * (rng.random((n_out, n_in)) < density)).astype(np.uint8),
                  codebook=codebook, bias_codes=rng.integers(0, 16, n_out).astype(np.uint8) if bias else None,
                  weight_frac=10, act_frac_in=8, act_frac_out=8, relu=relu)
    activations = rng.integers(-200, 200, (vectors, n_in)) * (rng.random((vectors, n_in)) < 0.5)
    npz.save(path, [layer], activations, np.stack([dense(layer, a) for a in activations]))
    return path


@pytest.mark.parametrize(("n_out", "n_in", "bias", "relu", "vectors", "density"), [
    (1, 1, False, True, 1, 1.0),
    (37, 5, True, False, 3, 1.0),
    (90, 50, True, True, 2, 0.1),
    (3, 200, False, True, 2, 0.3),
    (250, 2, True, True, 1, 1.0),
])
def test_user_file(tmp_path, capsys, n_out, n_in, bias, relu, vectors, density):
    """Odd shapes, longer than the register files in both directions: outputs equal dense integer arithmetic."""
    file = user_file(tmp_path / "net.npz", n_out, n_in, bias=bias, relu=relu, vectors=vectors, density=density)
    assert run("--workload", file, "--json", tmp_path / "out.json") == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert (report["mismatches"], report["functional_errors"]) == (0, 0)
    assert report["checked_cycles"] > report["cycles"] > 0
    assert report["metrics"]["vectors"] == vectors
    assert "0 mismatches" in capsys.readouterr().out


def test_wrong_expectation(tmp_path):
    """A file whose ``expected`` is not what the network computes ends with 1."""
    file = user_file(tmp_path / "net.npz", 5, 4, bias=False, relu=False, vectors=1, density=1.0)
    contents = dict(np.load(file))
    contents["expected"] = contents["expected"] + 1
    np.savez(file, **contents)
    assert run("--workload", file) == 1


def test_waves(tmp_path, capsys):
    assert run("--workload", "one-hot", "--waves", tmp_path / "run.vcd") == 0
    assert "spmat_read" in (tmp_path / "run.vcd").read_text()
    assert f"waveform: {tmp_path / 'run.vcd'}" in capsys.readouterr().out


def test_difference(monkeypatch, capsys):
    """When RTL and model differ the command says where, how to repeat it, and ends with 1."""
    real = cli.build

    def wrong(cfg, waves):
        return real(cfg.replace(fifo_depth=3), waves)

    monkeypatch.setattr(cli, "build", wrong)
    assert run("--workload", "dense", "--seed", 3) == 1
    text = capsys.readouterr().err
    assert "differ in cycle" in text and "repeat: python -m sim eie --preset tiny --workload dense --seed 3" in text


@pytest.mark.parametrize(("argv", "message"), [
    (["--workload", "nope"], "workload must be a built-in name or an .npz file, not 'nope'"),
    (["--workload", "digits"], "layer 0 "),
    (["--waves", "run.txt"], "waves must be a file ending in .fst or .vcd, not 'run.txt'"),
    (["--waves", "no/such/run.vcd"], "waveform must be in an existing folder, not 'no/such/run.vcd'"),
    (["--set", "n_pe=3"], "n_pe must be a power of two in 1..256, not 3"),
    (["--images", "0"], "images must be at least 1, not 0"),
])
def test_wrong_arguments(capsys, argv, message):
    assert run(*argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"error: {message}")
