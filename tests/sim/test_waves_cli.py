"""python -m sim.waves: list, compare and picture, exit codes and one-line errors."""

import re
from xml.etree import ElementTree

import pytest

from golden.common.cli import run_main
from sim.waves import main
from tests.sim.wave_examples import write

SIGNALS = {"chip.a.x": [1, 2, 3, 4], "chip.a.y": [0, 0, 5], "chip.z": [9]}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.vcd", SIGNALS)
    write("b.vcd", SIGNALS | {"chip.a.x": [1, 2, 7, 4]})
    write("part.vcd", {"chip.a.x": SIGNALS["chip.a.x"]})
    write("more.vcd", SIGNALS | {"chip.new": [0]})
    write("short.vcd", SIGNALS, cycles=5)


def run(*argv):
    return run_main(main, list(argv))


def test_list(files, capsys):
    assert run("list", "a.vcd", "--signals", "chip.a.*", "chip.z") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [["12", "cycles", "of", "chip.clk,", "3", "signals"], ["signal", "bits", "changes"],
                     ["chip.a.x", "8", "3"], ["chip.a.y", "8", "1"], ["chip.z", "8", "0"]]


def test_equal(files, capsys):
    assert run("compare", "a.vcd", "a.vcd") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 signals are equal in 12 cycles"


def test_difference(files, capsys):
    assert run("compare", "a.vcd", "b.vcd", "--picture", "d.svg", "--window", "2") == 1
    out = capsys.readouterr().out
    assert "first difference: chip.a.x in cycle 2: a 03, b 07\n" in out
    assert re.search(r"cycle +0 +1 +2\* +3 +4\n", out)
    assert "1 of 4 signals differ:\n  chip.a.x  from cycle 2 on, in 1 cycle\n" in out
    assert out.endswith("picture: d.svg\n")
    ElementTree.parse("d.svg")


def test_only_chosen_signals(files):
    assert run("compare", "a.vcd", "b.vcd", "--signals", "chip.z", "chip.a.y") == 0


def test_signals_of_one_file(files, capsys):
    assert run("compare", "a.vcd", "part.vcd") == 0
    assert "only a has chip.z, chip.a.y\n" in capsys.readouterr().out
    assert run("compare", "a.vcd", "more.vcd") == 0
    assert "only b has chip.new\n" in capsys.readouterr().out
    assert run("compare", "a.vcd", "more.vcd", "--complete") == 1
    assert run("compare", "more.vcd", "a.vcd", "--complete") == 0


def test_shorter_file(files, capsys):
    assert run("compare", "a.vcd", "short.vcd") == 0
    assert "a has 12 cycles, b 5; the shorter one was compared" in capsys.readouterr().out


def test_width(files, capsys):
    write("wide.vcd", SIGNALS, widths={"chip.z": 9})
    assert run("compare", "a.vcd", "wide.vcd") == 1
    assert "chip.z has 8 bits in a and 9 in b\n" in capsys.readouterr().out


def test_picture(files, capsys):
    assert run("picture", "a.vcd", "--signals", "chip.a.*", "--from", "1", "--to", "4", "-o", "p.svg") == 0
    assert capsys.readouterr().out == "picture: p.svg\n"
    ElementTree.parse("p.svg")


@pytest.mark.parametrize(("argv", "message"), [
    (["compare", "a.vcd", "none.vcd"], "waveform must be an existing file, not 'none.vcd'"),
    (["compare", "a.vcd", "part.vcd", "--signals", "chip.q"], "waveforms must have a signal of chip.q in common, "),
    (["compare", "a.vcd", "b.vcd", "--clock", "chip.tick"], "clock must be a signal of a.vcd, not 'chip.tick'"),
    (["compare", "a.vcd", "b.vcd", "--window", "-1"], "argument --window: must be a non-negative integer, not '-1'"),
    (["compare", "a.vcd", "b.vcd", "--picture", "d.png"], "picture must be a file ending in .svg, not 'd.png'"),
    (["list", "a.vcd", "--signals", "nope*"], "signal must be one of a.vcd, not 'nope*'"),
    (["picture", "a.vcd", "-o", "p.svg"], "the following arguments are required: --signals"),
    (["picture", "a.vcd", "--signals", "*", "--from", "9", "--to", "12", "-o", "p.svg"],
     "cycles must be a window in 0..11, not 9..12"),
    (["picture", "a.vcd", "--signals", "*", "--from", "5", "--to", "4", "-o", "p.svg"],
     "cycles must be a window in 0..11, not 5..4"),
    ([], "the following arguments are required: COMMAND"),
])
def test_wrong_arguments(files, capsys, argv, message):
    assert run(*argv) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and err.startswith(f"error: {message}")
