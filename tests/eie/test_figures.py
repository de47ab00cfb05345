"""The figures: work equals the compiler's, the expected shapes, the command, and the committed results."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from golden.common.cli import run_main
from golden.eie import figures, model, timing
from golden.eie.compiler import pack
from golden.eie.figures import FIGURES, PAPER, main, parts_of, series, sweep, work_on
from golden.eie.workloads import load

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "figures"
LAYERS = ("alex-8", "nt-we", "nt-lstm")


@pytest.fixture(scope="module")
def points():
    """All points of some layers."""
    pairs = sorted({pair for figure in FIGURES.values() for pair in figure.pairs()})
    return [point for name in LAYERS for point in sweep(name, 1, pairs)]


@pytest.mark.parametrize(("name", "n_pe"), [("nt-wd", 16), ("nt-wd", 64), ("nt-wd", 256), ("nt-lstm", 32)])
def test_points_equal_the_cycle_model(name, n_pe):
    """... of an array whose register files hold 4096 activations."""
    cfg = PAPER.replace(n_pe=n_pe, regfile_words=4096 // n_pe, act_words=2048)
    workload = load(name, PAPER, 2)
    image = pack(workload.layers, cfg)
    run = model.run(image, workload.activations[0])
    [point] = sweep(name, 2, [(n_pe, PAPER.fifo_depth)])
    assert point.cycles == run.cycles
    assert point.entries == sum(p.entries for p in run.passes)
    assert point.padding == sum(p.padding for p in run.passes)


@pytest.mark.parametrize("name", ["alex-8", "nt-wd"])
def test_work_equals_the_compilers(name):
    workload = load(name, PAPER, 1)
    work, _ = work_on(parts_of(workload.layers[0], workload.activations[0]), PAPER.n_pe)
    packed = timing.work_of(pack(workload.layers, PAPER), workload.activations)
    assert np.array_equal(work.broadcast_counts(), packed.broadcast_counts())
    for field in ("index", "first", "passes"):
        assert np.array_equal(getattr(work, field), getattr(packed, field))


def test_rows_of_loads_and_stores():
    """An input of 9216 is loaded in chunks of 4096, an output of 8791 stored: rows follow the number of PEs."""
    for name, column, of_chunks in (("alex-6", timing.LOAD_ROWS, (4096, 4096, 1024)),
                                    ("nt-wd", timing.STORE_ROWS, (4096, 4096, 599))):
        workload = load(name, PAPER, 1)
        nothing = np.zeros_like(workload.activations[0])
        for n_pe in (1, 64, 256):
            work, _ = work_on(parts_of(workload.layers[0], nothing), n_pe)
            assert work.passes[:, column].tolist() == [-(-length // n_pe) for length in of_chunks]


def test_figure_8(points):
    """Half idle in lockstep; more with each doubling, little beyond 8; NT-We worst."""
    lines = series("8", points)
    x = FIGURES["8"].x()
    for name, line in lines.items():
        balance = dict(zip(x, line, strict=True))
        assert line == sorted(line)
        assert balance["none"] < 0.55 and (balance["none"] > 0.4) == (name != "nt-we")
        assert balance["8"] - balance["1"] > 0.06 and balance["256"] - balance["8"] < 0.04
        # The knee: most of what queues can give is there at 8.
        assert balance["8"] - balance["1"] > 0.7 * (balance["256"] - balance["1"])
        assert (balance["8"] > 0.9) == (name != "nt-we")
    assert all(worst < other for name in LAYERS if name != "nt-we"
               for worst, other in zip(lines["nt-we"], lines[name], strict=True))


def test_figure_11(points):
    """Almost linear to 64 PEs, but for NT-We, which saturates."""
    for name, line in series("11", points).items():
        speedup = dict(zip(FIGURES["11"].x(), line, strict=True))
        assert speedup["1"] == 1 and line == sorted(line)
        assert speedup["16"] > 15
        assert (speedup["64"] > 0.9 * 64) == (speedup["256"] > 0.6 * 256) == (name != "nt-we")


def test_figure_12(points):
    """Padding falls with the number of PEs, but for the noise of random layers; gaps of at most 15 rows need none."""
    for line in series("12", points).values():
        assert all(more > less - 0.001 for less, more in pairwise(line)) and 0.8 < line[0] < line[-1] == 1


def test_figure_13(points):
    """Balance falls with the number of PEs."""
    for name, line in series("13", points).items():
        assert line == sorted(line, reverse=True) and line[0] > 0.98
        assert (line[-1] < 0.3) == (name == "nt-we")


def test_starved(points):
    """A PE with an empty column is not starved, but its arithmetic unit has nothing to do."""
    for point in points:
        assert 0 < point.balance <= 1 - point.starved <= 1
    at_paper = {p.layer: p for p in points if (p.n_pe, p.fifo_depth) == (64, 8)}
    assert 1 - at_paper["nt-we"].starved > at_paper["nt-we"].balance + 0.2


@pytest.mark.parametrize("run_ahead", [False, True])
def test_committed_results(run_ahead, points):
    """The files in docs/figures are what the model gives today."""
    stored = json.loads((RESULTS / f"eie{'-run-ahead' if run_ahead else ''}.json").read_text())
    pairs = sorted({(p.n_pe, p.fifo_depth) for p in points})
    if run_ahead:
        points = [point for name in LAYERS for point in sweep(name, stored["seed"], pairs, True)]
    now = figures.to_dict(FIGURES, points, stored["seed"], run_ahead)
    for figure in FIGURES:
        assert (RESULTS / f"eie-fig{figure}{'-run-ahead' if run_ahead else ''}.svg").exists()
        for field in ("y", "cycles", "starved"):
            lines = stored["figures"][figure][field]
            assert {name: lines[name] for name in LAYERS} == now["figures"][figure][field]
            stored["figures"][figure][field] = now["figures"][figure][field]
    assert stored == now


def test_command(tmp_path, capsys):
    arguments = ["--figure", "8", "--layers", "nt-we", "--seed", "4"]
    assert main([*arguments, "--json", str(tmp_path / "a.json"), "--plot", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "run-ahead off, seed 4; synthetic layers" in text and "Fig. 8" in text and "Fig. 11" not in text
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["seed"] == 4 and list(written["figures"]) == ["8"]
    values = written["figures"]["8"]["y"]["nt-we"]
    assert " ".join(f"{y:.1%}" for y in values) in " ".join(text.split())
    assert (tmp_path / "eie-fig8.svg").read_text().rstrip().endswith("</svg>")
    assert main([*arguments, "--run-ahead", "--plot", str(tmp_path)]) == 0
    assert "run-ahead on" in capsys.readouterr().out
    assert (tmp_path / "eie-fig8-run-ahead.svg").read_text() != (tmp_path / "eie-fig8.svg").read_text()


@pytest.mark.parametrize(("arguments", "message"), [
    (["--seed", "-1"], "error: seed must be at least 0, not -1\n"),
    (["--json", "no/such/a.json"], "error: JSON file must be in an existing folder, not 'no/such/a.json'\n"),
    (["--plot", "no/such"], "error: plot folder must exist, not 'no/such'\n"),
])
def test_wrong_arguments(arguments, message, capsys):
    assert run_main(main, arguments) == 2
    assert capsys.readouterr().err == message
